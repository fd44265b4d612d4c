"""Customers as they are read: a profile, and pages of them."""

from holdfast.chassis.database.seam import Database
from holdfast.chassis.database.sql import BEHIND_ALL
from holdfast.orders.domain.customers.customer import NAME_CHARACTERS_MAX
from holdfast.orders.domain.customers.profile import Profile
from holdfast.orders.infrastructure.customers.rows import profile_of
from holdfast.orders.infrastructure.ordering.sql import SQL


class ProfileReader:
    """Answers questions about committed profiles."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = SQL[database.engine]

    async def profile(self, customer_id: str) -> Profile | None:
        async with self._database.read() as reading:
            for row in await reading.fetch(self._sql.FIND_PROFILE, customer_id):
                return profile_of(row)
            orders = await reading.fetch(self._sql.ANY_ORDER_OF_CUSTOMER, customer_id)
        return Profile(customer_id) if orders else None

    async def profiles(
        self, email: str, *, after: str, limit: int, owner: str = ""
    ) -> list[Profile]:
        async with self._database.read() as reading:
            if owner:
                rows = await reading.fetch(self._sql.FIND_PROFILE, owner)
                rows = [row for row in rows if email in ("", row["email"]) and owner > after]
            elif email:
                rows = await reading.fetch(self._sql.LIST_PROFILES_OF_EMAIL, after, limit, email)
            else:
                rows = await reading.fetch(self._sql.LIST_PROFILES, after, limit)
        return list(map(profile_of, rows))

    async def profiles_named(
        self, begins: str, email: str, *, after: tuple[str, str], limit: int
    ) -> list[Profile]:
        # A name is free text: it may have that character itself, but not so often.
        within = begins, begins + BEHIND_ALL * NAME_CHARACTERS_MAX
        async with self._database.read() as reading:
            rows = await reading.fetch(
                self._sql.LIST_PROFILES_OF_NAME, *after, *within, limit, email
            )
        return list(map(profile_of, rows))
