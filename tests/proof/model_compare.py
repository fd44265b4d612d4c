"""What there is, by both services and by the model: the same, once everything has come to rest."""

from collections import Counter

from holdfast.inventory.application.ports import StockInfo
from holdfast.inventory.domain.reservations.reservation import Reservation
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.payments.payment import status_of
from holdfast.orders.domain.shipping.shipment import shipped_by_line, shipped_by_product
from tests.proof import model as plain
from tests.proof.model_system import System
from tests.proof.model_verbs import Model


async def compare(system: System, model: Model) -> None:
    """Nothing differs, by what Orders tells, by what Inventory tells, and by the model."""
    for name, info in (await system.stock_info(list(model.products))).items():
        _compare_stock(name, info, model)
        rows = await system.shop.stock.backorders(name, after=None, limit=1_000)
        assert [(row.order_id, row.quantity) for row in rows] == _queue(name, model)
    ids = list(model.orders)
    reservations = await system.reservations(ids)
    for order in await system.shop.reader.details(ids):
        assert order is not None, "no order is lost"
        held = reservations.get(order.order_id)
        _compare_order(order, model.orders[order.order_id], model)
        _compare_promise(order, held, model.orders[order.order_id])


def _compare_stock(name: str, info: StockInfo, model: Model) -> None:
    told = {
        level.location_id: (level.on_hand, level.reserved, level.quarantined, level.available)
        for level in info.levels
        if level.on_hand or level.reserved or level.quarantined
    }
    meant = {
        place: (
            level.on_hand,
            model.reserved(name, place),
            level.quarantined,
            model.available(name, place),
        )
        for (product, place), level in model.levels.items()
        if product == name and level.on_hand
    }
    assert told == meant, f"levels of {name}"
    coming = {place: n for place in model.locations if (n := model.coming(name, place))}
    assert {place: n for place, n in info.coming.items() if n} == coming, f"{name} in transit"
    assert info.available == model.promisable(name), f"available of {name}"
    assert info.queue.units == model.awaited(name), f"what is waited for of {name}"


def _queue(name: str, model: Model) -> list[tuple[str, int]]:
    rows = [
        (since, order.order_id, units)
        for order in model.orders.values()
        for (product, since), units in order.queued.items()
        if product == name
    ]
    return [(order_id, units) for _, order_id, units in sorted(rows)]


def _compare_order(told: Order, meant: plain.Order, model: Model) -> None:
    where = f"order {told.order_id}"
    assert told.state.status == meant.status, where
    lines = {line.line_no: (line.product_id, line.quantity) for line in told.lines}
    assert lines == meant.lines, where
    assert told.total.minor == model.total(meant), where
    assert shipped_by_line(told.shipments) == meant.shipped, where
    payments = [one.payment for one in told.payments]
    known = {(str(one.kind), one.reference): one.amount.minor for one in payments}
    assert known == meant.payments, where
    assert status_of(payments, told.total) == model.payment_status(meant), where
    held = Counter({(one.product_id, one.location_id): one.quantity for one in told.to_ship})
    assert held == meant.held, f"{where}: what Orders knows to be held"
    assert dict(told.awaited) == meant.waiting, f"{where}: what Orders knows to wait"
    returns = {one.return_id: one for one in told.returns}
    assert returns.keys() == meant.returns.keys(), where
    for return_id, one in meant.returns.items():
        there = returns[return_id]
        assert (there.received, there.claimed) == (one.received, one.claimed), where
        assert (there.closed_at is None) == one.is_open, where


def _compare_promise(told: Order, held: Reservation | None, meant: plain.Order) -> None:
    where = f"order {told.order_id}"
    assert held is not None, f"{where}: Inventory has heard of it"
    assert told.stock_revision == held.revision, f"{where}: its newest question is answered"
    there = Counter({(one.product_id, one.location_id): one.quantity for one in held.stock})
    assert there == meant.held, f"{where}: what Inventory holds"
    promised = shipped_by_product(told.shipments)
    for parts in (held.stock, held.queued):
        for part in parts:
            promised[part.product_id] += part.quantity
    if not told.state.status.is_final or told.state.status == "SHIPPED":
        ordered = plain.sums((line.product_id, line.quantity) for line in told.lines)
        assert promised == ordered, f"{where}: held, waiting and left make what is ordered"
