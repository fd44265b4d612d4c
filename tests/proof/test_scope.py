"""The protocol of the two services holds however messages repeat, overtake or vanish.

Every state of every scope is visited; and rules planted wrong on purpose are found.
"""

from collections.abc import Callable, Set
from datetime import datetime
from typing import Any

import pytest

from holdfast.inventory.domain.reservations import reservation as inventory
from holdfast.inventory.domain.reservations.reservation import Reservation, Wanted
from holdfast.inventory.domain.stock.movements import Cause
from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.events import StockAskedAgain
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.domain.ordering.stock import StockAnswer, StockWanted
from proof import scope
from proof.scope_world import PRODUCT

hear = inventory.hear
Patch = Callable[[pytest.MonkeyPatch], None]


@pytest.mark.parametrize("name", scope.SCOPES)
def test_every_promise_holds_in_every_state(name: str) -> None:
    assert scope.explore(scope.SCOPES[name]) >= 20


BUGS: dict[str, Patch] = {}


def planted(bug: Patch) -> Patch:
    BUGS[bug.__name__.replace("_", " ")] = bug
    return bug


@planted
def older_questions_are_decided_too(patch: pytest.MonkeyPatch) -> None:
    def decide(before: Reservation | None, wanted: Wanted, *rest: Any) -> Reservation:
        older = before and before._replace(revision=min(before.revision, wanted.revision - 1))
        return hear(older, wanted, *rest)

    patch.setattr(inventory, "hear", decide)


@planted
def the_same_question_is_decided_again(patch: pytest.MonkeyPatch) -> None:
    def decide(before: Reservation | None, wanted: Wanted, *rest: Any) -> Reservation:
        if before and before.revision == wanted.revision:
            before = before._replace(revision=before.revision - 1, stock=())
        return hear(before, wanted, *rest)

    patch.setattr(inventory, "hear", decide)


@planted
def an_end_gives_nothing_back(patch: pytest.MonkeyPatch) -> None:
    def decide(before: Reservation | None, wanted: Wanted, *rest: Any) -> Reservation:
        if before and wanted.over and wanted.revision > before.revision:
            return before._replace(revision=wanted.revision, version=before.version + 1)
        return hear(before, wanted, *rest)

    patch.setattr(inventory, "hear", decide)


@planted
def a_part_of_what_is_wanted_is_held(patch: pytest.MonkeyPatch) -> None:
    def decide(
        before: Reservation | None,
        wanted: Wanted,
        book: StockBook,
        cause: Cause,
        booked: Set[str],
    ) -> Reservation:
        free = sum(level.available for level in book.levels)
        if before is None and free and wanted.products.get(PRODUCT, 0) > free:
            wanted = wanted._replace(products={PRODUCT: free})
        return hear(before, wanted, book, cause, booked)

    patch.setattr(inventory, "hear", decide)


@planted
def a_decision_keeps_its_version(patch: pytest.MonkeyPatch) -> None:
    def decide(before: Reservation | None, wanted: Wanted, *rest: Any) -> Reservation:
        return hear(before, wanted, *rest)._replace(version=1)

    patch.setattr(inventory, "hear", decide)


@planted
def a_cancellation_asks_under_the_old_revision(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OrderState, "_nothing_more", lambda state: StockWanted(state.asked, {}))


@planted
def any_answer_settles_an_order(patch: pytest.MonkeyPatch) -> None:
    settle = OrderState.settle

    def whatever(
        state: OrderState, told: StockAnswer, at: datetime, caller: Caller
    ) -> OrderChange | None:
        waiting = state._replace(status=OrderStatus.PENDING, asked=told.revision)
        return settle(waiting if told.stock else state, told, at, caller)

    patch.setattr(OrderState, "settle", whatever)


@planted
def the_first_question_is_asked_again_and_not_the_newest(patch: pytest.MonkeyPatch) -> None:
    def ask(_: OrderState, demand: dict[str, int], *_also: object) -> StockAskedAgain:
        return StockAskedAgain(StockWanted(1, demand))

    patch.setattr(OrderState, "ask_again", ask)


@planted
def an_answer_is_taken_for_the_newest_one(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        OrderState,
        "hear",
        lambda state, told: state._replace(answered=state.asked, stock_sequence=told.sequence),
    )


@planted
def an_edit_that_is_short_is_held_in_part(patch: pytest.MonkeyPatch) -> None:
    def decide(
        before: Reservation | None,
        wanted: Wanted,
        book: StockBook,
        cause: Cause,
        booked: Set[str],
    ) -> Reservation:
        after = hear(before, wanted, book, cause, booked)
        if before and after.missing and not wanted.over:
            have = sum(part.quantity for part in before.stock)
            products = {PRODUCT: have + sum(level.available for level in book.levels)}
            part = hear(before, wanted._replace(products=products), book, cause, booked)
            return part._replace(missing=after.missing)
        return after

    patch.setattr(inventory, "hear", decide)


@planted
def a_smaller_edit_gives_nothing_back(patch: pytest.MonkeyPatch) -> None:
    def decide(before: Reservation | None, wanted: Wanted, *rest: Any) -> Reservation:
        have = sum(part.quantity for part in before.stock) if before else 0
        if 0 < wanted.products.get(PRODUCT, 0) < have:
            wanted = wanted._replace(products={PRODUCT: have})
        return hear(before, wanted, *rest)

    patch.setattr(inventory, "hear", decide)


@planted
def an_edit_counts_before_it_is_answered(patch: pytest.MonkeyPatch) -> None:
    settle = OrderState.settle_edit

    def whatever(
        state: OrderState, told: StockAnswer, total: Money, at: datetime, caller: Caller
    ) -> OrderChange:
        return settle(state, told._replace(missing=()), total, at, caller)

    patch.setattr(OrderState, "settle_edit", whatever)


@planted
def an_edit_asks_under_the_old_revision(patch: pytest.MonkeyPatch) -> None:
    edit = OrderState.edit

    def again(state: OrderState, *args: Any) -> OrderChange:
        return edit(state._replace(asked=state.asked - 1), *args)

    patch.setattr(OrderState, "edit", again)


@planted
def what_ends_leaves_its_edit_under_way(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OrderState, "_ending_edit", lambda _state, change, _end: change)


@planted
def an_edit_is_asked_for_again_with_the_old_lines(patch: pytest.MonkeyPatch) -> None:
    first = OrderState.ask_again

    def ask(state: OrderState, demand: dict[str, int], *_also: object) -> StockAskedAgain:
        return first(state, {PRODUCT: 1} if demand else {})

    patch.setattr(OrderState, "ask_again", ask)


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[bug](monkeypatch)

    with pytest.raises(AssertionError):
        list(map(scope.explore, scope.SCOPES.values()))
