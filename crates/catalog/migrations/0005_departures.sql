-- Whether a lapsed node was stopped and gave its lease up, or failed to renew it: only the latter is worth an alarm.
ALTER TABLE nodes ADD COLUMN has_left {integer} NOT NULL DEFAULT 0 CHECK (has_left IN (0, 1));
