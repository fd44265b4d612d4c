"""The promise of figures: every order counts on its day, as what it became, on both engines."""

from datetime import UTC, date, datetime, timedelta

from holdfast.chassis.clock import Clock
from holdfast.orders.application.count_orders import KEPT, TODAY_KEPT, CountOrders
from holdfast.orders.application.ports import StockNews
from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.figures import DayFigures, Outcomes, Sales, ShortProduct, most_wanted
from holdfast.orders.domain.money import MINOR_MAX, Money
from holdfast.orders.domain.ordering.lines import OrderLine
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.stock import HeldStock, QueuedUnits, StockAnswer
from holdfast.orders.domain.payments.payment import Payment, PaymentKind, PaymentStatus
from holdfast.orders.infrastructure.ordering.figures import Counter
from tests.contract import order_desk
from tests.contract.conftest import START
from tests.contract.order_desk import ANNA, Desk

desk = order_desk.desk

TODAY = START.date()
DEAR = OrderLine("GOLD", 1, Money("GBP", MINOR_MAX), 1)
YEN = OrderLine("FAN", 3, Money("JPY", 2_000), 1)
NOTHING = Outcomes(0, 0, 0, 0, None, None)


async def counted(desk: Desk, day: date = TODAY) -> DayFigures:
    return await Counter(desk.database)(day, desk.clock.now())


async def waits(desk: Desk, state: OrderState) -> None:
    """Inventory promises the order what it wants; two units of it are not there yet."""
    held, queued = (HeldStock("DESK", "main", 2),), (QueuedUnits("LAMP", 2),)
    told = StockAnswer(state.order_id, 1, state.asked, held, (), queued)
    change = state.settle(told, desk.clock.now(), ANNA)
    async with desk.store.begin() as work:
        await work.record([change] if change else [], [StockNews(state.hear(told), told)])


async def test_an_order_counts_as_what_its_first_answer_was(desk: Desk) -> None:
    for number, seconds in enumerate((0.1, 0.2, 4.0)):
        state = await desk.place(f"at-once-{number}")
        desk.clock.advance(seconds)
        await desk.hear(state)
    await waits(desk, await desk.place("waits"))
    for number in range(2):
        await desk.hear(await desk.place(f"short-{number}"), Shortage("LAMP", 2, number))
    gone = await desk.place("gone")
    await desk.record(gone.cancel("", desk.clock.now(), ANNA))
    await desk.place("pending", YEN)

    found = await counted(desk)

    assert found.outcomes == Outcomes(3, 1, 2, 1, 100, 4_000)  # the one that waits took 0 s
    assert (found.orders, found.undecided) == (8, 1)
    assert found.sales == (Sales(7, Money("GBP", 4 * 700)), Sales(1, Money("JPY", 6_000)))
    assert found.shortages == (ShortProduct("LAMP", 2, 3, 1, 2),)
    assert most_wanted([found, found])[0] == ShortProduct("LAMP", 4, 6, 2, 4)


async def test_what_becomes_of_an_order_later_changes_its_revenue_and_not_its_first_answer(
    desk: Desk,
) -> None:
    order = await desk.place("r-1")
    await desk.hear(order)
    state = (await desk.read(order.order_id)).state
    await desk.record(state.cancel("", desk.clock.now(), ANNA))

    found = await counted(desk)

    assert (found.outcomes.at_once, found.outcomes.ended) == (1, 0)
    assert found.sales == (Sales(1, Money("GBP", 0)),)


async def test_an_order_that_did_not_get_its_products_counts_once_though_it_is_paid_for(
    desk: Desk,
) -> None:
    order = await desk.place("r-1")
    await desk.hear(order, Shortage("LAMP", 2, 1))
    rejected = (await desk.read(order.order_id)).state
    fact = Payment(PaymentKind.CAPTURED, "p-1", Money("GBP", 700))
    await desk.record(rejected.record_payment(fact, PaymentStatus.PAID, desk.clock.now(), ANNA))

    found = await counted(desk)

    assert found.shortages == (ShortProduct("LAMP", 1, 1, 0, 0),)


async def test_a_day_of_utc_ends_at_midnight_and_sums_end_at_the_largest_amount(desk: Desk) -> None:
    midnight = datetime.combine(TODAY, datetime.min.time(), UTC) + timedelta(days=1)
    desk.clock.advance((midnight - START).total_seconds() - 2)
    for number in range(3):  # one second each: before, at and after midnight
        await desk.place(f"r-{number}", DEAR)

    assert [(await counted(desk, TODAY + timedelta(days=n))).orders for n in (-1, 0, 1, 2)] == [
        *(0, 1, 2, 0)
    ]
    assert (await counted(desk, midnight.date())).sales == (Sales(2, Money("GBP", MINOR_MAX)),)
    assert (await counted(desk, date(1970, 1, 1))).outcomes == NOTHING


async def test_days_are_counted_again_after_a_while_and_today_after_what_it_cost(
    desk: Desk,
) -> None:
    asked: list[date] = []
    takes_s = 0.0

    async def count(day: date, now: datetime) -> DayFigures:
        asked.append(day)
        desk.clock.advance(takes_s)
        return DayFigures(day, (), NOTHING, (), now)

    clock: Clock = desk.clock
    figures = CountOrders(count, clock)
    days = [TODAY - timedelta(days=2), TODAY - timedelta(days=1), TODAY]

    assert [one.day for one in await figures(days[0], TODAY)] == days
    await figures(days[0], TODAY)
    assert asked == [*days, TODAY]
    desk.clock.advance(KEPT.total_seconds() + 1)
    asked.clear()
    await figures(days[0], TODAY)
    assert asked == days
    takes_s = 0.5
    for pause_s, again in ((0.0, [TODAY]), (TODAY_KEPT * takes_s - 1, []), (2.0, [TODAY])):
        asked.clear()
        desk.clock.advance(pause_s)
        await figures(TODAY, TODAY)
        assert asked == again
