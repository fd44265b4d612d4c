"""The promises of erasing by e-mail address, kept on both engines."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from holdfast.chassis.database.seam import instant, retrying
from holdfast.orders.application.customers.erase_customer import EraseCustomer
from holdfast.orders.application.ordering.update_order import UpdateOrder
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.customers.erasure import ByEmail, Erased
from holdfast.orders.domain.customers.errors import CustomerErased, CustomerNotFound, OpenOrders
from holdfast.orders.domain.ordering.details import Address, Details
from holdfast.orders.domain.ordering.new_order import NewOrder
from tests.contract import order_desk
from tests.contract.order_desk import ADA, ANNA
from tests.contract.test_customers_store import BOB, NOBODY, Register, register

__all__ = ["register"]  # a fixture

desk = order_desk.desk
AT_ADA = Address("Ada", street="1 High Street")


def guest(register: Register, number: int, customer: Customer = ADA) -> NewOrder:
    return register.make(f"r-{number}", customer, f"guest-{number}")


async def customers_of(register: Register, orders: Sequence[NewOrder]) -> list[Customer]:
    return [await register.of(order) for order in orders]


async def test_every_order_with_the_address_is_emptied_and_no_other(register: Register) -> None:
    told = Details("R-7", "shop", "for Ada", (("for", "Ada"),), AT_ADA, AT_ADA)
    mine = [guest(register, 1), guest(register, 2)._replace(details=told)]
    capitals = replace(ADA, email=ADA.email.upper())
    others = [guest(register, n, who) for n, who in enumerate((BOB, capitals, NOBODY), 3)]
    await register.place(*mine, *others)
    for order in (*mine, *others):
        await register.cancel(order.order_id, "my name is Ada", ANNA)
    before = [await register.desk.read(order.order_id) for order in mine]
    kept = [await register.desk.read(order.order_id) for order in others]

    erased = await register.erase_by_email(ADA.email, False)

    assert erased == Erased(2, 0)
    for found, details in zip(before, (Details(), Details("R-7", "shop")), strict=True):
        placed, cancelled = found.history
        history = (placed, cancelled._replace(reason=""))
        emptied = replace(found, customer=NOBODY, history=history, details=details)
        assert await register.desk.read(found.order_id) == emptied
    assert [await register.desk.read(order.order_id) for order in others] == kept


async def test_who_has_it_in_the_profile_is_erased_as_by_id(register: Register) -> None:
    for customer_id in ("c-1", "c-2"):
        await register.know(customer_id, ADA)
    await register.know("c-3", BOB)
    taken, other_address = register.make("r-1"), register.make("r-2", BOB, "c-2")
    bobs = register.make("r-3", BOB, "c-3")
    await register.place(taken, other_address, bobs)

    erased = await register.erase_by_email(ADA.email, True)

    at = register.desk.clock.now()
    assert erased == Erased(2, 2)
    assert await customers_of(register, [taken, other_address, bobs]) == [NOBODY, NOBODY, BOB]
    for customer_id in ("c-1", "c-2"):
        profile = await register.reader.profile(customer_id)
        assert profile is not None
        assert (profile.customer, profile.version, profile.erased_at) == (NOBODY, 2, at)
        with pytest.raises(CustomerErased):
            await register.update(customer_id, 2, {"name": "Ada"})
    (kept,) = await register.reader.profiles(BOB.email, after="", limit=9)
    assert (kept.customer_id, kept.version) == ("c-3", 1)


async def test_open_orders_keep_everything_unless_it_is_forced(register: Register) -> None:
    await register.know("c-1", ADA)
    orders = [guest(register, number) for number in range(3)] + [register.make("r-4", BOB)]
    await register.place(*orders)
    await register.cancel(orders[1].order_id, "", ANNA)

    with pytest.raises(OpenOrders) as refused:
        await register.erase_by_email(ADA.email, False)
    untouched = await customers_of(register, orders)
    forced = await register.erase_by_email(ADA.email, True)

    assert refused.value.order_ids == [orders[0].order_id, orders[2].order_id, orders[3].order_id]
    assert untouched == [ADA, ADA, ADA, BOB]
    assert forced == Erased(4, 1)
    assert await customers_of(register, orders) == [NOBODY] * 4


async def test_what_is_erased_comes_back_to_no_order(register: Register) -> None:
    order, untouched = guest(register, 1), guest(register, 2, BOB)
    await register.place(order, untouched)
    await register.erase_by_email(ADA.email, True)
    update = UpdateOrder(register.desk.store.begin, register.desk.clock)

    for contact, about in (({"name": "Ada"}, {}), ({}, {"note": "for Ada"})):
        with pytest.raises(CustomerErased, match=order.order_id):
            await update(order.order_id, 1, contact, about, ANNA)
    await update(untouched.order_id, 1, {"name": "Robert"}, {}, ANNA)

    assert await customers_of(register, [order, untouched]) == [NOBODY, replace(BOB, name="Robert")]
    # The guest may order again, and be erased again.
    again = guest(register, 3)
    await register.place(again)
    assert await register.erase_by_email(ADA.email, True) == Erased(1, 0)
    assert await register.of(again) == NOBODY


async def test_an_address_that_is_nowhere_and_one_that_was_erased_are_answered_alike(
    register: Register,
) -> None:
    nameless = guest(register, 1, NOBODY)
    await register.place(nameless, guest(register, 2))
    await register.know("c-1", Customer("Eve"))

    answers = [await register.erase_by_email(ADA.email, True) for _ in range(2)]
    nowhere = await register.erase_by_email("nobody@example.org", True)

    assert answers == [Erased(1, 0), Erased(0, 0)]
    assert nowhere == Erased(0, 0)
    # Those that have no address at all are nobody's.
    await UpdateOrder(register.desk.store.begin, register.desk.clock)(
        nameless.order_id, 1, {"name": "Eve"}, {}, ANNA
    )
    (eve,) = await register.reader.profiles("", after="", limit=9)
    assert eve.erased_at is None


async def test_of_every_erasing_a_record_stays_without_the_address(register: Register) -> None:
    await register.know("c-1", ADA)
    order = register.make("r-1")
    await register.place(order, guest(register, 1), register.make("r-2", BOB, "c-2"))
    with pytest.raises(OpenOrders):
        await register.erase_by_email(ADA.email, False)
    with pytest.raises(CustomerNotFound):
        await register.erase("c-9", True)
    none_yet = await register.erasures()

    await register.erase_by_email(ADA.email, True)
    for _ in range(2):
        register.desk.clock.advance(1)
        await register.erase("c-2", True)
        await register.erase_by_email(ADA.email, True)
    register.desk.clock.advance(1)
    await register.cancel(order.order_id, "Ada called", ANNA)
    await register.erase("c-1", False)

    assert none_yet == []
    assert await register.erasures() == [
        ("e-mail", "", "anna", 2, 1, True),
        ("customer", "c-2", "anna", 1, 0, True),
        ("customer", "c-1", "anna", 1, 0, False),
    ]


async def test_a_record_is_of_the_moment_of_the_erasing(register: Register) -> None:
    await register.place(guest(register, 1))
    register.desk.clock.advance(5)

    await register.erase_by_email(ADA.email, True)

    async with register.desk.database.read() as reading:
        rows: Any = await reading.fetch("SELECT * FROM erasure")
    (row,) = rows
    assert instant(row["erased_at"]) == register.desk.clock.now()
    assert UUID(str(row["erasure_id"])).version == 7
    assert ADA.email not in str(tuple(row))


async def test_an_order_that_gets_another_address_meanwhile_keeps_it(register: Register) -> None:
    orders = [guest(register, number) for number in range(2)]
    await register.place(*orders)
    changed = asyncio.Event()

    async def change() -> None:
        async with register.desk.store.begin() as work:
            states = await work.lock_states([orders[0].order_id])
            at = register.desk.clock.now()
            (state,) = states.values()
            await work.record([state.update(BOB, None, 1, at, ANNA)])
            changed.set()
            await asyncio.sleep(0.1)

    async def erase() -> Erased:
        await changed.wait()
        return await register.erase_by_email(ADA.email, True)

    _, erased = await asyncio.gather(change(), erase())

    assert erased == Erased(1, 0)
    assert await customers_of(register, orders) == [BOB, NOBODY]


async def test_who_erases_profiles_and_who_places_by_them_lock_them_in_one_order(
    register: Register,
) -> None:
    for customer_id in ("c-1", "c-2"):
        await register.know(customer_id, ADA)
    orders = [register.make(f"r-{key}", customer_id=key) for key in ("c-2", "c-1")]
    begin, clock = register.desk.store.begin, register.desk.clock

    async def hold_the_first() -> None:
        async with begin() as work:
            await work.customers.lock("c-1", clock.now())
            await asyncio.sleep(0.3)

    async def erase() -> None:
        await asyncio.sleep(0.1)
        await EraseCustomer(begin, clock)(
            ByEmail(ADA.email), True, ANNA
        )  # never tried again, nor is placing

    async def place() -> None:
        await asyncio.sleep(0.2)
        await register.desk.store.record_orders(orders)

    await asyncio.gather(hold_the_first(), erase(), place())

    assert await customers_of(register, orders) == [NOBODY, NOBODY]


async def test_an_update_of_an_order_and_its_erasing_leave_nothing_behind(
    register: Register,
) -> None:
    orders = [guest(register, number) for number in range(20)]
    await register.place(*orders)
    update = retrying(UpdateOrder(register.desk.store.begin, register.desk.clock))

    async def revise(order: NewOrder) -> None:
        try:
            await update(order.order_id, 1, {"name": "Ada L."}, {}, ANNA)
        except CustomerErased:
            return

    halves = list(map(revise, orders))
    await asyncio.gather(*halves[:10], register.erase_by_email(ADA.email, True), *halves[10:])

    assert await customers_of(register, orders) == [NOBODY] * 20
