"""What verify says of two databases: contradictions for certain, and nothing that only passes."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from holdfast import verification
from holdfast.chassis.database.audit import EVENTS_WAIT_S_MAX
from holdfast.chassis.identity.keys import Key
from holdfast.chassis.identity.store import KeyStore
from holdfast.chassis.identity.user_store import User, UserStore
from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.verification import PENDING_S_MAX, Report, verify
from tests.contract import conftest as contract
from tests.contract.post_office import running as in_background
from tests.integration import two_services
from tests.integration.conftest import SETTLE_S_MAX, Ground, RunningHoldfast, create, line, running
from tests.integration.two_services import ANNA, TwoServices, answer, asks, reserve

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls

TRADERS = 8
MARGIN_S = 5.0  # how long a test may take until verify looks


def live(shop: TwoServices, seconds_ago: float = 0.0) -> None:
    """Let what is done next be done so long ago: verify goes by the machine's clock."""
    now = datetime.now(UTC)
    shop.clock.advance((now - shop.clock.now()).total_seconds() - seconds_ago)


async def place(shop: TwoServices, *requests: str) -> list[OrderState]:
    """Place orders, each for two lamps, that Inventory hears nothing of."""
    placed = await shop.place(*(asks(request, LAMP=2) for request in requests))
    await shop.forget_told(shop.orders)
    return placed


async def verified(shop: TwoServices) -> Report:
    return await verify(*shop.urls)


def says(texts: list[str], *beginnings: str) -> bool:
    """Whether these are all of the texts, by how they begin."""
    return len(texts) == len(beginnings) and all(map(str.startswith, texts, beginnings))


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What disagrees for a second disagrees for good."""
    monkeypatch.setattr(verification, "SETTLE_S_MAX", 1.0)


async def test_a_sound_trade_has_nothing_to_report(shop: TwoServices) -> None:
    live(shop, EVENTS_WAIT_S_MAX + MARGIN_S)
    await shop.supply(LAMP=5)
    placed = await shop.place(*(asks(f"r-{number}", LAMP=2) for number in range(3)))
    await shop.deliver()
    await shop.cancel(placed[0].order_id, "", ANNA)
    await shop.deliver()

    report = await verified(shop)

    assert (report.contradictions, report.notes) == ([], [])
    assert report.checked["orders compared with their reservations"] == 3


async def test_an_order_that_is_pending_for_too_long_is_a_contradiction(shop: TwoServices) -> None:
    live(shop, PENDING_S_MAX + 1)
    await shop.supply(LAMP=5)
    await shop.forget_told(shop.inventory)
    await place(shop, "old")
    live(shop, PENDING_S_MAX / 2)
    await place(shop, "new")

    report = await verified(shop)

    assert says(report.contradictions, "orders: 2 orders are PENDING since ")
    assert (await verify(*shop.urls, pending_s_max=2 * PENDING_S_MAX)).ok


async def test_an_event_that_waits_for_too_long_is_a_contradiction(shop: TwoServices) -> None:
    live(shop, EVENTS_WAIT_S_MAX + 1)
    await shop.supply(LAMP=5)
    await shop.place(asks("r-1", LAMP=2))

    report = await verified(shop)

    assert says(
        report.contradictions,
        "orders: 1 events wait in the outbox since ",
        "inventory: 1 events wait in the outbox since ",
    )


async def test_what_waits_but_not_for_long_is_only_noted(shop: TwoServices) -> None:
    live(shop)
    await shop.supply(LAMP=5)
    await shop.place(asks("r-1", LAMP=2))
    await shop.deliver()
    await shop.place(asks("r-2", LAMP=2))

    report = await verified(shop)

    assert report.contradictions == []
    assert says(
        report.notes,
        "orders: 1 orders are PENDING since ",
        "orders: 1 events wait in the outbox since ",
    )


async def test_who_stands_wrongly_among_the_pending_orders_or_is_missing_there_is_named(
    shop: TwoServices,
) -> None:
    live(shop)
    await shop.supply(LAMP=50)
    _, missing, cancelled, gone = (
        state.order_id for state in await place(shop, "sound", "missing", "cancelled", "gone")
    )
    await shop.cancel(cancelled, "", ANNA)
    await shop.deliver()
    sound = await verified(shop)

    for damage in DAMAGES:
        assert await shop.orders.execute(damage) == 1
    report = await verified(shop)

    assert sound.contradictions == []
    assert sorted(report.contradictions) == sorted(
        [
            f"orders: order {missing} has asked 1 and has answers up to 0, "
            "and stands 0 times among the unanswered",
            f"orders: order {cancelled} has asked 2 and has answers up to 2, "
            "and stands 1 times among the unanswered",
            f"orders: order {gone} stands among the unanswered but is no order",
            f"orders: order {gone} has a history but is no order",
            f"orders: order {gone} has 1 lines but is no order",
        ]
    )


async def test_a_key_that_outlives_its_user_is_named(shop: TwoServices) -> None:
    keys, users, now = KeyStore(shop.orders), UserStore(shop.orders), shop.clock.now()
    for name, number in (("ann", 1), ("bob", 2), ("eve", 3)):
        user = User(name, "argon2id", ("viewer",), now, now)
        ends = now + timedelta(hours=12)
        key = Key(f"{number:012}", name, b"", ("viewer",), (), now, ends, user=name)
        await users.add(user)
        assert await users.sign_in(user, user.password, key)
    await keys.add(Key("000000000004", "kim", b"", ("viewer",), (), now))
    async with users.changing("ann") as change:
        assert change is not None
        await change.end_keys(now)
        await change.to(change.user._replace(locked_at=now))
    sound = await verified(shop)

    for damage in (
        "UPDATE local_user SET locked_at = created_at WHERE name = 'bob'",
        "DELETE FROM local_user WHERE name = 'eve'",
    ):
        assert await shop.orders.execute(damage) == 1
    report = await verified(shop)

    assert sound.contradictions == []
    assert sorted(report.contradictions) == [
        "orders: key 000000000002 is good, and its user bob is locked or gone",
        "orders: key 000000000003 is good, and its user eve is locked or gone",
    ]


DAMAGES = [
    """
DELETE FROM unanswered
      WHERE order_id IN (SELECT order_id FROM orders WHERE request_id = 'missing')
""",
    """
INSERT INTO unanswered (order_id, since, asked_at)
     SELECT order_id, placed_at, placed_at FROM orders WHERE request_id = 'cancelled'
""",
    "DELETE FROM orders WHERE request_id = 'gone'",
]


# A damage to what the services know of each other's order, and how it is named.
KNOWLEDGE = {
    "a document that its movements don't make": (
        "inventory",
        'UPDATE reservation SET stock = \'[["LAMP", "main", "", 1]]\' WHERE state = \'HELD\'',
        "by its document",
    ),
    "held by what is over": (
        "inventory",
        "UPDATE reservation SET state = 'OVER' WHERE state = 'HELD'",
        "Inventory has it OVER",
    ),
    "a revision that was never asked": (
        "inventory",
        "UPDATE reservation SET revision = revision + 1 WHERE state = 'HELD'",
        "has asked 1 questions, Inventory has decided 2",
    ),
    "a revision that was never decided": (
        "inventory",
        "UPDATE reservation SET revision = revision - 1 WHERE state = 'HELD'",
        "has asked 1 questions, Inventory has decided 0",
    ),
    "a stale copy": (
        "orders",
        "UPDATE orders SET stock = '[]' WHERE status = 'CONFIRMED'",
        "knows {} as version 1",
    ),
    "a copy of another version": (
        "orders",
        "UPDATE orders SET stock_sequence = 9 WHERE status = 'CONFIRMED'",
        "as version 9, Inventory holds",
    ),
    "an answer that nobody heard": (
        "orders",
        "UPDATE orders SET answered = 1, stock_revision = 1 WHERE status = 'CANCELLED'",
        "has asked 2 and has answers up to 1",
    ),
    "a question of a confirmed order without its answer": (
        "orders",
        "UPDATE orders SET answered = 0, stock_revision = 0 WHERE status = 'CONFIRMED'",
        "is CONFIRMED, has asked 1 and has answers up to 0",
    ),
    "a movement of another shape": (
        "inventory",
        "UPDATE stock_movement SET kind = 'RELEASE' WHERE kind = 'RECEIPT'",
        "is a RELEASE of 50 on hand",
    ),
    "a product without its gate": (
        "inventory",
        "UPDATE stock_level SET location_id = 'elsewhere'",
        "has no level at main",
    ),
}


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("damage", KNOWLEDGE)
async def test_what_each_service_knows_of_an_order_is_held_against_the_other(
    shop: TwoServices, damage: str
) -> None:
    live(shop)
    await shop.supply(LAMP=50)
    _, ended = await shop.place(asks("held", LAMP=2), asks("ended", LAMP=2))
    await shop.deliver()
    await shop.cancel(ended.order_id, "", ANNA)
    await shop.deliver()
    sound = await verified(shop)

    service, sql, named = KNOWLEDGE[damage]
    database = shop.orders if service == "orders" else shop.inventory
    assert await database.execute(sql) == 1
    report = await verified(shop)

    assert sound.contradictions == []
    assert any(named in one for one in report.contradictions), report.contradictions


@pytest.mark.usefixtures("hurried")
async def test_what_the_services_disagree_on_for_good_is_found_and_named(shop: TwoServices) -> None:
    live(shop)
    await shop.supply(LAMP=50)
    for database in (shop.orders, shop.inventory):
        await shop.forget_told(database)
    sound, bare, fewer, cancelled, rejected, silent = (
        state.order_id for state in await place(shop, *"abcdef")
    )
    stray = shop.clock.new_id()
    quantities = {sound: 2, fewer: 3, cancelled: 2, rejected: 2, silent: 2, stray: 1}
    await shop.hear_orders([reserve(order_id, LAMP=n) for order_id, n in quantities.items()])
    await shop.hear_inventory([answer(sound, LAMP=2), answer(bare), answer(fewer, LAMP=3)])
    await shop.hear_inventory([answer(rejected, Shortage("LAMP", 2, 0))])
    await shop.cancel(cancelled, "", ANNA)
    await shop.forget_told(shop.orders)
    await shop.forget_told(shop.inventory)

    report = await verified(shop)

    assert sorted(report.contradictions) == sorted(
        [
            f"order {stray} is unknown to Orders, Inventory has it HELD",
            f"order {bare} is CONFIRMED, Inventory has it not",
            f"order {fewer} asks for {{'LAMP': 2}}, reserved {{'LAMP': 3}}",
            f"order {cancelled} is CANCELLED, Inventory has it HELD",
            f"order {rejected} is REJECTED, Inventory has it HELD",
        ]
    )


async def test_what_the_services_agree_on_at_a_second_look_is_no_contradiction(
    shop: TwoServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(shop)
    await shop.supply(LAMP=5)
    (placed,) = await place(shop, "r-1")
    await shop.hear_inventory([answer(placed.order_id, LAMP=2)])
    lasting, at_first = verification._lasting, list[str]()

    async def reserve_in_between(disagreements: list[str], *rest: Any) -> list[str]:
        at_first.extend(disagreements)
        await shop.hear_orders([reserve(placed.order_id, LAMP=2)])
        return await lasting(disagreements, *rest)

    monkeypatch.setattr(verification, "_lasting", reserve_in_between)

    report = await verified(shop)

    assert at_first == [f"order {placed.order_id} is CONFIRMED, Inventory has it not"]
    assert report.contradictions == []


async def test_a_sound_system_is_sound_while_it_is_busy(ground: Ground) -> None:
    async with running(ground) as holdfast:
        await holdfast.product("LAMP", 1_000_000)
        rounds, reports = list[str](), list[Report]()
        async with in_background(*(trade(holdfast, rounds) for _ in range(TRADERS))):
            while len(reports) < 3:
                await more_than(rounds, len(rounds) + TRADERS)  # each may be amid one
                reports.append(await verify(*ground.databases.values()))
        checked = [report.checked["orders"] for report in reports]

        assert [report.contradictions for report in reports] == [[], [], []]
        assert 0 < checked[0] < checked[1] < checked[2], "it was busy all the time"


async def trade(holdfast: RunningHoldfast, rounds: list[str]) -> None:
    """Place orders for ever, and cancel every second one."""
    while True:
        placed = await holdfast.create(create(line("LAMP")))
        await holdfast.create(create(line("LAMP")))
        await holdfast.cancel(placed.order_id)
        rounds.append(placed.order_id)


async def more_than(rounds: list[str], many: int) -> None:
    async with asyncio.timeout(SETTLE_S_MAX):
        while len(rounds) <= many:
            await asyncio.sleep(0.01)
