-- Written by `.venv/bin/python -m tests.contract.written_sql`, not by hand.

-- ALL_USERS
SELECT name, password, grants, created_at, password_at, locked_at, signed_in_at
  FROM local_user
 ORDER BY name
;

-- FIND
SELECT name, password, grants, created_at, password_at, locked_at, signed_in_at
  FROM local_user
 WHERE name = $1
;

-- FIND_AND_LOCK
SELECT name, password, grants, created_at, password_at, locked_at, signed_in_at
  FROM local_user
 WHERE name = $1
   FOR UPDATE
;

-- ADD_USER
INSERT INTO local_user
       (name, password, grants, created_at, password_at)
VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (name) DO NOTHING
;

-- CHANGE
UPDATE local_user
   SET password = $2, grants = $3, password_at = $4, locked_at = $5
 WHERE name = $1
;

-- DELETE
DELETE FROM local_user
 WHERE name = $1
;

-- SIGN_IN
UPDATE local_user
   SET signed_in_at = $3, password = $4
 WHERE name = $1
   AND password = $2
   AND grants = $5
   AND locked_at IS NULL
;

-- END_KEYS
UPDATE credential
   SET revoked_at = $2, version = version + 1
 WHERE user_name = $1
   AND user_name <> ''
   AND revoked_at IS NULL
   AND key_id <> $3
;

-- MAKE_ROOM
UPDATE credential
   SET revoked_at = $2, version = version + 1
 WHERE key_id IN (SELECT key_id
                    FROM credential
                   WHERE user_name = $1
                     AND user_name <> ''
                     AND revoked_at IS NULL
                     AND expires_at > $2
                   ORDER BY created_at DESC, key_id
                   LIMIT 1000 OFFSET $3)
;
