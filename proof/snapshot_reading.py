"""A snapshot is taken: both databases are read row by row, by SQL of the proof's own."""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from holdfast.chassis.database.seam import Database, Reading, Row, instant
from proof.customers_reading import emails_of, profiles_of
from proof.goods import BY_PRIORITY, Sourcing
from proof.goods_reading import GoodsOfOrders, booked_facts, goods_of_orders, sourcing_in
from proof.messages_reading import messages_of
from proof.places_reading import locations_of
from proof.queue_reading import queues_of, waiting_in
from proof.snapshot import (
    Change,
    Edition,
    Level,
    Line,
    Missing,
    Movement,
    Order,
    Part,
    Payment,
    Product,
    Reservation,
    Snapshot,
    StockRequest,
    goods_minor,
    since_1970_us,
)
from proof.transfers_reading import transfers_of

_ORDERS = """
SELECT CAST(order_id AS text) AS order_id, customer_id, request_id, status, version, total_minor,
       CAST(shortages AS text) AS shortages,
       asked, answered, stock_sequence, stock_revision, CAST(stock AS text) AS stock,
       expires_at IS NOT NULL AS has_hold, confirmed_by, edition, edition_newest, edit_revision,
       erased_at IS NOT NULL AS is_erased
  FROM orders
"""

_CHARGED = """
SELECT CAST(order_id AS text) AS order_id, edition,
       sum(CASE kind WHEN 'DISCOUNT' THEN -amount_minor WHEN 'TAX_INCLUDED' THEN 0
           ELSE amount_minor END) AS minor
  FROM order_charge
 GROUP BY order_id, edition
"""

_EDITS = """
SELECT CAST(order_id AS text) AS order_id, edition, revision, state, total_minor,
       CAST(missing AS text) AS missing, asked_version, ended_version
  FROM order_edit
 ORDER BY order_edit.order_id, edition
"""

_PAYMENTS = """
SELECT CAST(order_id AS text) AS order_id, version, kind, reference, amount_minor
  FROM payment
 ORDER BY payment.order_id, version
"""

_PAID = """
SELECT CAST(order_id AS text) AS order_id, status
  FROM payment_state
"""

_HOLDS = """
SELECT CAST(order_id AS text) AS order_id
  FROM hold
"""


_LINES = """
SELECT CAST(order_id AS text) AS order_id, edition, product_id, quantity, unit_price_minor, line_no
  FROM order_line
 ORDER BY order_line.order_id, edition, line_no
"""


_HISTORY = """
SELECT CAST(order_id AS text) AS order_id, version, status, changed_at, action
  FROM order_history
 ORDER BY order_history.order_id, version
"""


_UNANSWERED = """
SELECT CAST(order_id AS text) AS order_id
  FROM unanswered
"""


_PRODUCTS = """
SELECT product_id, price_minor, active, version, backorder_max, safety_stock
  FROM product
"""


_LEVELS = """
SELECT product_id, location_id, on_hand, reserved, version, quarantined
  FROM stock_level
"""


_MOVEMENTS = """
SELECT movement_id, product_id, location_id, kind, on_hand_delta, reserved_delta,
       on_hand_after, reserved_after, coalesce(CAST(order_id AS text), '') AS order_id,
       coalesce(quarantined_delta, 0) AS quarantined_delta,
       coalesce(quarantined_after, 0) AS quarantined_after, reference, reason, moved_at
  FROM stock_movement
 ORDER BY movement_id
"""


_RESERVATIONS = """
SELECT CAST(order_id AS text) AS order_id, state, version, revision,
       CAST(stock AS text) AS stock, CAST(missing AS text) AS missing,
       CAST(sourcing AS text) AS sourcing, CAST(queued AS text) AS queued
  FROM reservation
"""


_STOCK_REQUESTS = """
SELECT request_id, product_id, location_id, on_hand, reserved, version, quarantined
  FROM stock_request
"""


async def snapshot_of(orders: Database, inventory: Database) -> Snapshot:
    """Read everything, each database as of one moment."""
    async with orders.snapshot() as reading:
        goods = await goods_of_orders(reading)
        editions, history = await _editions(reading, goods), await _history(reading)
        payments = await _payments(reading)
        paid = {row["order_id"]: row["status"] for row in await reading.fetch(_PAID)}
        holds = frozenset(row["order_id"] for row in await reading.fetch(_HOLDS))
        found = {
            row["order_id"]: _order(row, editions, history, payments, goods)._replace(
                paid=paid.get(row["order_id"], "NONE"), is_erased=bool(row["is_erased"])
            )
            for row in await reading.fetch(_ORDERS)
        }
        unanswered = frozenset(row["order_id"] for row in await reading.fetch(_UNANSWERED))
        profiles, emails = await profiles_of(reading), await emails_of(reading)
        orders_messages = await messages_of(reading, "orders")
    async with inventory.snapshot() as reading:
        products = tuple(map(_product, await reading.fetch(_PRODUCTS)))
        levels = tuple(map(_level, await reading.fetch(_LEVELS)))
        ledger = tuple(map(_movement, await reading.fetch(_MOVEMENTS)))
        reservations = tuple(map(_reservation, await reading.fetch(_RESERVATIONS)))
        requests = tuple(map(_stock_request, await reading.fetch(_STOCK_REQUESTS)))
        booked = await booked_facts(reading)
        gates, queues = await queues_of(reading)
        locations, transfers = await locations_of(reading), await transfers_of(reading)
        inventory_messages = await messages_of(reading, "inventory")
    return Snapshot(
        orders=found,
        strays=_strays(found, goods, editions, history, payments, paid),
        unanswered=unanswered,
        holds=holds,
        booked=booked,
        gates=gates,
        queues=queues,
        transfers=transfers,
        profiles=profiles,
        emails=emails,
        products={product.product_id: product for product in products},
        levels=levels,
        locations=locations,
        ledger=ledger,
        reservations={reservation.order_id: reservation for reservation in reservations},
        stock_requests={request.request_id: request for request in requests},
        inboxes={"orders": orders_messages.inbox, "inventory": inventory_messages.inbox},
        outboxes={"orders": orders_messages.waiting, "inventory": inventory_messages.waiting},
        letters=orders_messages.letters + inventory_messages.letters,
        feeds={"orders": orders_messages.feed, "inventory": inventory_messages.feed},
    )


def _strays(
    orders: Mapping[str, Order], goods: GoodsOfOrders, *known: Mapping[str, object]
) -> frozenset[str]:
    """Ids that something names, and that no order has."""
    named = set[str]().union(goods.shipments, goods.returns, *known)
    named.update(order_id for order_id, _ in goods.sourcing)
    return frozenset(named - orders.keys()) | goods.strays


async def _editions(reading: Reading, goods: GoodsOfOrders) -> Mapping[str, dict[int, Edition]]:
    """What each order was of, by order and edition."""
    lines = defaultdict[tuple[str, int], list[Line]](list)
    for row in await reading.fetch(_LINES):
        line = Line(row["product_id"], row["quantity"], row["unit_price_minor"], row["line_no"])
        lines[row["order_id"], row["edition"]].append(line)
    charged = {
        (row["order_id"], row["edition"]): int(row["minor"])
        for row in await reading.fetch(_CHARGED)
    }
    edits: dict[tuple[str, int], Row] = {
        (row["order_id"], row["edition"]): row for row in await reading.fetch(_EDITS)
    }
    found = defaultdict[str, dict[int, Edition]](dict)
    for key in sorted({*lines, *charged, *edits}):
        order_id, number = key
        its_lines, minor = tuple(lines.get(key, ())), charged.get(key, 0)
        first = Edition(
            number, 1, "APPLIED", 1, 1, its_lines, minor, goods_minor(its_lines) + minor
        )._replace(sourcing=goods.sourcing.get(key, Sourcing()))
        edit = edits.get(key)
        found[order_id][number] = (
            first
            if edit is None
            else first._replace(
                revision=edit["revision"],
                state=edit["state"],
                asked_version=edit["asked_version"],
                ended_version=edit["ended_version"],
                total_minor=edit["total_minor"],
                missing=_shortages(edit["missing"]),
            )
        )
    return found


async def _history(reading: Reading) -> Mapping[str, list[Change]]:
    found = defaultdict[str, list[Change]](list)
    for row in await reading.fetch(_HISTORY):
        at = instant(row["changed_at"])
        change = Change(row["version"], row["status"], at, row["action"])
        found[row["order_id"]].append(change)
    return found


async def _payments(reading: Reading) -> Mapping[str, list[Payment]]:
    found = defaultdict[str, list[Payment]](list)
    for row in await reading.fetch(_PAYMENTS):
        fact = Payment(row["version"], row["kind"], row["reference"], row["amount_minor"])
        found[row["order_id"]].append(fact)
    return found


_NO_EDITION = Edition(0, 0, "", 0, None, (), 0, 0)


def _order(
    row: Row,
    editions: Mapping[str, dict[int, Edition]],
    history: Mapping[str, list[Change]],
    payments: Mapping[str, list[Payment]],
    goods: GoodsOfOrders,
) -> Order:
    order_id = row["order_id"]
    parts = json.loads(row["stock"])
    stock, reasons = _held([part for part in parts if part[1]])
    its = editions.get(order_id, {})
    now = its.get(row["edition"], _NO_EDITION)
    return Order(
        order_id,
        row["customer_id"],
        row["request_id"],
        row["status"],
        row["version"],
        row["total_minor"],
        _shortages(row["shortages"]),
        now.lines,
        tuple(history.get(order_id, ())),
        row["asked"],
        row["answered"],
        row["stock_sequence"],
        row["stock_revision"],
        stock,
        bool(row["has_hold"]),
        now.charged_minor,
        row["confirmed_by"],
        tuple(payments.get(order_id, ())),
        row["edition"],
        row["edition_newest"],
        row["edit_revision"],
        its.get(1),
        tuple(edition for number, edition in its.items() if number != 1),
        reasons,
        tuple(goods.shipments.get(order_id, ())),
        tuple(goods.returns.get(order_id, ())),
        tuple(Part(*part[:3]) for part in parts if not part[1]),
    )


def _held(parts: list[list[Any]]) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """What is held, as [product, location, units, why], and why; which may be left out."""
    stock = tuple(Part(*part[:3]) for part in parts)
    return stock, tuple(part[3] if len(part) > 3 else BY_PRIORITY for part in parts)


def _shortages(text: str) -> tuple[Missing, ...]:
    return tuple(Missing(*facts) for facts in json.loads(text)) if text != "[]" else ()


def _product(row: Row) -> Product:
    facts = bool(row["active"]), row["version"], row["backorder_max"], row["safety_stock"]
    return Product(row["product_id"], row["price_minor"], *facts)


def _level(row: Row) -> Level:
    units = row["on_hand"], row["reserved"], row["version"], row["quarantined"]
    return Level(row["product_id"], row["location_id"], *units)


def _movement(row: Row) -> Movement:
    return Movement(
        row["movement_id"],
        row["product_id"],
        row["location_id"],
        row["kind"],
        row["on_hand_delta"],
        row["reserved_delta"],
        row["on_hand_after"],
        row["reserved_after"],
        row["order_id"],
        row["quarantined_delta"],
        row["quarantined_after"],
        row["reference"],
        row["reason"],
        since_1970_us(instant(row["moved_at"])),
    )


def _reservation(row: Row) -> Reservation:
    parts = [[name, at, *rest] for name, at, _lot, *rest in json.loads(row["stock"])]
    stock, reasons = _held(parts)
    return Reservation(
        row["order_id"],
        row["state"],
        row["version"],
        row["revision"],
        stock,
        _shortages(row["missing"]),
        reasons,
        sourcing_in(row["sourcing"]),
        waiting_in(row["queued"]),
    )


def _stock_request(row: Row) -> StockRequest:
    return StockRequest(row["request_id"], *_level(row))
