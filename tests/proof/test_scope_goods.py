"""What leaves and what comes back is told, never asked, and is booked once whatever the wires do.

Every state of every scope with shipments and returns is visited; and rules planted wrong on purpose
are found there.
"""

from collections import Counter
from collections.abc import Callable, Set
from datetime import datetime
from typing import Any

import pytest

from holdfast.inventory.domain.reservations import reservation as inventory
from holdfast.inventory.domain.reservations.reservation import (
    Reservation,
    ReservationState,
    Wanted,
)
from holdfast.inventory.domain.stock.movements import Cause
from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.ordering import document
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.edits import Contents
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.stock import HeldStock, StockWanted
from holdfast.orders.domain.returns import returned
from holdfast.orders.domain.returns import transitions as returning
from holdfast.orders.domain.returns.returned import Return
from holdfast.orders.domain.shipping import shipment as shipments
from holdfast.orders.domain.shipping import transitions as shipping
from holdfast.orders.domain.shipping.goods import NO_GOODS, Goods
from holdfast.orders.domain.shipping.shipment import Shipment
from proof.scope import GOODS, LONG, explore
from proof.scope_world import Violated

hear = inventory.hear
Patch = Callable[[pytest.MonkeyPatch], None]


@pytest.mark.parametrize("name", GOODS)
def test_every_promise_holds_in_every_state(name: str) -> None:
    assert explore(GOODS[name]) >= 30


@pytest.mark.proof
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", LONG)
def test_every_promise_holds_in_every_state_of_a_long_scope(name: str) -> None:
    assert explore(LONG[name]) >= 10_000


BUGS: dict[str, Patch] = {}


def planted(bug: Patch) -> Patch:
    BUGS[bug.__name__.replace("_", " ")] = bug
    return bug


@planted
def a_shipment_is_booked_whenever_it_is_told(patch: pytest.MonkeyPatch) -> None:
    def decide(
        before: Reservation | None,
        wanted: Wanted,
        book: StockBook,
        cause: Cause,
        booked: Set[str],
    ) -> Reservation:
        receipts = {fact for fact in booked if fact.startswith(inventory.RECEIPT)}
        return hear(before, wanted, book, cause, receipts)

    patch.setattr(inventory, "hear", decide)


@planted
def a_receipt_is_booked_whenever_it_is_told(patch: pytest.MonkeyPatch) -> None:
    def decide(
        before: Reservation | None,
        wanted: Wanted,
        book: StockBook,
        cause: Cause,
        booked: Set[str],
    ) -> Reservation:
        left = {fact for fact in booked if not fact.startswith(inventory.RECEIPT)}
        return hear(before, wanted, book, cause, left)

    patch.setattr(inventory, "hear", decide)


@planted
def a_receipt_is_taken_for_the_shipment_of_its_name(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(inventory, "RECEIPT", "")


@planted
def what_is_over_books_nothing_more(patch: pytest.MonkeyPatch) -> None:
    def decide(before: Reservation | None, wanted: Wanted, *rest: Any) -> Reservation:
        if before and before.state is ReservationState.OVER:
            wanted = wanted._replace(shipped=(), received=())
        return hear(before, wanted, *rest)

    patch.setattr(inventory, "hear", decide)


@planted
def what_has_left_stays_promised(patch: pytest.MonkeyPatch) -> None:
    def decide(before: Reservation | None, wanted: Wanted, *rest: Any) -> Reservation:
        after = hear(before, wanted, *rest)
        return after._replace(stock=before.stock) if before and wanted.shipped else after

    patch.setattr(inventory, "hear", decide)


@planted
def units_leave_while_an_edit_is_under_way(patch: pytest.MonkeyPatch) -> None:
    refuse = shipping.refuse_shipment
    patch.setattr(shipping, "refuse_shipment", lambda state: refuse(_without_edit(state)))


@planted
def a_receipt_takes_the_place_of_an_edit(patch: pytest.MonkeyPatch) -> None:
    receive = returning.receive_return

    def received(
        state: OrderState, order: Order, new: Return, at: datetime, caller: Caller
    ) -> OrderChange:
        return receive(_without_edit(state), order, new, at, caller)

    patch.setattr(returning, "receive_return", received)


def _without_edit(state: OrderState) -> OrderState:
    return state._replace(editions=state.editions._replace(revision=None))


@planted
def own_shipments_do_not_reduce_what_can_leave(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(document, "still_held", lambda stock, _revision, _shipments: stock)


@planted
def own_shipments_reduce_a_copy_that_knows_them(patch: pytest.MonkeyPatch) -> None:
    def reduced(
        stock: tuple[HeldStock, ...], _: int, shipments: tuple[Shipment, ...]
    ) -> tuple[HeldStock, ...]:
        left = Counter[str]()
        for shipment in shipments:
            for item in shipment.items:
                left[item.location_id] += item.quantity
        parts = (one._replace(quantity=one.quantity - left[one.location_id]) for one in stock)
        return tuple(one for one in parts if one.quantity > 0)

    patch.setattr(document, "still_held", reduced)


@planted
def a_cancellation_forgets_the_shipments(patch: pytest.MonkeyPatch) -> None:
    end = OrderState.end_with

    def ended(
        state: OrderState, left: Contents, _: Goods, reason: str, at: datetime, caller: Caller
    ) -> OrderChange:
        return end(state, left, NO_GOODS, reason, at, caller)

    patch.setattr(OrderState, "end_with", ended)


@planted
def an_edit_forgets_what_has_left(patch: pytest.MonkeyPatch) -> None:
    edit = OrderState.edit

    def edited(
        state: OrderState,
        before: Contents,
        after: Contents,
        version: int,
        reason: str,
        at: datetime,
        caller: Caller,
        _: Goods,
    ) -> OrderChange:
        return edit(state, before, after, version, reason, at, caller)

    patch.setattr(OrderState, "edit", edited)


@planted
def only_the_newest_fact_is_told(patch: pytest.MonkeyPatch) -> None:
    unanswered = Goods.unanswered

    def newest(goods: Goods, answered: int) -> tuple[tuple[object, ...], tuple[object, ...]]:
        left, back = unanswered(goods, answered)
        return left[-1:], back[-1:]

    patch.setattr(Goods, "unanswered", newest)


@planted
def facts_are_not_told_again(patch: pytest.MonkeyPatch) -> None:
    again = OrderState.ask_again
    patch.setattr(
        OrderState, "ask_again", lambda state, demand, sourcing, _: again(state, demand, sourcing)
    )


@planted
def facts_count_as_answered_once_they_are_told(patch: pytest.MonkeyPatch) -> None:
    wants = OrderState.wants

    def told(state: OrderState, revision: int, *what: Any) -> StockWanted:
        return wants(state._replace(answered=revision - 1), revision, *what)

    patch.setattr(OrderState, "wants", told)


@planted
def what_has_left_is_wanted_still(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Goods, "shipped", lambda _: {})


@planted
def an_edit_may_want_fewer_than_have_left(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(shipments, "refuse_below", lambda _lines, _shipped: None)


@planted
def more_may_come_back_than_has_left(patch: pytest.MonkeyPatch) -> None:
    def any_may(
        order_id: str, lines: object, shipped: object, returns: object, asked: object
    ) -> tuple[returned.ReturnLine, ...]:
        return (returned.ReturnLine(1, "LAMP", 1, ""),)

    patch.setattr(returned, "may_come", any_may)


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[bug](monkeypatch)

    with pytest.raises(Violated):
        list(map(explore, GOODS.values()))
