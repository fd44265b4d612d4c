"""What PostgreSQL makes of our statements: plans that go by index, updates that touch none.

A plan is made while the tables are still empty and kept as they grow, so it must be right from the
start. The tests look at plans as a service's own session makes them.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import pytest

from holdfast.chassis.database.seam import Database, Engine, Reading, Transaction
from holdfast.orders.application.ports import StockNews
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.domain.ordering.stock import HeldStock
from tests.contract import order_desk, warehouse
from tests.contract.conftest import START
from tests.contract.order_desk import ANNA, DESK, LAMP, Desk, answer_to, settle
from tests.contract.post_office import eventually
from tests.contract.warehouse import Warehouse
from tests.contract.written_sql import statements_of

desk, house = order_desk.desk, warehouse.house

Plan = Mapping[str, Any]  # a node as EXPLAIN tells of it

STATEMENTS = {service: statements_of(service, "postgresql") for service in ("orders", "inventory")}
READ_AS_A_WHOLE = {
    "REVISION": "every process looks every second whether a key has changed; there are few",
    "ALL": "and reads them, when one has",
    "LIST_LOCATIONS": "an operator asks for all of at most 1,000",
    "LIST_LETTERS": "an operator asks for all dead letters",
    "FEED_HEAD": "it has one row",
    "SUBJECTS_OF_TYPES": "all that waits, as long as a queue at the broker is broken",
    "STAMP_EVENTS": "the feed's head has one row",
    "COUNT_LETTERS": "every process tells how many there are, of the first 10,000",
    "TAKE_LETTERS": "an operator sends back all dead letters, or some of those few",
}
SAMPLES = {
    "bigint": "1",
    "boolean": "true",
    "bytea": "''",
    "integer": "1",
    "json": "'[]'",
    "jsonb": "'[]'",
    "text": "''",
    "timestamp with time zone": "now()",
    "uuid": "'0198c5f0-7a3b-7c1e-9d43-000000000001'",
}


@pytest.fixture
def engine() -> Engine:
    return "postgresql"


async def prepare(work: Transaction, sql: str) -> list[str]:
    """Prepare a statement under the name `asked`; return the types of its arguments."""
    await work.fetch("PREPARE asked AS " + sql)
    (row,) = await work.fetch(
        """
SELECT parameter_types::regtype[]::text[] AS types
  FROM pg_prepared_statements
 WHERE name = 'asked'
"""
    )
    types: list[str] = row["types"]
    return types


def sample(type_: str) -> str:
    if type_.endswith("[]"):
        return f"ARRAY[{SAMPLES[type_.removesuffix('[]')]}]::{type_}"
    return f"{SAMPLES[type_]}::{type_}"


async def explained(work: Transaction, name: str, arguments: str, options: str = "") -> Plan:
    call = f"{name}({arguments})" if arguments else name
    (row,) = await work.fetch(f"EXPLAIN (FORMAT JSON {options}) EXECUTE {call}")
    plan: Plan = json.loads(row["QUERY PLAN"])[0]["Plan"]
    return plan


def nodes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


@pytest.mark.parametrize("service", STATEMENTS)
async def test_no_statement_of_a_service_scans_a_table_not_even_an_empty_one(
    database: Database, service: str
) -> None:
    scanning: set[str] = set()
    async with database.begin() as work:
        for mode in ("force_generic_plan", "force_custom_plan"):
            await work.fetch(f"SET LOCAL plan_cache_mode = {mode}")
            for name, sql in STATEMENTS[service].items():
                types = await prepare(work, sql)
                plan = await explained(work, "asked", ", ".join(map(sample, types)))
                if any(node["Node Type"] == "Seq Scan" for node in nodes(plan)):
                    scanning.add(name)
                await work.fetch("DEALLOCATE asked")

    assert scanning == READ_AS_A_WHOLE.keys() & STATEMENTS[service].keys()


# Of 3,000 rows the first few are sought, and many newer ones stand before them.
FILL = {
    "orders": """
INSERT INTO orders (order_id, customer_id, request_id, request_hash, status, version, edition,
                    edition_newest, asked, answered, stock_sequence, stock_revision, stock,
                    currency, total_minor, name, email, phone, address, shortages, placed_at,
                    updated_at)
SELECT (lpad(n::text, 8, '0') || '-0000-7000-8000-000000000000')::uuid,
       'c-' || n % 3, 'r-' || n, '',
       CASE WHEN n <= 5 THEN 'PENDING' WHEN n <= 10 THEN 'REJECTED' ELSE 'CONFIRMED' END,
       2, 1, 1, 1, CASE WHEN n <= 5 THEN 0 ELSE 1 END, 0, 0, '[]',
       'GBP', 300, '', '', '', '', '[]', now(), now()
  FROM generate_series(1, 3000) AS n;
INSERT INTO unanswered
SELECT order_id, placed_at - interval '1 day', placed_at - interval '1 day'
  FROM orders
 WHERE status = 'PENDING';
INSERT INTO order_line
SELECT order_id, 1, line_no, CASE WHEN request_id = 'r-7' THEN 'RARE' ELSE 'LAMP' END, 1, 150
  FROM orders, generate_series(1, 2) AS line_no;
INSERT INTO order_history
SELECT order_id, n, CASE n WHEN 1 THEN 'PENDING' ELSE status END, placed_at, '', '', ''
  FROM orders, generate_series(1, 2) AS n;
INSERT INTO outbox (event_id, type, subject, sequence, happened_at, traceparent, data, is_repeat)
SELECT request_id, '', '', 1, now(), '', '', false FROM orders;
INSERT INTO feed
SELECT n, 'e-' || n, CASE n % 10 WHEN 0 THEN 'a' ELSE 'b' END, '', 1, now(), '', ''
  FROM generate_series(1, 3000) AS n;
UPDATE feed_head SET last = 3000;
INSERT INTO inbox SELECT request_id, now() FROM orders;
INSERT INTO order_history
SELECT order_id, 3, 'CANCELLED', placed_at, 'why', '', ''
  FROM orders
 WHERE request_id NOT IN ('r-7', 'r-8') AND status <> 'PENDING';
INSERT INTO order_details
SELECT order_id, request_id, CASE WHEN request_id = 'r-7' THEN 'rare' ELSE 'web' END, '',
       '[]', '[]', '[]'
  FROM orders;
INSERT INTO payment_state
SELECT order_id, CASE WHEN request_id = 'r-7' THEN 'PAID' ELSE 'AUTHORIZED' END
  FROM orders;
INSERT INTO customer
SELECT 'c-' || n, 'n', 'at-' || n % 300, '', '', 1, now(), now(), NULL, 'n' || n % 300
  FROM generate_series(1, 3000) AS n
""",
    "inventory": """
INSERT INTO product
SELECT 'p-' || n, '', '', 'GBP', 1, n <> 2999, 1, now(), now()
  FROM generate_series(1, 3000) AS n;
INSERT INTO product
SELECT 'new-' || n, '', '', 'GBP', 1, true, 1, now(), now()
  FROM generate_series(1, 3000) AS n;
INSERT INTO stock_movement (product_id, location_id, kind, on_hand_delta, reserved_delta,
                            on_hand_after, reserved_after, order_id, reason, reference, actor,
                            moved_at)
SELECT 'p-' || n % 3, CASE WHEN n <= 10 THEN 'shop' ELSE 'main' END, 'RESERVATION', 0, 1, 9, 1,
       (lpad(n::text, 8, '0') || '-0000-7000-8000-000000000000')::uuid, '', '', '', now()
  FROM generate_series(1, 3000) AS n;
INSERT INTO location
SELECT 'at-' || n, 'at-' || n, '', 'SHOP', 1, true, NULL, '[]', 1
  FROM generate_series(1, 300) AS n;
INSERT INTO location
SELECT 'shop', 'shop', '', 'SHOP', 1, true, NULL, '[]', 1;
INSERT INTO stock_level
SELECT 'p-' || n, location_id, '', CASE WHEN n <= 9 THEN 9 WHEN n = 2000 THEN 1 ELSE 90 END, 1, 1, 0
  FROM generate_series(1, 3000) AS n, (VALUES ('main'), ('shop')) AS at (location_id)
 WHERE n <= 9 OR location_id = 'main';
INSERT INTO stock_level
SELECT 'new-' || n, 'main', '', 0, 0, 0, 0
  FROM generate_series(1, 3000) AS n;
UPDATE stock_level SET queued = 1 WHERE product_id = 'p-2500'
""",
}
IDS = "'ffffffff-ffff-ffff-ffff-ffffffffffff', 20, '00000000-0000-0000-0000-000000000000'"
PAGE = f"{IDS}, '1970-01-01', '9999-01-01'"
ORDER = "'00000007-0000-7000-8000-000000000000'::uuid"
MOVED = "9223372036854775807, 20, '', NULL, NULL"
# A statement, and what it is asked: for 20 rows, where it can be said.
ASKED = {
    "orders": [
        ("LIST_ORDERS", f"{PAGE}, '', ''"),
        ("LIST_ORDERS", f"{PAGE}, '', 'CONFIRMED'"),
        ("LIST_ORDERS_OF_CUSTOMER", f"{PAGE}, 'c-1', ''"),
        ("SEARCH_BY_PENDING", f"{PAGE}, '', 'PENDING', '', '', '', '', '', '', false"),
        ("LIST_ENDED_ORDERS", f"{PAGE}, '', 'REJECTED'"),
        ("LIST_ENDED_ORDERS", f"{PAGE}, '', 'EXPIRED'"),
        ("SEARCH_BY_PRODUCT", f"{PAGE}, '', '', 'LAMP', '', '', '', '', '', false"),
        ("SEARCH_BY_PRODUCT", f"{PAGE}, '', '', 'RARE', '', '', '', '', '', false"),
        ("LIST_ORDERS_OF_REQUESTS", f"{PAGE}, '', '', ARRAY['r-7', 'r-8', 'none'], ''"),
        ("LIST_ORDERS_OF_REQUESTS", f"{PAGE}, '', '', ARRAY['r-7', 'r-8', 'none'], 'RARE'"),
        ("MARKS", f"{PAGE}, 'c-1', 'REJECTED', 'LAMP', '', '', 'web', 'PAID'"),
        ("SEARCH_BY_REFERENCE", f"{PAGE}, '', '', 'RARE', 'r-7', '', '', '', '', false"),
        ("SEARCH_BY_CUSTOMER", f"{PAGE}, 'c-1', '', 'LAMP', '', '', 'web', '', '', false"),
        ("SEARCH_BY_PRODUCT", f"{PAGE}, '', '', 'RARE', '', '', 'web', '', '', false"),
        ("SEARCH_BY_PENDING", f"{PAGE}, '', 'PENDING', 'LAMP', '', '', 'web', '', '', false"),
        ("SEARCH_BY_ENDED", f"{PAGE}, '', 'REJECTED', '', '', '', 'web', '', '', false"),
        ("SEARCH_BY_PAYMENT", f"{PAGE}, '', '', '', '', '', 'web', 'PAID', '', false"),
        ("SEARCH_BY_CHANNEL", f"{PAGE}, '', '', '', '', '', 'web', '', '', false"),
        ("SEARCH_BY_CHANNEL", f"{PAGE}, '', '', '', '', '', 'rare', 'PAID', '', false"),
        ("LIST_PROFILES", "'c-2', 20"),
        ("LIST_PROFILES_OF_EMAIL", "'', 20, 'at-7'"),
        ("LIST_PROFILES_OF_NAME", "'n7', 'c-1', 'n7', 'n8', 20, ''"),
        (
            "INSERT_ORDERS",
            "ARRAY[gen_random_uuid()], ARRAY['c-1'], ARRAY[gen_random_uuid()::text], "
            "ARRAY[''], ARRAY['GBP'], ARRAY[5], ARRAY[''], ARRAY[''], ARRAY[''], ARRAY[''], "
            "ARRAY[now()], ARRAY[now()], ARRAY['c-1']",
        ),
        ("LOCK_PROFILES_WITH_EMAIL", "'at-7'"),
        ("LOCK_ORDERS_TO_ERASE", "ARRAY['c-7'], 'at-7'"),
        ("EMPTY_ORDERS", f"ARRAY[{ORDER}], now(), ARRAY[{ORDER}]"),
        ("EMPTY_REASONS", f"ARRAY[{ORDER}]"),
        ("EMPTY_DETAILS", f"ARRAY[{ORDER}], '[]'"),
        ("EMPTY_RETURN_REASONS", f"ARRAY[{ORDER}]"),
        ("EMPTY_RETURN_REQUESTS", f"ARRAY[{ORDER}]"),
        ("FIND_ERASED_ORDER", ORDER),
        ("CLAIM_LATE", "now(), 20, now()"),
        ("CLAIM_EXPIRED", "now(), 20"),
        ("LOCK_STATES", "ARRAY['00000007-0000-7000-8000-000000000000']::uuid[]"),
        ("LOCK_NAMED_STATES", f"ARRAY[{ORDER}, {ORDER}], ARRAY['', 'c-1']"),
        ("FIND_NAMED_DETAILS", f"ARRAY[{ORDER}, {ORDER}], ARRAY['', 'c-1']"),
        ("FIND_NAMED_EDITABLE", f"ARRAY[{ORDER}, {ORDER}], ARRAY['', 'c-1']"),
        ("ORDERS_OF_NAMED_RETURNS", f"ARRAY[{ORDER}, {ORDER}], ARRAY['', 'c-1']"),
        ("LIST_ORDERS_OF_REQUESTS", f"{PAGE}, 'c-1', '', ARRAY['r-7', 'r-8', 'none'], ''"),
        ("NEXT_EVENTS", "20"),
        ("NEXT_EVENTS_OF_OTHER_TYPES", "20, ARRAY['a', 'b'], 0"),
        ("STAMP_EVENTS", "ARRAY[1, 2, 3]"),
        ("FEED_HEAD", ""),
        ("FEED_EVENTS", "1000, 3000, 20"),
        ("FEED_EVENTS_OF_TYPES", "1000, 1100, 20, ARRAY['a']"),
        ("FEED_PLACES", "ARRAY[1000, 1020]"),
        ("FIRST_KEPT", "1, 2000, '2026-01-01'"),
        ("BACKLOG", ""),
        ("FORGET_EVENTS", "'2026-01-01', 20"),
    ],
    "inventory": [
        ("LIST_PRODUCTS", "'', 'q', 20, NULL, NULL, NULL"),
        ("LIST_PRODUCTS", "'p-2', 'p-200', 20, false, 100, NULL"),
        ("LIST_PRODUCTS_BY_ACTIVE", "'', 'q', 20, false, NULL, NULL"),
        ("LIST_SCARCE_PRODUCTS", "'', 'q', 20, true, 8, NULL"),
        ("LIST_SOLD_OUT_PRODUCTS", "'', 'q', 20, true, 0, false"),
        ("LIST_PRODUCTS_WAITED_FOR", "'', 'q', 20, NULL, NULL, NULL"),
        ("LIST_MOVEMENTS", MOVED),
        ("LIST_MOVEMENTS_OF_PRODUCT", f"{MOVED}, 'p-1'"),
        ("LEVELS_AT", "'p-1', '', '9999-01-01', '', 20"),
        ("LEVELS_AT", "'p-1', 'shop', '9999-01-01', '', 20"),
        ("NEWEST_STEPS", "'p-1', 'shop', 9999, 20"),
        ("NEWEST_STEPS", "'p-1', 'main', 2900, 20"),
        ("FIND_MOVEMENTS", "ARRAY[1, 2, 2900]"),
        ("RESERVED_BEFORE", f"ARRAY[{ORDER}], 'p-1', 'main', 2000"),
        ("LIST_MOVEMENTS_OF_ORDER", f"{MOVED}, '', '00000007-0000-7000-8000-000000000000'"),
    ],
}
# The index entry, the order, its few lines and details, and whether they still have it.
VISITS_MAX = 7 * 20
# What is sought for has more than one filter: what the other ones have of each index entry, too.
SEARCH_VISITS_MAX = 12 * 20


def visits(plan: Plan) -> int:
    """How many rows and index entries a statement that has run has looked at."""
    return sum(
        round(node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)))
        for node in nodes(plan)
        if "Index Name" in node or node["Node Type"] == "Seq Scan"
    )


@pytest.mark.parametrize("service", ASKED)
async def test_a_page_is_found_without_walking_through_what_is_newer(
    database: Database, service: str
) -> None:
    texts = STATEMENTS[service]
    too_many: dict[tuple[str, str, str], int] = {}

    async def plan(work: Transaction, when: str, mode: str) -> None:
        await work.fetch(f"SET LOCAL plan_cache_mode = force_{mode}_plan")
        for number, (name, arguments) in enumerate(ASKED[service]):
            await work.fetch(f"PREPARE {when}_{mode}_{number} AS {texts[name]}")
            await explained(work, f"{when}_{mode}_{number}", arguments)

    async def run(work: Transaction, when: str, mode: str) -> None:
        for number, (name, arguments) in enumerate(ASKED[service]):
            done = await explained(work, f"{when}_{mode}_{number}", arguments, ", ANALYZE")
            allowed = SEARCH_VISITS_MAX if name.startswith("SEARCH") else VISITS_MAX
            if visits(done) > allowed:
                too_many[f"{when}, {mode}", name, arguments.removeprefix(PAGE)] = visits(done)

    async with database.begin() as work:
        await plan(work, "when_empty", "generic")
        for statement in FILL[service].split(";"):
            await work.execute(statement)
        await run(work, "when_empty", "generic")
        for when in ("by_guess", "by_statistics"):
            for mode in ("generic", "custom"):
                await plan(work, when, mode)
                await run(work, when, mode)
            await work.fetch("ANALYZE")

    assert too_many == {}


async def settings(reading: Reading) -> dict[str, str]:
    ours = "name LIKE 'enable_%' OR name = 'plan_cache_mode'"
    rows = await reading.fetch(f"SELECT name, setting FROM pg_settings WHERE {ours}")
    return {row["name"]: row["setting"] for row in rows}


async def test_an_audit_may_scan_and_the_session_goes_by_index_again_after_it(
    database: Database,
) -> None:
    async with database.read() as reading:
        before = await settings(reading)
    async with database.snapshot() as snapshot:
        during = await settings(snapshot)
    async with database.read() as reading:
        after = await settings(reading)

    scans = "enable_seqscan", "enable_bitmapscan", "enable_hashjoin"
    assert [before[name] for name in scans] == ["off"] * 3
    assert [during[name] for name in scans] == ["on"] * 3
    planned = "plan_cache_mode"  # once, but by an audit, whose plans are for what it asks
    assert (before[planned], during[planned]) == ("force_generic_plan", "auto")
    assert after == before


# PostgreSQL counts what a session did about once a second.
UPDATES = """
SELECT n_tup_upd AS updates, n_tup_hot_upd AS in_place
  FROM pg_stat_user_tables
 WHERE relname = 'orders'
"""


async def test_settling_orders_updates_them_in_place_and_touches_no_index(desk: Desk) -> None:
    placed: list[OrderState] = []
    for batch in range(3):
        new = [desk.make(f"{batch}-{number}", LAMP, DESK, LAMP) for number in range(200)]
        await desk.store.record_orders(new)
        placed += [OrderState(order.order_id, OrderStatus.PENDING, 1) for order in new]

    held = tuple(HeldStock(f"P0000{number}", "main", 1) for number in range(3))
    news = [
        StockNews(state.hear(told), told)
        for state in placed[:300]
        if (told := answer_to(state)._replace(stock=held))
    ]
    async with desk.store.begin() as work:
        await work.record([settle(state, START) for state in placed[:300]], news)
    await desk.record(*(state.expire(START, ANNA) for state in placed[300:]))

    counted: list[int] = []

    async def all_are_counted() -> bool:
        async with desk.database.read() as reading:
            (row,) = await reading.fetch(UPDATES)
        counted[:] = row["updates"], row["in_place"]
        return counted[0] >= len(placed)

    await eventually(all_are_counted)
    assert counted == [len(placed)] * 2


@pytest.mark.parametrize("service", ["inventory"])
async def test_a_promise_touches_no_index_unless_it_leaves_little_or_nothing(
    database: Database, house: Warehouse
) -> None:
    """Levels are what each order writes."""
    await house.stock("DESK", 100)

    async with database.begin() as work:

        async def in_place() -> int:
            (row,) = await work.fetch(
                "SELECT pg_stat_get_xact_tuples_hot_updated('stock_level'::regclass) AS so_far"
            )
            so_far: int = row["so_far"]
            return so_far

        seen = [await in_place()]
        for reserved in (79, 80, 99, 100):
            await work.execute(
                "UPDATE stock_level SET reserved = $1 WHERE product_id = 'DESK'", reserved
            )
            seen.append(await in_place())

    assert [later - one for one, later in pairwise(seen)] == [1, 0, 1, 0]
