"""Customers' rows: profiles in a transaction, and what is erased of orders."""

import json
from collections.abc import Sequence
from datetime import datetime

from holdfast.chassis.database.seam import Row, Transaction, instant
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.customers.erasure import ByCustomer, ByEmail, Erasure
from holdfast.orders.domain.customers.errors import CustomerErased
from holdfast.orders.domain.customers.profile import Profile
from holdfast.orders.domain.ordering.details import NOWHERE
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.infrastructure.customers.sql import CustomerStatements


class Rows:
    """What an open transaction does about customers."""

    def __init__(self, transaction: Transaction, sql: CustomerStatements) -> None:
        self._transaction = transaction
        self._sql = sql

    async def lock(self, customer_id: str, at: datetime) -> Profile:
        await self._transaction.execute(self._sql.ADD_PROFILE, customer_id, at)
        (row,) = await self._transaction.fetch(self._sql.LOCK_PROFILE, customer_id)
        return profile_of(row)

    async def lock_with_email(self, email: str) -> list[Profile]:
        rows = await self._transaction.fetch(self._sql.LOCK_PROFILES_WITH_EMAIL, email)
        return list(map(profile_of, rows))

    async def save(self, profiles: Sequence[Profile]) -> None:
        rows = [
            (p.customer_id, p.customer.name, p.customer.email, p.customer.phone)
            + (p.customer.address, p.version, p.updated_at, p.erased_at, p.folded_name)
            for p in profiles
        ]
        await self._transaction.write(self._sql.SAVE_PROFILES, rows)

    async def has_orders(self, customer_id: str) -> bool:
        return bool(await self._transaction.fetch(self._sql.ANY_ORDER_OF_CUSTOMER, customer_id))

    async def lock_orders(
        self, customer_ids: Sequence[str], *, email: str = ""
    ) -> dict[str, OrderStatus]:
        rows = await self._transaction.fetch(
            self._sql.LOCK_ORDERS_TO_ERASE, list(customer_ids), email
        )
        return {row["order_id"]: OrderStatus(row["status"]) for row in rows}

    async def empty_orders(self, order_ids: Sequence[str], at: datetime) -> int:
        if not order_ids:
            return 0
        work, sql, ids = self._transaction, self._sql, list(order_ids)
        await work.execute(sql.EMPTY_DETAILS, ids, json.dumps(NOWHERE))
        await work.execute(sql.EMPTY_RETURN_REQUESTS, ids)
        # What can come after an erasing is the reason of a cancellation or a return, nothing else.
        given = [*await work.fetch(sql.EMPTY_REASONS, ids)]
        given += await work.fetch(sql.EMPTY_RETURN_REASONS, ids)
        marked = sorted({row["order_id"] for row in given})
        return await work.execute(sql.EMPTY_ORDERS, ids, at, marked)

    async def add_erasure(self, erasure: Erasure) -> None:
        match erasure.whom:
            case ByCustomer(customer_id):
                found_by = "customer"
            case ByEmail():
                found_by, customer_id = "e-mail", ""
        await self._transaction.execute(
            self._sql.ADD_ERASURE,
            erasure.erasure_id,
            found_by,
            customer_id,
            erasure.actor,
            erasure.credential_id,
            erasure.at,
            erasure.erased.orders,
            erasure.erased.profiles,
            erasure.forced,
        )

    async def refuse_erased(self, order_id: str) -> None:
        if await self._transaction.fetch(self._sql.FIND_ERASED_ORDER, order_id):
            raise CustomerErased(f"order {order_id}")


def profile_of(row: Row) -> Profile:
    """Read a profile from its row."""
    return Profile(
        row["customer_id"],
        row["version"],
        Customer(row["name"], row["email"], row["phone"], row["address"]),
        instant(row["created_at"]),
        instant(row["updated_at"]),
        row["erased_at"] and instant(row["erased_at"]),
    )
