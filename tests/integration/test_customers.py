"""Customers as callers meet them, in both modes: known, used by orders, erased, exported."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.seam import Database
from holdfast.client import (
    Address,
    Customer,
    CustomerProfile,
    Details,
    Erased,
    NotFound,
    OpenOrders,
    Order,
    OrderLine,
    Refused,
    StaleVersion,
)
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.application.customers.erase_customer import EraseCustomer
from holdfast.orders.application.customers.update_customer import UpdateCustomer
from holdfast.orders.application.digests import digest_of
from holdfast.orders.application.ordering.place_orders import PlaceOrder, RecordedBefore
from holdfast.orders.application.returns.return_goods import OpenReturn
from holdfast.orders.domain.customers import customer
from holdfast.orders.domain.customers.erasure import ByCustomer
from holdfast.orders.domain.returns.returned import AskedReturnLine
from holdfast.verification import verify
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.conftest import CALL_S_MAX, RunningHoldfast, eventually, refusal
from tests.integration.goods import move, ship
from tests.integration.two_services import ANNA, TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls

LAMP = OrderLine("LAMP", 2)
ADA = Customer("Ada Quill", "ada-quill@example.org", "+44 7177", "7 Quill Street")
ADA_IN_ORDERS = customer.Customer(ADA.name, ADA.email, ADA.phone, ADA.address)
# What nobody may find anywhere, once its customer is erased; no random id has them in it.
SECRETS = ("Quill", "ada-quill", "+44 7177")
TABLES = {
    "sqlite": "SELECT name FROM sqlite_schema WHERE type = 'table'",
    "postgresql": "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
}
WHAT_WAS_TOLD = {  # what has bytes, by what stands only in such a database
    "outbox": "SELECT data FROM outbox UNION ALL SELECT data FROM feed "
    "UNION ALL SELECT body FROM dead_letter",
    "followed": "SELECT body AS data FROM event",
}
AS_TEXT = {"sqlite": "SELECT * FROM {}", "postgresql": "SELECT to_jsonb(t)::text AS row FROM {} t"}


async def dumped(database: Database) -> str:
    """Every value of every table as text; bytes as far as they are text."""
    told: list[str] = []
    async with database.read() as reading:
        tables = [row["name"] for row in await reading.fetch(TABLES[database.engine])]
        for table in tables:
            rows: Any = await reading.fetch(AS_TEXT[database.engine].format(table))
            told += [plain(value) for row in rows for value in row]
        # PostgreSQL's JSON has bytes as hexadecimal digits.
        (sql,) = (sql for table, sql in WHAT_WAS_TOLD.items() if table in tables)
        told += [plain(row["data"]) for row in await reading.fetch(sql)]
    return "\n".join(told)


def plain(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def found_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


async def sound(holdfast: RunningHoldfast) -> None:
    report = await verify(holdfast.databases["orders"], holdfast.databases["inventory"])
    assert report.ok, report.contradictions


async def know_ada(holdfast: RunningHoldfast) -> CustomerProfile:
    return await holdfast.client.customers.update(
        "c-1", version=0, name=ADA.name, email=ADA.email, phone=ADA.phone, address=ADA.address
    )


async def test_a_profile_is_made_once_changed_by_version_and_listed(
    holdfast: RunningHoldfast,
) -> None:
    customers = holdfast.client.customers
    made = await know_ada(holdfast)
    again = await know_ada(holdfast)
    changed = await customers.update("c-1", version=1, phone="")
    for number in range(3):
        await customers.update(f"d-{number}", version=0, name=f"Bob {number}")

    assert (made.version, made.customer, made.erase_time) == (1, ADA, None)
    assert again == made
    assert (changed.version, changed.customer.phone, changed.customer.name) == (2, "", ADA.name)
    assert await customers.get("c-1") == changed
    with pytest.raises(StaleVersion) as refused:
        await customers.update("c-1", version=1, phone="1")
    assert refused.value.current_version == 2
    listed = [one.customer_id async for one in customers.list(page_size=2)]
    assert listed == ["c-1", "d-0", "d-1", "d-2"]
    assert [one async for one in customers.list(email=ADA.email)] == [changed]
    assert [one async for one in customers.list(email="nobody@example.org")] == []
    with pytest.raises(NotFound):
        await customers.get("c-9")


async def test_an_order_without_contact_information_is_for_who_the_profile_names(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 9)
    await know_ada(holdfast)
    orders = holdfast.client.orders

    first = await orders.create("c-1", [LAMP], request_id="r")
    held = await orders.create("c-1", [LAMP], hold_s=60, wait_s=20)
    own = await orders.create("c-1", [LAMP], customer=Customer(name="Eve"))
    again = await orders.create("c-1", [LAMP], request_id="r")

    got = [(await orders.get(one.order_id)).customer for one in (first, held, own)]
    assert got == [ADA, ADA, Customer(name="Eve")]
    assert again.order_id == first.order_id


async def test_nothing_personal_is_left_anywhere_after_erasing(
    holdfast: RunningHoldfast, capfd: pytest.CaptureFixture[str]
) -> None:
    await holdfast.product("LAMP", 9)
    client = holdfast.client
    await know_ada(holdfast)
    first = await client.orders.create("c-1", [LAMP], wait_s=20)
    own = await client.orders.create("c-1", [LAMP], customer=Customer(name="Quill II"), wait_s=20)
    version = (await client.orders.get(own.order_id)).version
    await client.orders.update(own.order_id, version=version, address="Quill Lane")
    await client.orders.cancel(first.order_id, reason="Ada Quill called from +44 7177")
    await eventually(lambda: holdfast.available("LAMP"), lambda units: units == 7, "stock back")

    with pytest.raises(OpenOrders) as refused:
        await client.customers.erase("c-1")
    before = await client.orders.get(own.order_id)
    erased = await client.customers.erase("c-1", force=True)
    again = await client.customers.erase("c-1", force=True)

    assert refused.value.order_ids == (own.order_id,)
    assert (erased, again) == (Erased(2, 1), Erased(0, 0))
    profile = await client.customers.get("c-1")
    assert (profile.customer, profile.version) == (Customer(), 2)
    assert profile.erase_time is not None
    after = await client.orders.get(own.order_id)
    assert (after.version, after.status, after.lines) == (
        before.version,
        before.status,
        before.lines,
    )
    for url in holdfast.databases.values():
        async with connect(url) as database:
            assert found_in(await dumped(database)) == []
    assert found_in("".join(capfd.readouterr())) == []
    with pytest.raises(Refused, match="does not come back"):
        await client.orders.update(own.order_id, version=after.version, name="Ada")
    await sound(holdfast)


async def ordered_and_given_back(shop: TwoServices) -> tuple[PlaceOrder, OpenReturn]:
    """An order of Ada's that was shipped, and a return of it, with her name in its reason."""
    await shop.supply(LAMP=9)
    asked = asks("r-1", LAMP=1)._replace(customer=ADA_IN_ORDERS)
    reasons = (AskedReturnLine(1, 1, "Ada Quill died"),)
    order = await ship(shop, await shop.confirmed(asked), "s-1")
    opening = OpenReturn(order.order_id, shop.clock.new_id(), "b-1", reasons, ANNA)
    assert await move(shop, opening) is None
    return asked, opening


async def test_not_even_a_digest_of_what_was_erased_stays(shop: TwoServices) -> None:
    """Whoever guesses well would know it by its digest."""
    asked, opening = await ordered_and_given_back(shop)
    digests = asked.digest(), digest_of(opening.lines)
    known = await dumped(shop.orders)

    erased = await EraseCustomer(shop.begin, shop.clock)(ByCustomer("c-1"), False, ANNA)
    again = await EraseCustomer(shop.begin, shop.clock)(ByCustomer("c-1"), False, ANNA)

    assert [digest in known for digest in digests] == [True, True]  # the dump would find them
    left = await dumped(shop.orders)
    assert [digest in left for digest in digests] == [False, False]
    assert (erased.orders, again.orders) == (1, 0)
    report = await verify(*shop.urls)
    assert report.ok, report.contradictions


async def test_a_repeat_of_what_was_erased_is_answered_with_what_is_recorded(
    shop: TwoServices,
) -> None:
    asked, opening = await ordered_and_given_back(shop)
    await EraseCustomer(shop.begin, shop.clock)(ByCustomer("c-1"), False, ANNA)
    before = await shop.order(opening.order_id)

    # Whether the contents are the same can't be told any more.
    repeats = await shop.place_orders([asked, asks("r-1", LAMP=1)])
    refused = [
        await move(shop, opening._replace(return_id=shop.clock.new_id(), lines=lines))
        for lines in (opening.lines, (AskedReturnLine(1, 1, ""),))
    ]

    assert [
        isinstance(one, RecordedBefore) and one.order_id == opening.order_id for one in repeats
    ] == [True, True]
    assert refused == [None, None]
    assert await shop.order(opening.order_id) == before


async def test_a_guest_is_erased_by_e_mail_and_leaves_nothing_anywhere(
    holdfast: RunningHoldfast, capfd: pytest.CaptureFixture[str]
) -> None:
    await holdfast.product("LAMP", 9)
    client = holdfast.client
    about = Details(note="Quill rings", ship_to=Address("Ada Quill", street="7 Quill Street"))
    guests = [
        await client.orders.create(customer, [LAMP], customer=ADA, details=about, wait_s=20)
        for customer in ("guest-1", "guest-2")
    ]
    await client.orders.cancel(guests[0].order_id, reason="Ada Quill called")
    erase = client.customers.erase

    with pytest.raises(OpenOrders) as refused:
        await erase(email=ADA.email)
    erased = [await erase(email=ADA.email, force=force) for force in (True, True, False)]

    assert refused.value.order_ids == (guests[1].order_id,)
    assert erased == [Erased(2, 0), Erased(0, 0), Erased(0, 0)]
    for url in holdfast.databases.values():
        async with connect(url) as database:
            assert found_in(await dumped(database)) == []
    assert found_in("".join(capfd.readouterr())) == []
    after = await client.orders.get(guests[1].order_id)
    with pytest.raises(Refused, match="does not come back") as closed:
        await client.orders.update(after.order_id, version=after.version, note="for Ada")
    assert closed.value.reason == "CUSTOMER_ERASED"
    await eventually(lambda: holdfast.available("LAMP"), lambda units: units == 7, "stock back")
    await sound(holdfast)


async def test_events_never_carry_what_is_personal(shop: TwoServices) -> None:
    await shop.supply(LAMP=9)
    details = {"name": ADA.name, "email": ADA.email}
    await UpdateCustomer(shop.begin, shop.clock)("c-1", 0, details)
    (order,) = await shop.place(asks("r-1", LAMP=2))
    await shop.deliver()
    await shop.update(
        order.order_id, 2, {"address": "7 Quill Street"}, {"note": "Quill rings"}, ANNA
    )
    await shop.cancel(order.order_id, "Ada Quill called", ANNA)

    waiting = await shop.waiting(shop.orders)
    known = await dumped(shop.orders)
    await shop.deliver()

    assert [event.type.rpartition(".")[2] for event in waiting] == [
        "OrderUpdated",
        "OrderCancelled",
    ]
    assert [found_in(plain(event.data)) for event in waiting] == [[], []]
    assert found_in(known) == ["Quill", "ada-quill"]  # the dump would find them
    assert found_in(await dumped(shop.inventory)) == []
    await EraseCustomer(shop.begin, shop.clock)(ByCustomer("c-1"), False, ANNA)
    assert found_in(await dumped(shop.orders)) == []


async def test_an_export_is_the_profile_and_then_every_order(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 999)
    client = holdfast.client
    profile = await know_ada(holdfast)
    placed = [
        (await client.orders.create("c-1", [OrderLine("LAMP", 1)])).order_id for _ in range(53)
    ]
    await client.orders.create("c-2", [LAMP])
    await holdfast.settled()

    first, *orders = [part async for part in client.customers.export("c-1")]

    assert first == profile
    assert [one.order_id for one in orders if isinstance(one, Order)] == placed[::-1]
    assert orders[0] == await client.orders.get(placed[-1])
    only_orders = [part async for part in client.customers.export("c-2")]
    assert [type(part) for part in only_orders] == [CustomerProfile, Order]
    with pytest.raises(NotFound):
        await anext(client.customers.export("c-9"))


async def test_the_beginning_of_a_name_is_as_long_as_the_contract_says(
    holdfast: RunningHoldfast,
) -> None:
    await know_ada(holdfast)
    call = holdfast.orders.ListCustomers
    spaced = "Ada".ljust(251) + "Quill"

    found = await call(pb.ListCustomersRequest(name=spaced), timeout=CALL_S_MAX)
    too_long = await refusal(call(pb.ListCustomersRequest(name="a" * 257), timeout=CALL_S_MAX))

    assert len(spaced) == 256
    assert [one.customer_id for one in found.customers] == ["c-1"]
    assert too_long.fields == ["name"]


async def test_bad_requests_are_refused_with_all_violations(holdfast: RunningHoldfast) -> None:
    update = pb.UpdateCustomerRequest(version=-1, customer=pb.Customer(email="at", name="x" * 201))
    update.update_mask.paths.append("name")
    call = holdfast.orders
    asked: list[Callable[[], Awaitable[object]]] = [
        lambda: call.UpdateCustomer(update, timeout=CALL_S_MAX),
        lambda: call.UpdateCustomer(pb.UpdateCustomerRequest(), timeout=CALL_S_MAX),
        lambda: call.GetCustomer(pb.GetCustomerRequest(customer_id=" c"), timeout=CALL_S_MAX),
        lambda: call.EraseCustomer(pb.EraseCustomerRequest(), timeout=CALL_S_MAX),
        lambda: call.EraseCustomer(pb.EraseCustomerRequest(email="at"), timeout=CALL_S_MAX),
        lambda: call.EraseCustomer(
            pb.EraseCustomerRequest(email=ADA.email, customer_id="c"), timeout=CALL_S_MAX
        ),
        lambda: call.ListCustomers(
            pb.ListCustomersRequest(email="at", page_size=-1, page_token="t"), timeout=CALL_S_MAX
        ),
    ]

    found = [(await refusal(one())).fields for one in asked]

    assert found == [
        ["customer_id", "customer.name", "customer.email", "update_mask", "version"],
        ["customer_id", "update_mask"],
        ["customer_id"],
        ["customer_id"],
        ["email"],
        ["email"],
        ["email", "page_token", "page_size"],
    ]
