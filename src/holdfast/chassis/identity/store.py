"""API keys in a service's database."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from holdfast.chassis.database.clocks import earlier_now
from holdfast.chassis.database.seam import Database, Row, instant, instant_or_none
from holdfast.chassis.database.sql import by_engine
from holdfast.chassis.identity.keys import Key

_KEY = (
    "key_id, name, digest, grants, networks, created_at, expires_at, revoked_at, version, used_at, "
    "user_name"
)


class KeyStatements:
    """What is asked of the table `credential`."""

    # Every change raises a version and no row goes uncounted, so the sum tells whether anything
    # changed: unlike a time or a sequence, also when transactions commit in another order.
    REVISION = """
SELECT coalesce((SELECT sum(version) FROM credential), 0)::bigint
       + coalesce((SELECT sum(versions) FROM credential_gone), 0)::bigint AS revision
"""
    ALL = f"""
SELECT {_KEY}
  FROM credential
 ORDER BY created_at, key_id
"""  # noqa: S608 - constants only
    SOME = f"""
SELECT {_KEY}
  FROM credential
 WHERE key_id > $1
 ORDER BY key_id
 LIMIT $2
"""  # noqa: S608 - constants only
    # A revocation is taken however old, and nothing brings a revoked key back: neither the order in
    # which changes arrive nor an older copy of the database that they come from.
    TAKE = """
INSERT INTO credential AS mine
       (key_id, name, digest, grants, networks, created_at, expires_at, user_name, revoked_at,
        version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
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
"""
    ADD = """
INSERT INTO credential
       (key_id, name, digest, grants, networks, created_at, expires_at, user_name, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)
    ON CONFLICT (key_id) DO NOTHING
"""
    # Only of a key that is still good, so that the count tells; it is never prolonged.
    END = """
UPDATE credential
   SET expires_at = CASE
                    WHEN expires_at < $2 THEN expires_at
                    ELSE $2
                    END,
       version = version + 1
 WHERE key_id = $1
   AND revoked_at IS NULL
   AND (expires_at IS NULL OR expires_at > $3)
"""
    REVOKE = """
UPDATE credential
   SET revoked_at = $2, version = version + 1
 WHERE key_id = $1
   AND revoked_at IS NULL
"""
    USED = """
UPDATE credential
   SET used_at = $2
 WHERE key_id = $1
   AND (used_at IS NULL OR used_at < $2)
"""
    FORGET = """
DELETE FROM credential
 WHERE user_name <> ''
   AND expires_at < $1
RETURNING version
"""
    FORGOTTEN = """
INSERT INTO credential_gone AS mine
       (one, versions)
VALUES (1, $1)
    ON CONFLICT (one) DO UPDATE
   SET versions = mine.versions + excluded.versions
"""


SQL = by_engine(KeyStatements)


class KeyStore:
    """The keys of one service."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = SQL[database.engine]

    async def revision(self) -> int:
        """Return a number that is another one whenever a key was added or changed."""
        async with self._database.read() as reading:
            (row,) = await reading.fetch(self._sql.REVISION)
        return int(row["revision"])

    async def all(self) -> list[Key]:
        """Return every key there ever was, the oldest first."""
        async with self._database.read() as reading:
            return list(map(_key, await reading.fetch(self._sql.ALL)))

    async def some(self, behind: str, most: int) -> list[Key]:
        """Return so many keys by their ids, those behind one; none: that was the last."""
        async with self._database.read() as reading:
            return list(map(_key, await reading.fetch(self._sql.SOME, behind, most)))

    async def add(self, key: Key, *, ending: Key | None = None) -> bool:
        """Add a key, and in the same transaction end another one as `ending` says; false: that one
        was revoked or has expired, and nothing was done. An id that is there already is left as it
        is.
        """
        async with self._database.begin() as work:
            if ending is not None:
                until = ending.expires_at, key.created_at
                if not await work.execute(self._sql.END, ending.key_id, *until):
                    return False
            await work.execute(self._sql.ADD, *row_of(key))
        return True

    async def revoke(self, key_id: str, at: datetime) -> None:
        """Revoke a key for good. A repeat changes nothing, nor does an id that nobody has."""
        await self._database.execute(self._sql.REVOKE, key_id, at)

    async def take(self, keys: Iterable[Key]) -> None:
        """Take keys as another service has them: what is newer than here; and revoked here or
        there is revoked. A repeat changes nothing.
        """
        async with self._database.begin() as work:
            for key in keys:
                await work.execute(self._sql.TAKE, *row_of(key), key.revoked_at, key.version)

    async def used(self, at: Mapping[str, datetime]) -> None:
        """Record when keys were last used."""
        async with self._database.begin() as work:
            for key_id, when in at.items():
                await work.execute(self._sql.USED, key_id, when)

    async def forget(self, now: datetime, after: timedelta) -> int:
        """Delete the keys of users that expired so long ago, and return how many there were. The
        revision stays: nothing that counts has changed.
        """
        before = await earlier_now(self._database, now) - after
        async with self._database.begin() as work:
            gone = await work.fetch(self._sql.FORGET, before)
            if gone:
                await work.execute(self._sql.FORGOTTEN, sum(row["version"] for row in gone))
        return len(gone)


def row_of(key: Key) -> tuple[object, ...]:
    """Return the values of a key that never change, and when it expires."""
    grants, networks = _joined(key.grants), _joined(key.networks)
    expires = key.created_at, key.expires_at
    return key.key_id, key.name, key.digest, grants, networks, *expires, key.user


def _joined(parts: Iterable[object]) -> str:
    return " ".join(map(str, parts))


def _key(row: Row) -> Key:
    key = Key(
        row["key_id"],
        row["name"],
        bytes(row["digest"]),
        tuple(row["grants"].split()),
        (),
        instant(row["created_at"]),
        instant_or_none(row["expires_at"]),
        instant_or_none(row["revoked_at"]),
        row["version"],
        instant_or_none(row["used_at"]),
        row["user_name"],
    )
    return key.within(row["networks"].split())
