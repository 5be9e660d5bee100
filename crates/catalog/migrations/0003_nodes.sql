-- One row for each start of a process that admits requests. A dead one stays until it is forgotten.
CREATE TABLE nodes (
    id         {text}    NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    name       {text}    NOT NULL CHECK (length(name) >= 1),
    address    {text}    NOT NULL,
    version    {text}    NOT NULL,
    applied    {integer} NOT NULL CHECK (applied >= 0),
    lease      {integer} NOT NULL CHECK (lease >= 1),
    ttl        {integer} NOT NULL CHECK (ttl >= 1),
    is_lapsed  {integer} NOT NULL CHECK (is_lapsed IN (0, 1)),
    joined_at  {integer} NOT NULL,
    renewed_at {integer} NOT NULL
) {strict};
