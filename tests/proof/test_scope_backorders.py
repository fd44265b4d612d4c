"""What waits for stock gets it, whatever comes, is lost, edited or ended meanwhile.

Every state of every scope with a queue is visited; and rules planted wrong on purpose are found
there.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest

from holdfast.inventory.domain.reservations import reservation as inventory
from holdfast.inventory.domain.reservations.reservation import Reservation, Wanted
from holdfast.inventory.domain.stock import finding, stock
from holdfast.inventory.domain.stock.levels import HeldStock, QueuedUnits
from holdfast.inventory.domain.stock.queues import NO_QUEUES, ProductQueue
from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.orders.domain.ordering.order import OrderState
from proof import scope_steps
from proof.scope import LONG_QUEUES, QUEUES, explore

Patch = Callable[[pytest.MonkeyPatch], None]


@pytest.mark.parametrize("name", QUEUES)
def test_every_promise_holds_in_every_state(name: str) -> None:
    assert explore(QUEUES[name]) >= 100


@pytest.mark.proof
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", LONG_QUEUES)
def test_every_promise_holds_in_every_state_of_a_long_scope(name: str) -> None:
    assert explore(LONG_QUEUES[name]) >= 10_000


BUGS: dict[str, Patch] = {}


def planted(bug: Patch) -> Patch:
    BUGS[bug.__name__.replace("_", " ")] = bug
    return bug


@planted
def what_the_queue_is_owed_is_promised_to_others(patch: pytest.MonkeyPatch) -> None:
    promisable = finding._promisable

    def all_that_is_free(name: str, ranked: Any, levels: Any, _queues: Any, own: Any) -> int:
        return promisable(name, ranked, levels, NO_QUEUES, own)

    patch.setattr(finding, "_promisable", all_that_is_free)


@planted
def the_cap_is_compared_without_what_waits_already(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ProductQueue, "room", property(lambda queue: queue.units_max))


@planted
def an_edit_takes_from_what_is_held_before_what_waits(patch: pytest.MonkeyPatch) -> None:
    def kept(
        queued: Sequence[QueuedUnits], _held: Iterable[HeldStock], wanted: Mapping[str, int]
    ) -> tuple[QueuedUnits, ...]:
        return tuple(
            one._replace(quantity=min(one.quantity, wanted[one.product_id]))
            for one in queued
            if wanted.get(one.product_id)
        )

    patch.setattr(stock, "kept_in_queue", kept)


@planted
def an_edit_loses_its_place(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(stock, "kept_in_queue", lambda *_: ())


@planted
def an_end_leaves_the_queue_at_the_gate(patch: pytest.MonkeyPatch) -> None:
    requeue = StockBook.requeue

    def only_more(
        book: StockBook, before: Sequence[QueuedUnits], after: Sequence[QueuedUnits]
    ) -> None:
        if after:
            requeue(book, before, after)

    patch.setattr(StockBook, "requeue", only_more)


@planted
def an_end_goes_on_waiting(patch: pytest.MonkeyPatch) -> None:
    hear = inventory.hear

    def decide(
        before: Reservation | None, wanted: Wanted, book: StockBook, *rest: Any
    ) -> Reservation:
        after = hear(before, wanted, book, *rest)
        if before and before.queued and wanted.over and after is not before:
            book.requeue((), before.queued)
            return after._replace(queued=before.queued)
        return after

    patch.setattr(inventory, "hear", decide)


@planted
def serving_keeps_the_version(patch: pytest.MonkeyPatch) -> None:
    serve = inventory.serve

    def again(before: Reservation, *rest: Any) -> Reservation:
        return serve(before, *rest)._replace(version=before.version)

    patch.setattr(inventory, "serve", again)


@planted
def serving_leaves_the_queue_as_it_was(patch: pytest.MonkeyPatch) -> None:
    serve = inventory.serve

    def again(before: Reservation, *rest: Any) -> Reservation:
        return serve(before, *rest)._replace(queued=before.queued)

    patch.setattr(inventory, "serve", again)


@planted
def what_becomes_free_wakes_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(StockBook, "to_serve", property(lambda _: []))


@planted
def only_what_is_released_wakes_the_queue(patch: pytest.MonkeyPatch) -> None:
    whole = StockBook.to_serve.fget  # type: ignore[attr-defined] # mypy: it is a property

    def released(book: StockBook) -> list[str]:
        return whole(book) if any(one.reserved_delta < 0 for one in book.movements) else []

    patch.setattr(StockBook, "to_serve", property(released))


@planted
def what_gave_way_does_not_wait(patch: pytest.MonkeyPatch) -> None:
    displace = inventory.displace

    def gone(
        before: Reservation, key: Any, units: int, book: StockBook, *rest: Any
    ) -> tuple[Reservation, int]:
        after, taken = displace(before, key, units, book, *rest)
        book.requeue(after.queued, before.queued)
        return after._replace(queued=before.queued), taken

    patch.setattr(inventory, "displace", gone)


@planted
def what_changed_by_itself_is_no_news_to_orders(patch: pytest.MonkeyPatch) -> None:
    hear = scope_steps._hear_answer

    def only_answers(world: Any, heard: Any) -> Any:
        return hear(world, heard) if heard.is_asked else world

    patch.setattr(scope_steps, "_hear_answer", only_answers)


@planted
def any_news_replaces_what_orders_knows(patch: pytest.MonkeyPatch) -> None:
    def hear(state: OrderState, told: Any) -> OrderState:
        return state._replace(answered=max(state.answered, told.revision))

    patch.setattr(OrderState, "hear", hear)


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[bug](monkeypatch)

    with pytest.raises(AssertionError):
        list(map(explore, QUEUES.values()))
