-- Written by `.venv/bin/python -m tests.contract.written_sql`, not by hand.

-- REVISION
SELECT coalesce((SELECT sum(version) FROM credential), 0)
       + coalesce((SELECT sum(versions) FROM credential_gone), 0) AS revision
;

-- ALL
SELECT key_id, name, digest, grants, networks, created_at, expires_at, revoked_at, version, used_at, user_name
  FROM credential
 ORDER BY created_at, key_id
;

-- SOME
SELECT key_id, name, digest, grants, networks, created_at, expires_at, revoked_at, version, used_at, user_name
  FROM credential
 WHERE key_id > ?1
 ORDER BY key_id
 LIMIT ?2
;

-- TAKE
INSERT INTO credential AS mine
       (key_id, name, digest, grants, networks, created_at, expires_at, user_name, revoked_at,
        version)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
    ON CONFLICT (key_id) DO UPDATE
   SET name = excluded.name,
       grants = excluded.grants,
       networks = excluded.networks,
       expires_at = excluded.expires_at,
       revoked_at = coalesce(mine.revoked_at, excluded.revoked_at),
       version = CASE
                 WHEN mine.version < excluded.version THEN excluded.version
                 ELSE mine.version + 1
                 END
 WHERE mine.digest = excluded.digest
   AND (mine.version < excluded.version
        OR mine.revoked_at IS NULL AND excluded.revoked_at IS NOT NULL)
;

-- ADD
INSERT INTO credential
       (key_id, name, digest, grants, networks, created_at, expires_at, user_name, version)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1)
    ON CONFLICT (key_id) DO NOTHING
;

-- END
UPDATE credential
   SET expires_at = CASE
                    WHEN expires_at < ?2 THEN expires_at
                    ELSE ?2
                    END,
       version = version + 1
 WHERE key_id = ?1
   AND revoked_at IS NULL
   AND (expires_at IS NULL OR expires_at > ?3)
;

-- REVOKE
UPDATE credential
   SET revoked_at = ?2, version = version + 1
 WHERE key_id = ?1
   AND revoked_at IS NULL
;

-- USED
UPDATE credential
   SET used_at = ?2
 WHERE key_id = ?1
   AND (used_at IS NULL OR used_at < ?2)
;

-- FORGET
DELETE FROM credential
 WHERE user_name <> ''
   AND expires_at < ?1
RETURNING version
;

-- FORGOTTEN
INSERT INTO credential_gone AS mine
       (one, versions)
VALUES (1, ?1)
    ON CONFLICT (one) DO UPDATE
   SET versions = mine.versions + excluded.versions
;
