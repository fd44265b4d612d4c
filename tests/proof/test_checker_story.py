"""What the checker says of real databases: nothing of sound ones, and each damage by name."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.chassis.database.engines import connect, sqlite_url
from holdfast.chassis.messaging.broker import Event
from proof.checker import RunRecord, check
from proof.observed_events import observed_event
from proof.sampling import sample_of
from proof.snapshot import since_1970_us
from proof.snapshot_reading import snapshot_of
from testbed.servers import PostgresServer
from testbed.templates import Templates
from tests.contract import conftest as contract
from tests.contract.conftest import START, SteadyClock
from tests.integration import two_services
from tests.integration.two_services import TwoServices
from tests.proof.story import Story, everything

SERVICES = ("orders", "inventory")

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls


async def test_a_run_in_which_everything_happened_keeps_every_promise(shop: TwoServices) -> None:
    story = Story(shop)

    ids = await everything(story)

    record = await story.record()
    assert check(record) == []
    states = {name: record.snapshot.reservations[key].state for name, key in ids.items()}
    assert states == {
        "CONFIRMED": "HELD",
        "REJECTED": "SHORT",
        "RELEASED": "OVER",
        "TOMBSTONE": "OVER",
        "EXPIRED": "OVER",
        "ASKED": "OVER",
        "LATE": "HELD",
    }


# Where, what happens there, and which promises are then broken.
DAMAGES = {
    "a lamp too many": (
        "inventory",
        "UPDATE stock_level SET on_hand = on_hand + 1 WHERE product_id = 'LAMP'",
        {1, 10},
    ),
    "a lamp too many in quarantine": (
        "inventory",
        "UPDATE stock_level SET quarantined = quarantined + 1 WHERE product_id = 'LAMP'",
        {1, 10},
    ),
    "a shipment is booked that never left": (
        "inventory",
        "INSERT INTO booked_fact (order_id, fact) SELECT order_id, 's-1' FROM reservation LIMIT 1",
        {6},
    ),
    "units left for no order": (
        "orders",
        "INSERT INTO shipment_item (order_id, shipment_id, item_no, line_no, product_id,"
        " location_id, quantity) VALUES ('stray', 's-1', 1, 1, 'LAMP', 'main', 1)",
        {10},
    ),
    "a movement is gone": (
        "inventory",
        "DELETE FROM stock_movement WHERE kind = 'RELEASE'",
        {5, 6, 7, 10, 11},
    ),
    "a movement says something else": (
        "inventory",
        "UPDATE stock_movement SET on_hand_after = on_hand_after + 1 WHERE product_id = 'DESK'"
        " AND kind = 'RESERVATION'",
        {10},
    ),
    "a change of stock is forgotten": (
        "inventory",
        "DELETE FROM stock_request WHERE request_id = 'found'",
        {1, 3, 5},
    ),
    "a level has another version": (
        "inventory",
        "UPDATE stock_level SET version = version + 1 WHERE product_id = 'DESK'",
        {10},
    ),
    "released stock counts as reserved": (
        "inventory",
        "UPDATE reservation SET state = 'HELD', version = 1 WHERE state = 'OVER' AND version = 2",
        {1, 6, 7},
    ),
    "a question is forgotten": (
        "inventory",
        "DELETE FROM inbox WHERE event_id IN (SELECT max(event_id) FROM inbox)",
        {8},
    ),
    "an answer is forgotten": (
        "orders",
        "DELETE FROM inbox WHERE event_id IN (SELECT max(event_id) FROM inbox)",
        {8},
    ),
    "an answer came that nobody gave": (
        "orders",
        "INSERT INTO inbox (event_id, received_at) SELECT 'stray', max(received_at) FROM inbox",
        {8},
    ),
    "an event is parked": (
        "orders",
        "INSERT INTO dead_letter (letter_id, queue, reason, parked_at, body)"
        " SELECT 'letter', 'queue', 'failed', max(received_at), '' FROM inbox",
        {9},
    ),
    "an order is gone": (
        "orders",
        "DELETE FROM orders WHERE request_id = 'late'",
        {1, 3, 6, 7, 10, 12},
    ),
    "an order is somebody else's": (
        "orders",
        "UPDATE orders SET customer_id = 'c-2' WHERE request_id = 'late'",
        {4, 5},
    ),
    "an order has more units": (
        "orders",
        "UPDATE order_line SET quantity = 2 WHERE order_id IN"
        " (SELECT order_id FROM orders WHERE request_id = 'late')",
        {1, 3, 4, 6, 7, 10},
    ),
    "a total is wrong": (
        "orders",
        "UPDATE orders SET total_minor = total_minor + 1 WHERE request_id = 'late'",
        {10},
    ),
    "an order is confirmed without its history": (
        "orders",
        "UPDATE orders SET status = 'CONFIRMED' WHERE request_id = 'expired'",
        {6, 10},
    ),
    "an expired order is confirmed after all": (
        "orders",
        "UPDATE order_history SET status = 'CONFIRMED' WHERE status = 'EXPIRED'",
        {7, 10, 12},
    ),
    "an order waits for an answer that it has": (
        "orders",
        "INSERT INTO unanswered SELECT order_id, placed_at, placed_at FROM orders"
        " WHERE request_id = 'late'",
        {10, 13},
    ),
    "a document is not what its movements make": (
        "inventory",
        "UPDATE reservation SET stock = '[]' WHERE state = 'HELD'",
        {6},
    ),
    "a copy is not what is held": (
        "orders",
        "UPDATE orders SET stock = '[]' WHERE status = 'CONFIRMED'",
        {6},
    ),
    "a copy is of an older answer": (
        "orders",
        "UPDATE orders SET stock_sequence = stock_sequence - 1 WHERE status = 'CANCELLED'",
        {6},
    ),
    "nobody is told of an expiry": (
        "orders",
        "DELETE FROM feed WHERE type = 'holdfast.orders.v1.OrderExpired'",
        {7, 12},
    ),
    "an expiry is told as an update": (
        "orders",
        "UPDATE feed SET type = 'holdfast.orders.v1.OrderUpdated'"
        " WHERE type = 'holdfast.orders.v1.OrderExpired'",
        {7, 12},
    ),
    "an expiry is told twice": (
        "orders",
        "INSERT INTO feed SELECT 99, 'again', type, subject, sequence, happened_at, traceparent,"
        " data FROM feed WHERE type = 'holdfast.orders.v1.OrderExpired'",
        {7, 12},
    ),
    "an event waits": (
        "inventory",
        "INSERT INTO outbox (event_id, type, subject, sequence, happened_at, traceparent, data,"
        " is_repeat) SELECT 'event', 'type', 'subject', 1, max(received_at), '', '', 0 FROM inbox",
        {13},
    ),
}


@pytest.fixture(scope="module")
def told(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunRecord]:
    """The story told once, on SQLite: where its databases are, and what it left."""
    folder = tmp_path_factory.mktemp("story")
    urls = [templates.copy_file(service, folder / f"{service}.db") for service in SERVICES]
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return folder, runner.run(record_after_everything(urls))


async def record_after_everything(urls: list[str]) -> RunRecord:
    async with connect(urls[0]) as orders, connect(urls[1]) as inventory:
        story = Story(TwoServices(orders, inventory, SteadyClock(), urls))
        await everything(story)
        return await story.record()


@pytest.mark.parametrize("damage", DAMAGES)
async def test_damage_to_a_database_breaks_its_promises(
    told: tuple[Path, RunRecord], tmp_path: Path, damage: str
) -> None:
    folder, record = told
    service, sql, invariants = DAMAGES[damage]
    for name in SERVICES:
        shutil.copyfile(folder / f"{name}.db", tmp_path / f"{name}.db")

    with closing(sqlite3.connect(tmp_path / f"{service}.db")) as database, database:
        assert database.execute(sql).rowcount > 0

    opened = [connect(sqlite_url(tmp_path / f"{name}.db")) for name in SERVICES]
    async with opened[0] as orders, opened[1] as inventory:
        snapshot = await snapshot_of(orders, inventory)
    found = check(replace(record, snapshot=snapshot))
    assert {violation.invariant for violation in found} == invariants, found


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("reserved = 0", "0 on hand, -1 reserved, 0 quarantined"),
        ("on_hand = on_hand + 1, quarantined = 1", "1 on hand, 0 reserved, 1 quarantined"),
    ],
)
async def test_a_sample_names_the_level_that_contradicts_its_movements(
    shop: TwoServices, damage: str, says: str
) -> None:
    story = Story(shop)
    await everything(story)
    sound = await sample_of(shop.inventory)

    async with shop.inventory.begin() as work:
        await work.execute(f"UPDATE stock_level SET {damage} WHERE product_id = 'DESK'")
    damaged = await sample_of(shop.inventory)

    assert sound.contradictions == ()
    (text,) = damaged.contradictions
    assert text.startswith(f"DESK at main: the level exceeds its movements by {says}")


async def test_a_sample_names_what_came_where_nothing_may(shop: TwoServices) -> None:
    story = Story(shop)
    await everything(story)

    async with shop.inventory.begin() as work:
        await work.execute("UPDATE location SET active = false, inactive_after = 1")
    found = await sample_of(shop.inventory)

    ledger = (await snapshot_of(shop.orders, shop.inventory)).ledger
    coming = ("RECEIPT", "RESERVATION", "UNQUARANTINE")
    late = [one for one in ledger if one.kind in coming and one.movement_id > 1]
    assert len(found.contradictions) == len(late) > 0
    assert all("the location was inactive by then" in text for text in found.contradictions)


async def test_both_engines_hold_the_same_facts_of_the_same_story(
    templates: Templates, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    files = [templates.copy_file(service, tmp_path / f"{service}.db") for service in SERVICES]
    names = {service: f"story_{service}" for service in SERVICES}
    urls = [
        templates.copy_database(service, postgres_server, name) for service, name in names.items()
    ]

    try:
        on_sqlite = await record_after_everything(files)
        on_postgres = await record_after_everything(urls)
    finally:
        for name in names.values():
            postgres_server.drop_database(name)

    assert on_sqlite == on_postgres
    assert len(on_sqlite.snapshot.orders) == 7


@pytest.mark.parametrize("event_type", ["holdfast.orders.v1.OrderPlaced", "of.an.unknown.Type"])
def test_what_cannot_be_read_was_seen_all_the_same(event_type: str) -> None:
    event = Event("e-1", event_type, "o-1", 1, START, b"\xff no protobuf")

    seen = observed_event(event)

    assert seen == ("e-1", event_type, "o-1", 1, None, since_1970_us(START))
