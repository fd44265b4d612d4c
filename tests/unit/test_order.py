"""The rules of orders: which status follows which, what an order costs, what it asks of stock."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.errors import (
    IllegalTransition,
    InactiveProducts,
    MixedCurrencies,
    OrdersError,
    Shortage,
    StaleVersion,
    TooManyChanges,
    TotalTooLarge,
    UnknownProducts,
)
from holdfast.orders.domain.events import (
    OrderConfirmed,
    OrderPlaced,
    OrderRejected,
    question_in,
)
from holdfast.orders.domain.money import MINOR_MAX, Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.lines import QUANTITY_MAX, OrderLine, demand_of, total_of
from holdfast.orders.domain.ordering.new_order import NewOrder
from holdfast.orders.domain.ordering.order import UPDATES_MAX, OrderState
from holdfast.orders.domain.ordering.status import OrderStatus, may_follow
from holdfast.orders.domain.ordering.stock import HeldStock, StockAnswer, StockWanted

AT = datetime(2026, 11, 5, 12, 30, tzinfo=UTC)
ANNA = Caller("anna")
SHORT = (Shortage("LAMP", 3, 1),)

Verb = Callable[[OrderState], OrderChange]
VERBS: dict[OrderStatus, Verb] = {
    OrderStatus.CANCELLED: lambda state: state.cancel("too late", AT, ANNA),
    OrderStatus.EXPIRED: lambda state: state.expire(AT, ANNA),
}
PENDING, CONFIRMED = OrderStatus.PENDING, OrderStatus.CONFIRMED
RESERVED = OrderStatus.RESERVED
LEGAL = {
    (PENDING, RESERVED),
    (RESERVED, CONFIRMED),
    (RESERVED, OrderStatus.CANCELLED),
    (RESERVED, OrderStatus.EXPIRED),
    (PENDING, OrderStatus.CONFIRMED),
    (PENDING, OrderStatus.REJECTED),
    (PENDING, OrderStatus.CANCELLED),
    (PENDING, OrderStatus.EXPIRED),
    (CONFIRMED, OrderStatus.CANCELLED),
    (CONFIRMED, OrderStatus.PARTIALLY_SHIPPED),
    (CONFIRMED, OrderStatus.SHIPPED),
    (OrderStatus.PARTIALLY_SHIPPED, OrderStatus.SHIPPED),
}

lines = st.builds(
    OrderLine,
    st.sampled_from(["LAMP", "DESK", "CHAIR"]),
    st.integers(1, QUANTITY_MAX),
    st.builds(Money, st.just("GBP"), st.integers(0, 10**9)),
    st.just(1),
)


def line(product_id: str, quantity: int, minor: int, currency: str = "GBP") -> OrderLine:
    return OrderLine(product_id, quantity, Money(currency, minor), 1)


@pytest.mark.parametrize("before", OrderStatus)
@pytest.mark.parametrize("after", OrderStatus)
def test_the_table_of_transitions_is_the_one_in_the_book(
    before: OrderStatus, after: OrderStatus
) -> None:
    assert may_follow(before, after) == ((before, after) in LEGAL)


@pytest.mark.parametrize("before", OrderStatus)
@pytest.mark.parametrize("after", VERBS)
def test_a_verb_follows_the_table_or_is_refused(before: OrderStatus, after: OrderStatus) -> None:
    state = OrderState("o-1", before, version=4)

    if (before, after) in LEGAL:
        change = VERBS[after](state)
        assert (change.order_id, change.version, change.status) == ("o-1", 5, after)
        assert (change.at, change.caller) == (AT, ANNA)
    else:
        with pytest.raises(IllegalTransition) as refusal:
            VERBS[after](state)
        assert (refusal.value.now, refusal.value.wanted) == (before, after)


@pytest.mark.parametrize("status", OrderStatus)
def test_only_of_what_is_over_it_is_said_that_it_can_not_be_any_more(status: OrderStatus) -> None:
    said = str(IllegalTransition("o-1", now=status, wanted="shipped"))

    assert said.startswith(f"order o-1 is {status} and can't be shipped")
    assert ("any more" in said) == status.is_final


def told(revision: int, sequence: int, missing: tuple[Shortage, ...] = ()) -> StockAnswer:
    held = () if missing else (HeldStock("LAMP", "main", 3),)
    return StockAnswer("o-1", sequence, revision, held, missing)


@pytest.mark.parametrize("status", OrderStatus)
@pytest.mark.parametrize("revision", [1, 2, 3])
@pytest.mark.parametrize("missing", [(), SHORT])
def test_an_answer_settles_only_the_question_that_a_pending_order_waits_for(
    status: OrderStatus, revision: int, missing: tuple[Shortage, ...]
) -> None:
    state = OrderState("o-1", status, 4, asked=2, answered=1, stock_sequence=1)

    change = state.settle(told(revision, 5, missing), AT, ANNA)

    if status is not PENDING or revision != 2:
        assert change is None
    else:
        assert change is not None
        settled = OrderStatus.REJECTED if missing else CONFIRMED
        event = OrderRejected(missing) if missing else OrderConfirmed()
        assert (change.status, change.version, change.event) == (settled, 5, event)
        assert change.shortages == missing


def test_an_order_waits_until_its_newest_question_is_answered() -> None:
    state = OrderState("o-1", CONFIRMED, 4, asked=3, answered=1, stock_sequence=1)

    older = state.hear(told(2, 2))
    newest = older.hear(told(3, 3))

    assert (state.waits, older.waits, newest.waits) == (True, True, False)
    assert newest.hear(told(2, 4)).answered == 3
    with pytest.raises(AssertionError, match="older news"):
        newest.hear(told(3, 3))


@pytest.mark.parametrize("verb", VERBS.values())
def test_who_ends_an_order_asks_inventory_to_give_everything_back_under_a_new_revision(
    verb: Verb,
) -> None:
    change = verb(OrderState("o-1", PENDING, 1, asked=4))

    assert change.event is not None
    question = question_in(change.event)
    assert question == StockWanted(5, {})
    assert question.over


@pytest.mark.parametrize("status", OrderStatus)
def test_the_newest_question_is_asked_again_as_it_was(status: OrderStatus) -> None:
    again = OrderState("o-1", status, 4, asked=3).ask_again({"LAMP": 2})

    assert again.wanted == StockWanted(3, {} if status.is_final else {"LAMP": 2})


@given(st.lists(st.sampled_from(list(VERBS))))
def test_no_sequence_of_verbs_leaves_the_table_or_skips_a_version(verbs: list[OrderStatus]) -> None:
    state = OrderState("o-1", PENDING, version=1)
    path = [PENDING]

    for verb in verbs:
        try:
            change = VERBS[verb](state)
        except IllegalTransition:
            continue
        assert change.version == state.version + 1
        state = OrderState("o-1", change.status, change.version)
        path.append(change.status)

    assert all(step in LEGAL for step in pairwise(path))
    assert len(path) <= 2


def test_a_final_status_is_one_that_nothing_follows() -> None:
    final = {status for status in OrderStatus if status.is_final}

    nothing = {OrderStatus.REJECTED, OrderStatus.CANCELLED, OrderStatus.EXPIRED}
    assert final == {OrderStatus.SHIPPED, *nothing}
    assert {status for status in OrderStatus if status.came_to_nothing} == nothing


def test_only_a_rejection_carries_shortages() -> None:
    state = OrderState("o-1", PENDING, version=1)

    assert {status: verb(state).shortages for status, verb in VERBS.items()} == {
        OrderStatus.CANCELLED: (),
        OrderStatus.EXPIRED: (),
    }


@pytest.mark.parametrize("status", [PENDING, CONFIRMED])
def test_customer_information_changes_without_changing_the_status(status: OrderStatus) -> None:
    ada = Customer(name="Ada").revised({"email": "ada@example.org"})

    change = OrderState("o-1", status, 3).update(ada, None, 3, AT, ANNA)

    assert (change.status, change.version) == (status, 4)
    assert change.customer == Customer(name="Ada", email="ada@example.org")


def test_customer_information_is_refused_for_another_version_and_for_a_final_order() -> None:
    with pytest.raises(StaleVersion) as stale:
        OrderState("o-1", PENDING, 3).update(Customer(), None, 2, AT, ANNA)
    with pytest.raises(IllegalTransition):
        OrderState("o-1", OrderStatus.EXPIRED, 3).update(Customer(), None, 3, AT, ANNA)

    assert (stale.value.expected, stale.value.current) == (2, 3)


@given(st.lists(lines, min_size=1, max_size=20))
def test_a_total_is_the_exact_sum_of_its_lines_or_too_large(order: list[OrderLine]) -> None:
    exact = sum(line.quantity * line.unit_price.minor for line in order)

    if exact <= MINOR_MAX:
        assert total_of(order) == Money("GBP", exact)
    else:
        with pytest.raises(TotalTooLarge):
            total_of(order)


def test_a_total_may_be_the_largest_that_64_bits_hold_and_not_one_more() -> None:
    rest = line("LAMP", 1, MINOR_MAX - 6)

    assert total_of([rest, line("DESK", 2, 3)]).minor == MINOR_MAX
    with pytest.raises(TotalTooLarge):
        total_of([rest, line("DESK", 1, 7)])


def test_an_order_has_one_currency() -> None:
    with pytest.raises(MixedCurrencies) as refusal:
        total_of([line("LAMP", 1, 5), line("DESK", 1, 5, "EUR"), line("DESK", 1, 5)])

    assert refusal.value.currencies == ["EUR", "GBP"]


@given(st.lists(lines))
def test_lines_of_one_product_are_summed_for_stock(order: list[OrderLine]) -> None:
    demand = demand_of([(line.product_id, line.quantity) for line in order])

    assert demand.keys() == {line.product_id for line in order}
    assert sum(demand.values()) == sum(line.quantity for line in order)


def test_a_placed_order_is_pending_at_its_first_version_and_keeps_its_lines_apart() -> None:
    twice = (line("LAMP", 2, 350), line("LAMP", 1, 300))

    order = NewOrder.place(
        "o-1",
        customer_id="c-1",
        request_id="r-1",
        request_hash="h",
        lines=twice,
        customer=Customer(),
        at=AT,
        caller=ANNA,
    )

    assert order.placed == OrderChange(
        "o-1", 1, PENDING, AT, ANNA, "order placed", order.placed.event
    )
    assert isinstance(order.placed.event, OrderPlaced)
    assert order.placed.event.wanted == StockWanted(1, demand_of([line[:2] for line in twice]))
    assert (order.lines, order.total) == (twice, Money("GBP", 1_000))


@pytest.mark.parametrize(("quantity", "price"), [(0, 5), (-1, 5), (QUANTITY_MAX + 1, 5), (1, -1)])
def test_an_order_has_no_line_that_the_edge_must_refuse(quantity: int, price: int) -> None:
    with pytest.raises(AssertionError):
        total_of([line("LAMP", quantity, price)])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InactiveProducts(["LAMP"]), "product LAMP is not sold at present"),
        (InactiveProducts(["A", "B"]), "2 products are not sold at present: A, B"),
        (UnknownProducts(["LAMP"]), "product LAMP does not exist"),
        (UnknownProducts(list("ABCDEF")), "6 products do not exist: A, B, C, D, E, ..."),
    ],
)
def test_one_product_is_told_in_the_singular_and_several_in_the_plural(
    error: OrdersError, words: str
) -> None:
    assert str(error) == words


def test_an_order_of_ten_thousand_versions_is_not_updated_but_can_be_cancelled() -> None:
    state = OrderState("o-1", OrderStatus.CONFIRMED, version=UPDATES_MAX)

    with pytest.raises(TooManyChanges):
        state.update(Customer(), None, UPDATES_MAX, AT, ANNA)

    assert state.cancel("", AT, ANNA).version == UPDATES_MAX + 1
    assert OrderState("o-1", OrderStatus.CONFIRMED, UPDATES_MAX - 1).update(
        Customer(), None, UPDATES_MAX - 1, AT, ANNA
    )
