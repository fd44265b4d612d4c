"""The table of API keys that every service keeps; part of its first migration.

Released text is never edited: a change is a new constant and a new migration.
"""

KEY_TABLES_1 = """
-- Rows of good keys are never deleted: one that is gone must not come back as a new one.
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
    used_at    timestamptz,                      -- about; no change of its version
    user_name  text COLLATE "C" NOT NULL         -- who signed in for it; '': nobody
) WITHOUT ROWID;
CREATE INDEX credential_of_user ON credential (user_name, created_at) WHERE user_name <> '';
-- Those of users are deleted when they have expired, by which they can't come back. What the sum of
-- all versions misses of them is here.
CREATE TABLE credential_gone (
    one        bigint PRIMARY KEY CHECK (one = 1),
    versions   bigint NOT NULL
);
"""

# Of the service that makes keys.
USER_TABLES_1 = """
CREATE TABLE local_user (
    name         text COLLATE "C" PRIMARY KEY,
    password     text NOT NULL,                  -- argon2id
    grants       text NOT NULL,                  -- roles and scopes, with blanks between
    created_at   timestamptz NOT NULL,
    password_at  timestamptz NOT NULL,           -- when it was set
    locked_at    timestamptz,
    signed_in_at timestamptz
) WITHOUT ROWID;
"""
