"""Customers' rows: profiles in a transaction, and what is erased of orders."""

import json
from datetime import datetime

from holdfast.chassis.database.seam import Row, Transaction, instant
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.customers.errors import CustomerErased
from holdfast.orders.domain.customers.profile import Profile
from holdfast.orders.domain.ordering.details import NOWHERE
from holdfast.orders.domain.ordering.order import OrderStatus
from holdfast.orders.infrastructure.customers.sql import CustomerStatements

FINAL = [str(status) for status in OrderStatus if status.is_final]


class Rows:
    """What an open transaction does about customers."""

    def __init__(self, transaction: Transaction, sql: CustomerStatements) -> None:
        self._transaction = transaction
        self._sql = sql

    async def lock(self, customer_id: str, at: datetime) -> Profile:
        await self._transaction.execute(self._sql.ADD_PROFILE, customer_id, at)
        (row,) = await self._transaction.fetch(self._sql.LOCK_PROFILE, customer_id)
        return profile_of(row)

    async def save(self, profile: Profile) -> None:
        customer = profile.customer
        await self._transaction.execute(
            self._sql.SAVE_PROFILE,
            profile.customer_id,
            customer.name,
            customer.email,
            customer.phone,
            customer.address,
            profile.version,
            profile.updated_at,
            profile.erased_at,
        )

    async def has_orders(self, customer_id: str) -> bool:
        return bool(await self._transaction.fetch(self._sql.ANY_ORDER_OF_CUSTOMER, customer_id))

    async def lock_orders(self, customer_id: str) -> list[str]:
        rows = await self._transaction.fetch(self._sql.LOCK_ORDERS_OF_CUSTOMER, customer_id, FINAL)
        return [row["order_id"] for row in rows]

    async def empty_orders(self, customer_id: str) -> int:
        work, sql = self._transaction, self._sql
        orders = await work.execute(sql.EMPTY_ORDERS, customer_id)
        details = await work.execute(sql.EMPTY_DETAILS, customer_id, json.dumps(NOWHERE))
        return orders + details + await work.execute(sql.EMPTY_REASONS, customer_id)

    async def refuse_erased(self, order_id: str) -> None:
        for row in await self._transaction.fetch(self._sql.ERASED_SINCE_ORDER, order_id):
            raise CustomerErased(row["customer_id"])


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
