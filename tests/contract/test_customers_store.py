"""The promises of customers' rows, kept on both engines."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from holdfast.chassis.database.seam import Database, retrying
from holdfast.orders.application.customers.erase_customer import EraseCustomer
from holdfast.orders.application.customers.update_customer import UpdateCustomer
from holdfast.orders.application.ordering.cancel_order import CancelOrder
from holdfast.orders.application.ordering.update_order import UpdateOrder
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.customers.erasure import ByCustomer, ByEmail, Erased
from holdfast.orders.domain.customers.errors import (
    CustomerErased,
    CustomerNotFound,
    OpenOrders,
    StaleProfile,
)
from holdfast.orders.domain.customers.profile import Profile
from holdfast.orders.domain.ordering.details import NO_DETAILS, Address, Details
from holdfast.orders.domain.ordering.new_order import NewOrder
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.infrastructure.customers.reader import ProfileReader
from tests.contract import order_desk
from tests.contract.conftest import CountingDatabase, SteadyClock
from tests.contract.order_desk import ADA, ANNA, Desk

desk = order_desk.desk

ATTRIBUTES, AT_ADA = (("for", "Ada"),), Address("Ada", street="1 High Street")
BOB = Customer("Bob", "bob@example.org")
NOBODY, NO_EMAIL = Customer(), Customer("Eve", phone="+44 3")


def details(customer: Customer) -> Mapping[str, str]:
    names = ("name", "email", "phone", "address")
    return {name: getattr(customer, name) for name in names}


class Register:
    """Customers beside a desk's orders."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        begin = desk.store.begin
        self.update = retrying(UpdateCustomer(begin, desk.clock))
        self.erase_whom = retrying(EraseCustomer(begin, desk.clock))
        self.cancel = retrying(CancelOrder(begin, desk.clock))
        self.reader = ProfileReader(desk.database)

    async def erase(self, customer_id: str, force: bool) -> Erased:
        return await self.erase_whom(ByCustomer(customer_id), force, ANNA)

    async def erase_by_email(self, email: str, force: bool) -> Erased:
        return await self.erase_whom(ByEmail(email), force, ANNA)

    async def erasures(self) -> list[tuple[object, ...]]:
        """What the records say, the oldest first; their ids and times are asked for elsewhere."""
        sql = """
SELECT found_by, customer_id, actor, orders, profiles, forced
  FROM erasure
 ORDER BY erasure_id
"""
        async with self.desk.database.read() as reading:
            rows: Any = await reading.fetch(sql)
        return list(map(tuple, rows))

    async def know(self, customer_id: str, customer: Customer = BOB) -> None:
        await self.update(customer_id, 0, details(customer))

    def make(
        self, request_id: str, customer: Customer = NOBODY, customer_id: str = "c-1"
    ) -> NewOrder:
        return self.desk.make(request_id, customer_id=customer_id)._replace(customer=customer)

    async def place(self, *orders: NewOrder) -> list[Customer]:
        """Place orders in one batch; return whom they are for."""
        assert await self.desk.store.record_orders(orders) == {}
        return [await self.of(order) for order in orders]

    async def of(self, order: NewOrder) -> Customer:
        return (await self.desk.read(order.order_id)).customer


@pytest.fixture
def register(desk: Desk) -> Register:
    return Register(desk)


async def test_a_profile_is_read_as_it_was_recorded(register: Register) -> None:
    await register.know("c-1", ADA)
    made = register.desk.clock.now()
    register.desk.clock.advance(5)
    await register.update("c-1", 1, {"name": "Ada L."})

    found = await register.reader.profile("c-1")

    changed = replace(ADA, name="Ada L.")
    assert found == Profile("c-1", 2, changed, made, made + timedelta(seconds=5))
    assert await register.reader.profile("c-2") is None


async def test_a_customer_of_orders_alone_has_a_profile_of_version_0(register: Register) -> None:
    await register.place(register.make("r-1", ADA))

    assert await register.reader.profile("c-1") == Profile("c-1")
    with pytest.raises(StaleProfile):
        await register.update("c-1", 7, {})
    with pytest.raises(CustomerNotFound):
        await register.update("c-2", 7, {})
    assert await register.reader.profile("c-2") is None


async def test_of_many_who_make_a_profile_at_once_one_does(register: Register) -> None:
    makers = (register.update("c-1", 0, {"name": f"Bob {number}"}) for number in range(8))

    outcomes = await asyncio.gather(*makers, return_exceptions=True)

    refused = [one for one in outcomes if one is not None]
    assert [type(one) for one in refused] == [StaleProfile] * 7
    found = await register.reader.profile("c-1")
    assert found is not None
    assert found.version == 1


async def test_profiles_are_listed_by_id_and_found_by_address(register: Register) -> None:
    for customer_id in ("c-2", "c-10", "C-1", "ç"):
        await register.know(customer_id, ADA if customer_id == "c-2" else BOB)
    read = register.reader.profiles

    everyone = [one.customer_id for one in await read("", after="", limit=9)]
    page = [one.customer_id for one in await read("", after="C-1", limit=2)]
    bobs = [one.customer_id for one in await read("bob@example.org", after="C-1", limit=9)]

    assert everyone == ["C-1", "c-10", "c-2", "ç"]
    assert page == ["c-10", "c-2"]
    assert bobs == ["c-10", "ç"]


async def test_profiles_are_found_by_how_their_name_begins(register: Register) -> None:
    names = {
        "c-1": "Ada  Lovelace",
        "c-2": "ADAM",
        "c-3": "adä",
        "c-4": "\uff21\uff44\uff41",
        "c-5": "Ad%",
        "c-6": "",
        "c-7": "Zoe" + "\U0010ffff" * 197,
    }
    for customer_id, name in names.items():
        await register.know(customer_id, Customer(name, f"{customer_id[2:]}@example.org"))

    async def found(begins: str, email: str = "", after: tuple[str, str] = ("", "")) -> list[str]:
        listed = await register.reader.profiles_named(begins, email, after=after, limit=9)
        return [one.customer_id for one in listed]

    assert await found("ad") == ["c-5", "c-4", "c-1", "c-2", "c-3"]
    assert await found("ada l") == ["c-1"]
    assert await found("ada", after=("ada", "c-4")) == ["c-1", "c-2"]
    assert await found("ada", email="2@example.org") == ["c-2"]
    assert await found("ad%") == ["c-5"]
    assert await found("zoe") == await found("zoe\U0010ffff") == ["c-7"]
    assert await found("a_a") == await found("x") == []


async def test_an_order_without_contact_information_takes_the_profile_s(
    register: Register,
) -> None:
    await register.know("c-1")
    held = register.make("held")._replace(
        expires_at=register.desk.clock.now() + timedelta(minutes=5)
    )

    taken = await register.place(
        register.make("plain"),
        register.make("own", Customer(phone="+44 2")),
        register.make("other", customer_id="c-2"),
        held,
    )

    assert taken == [BOB, Customer(phone="+44 2"), NOBODY, BOB]
    assert (await register.desk.read(held.order_id)).state.expires_at is not None
    again = await register.desk.store.record_orders([register.make("plain")])
    assert again.keys() == {("c-1", "plain")}


async def test_an_order_keeps_its_copy_when_the_profile_changes(register: Register) -> None:
    await register.know("c-1")
    order = register.make("r-1")
    await register.place(order)

    await register.update("c-1", 1, {"name": "Robert"})

    assert await register.of(order) == BOB
    assert await register.place(register.make("r-2")) == [replace(BOB, name="Robert")]


async def test_a_batch_that_takes_profiles_costs_no_statement_more(
    database: Database, clock: SteadyClock
) -> None:
    counting = CountingDatabase(database)
    register = Register(Desk(counting, clock))
    await register.know("c-1")
    sent = []
    for customer in (ADA, NOBODY):
        orders = [register.make(f"{customer.name} {number}", customer) for number in range(20)]
        before = counting.statements
        await register.desk.store.record_orders(orders)
        sent.append(counting.statements - before)

    assert sent[0] == sent[1]


async def test_erasing_takes_what_is_personal_and_nothing_else(register: Register) -> None:
    await register.know("c-1")
    told = register.make("told")._replace(
        details=Details("R-7", "shop", "for Ada", ATTRIBUTES, AT_ADA)
    )
    orders = [register.make("own", ADA), register.make("taken"), told]
    others = [register.make("other", ADA, "c-2"), register.make("no e-mail", NO_EMAIL, "c-2")]
    await register.place(*orders, *others)
    for order in (*orders, *others):
        await register.cancel(order.order_id, "my name is Ada", ANNA)
    before = [await register.desk.read(order.order_id) for order in orders]
    kept = [await register.desk.read(order.order_id) for order in others]
    kept_of = {order.order_id: NO_DETAILS for order in orders} | {
        told.order_id: Details("R-7", "shop")
    }

    erased = await register.erase("c-1", False)
    at = register.desk.clock.now()

    profile = await register.reader.profile("c-1")
    assert profile is not None
    assert (profile.customer, profile.erased_at, profile.version) == (NOBODY, at, 2)
    for found in before:
        placed, cancelled = found.history
        history = (placed, cancelled._replace(reason=""))
        emptied = replace(found, customer=NOBODY, history=history, details=kept_of[found.order_id])
        assert await register.desk.read(found.order_id) == emptied
    assert [await register.desk.read(order.order_id) for order in others] == kept
    register.desk.clock.advance(5)
    again = await register.erase("c-1", False)
    assert (erased, again) == (Erased(3, 1), Erased(0, 0))
    assert await register.reader.profile("c-1") == profile


async def test_open_orders_keep_a_customer_unless_it_is_forced(register: Register) -> None:
    order = register.make("r-1", ADA)
    await register.place(order)

    with pytest.raises(OpenOrders) as refused:
        await register.erase("c-1", False)
    untouched = await register.of(order), await register.reader.profile("c-1")
    erased = await register.erase("c-1", True)

    assert erased == Erased(1, 0)
    assert refused.value.order_ids == [order.order_id]
    assert untouched == (ADA, Profile("c-1"))
    assert await register.of(order) == NOBODY
    (read,) = await register.desk.reader.details([order.order_id])
    assert read is not None
    assert (read.state.status, read.state.version) == (OrderStatus.PENDING, 1)


async def test_what_is_erased_comes_back_neither_to_the_profile_nor_to_an_order(
    register: Register,
) -> None:
    await register.know("c-1")
    order = register.make("r-1")
    await register.place(order)
    await register.erase("c-1", True)
    register.desk.clock.advance(1)

    with pytest.raises(CustomerErased):
        await register.know("c-1")
    with pytest.raises(CustomerErased):
        await UpdateOrder(register.desk.store.begin, register.desk.clock)(
            order.order_id, 1, {"name": "Bob"}, {}, ANNA
        )
    assert await register.of(order) == NOBODY
    # A new order may bring its own, until the customer is erased once more.
    new = register.make("r-2", ADA)
    assert await register.place(register.make("r-3"), new) == [NOBODY, ADA]
    assert await register.erase("c-1", True) == Erased(2, 0)
    assert await register.of(new) == NOBODY
    profile = await register.reader.profile("c-1")
    assert profile is not None
    assert (profile.version, profile.erased_at) == (3, register.desk.clock.now())
    # So goes the reason of a cancellation that comes after it.
    await register.cancel(order.order_id, "my name is Bob", ANNA)
    assert await register.erase("c-1", True) == Erased(1, 0)
    assert (await register.desk.read(order.order_id)).history[-1].reason == ""


async def test_nobody_is_erased_who_is_not_there(register: Register) -> None:
    with pytest.raises(CustomerNotFound):
        await register.erase("c-1", True)

    assert await register.reader.profiles("", after="", limit=9) == []


async def test_whoever_places_orders_while_a_customer_is_erased_leaves_nothing_behind(
    register: Register,
) -> None:
    await register.know("c-1")
    desk, orders = register.desk, [register.make(f"r-{number}") for number in range(5)]

    async def place() -> None:
        await asyncio.sleep(0.1)  # takes the profile, and waits for who has the last one's key
        assert await desk.store.record_orders(orders) == {}

    async def erase() -> None:
        await asyncio.sleep(0.2)
        await register.erase("c-1", True)

    await asyncio.gather(desk.begin_to_record(orders[-1]), place(), erase())

    assert {await register.of(order) for order in orders} == {NOBODY}


async def test_an_update_of_an_order_and_the_erasing_of_its_customer_leave_nothing_behind(
    register: Register,
) -> None:
    orders = [register.make(f"r-{number}") for number in range(20)]
    await register.place(*orders)
    update = retrying(UpdateOrder(register.desk.store.begin, register.desk.clock))

    async def revise(order: NewOrder) -> None:
        try:
            await update(order.order_id, 1, {"name": "Ada"}, {}, ANNA)
        except CustomerErased:
            return

    halves = list(map(revise, orders))
    await asyncio.gather(*halves[:10], register.erase("c-1", True), *halves[10:])

    assert {await register.of(order) for order in orders} == {NOBODY}
