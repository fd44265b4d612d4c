"""The table of API keys that every service keeps; part of its first migration.

Released text is never edited: a change is a new constant and a new migration.
"""

KEY_TABLES_1 = """
-- Rows are never deleted: a key that is gone must not come back as a new one.
CREATE TABLE credential (
    key_id     text COLLATE "C" PRIMARY KEY,
    name       text NOT NULL,
    digest     bytea NOT NULL,                   -- HMAC-SHA-256 of the secret
    grants     text NOT NULL,                    -- roles and scopes, with blanks between
    networks   text NOT NULL,                    -- likewise; '': anywhere
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,                      -- it stays so
    version    bigint NOT NULL,
    used_at    timestamptz                       -- about; no change of its version
) WITHOUT ROWID;
"""
