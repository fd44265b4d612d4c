"""Users in Orders' database, beside the keys that they own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple

from holdfast.chassis.database.seam import Database, Row, Transaction, instant, instant_or_none
from holdfast.chassis.database.sql import by_engine
from holdfast.chassis.identity import store
from holdfast.chassis.identity.keys import Key

SESSIONS_MAX = 10  # of a user


class User(NamedTuple):
    """Somebody who signs in by a name and a password.

    :param password: what is kept of it.
    :param grants: roles and scopes, as they were given.
    """

    name: str
    password: str
    grants: tuple[str, ...]
    created_at: datetime
    password_at: datetime
    locked_at: datetime | None = None
    signed_in_at: datetime | None = None

    def __repr__(self) -> str:
        return f"User({self.name!r}, ...)"


_USER = "name, password, grants, created_at, password_at, locked_at, signed_in_at"


class UserStatements:
    """What is asked of `local_user`, and of keys by their user, who has a name: the index is of
    those alone.
    """

    ALL_USERS = f"""
SELECT {_USER}
  FROM local_user
 ORDER BY name
"""  # noqa: S608 - constants only
    FIND = f"""
SELECT {_USER}
  FROM local_user
 WHERE name = $1
"""  # noqa: S608 - constants only
    FIND_AND_LOCK = FIND + "   FOR UPDATE\n"
    ADD_USER = """
INSERT INTO local_user
       (name, password, grants, created_at, password_at)
VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (name) DO NOTHING
"""
    CHANGE = """
UPDATE local_user
   SET password = $2, grants = $3, password_at = $4, locked_at = $5
 WHERE name = $1
"""
    DELETE = """
DELETE FROM local_user
 WHERE name = $1
"""
    # The row is the lock: whoever changes, locks or deletes the user comes before it or after. Who
    # comes before has ended the keys that there were; the one that is made here has the roles of
    # the user as they were read.
    SIGN_IN = """
UPDATE local_user
   SET signed_in_at = $3, password = $4
 WHERE name = $1
   AND password = $2
   AND grants = $5
   AND locked_at IS NULL
"""
    END_KEYS = """
UPDATE credential
   SET revoked_at = $2, version = version + 1
 WHERE user_name = $1
   AND user_name <> ''
   AND revoked_at IS NULL
   AND key_id <> $3
"""
    MAKE_ROOM = """
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
"""


SQL = by_engine(UserStatements)


class UserStore:
    """The users."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql, self._keys_sql = SQL[database.engine], store.SQL[database.engine]

    async def all(self) -> list[User]:
        """Return every user, by name."""
        async with self._database.read() as reading:
            return list(map(_user, await reading.fetch(self._sql.ALL_USERS)))

    async def find(self, name: str) -> User | None:
        """Return a user; None: there is none of this name."""
        async with self._database.read() as reading:
            return next(map(_user, await reading.fetch(self._sql.FIND, name)), None)

    async def add(self, user: User) -> bool:
        """Add a user; false: the name is taken, and nothing was done."""
        row = (user.name, user.password, " ".join(user.grants), user.created_at, user.password_at)
        return await self._database.execute(self._sql.ADD_USER, *row) == 1

    @asynccontextmanager
    async def changing(self, name: str) -> AsyncIterator["Change | None"]:
        """Find a user whom nobody else changes until the block ends; None: there is none."""
        async with self._database.begin() as work:
            rows = await work.fetch(self._sql.FIND_AND_LOCK, name)
            yield Change(work, self._sql, _user(rows[0])) if rows else None

    async def sign_in(self, user: User, password: str, key: Key) -> bool:
        """Add a key of a user who is not locked and has still the password and the roles that they
        had; false: nothing was done. Of more than SESSIONS_MAX the oldest are revoked.

        :param password: to be kept from now on, of the same password.
        """
        async with self._database.begin() as work:
            at = key.created_at
            arguments = (user.name, user.password, at, password, " ".join(user.grants))
            if await work.execute(self._sql.SIGN_IN, *arguments) != 1:
                return False
            await work.execute(self._sql.MAKE_ROOM, user.name, at, SESSIONS_MAX - 1)
            await work.execute(self._keys_sql.ADD, *store.row_of(key))
        return True


class Change:
    """A user who is being changed."""

    def __init__(self, work: Transaction, sql: UserStatements, user: User) -> None:
        self._work, self._sql, self.user = work, sql, user

    async def to(self, user: User) -> None:
        row = (user.password, " ".join(user.grants), user.password_at, user.locked_at)
        await self._work.execute(self._sql.CHANGE, user.name, *row)

    async def delete(self) -> None:
        await self._work.execute(self._sql.DELETE, self.user.name)

    async def end_keys(self, at: datetime, *, but: str = "") -> None:
        """Revoke all keys of the user, but one."""
        await self._work.execute(self._sql.END_KEYS, self.user.name, at, but)


def _user(row: Row) -> User:
    return User(
        row["name"],
        row["password"],
        tuple(row["grants"].split()),
        instant(row["created_at"]),
        instant(row["password_at"]),
        instant_or_none(row["locked_at"]),
        instant_or_none(row["signed_in_at"]),
    )
