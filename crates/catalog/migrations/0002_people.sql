-- Sign-in, invitations, device requests and what tokens are used for.

-- A wider list of kinds: a constraint cannot be altered in place on SQLite.
CREATE TABLE wider_changes (
    revision {integer} NOT NULL CHECK (revision >= 1),
    kind     {text}    NOT NULL
        CHECK (kind IN ('database_token', 'management_token', 'database', 'user', 'session')),
    subject  {text}    NOT NULL CHECK (length(subject) >= 1),
    PRIMARY KEY (revision, kind, subject)
) {strict};

INSERT INTO wider_changes (revision, kind, subject) SELECT revision, kind, subject FROM changes;
DROP TABLE changes;
ALTER TABLE wider_changes RENAME TO changes;

CREATE TABLE sessions (
    id           {text}    NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    user_id      {text}    NOT NULL REFERENCES users (id),
    kind         {text}    NOT NULL CHECK (kind IN ('browser', 'device')),
    secret_hash  {bytes}   NOT NULL UNIQUE CHECK (length(secret_hash) = 64),
    address      {text}    NOT NULL,
    agent        {text}    NOT NULL,
    created_at   {integer} NOT NULL,
    expires_at   {integer} NOT NULL,
    last_used_at {integer},
    ended_at     {integer}
) {strict};

CREATE INDEX sessions_by_user ON sessions (user_id, created_at, id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE invitations (
    id           {text}    NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    account_id   {text}    NOT NULL REFERENCES accounts (id),
    email        {text}    NOT NULL CHECK (length(email) >= 3),
    email_folded {text}    NOT NULL CHECK (length(email_folded) >= 3),
    first_name   {text}    NOT NULL,
    last_name    {text}    NOT NULL,
    role         {text}    NOT NULL CHECK (role IN ('admin', 'member', 'auditor')),
    secret_hash  {bytes}   NOT NULL UNIQUE CHECK (length(secret_hash) = 64),
    created_at   {integer} NOT NULL,
    created_by   {text}    NOT NULL,
    expires_at   {integer} NOT NULL,
    accepted_at  {integer},
    accepted_by  {text},
    revoked_at   {integer},
    CHECK ((accepted_at IS NULL) = (accepted_by IS NULL)),
    CHECK (accepted_at IS NULL OR revoked_at IS NULL)
) {strict};

CREATE INDEX invitations_by_account ON invitations (account_id, created_at, id);

-- RFC 8628. The user is not a reference: a deleted user's requests are void, not gone.
CREATE TABLE device_requests (
    id         {text}    NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    user_code  {text}    NOT NULL UNIQUE CHECK (length(user_code) = 8),
    secret_hash {bytes}  NOT NULL UNIQUE CHECK (length(secret_hash) = 64),
    client_id  {text}    NOT NULL,
    host       {text}    NOT NULL,
    address    {text}    NOT NULL,
    agent      {text}    NOT NULL,
    created_at {integer} NOT NULL,
    expires_at {integer} NOT NULL,
    state      {text}    NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'redeemed')),
    user_id    {text},
    CHECK (state <> 'approved' OR user_id IS NOT NULL)
) {strict};

CREATE INDEX device_requests_by_end ON device_requests (expires_at);

-- Admitted requests of a database token within one hour, numbered since the epoch.
CREATE TABLE token_usage (
    token_id {text}    NOT NULL,
    hour     {integer} NOT NULL,
    database {text}    NOT NULL,
    action   {text}    NOT NULL CHECK (action IN ('read', 'write')),
    requests {integer} NOT NULL CHECK (requests >= 1),
    PRIMARY KEY (token_id, hour, database, action)
) {strict};

CREATE INDEX token_usage_by_hour ON token_usage (hour);

CREATE INDEX audit_events_by_actor ON audit_events (account_id, actor, sequence);

ALTER TABLE database_tokens ADD COLUMN last_address {text};
ALTER TABLE database_tokens ADD COLUMN last_agent {text};
ALTER TABLE management_tokens ADD COLUMN last_address {text};
ALTER TABLE management_tokens ADD COLUMN last_agent {text};
