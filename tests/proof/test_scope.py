"""The protocol of the two services holds however messages repeat, overtake or vanish.

Every state of every scope is visited; and rules planted wrong on purpose are found.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from holdfast.inventory.domain.reservations import reservation as inventory
from holdfast.inventory.domain.reservations.reservation import Reservation, Wanted
from holdfast.inventory.domain.stock.stock import Cause, StockBook
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.events import StockAskedAgain
from holdfast.orders.domain.ordering.order import OrderChange, OrderState, OrderStatus
from holdfast.orders.domain.ordering.stock import StockAnswer, StockWanted
from proof import scope

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
    def decide(
        before: Reservation | None, wanted: Wanted, book: StockBook, cause: Cause
    ) -> Reservation:
        older = before and replace(before, revision=min(before.revision, wanted.revision - 1))
        return hear(older, wanted, book, cause)

    patch.setattr(inventory, "hear", decide)


@planted
def the_same_question_is_decided_again(patch: pytest.MonkeyPatch) -> None:
    def decide(
        before: Reservation | None, wanted: Wanted, book: StockBook, cause: Cause
    ) -> Reservation:
        if before and before.revision == wanted.revision:
            before = replace(before, revision=before.revision - 1, stock=())
        return hear(before, wanted, book, cause)

    patch.setattr(inventory, "hear", decide)


@planted
def an_end_gives_nothing_back(patch: pytest.MonkeyPatch) -> None:
    def decide(
        before: Reservation | None, wanted: Wanted, book: StockBook, cause: Cause
    ) -> Reservation:
        if before and wanted.over and wanted.revision > before.revision:
            return replace(before, revision=wanted.revision, version=before.version + 1)
        return hear(before, wanted, book, cause)

    patch.setattr(inventory, "hear", decide)


@planted
def a_part_of_what_is_wanted_is_held(patch: pytest.MonkeyPatch) -> None:
    def decide(
        before: Reservation | None, wanted: Wanted, book: StockBook, cause: Cause
    ) -> Reservation:
        free = book.available(scope.PRODUCT)
        if before is None and free and wanted.products.get(scope.PRODUCT, 0) > free:
            wanted = wanted._replace(products={scope.PRODUCT: free})
        return hear(before, wanted, book, cause)

    patch.setattr(inventory, "hear", decide)


@planted
def a_decision_keeps_its_version(patch: pytest.MonkeyPatch) -> None:
    def decide(
        before: Reservation | None, wanted: Wanted, book: StockBook, cause: Cause
    ) -> Reservation:
        return replace(hear(before, wanted, book, cause), version=1)

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
    def ask(_: OrderState, demand: dict[str, int]) -> StockAskedAgain:
        return StockAskedAgain(StockWanted(1, demand))

    patch.setattr(OrderState, "ask_again", ask)


@planted
def an_answer_is_taken_for_the_newest_one(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        OrderState,
        "hear",
        lambda state, told: state._replace(answered=state.asked, stock_sequence=told.sequence),
    )


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[bug](monkeypatch)

    with pytest.raises(AssertionError):
        list(map(scope.explore, scope.SCOPES.values()))
