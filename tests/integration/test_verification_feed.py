"""What verify says of feeds that are not what was told."""

from datetime import timedelta

import pytest

from holdfast.chassis.messaging.broker import DeadLetter, Event
from holdfast.chassis.messaging.dead_letters import replay_dead_letters
from holdfast.embedded import SUBSCRIPTIONS
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.test_verification import live, says, verified
from tests.integration.two_services import TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls

# Of two orders: each PENDING, at 1 and 2, and CONFIRMED, at 3 and 4.
COPIED = "event_id, type, subject, sequence, happened_at, traceparent, data"
LEFT_IN_OUTBOX = f"INSERT INTO outbox ({COPIED}, is_repeat) SELECT {COPIED}, false FROM feed"
FEED_DAMAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "a gap": (
        ("UPDATE feed SET position = 9 WHERE position = 4",),
        ("the head of the feed is at 4, its newest event at 9",)
        + ("the feed has 4 events at the positions from 1 to 9",),
    ),
    "lost from the end": (
        ("DELETE FROM feed WHERE position = 4", "UPDATE feed_head SET last = 3"),
        ("{second} is at version 2, and the newest told is 1",),
    ),
    "lost, and the others moved up": (
        ("DELETE FROM feed WHERE position = 1",)
        + ("UPDATE feed SET position = 1 WHERE position = 4", "UPDATE feed_head SET last = 3"),
        ("at position 1 of the feed {second} comes to 2 after nothing",)
        + ("at position 2 of the feed {second} comes to 1 after 2",)
        + ("at position 3 of the feed {first} comes to 2 after nothing",),
    ),
    "twice": (
        (f"INSERT INTO feed SELECT 5, {COPIED} FROM feed WHERE position = 4",)
        + ("UPDATE feed_head SET last = 5",),
        ("event ", "at position 5 of the feed {second} comes to 2 after 2"),
    ),
    "a repeat let in": (
        (f"INSERT INTO feed SELECT 5, {COPIED} FROM feed WHERE position = 4",)
        + ("UPDATE feed SET event_id = 'again' WHERE position = 5",)
        + ("UPDATE feed_head SET last = 5",),
        ("at position 5 of the feed {second} comes to 2 after 2",),
    ),
    "turned round": (
        ("UPDATE feed SET position = 9 WHERE position = 1",)
        + ("UPDATE feed SET position = 1 WHERE position = 3",)
        + ("UPDATE feed SET position = 3 WHERE position = 9",),
        ("at position 1 of the feed {first} comes to 2 after nothing",)
        + ("at position 3 of the feed {first} comes to 1 after 2",),
    ),
    "not left": (
        (f"{LEFT_IN_OUTBOX} WHERE position = 4",),
        ("event ", "in the outbox {second} comes to 2 after 2"),
    ),
    "about to be told twice": (
        (f"{LEFT_IN_OUTBOX} WHERE position = 4", "UPDATE outbox SET event_id = 'again'"),
        ("in the outbox {second} comes to 2 after 2",),
    ),
    "about to be told without what was before": (
        (f"{LEFT_IN_OUTBOX} WHERE position = 4",)
        + ("UPDATE outbox SET event_id = 'later', sequence = 4",)
        + ("UPDATE orders SET version = 4 WHERE request_id = 'b'",),
        ("order {second} is at version 4, its history has 2 entries up to 2",)
        + ("in the outbox {second} comes to 4 after 2",),
    ),
    "told as something else": (
        ("UPDATE feed SET type = 'holdfast.orders.v1.OrderUpdated' WHERE position = 4",),
        (
            "1 changes to CONFIRMED are told as holdfast.orders.v1.OrderUpdated,"
            " such as of {second}",
        ),
    ),
    "about to be told as something else": (
        ("DELETE FROM feed WHERE position = 4", "UPDATE feed_head SET last = 3")
        + (
            "INSERT INTO outbox (event_id, type, subject, sequence, happened_at, traceparent, data,"
            " is_repeat) SELECT 'e', 'holdfast.orders.v1.OrderRejected', subject, 2, happened_at,"
            " '', '', false FROM feed WHERE position = 2",
        ),
        (
            "1 changes to CONFIRMED are told as holdfast.orders.v1.OrderRejected,"
            " such as of {second}",
        ),
    ),
}


@pytest.mark.parametrize("damage", FEED_DAMAGES)
async def test_a_feed_that_is_not_what_was_told_is_found(shop: TwoServices, damage: str) -> None:
    live(shop)
    await shop.supply(LAMP=50)
    first, second = await shop.place(asks("a", LAMP=1), asks("b", LAMP=1))
    await shop.deliver()
    sound = await verified(shop)

    statements, named = FEED_DAMAGES[damage]
    ids = {"first": first.order_id, "second": second.order_id}
    for statement in statements:
        assert await shop.orders.execute(statement.format(**ids)) == 1
    report = await verified(shop)

    assert sound.contradictions == []
    assert says(report.contradictions, *(f"orders: {text.format(**ids)}" for text in named))


STRANGE = "holdfast.inventory.v1.ReservationChanged"


@pytest.mark.parametrize(
    ("kind", "sequence"),
    [(STRANGE, 1), (STRANGE, 7), ("holdfast.orders.v1.OrderPlaced", 1)],
    ids=["of another service", "whose sequence is of something else", "from this very feed"],
)
async def test_what_is_told_once_more_is_noted_however_long_ago_it_happened(
    shop: TwoServices, kind: str, sequence: int
) -> None:
    live(shop)
    await shop.supply(LAMP=50)
    order = await shop.confirmed(asks("a", LAMP=1))
    async with shop.orders.read() as reading:
        first, *_ = await reading.fetch("SELECT event_id FROM feed ORDER BY position")
    event_id = "strange" if kind == STRANGE else first["event_id"]
    past = shop.clock.now() - timedelta(days=2)
    event = Event(event_id, kind, order.order_id, sequence, past, b"")
    await shop.orders_receiver.park([DeadLetter(event_id, "queue", "failed", b"", event)])
    assert await replay_dead_letters(shop.urls[0], SUBSCRIPTIONS) == 1

    report = await verified(shop)

    assert report.contradictions == []
    assert report.notes == ["orders: 1 repeats wait in the outbox"]
