-- Where whoever reads the ledger sees it: a process that runs while a newer release changes the schema must notice.
ALTER TABLE ledger ADD COLUMN schema_version {integer} NOT NULL DEFAULT 0;
