-- One text for SQLite and PostgreSQL. The seam replaces {integer}, {text}, {bytes} and {strict}.
-- Times are microseconds since the epoch. UUIDs are hyphenated text, so that one statement can search them on both
-- backends and an operator can read them. Text sorts by its bytes on both.

CREATE TABLE ledger (
    singleton        {integer} NOT NULL PRIMARY KEY CHECK (singleton = 1),
    revision         {integer} NOT NULL CHECK (revision >= 0),
    changes_floor    {integer} NOT NULL CHECK (changes_floor >= 0),
    audit_sequence   {integer} NOT NULL CHECK (audit_sequence >= 0),
    audit_head       {text}    NOT NULL CHECK (length(audit_head) = 64),
    last_database_id {integer} NOT NULL CHECK (last_database_id >= 0),
    last_table_id    {integer} NOT NULL CHECK (last_table_id >= 0)
) {strict};

INSERT INTO ledger VALUES (1, 0, 0, 0, '0000000000000000000000000000000000000000000000000000000000000000', 0, 0);

CREATE TABLE changes (
    revision {integer} NOT NULL CHECK (revision >= 1),
    kind     {text}    NOT NULL CHECK (kind IN ('database_token', 'management_token', 'database', 'user')),
    subject  {text}    NOT NULL CHECK (length(subject) >= 1),
    PRIMARY KEY (revision, kind, subject)
) {strict};

CREATE TABLE accounts (
    id         {text}    NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    name       {text}    NOT NULL CHECK (length(name) >= 1),
    created_at {integer} NOT NULL
) {strict};

CREATE TABLE clusters (
    id         {text}    NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    account_id {text}    NOT NULL REFERENCES accounts (id),
    name       {text}    NOT NULL CHECK (length(name) >= 1),
    created_at {integer} NOT NULL,
    deleted_at {integer}
) {strict};

CREATE INDEX clusters_by_account ON clusters (account_id, created_at, id);

CREATE TABLE databases (
    id                 {integer} NOT NULL PRIMARY KEY CHECK (id >= 1),
    cluster_id         {text}    NOT NULL REFERENCES clusters (id),
    name               {text}    NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    max_tables         {integer} NOT NULL CHECK (max_tables >= 1),
    max_columns        {integer} NOT NULL CHECK (max_columns >= 1),
    retention_nanos    {integer} NOT NULL CHECK (retention_nanos >= 0),
    partition_template {text},
    created_at         {integer} NOT NULL,
    deleted_at         {integer},
    purged_at          {integer},
    CHECK (purged_at IS NULL OR deleted_at IS NOT NULL)
) {strict};

CREATE UNIQUE INDEX databases_active_name ON databases (cluster_id, name) WHERE deleted_at IS NULL;
CREATE INDEX databases_by_name ON databases (cluster_id, name, id);
CREATE INDEX databases_unpurged ON databases (deleted_at) WHERE deleted_at IS NOT NULL AND purged_at IS NULL;

-- name_key is the name, or for a long one its start and a hash: a PostgreSQL index entry has a bounded size.
CREATE TABLE tables (
    id                 {integer} NOT NULL PRIMARY KEY CHECK (id >= 1),
    database_id        {integer} NOT NULL REFERENCES databases (id),
    name               {text}    NOT NULL CHECK (length(name) >= 1),
    name_key           {text}    NOT NULL CHECK (length(name_key) >= 1),
    max_columns        {integer} NOT NULL CHECK (max_columns >= 1),
    partition_template {text},
    created_at         {integer} NOT NULL,
    deleted_at         {integer},
    purged_at          {integer},
    CHECK (purged_at IS NULL OR deleted_at IS NOT NULL)
) {strict};

CREATE UNIQUE INDEX tables_active_name ON tables (database_id, name_key) WHERE deleted_at IS NULL;
CREATE INDEX tables_by_name ON tables (database_id, name_key, id);
CREATE INDEX tables_unpurged ON tables (deleted_at) WHERE deleted_at IS NOT NULL AND purged_at IS NULL;

CREATE TABLE table_aliases (
    database_id {integer} NOT NULL REFERENCES databases (id),
    name_key    {text}    NOT NULL CHECK (length(name_key) >= 1),
    name        {text}    NOT NULL CHECK (length(name) >= 1),
    table_id    {integer} NOT NULL REFERENCES tables (id),
    PRIMARY KEY (database_id, name_key)
) {strict};

-- description_folded is the description in lower case by Unicode's rule, which neither backend applies by itself.
CREATE TABLE database_tokens (
    id                 {text}    NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    cluster_id         {text}    NOT NULL REFERENCES clusters (id),
    description        {text}    NOT NULL,
    description_folded {text}    NOT NULL,
    permissions        {text}    NOT NULL,
    secret_hash        {bytes}   NOT NULL UNIQUE CHECK (length(secret_hash) = 64),
    prefix             {text}    NOT NULL CHECK (length(prefix) = 9),
    created_at         {integer} NOT NULL,
    created_by         {text}    NOT NULL,
    expires_at         {integer},
    revoked_at         {integer},
    last_used_at       {integer}
) {strict};

CREATE INDEX database_tokens_by_creation ON database_tokens (cluster_id, created_at, id);
CREATE INDEX database_tokens_by_description
    ON database_tokens (cluster_id, substr(description_folded, 1, 64), id);
CREATE INDEX database_tokens_by_expiry
    ON database_tokens (cluster_id, COALESCE(expires_at, 9223372036854775807), id);
CREATE INDEX database_tokens_by_use
    ON database_tokens (cluster_id, COALESCE(last_used_at, -9223372036854775807), id);

CREATE TABLE management_tokens (
    id                 {text}    NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    account_id         {text}    NOT NULL REFERENCES accounts (id),
    description        {text}    NOT NULL,
    description_folded {text}    NOT NULL,
    secret_hash        {bytes}   NOT NULL UNIQUE CHECK (length(secret_hash) = 64),
    prefix             {text}    NOT NULL CHECK (length(prefix) = 9),
    created_at         {integer} NOT NULL,
    created_by         {text}    NOT NULL,
    expires_at         {integer},
    revoked_at         {integer},
    last_used_at       {integer}
) {strict};

CREATE INDEX management_tokens_by_creation ON management_tokens (account_id, created_at, id);
CREATE INDEX management_tokens_by_description
    ON management_tokens (account_id, substr(description_folded, 1, 64), id);
CREATE INDEX management_tokens_by_expiry
    ON management_tokens (account_id, COALESCE(expires_at, 9223372036854775807), id);
CREATE INDEX management_tokens_by_use
    ON management_tokens (account_id, COALESCE(last_used_at, -9223372036854775807), id);

CREATE TABLE users (
    id            {text}    NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    account_id    {text}    NOT NULL REFERENCES accounts (id),
    email         {text}    NOT NULL CHECK (length(email) >= 3),
    email_folded  {text}    NOT NULL UNIQUE CHECK (length(email_folded) >= 3),
    first_name    {text}    NOT NULL,
    last_name     {text}    NOT NULL,
    role          {text}    NOT NULL CHECK (role IN ('admin', 'member', 'auditor')),
    password_hash {text},
    created_at    {integer} NOT NULL,
    disabled_at   {integer}
) {strict};

CREATE INDEX users_by_account ON users (account_id, email_folded, id);

CREATE TABLE audit_events (
    sequence   {integer} NOT NULL PRIMARY KEY CHECK (sequence >= 1),
    at         {integer} NOT NULL,
    revision   {integer},
    actor      {text}    NOT NULL,
    account_id {text}    NOT NULL REFERENCES accounts (id),
    act        {text}    NOT NULL,
    subject    {text}    NOT NULL,
    details    {text}    NOT NULL,
    hash       {text}    NOT NULL CHECK (length(hash) = 64)
) {strict};

CREATE INDEX audit_events_by_subject ON audit_events (account_id, subject, sequence);
CREATE INDEX audit_events_by_time ON audit_events (at);
