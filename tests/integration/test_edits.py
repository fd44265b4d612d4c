"""Edits: other lines and charges of an order that is recorded, whatever happens on the way."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from holdfast.chassis.wakeups import Wakeups
from holdfast.orders.application.ordering.confirm_order import ConfirmOrder
from holdfast.orders.application.ordering.end_holds import EndHolds
from holdfast.orders.application.ordering.place_orders import PlaceOrder
from holdfast.orders.application.ordering.watch_order import WatchOrder
from holdfast.orders.application.payments.record_payment import RecordPayment
from holdfast.orders.domain.caller import OrderRef
from holdfast.orders.domain.errors import (
    EditUnderWay,
    IllegalTransition,
    InventoryUnavailable,
    Shortage,
    ShortOfStock,
    StaleVersion,
    StillPending,
)
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.edits import EditState
from holdfast.orders.domain.payments.payment import Payment, PaymentKind
from holdfast.orders.presentation.servicer import OrderServicer
from tests.contract import conftest as contract
from tests.integration import editing, two_services
from tests.integration.editing import actions, edit, edit_of, movements, refusal, units
from tests.integration.two_services import ANNA, LATE_S, TwoServices, answer, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls
sound = editing.sound

CAPTURED, REFUNDED = PaymentKind.CAPTURED, PaymentKind.REFUNDED


@pytest.mark.parametrize("hold", [None, timedelta(hours=1)])
async def test_hold_of_ones_own_an_order_edits_within_the_units_that_it_holds(
    shop: TwoServices, hold: timedelta | None
) -> None:
    await shop.supply(LAMP=2)
    order = await shop.confirmed(asks("r-1", LAMP=2)._replace(hold=hold))

    fewer = await edit(shop, edit_of(order, LAMP=1))
    both = await edit(shop, edit_of(fewer, LAMP=2))
    refused = await refusal(shop, edit_of(both, LAMP=3))

    assert (units(fewer), units(both)) == ({"LAMP": 1}, {"LAMP": 2})
    assert await shop.reserved("LAMP") == 2
    assert isinstance(refused, ShortOfStock)
    assert list(refused.shortages) == [Shortage("LAMP", 3, 2)]
    if hold:
        confirm = ConfirmOrder(order.state.order_id, "pi_1", ANNA)
        assert await shop.change_orders([confirm]) == [None]


async def test_edit_and_refund_each_edit_moves_reserved_in_one_step_and_a_refund_never(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=10, MUG=10)
    order = await shop.confirmed(asks("r-1", LAMP=3))
    paid = Payment(CAPTURED, "pi_1", Money("GBP", 1_050))
    back = Payment(REFUNDED, "re_1", Money("GBP", 350))
    await shop.change_orders([RecordPayment(order.state.order_id, paid, ANNA)])

    order = await shop.order(order.state.order_id)
    order = await edit(shop, edit_of(order, LAMP=1))
    one_left = await shop.reserved("LAMP")
    await shop.change_orders([RecordPayment(order.state.order_id, back, ANNA)])
    refunded = await shop.reserved("LAMP")
    order = await edit(shop, edit_of(await shop.order(order.state.order_id), LAMP=0, MUG=4))

    assert (one_left, refunded) == (1, 1)
    assert (await shop.reserved("LAMP"), await shop.reserved("MUG")) == (0, 4)
    assert await movements(shop) == [
        ("RELEASE", -2),
        ("RELEASE", -1),
        ("RESERVATION", 3),
        ("RESERVATION", 4),
    ]
    assert (units(order), order.total) == ({"MUG": 4}, Money("GBP", 1_400))
    assert [line.line_no for line in order.lines] == [2]


async def test_a_price_only_edit_counts_at_once_and_moves_no_stock(shop: TwoServices) -> None:
    await shop.supply(LAMP=10)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    paid = Payment(CAPTURED, "pi_1", Money("GBP", 700))
    await shop.change_orders([RecordPayment(order.state.order_id, paid, ANNA)])
    order = await shop.order(order.state.order_id)
    shop.stock_check.away = True
    before = await movements(shop)

    assert await shop.edit_orders([edit_of(order, prices={"LAMP": 400}, LAMP=2)]) == [None]

    edited = await shop.order(order.state.order_id)
    assert edited.total == Money("GBP", 800)
    assert (edited.state.asked, edited.state.editions) == (1, (2, 2, None))
    assert actions(edited)[-1] == "EDITED"
    kinds = [kind for kind, _ in await shop.told(shop.orders)]
    assert kinds == ["PaymentRecorded", "OrderEdited"]
    assert await payment_state(shop, order) == "PARTIALLY_PAID"
    assert await movements(shop) == before


async def payment_state(shop: TwoServices, order: Order) -> str:
    sql = "SELECT status FROM payment_state WHERE order_id = $1"
    if shop.orders.engine == "sqlite":
        sql = sql.replace("$", "?")
    async with shop.orders.read() as reading:
        (row,) = await reading.fetch(sql, order.state.order_id)
    return str(row["status"])


async def test_an_edit_keeps_the_order_as_it_is_until_inventory_has_answered(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    wanted = edit_of(order, LAMP=5)

    assert await shop.edit_orders([wanted]) == [None]
    asked = await shop.order(order.state.order_id)
    second = await refusal(shop, edit_of(asked, LAMP=1))
    stale = await refusal(shop, wanted._replace(version=1))
    await shop.deliver()
    edited = await shop.order(order.state.order_id)

    assert (asked.contents, asked.state.status) == (order.contents, "CONFIRMED")
    assert asked.edit
    assert (asked.edit.state, asked.edit.edition) == (EditState.ASKED, 2)
    assert [line.quantity for line in asked.edit.contents.lines] == [5]
    assert isinstance(second, EditUnderWay)
    assert isinstance(stale, EditUnderWay)
    assert edited.edit
    assert (units(edited), edited.edit.state) == ({"LAMP": 5}, EditState.APPLIED)
    assert actions(edited) == ["PENDING", "CONFIRMED", "EDIT_ASKED", "EDITED"]
    assert isinstance(await refusal(shop, wanted), StaleVersion)


async def test_a_short_edit_leaves_all_as_it_was_and_its_edition_is_never_used_again(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5, MUG=5)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    assert await shop.edit_orders([edit_of(order, LAMP=5, MUG=2)]) == [None]
    await shop.place(asks("r-2", customer_id="c-2", LAMP=1))
    # The other order's question overtakes: three lamps are no more to be had.
    events = sorted(await shop.waiting(shop.orders), key=lambda event: -len(event.data))
    other = next(one for one in events if one.subject != order.state.order_id)
    await shop.inventory_receiver.receive([other])
    await shop.deliver()

    refused = await shop.order(order.state.order_id)
    again = await edit(shop, edit_of(refused, LAMP=4))

    assert refused.edit
    assert (refused.edit.state, refused.edit.missing) == (
        EditState.REFUSED,
        (Shortage("LAMP", 5, 4),),
    )
    assert (refused.contents, refused.state.status) == (order.contents, "CONFIRMED")
    assert actions(refused)[-1] == "EDIT_REFUSED"
    assert again.edit
    assert (again.edit.edition, again.edit.revision, units(again)) == (3, 3, {"LAMP": 4})
    assert (await shop.reserved("LAMP"), await shop.reserved("MUG")) == (5, 0)


@pytest.mark.parametrize("overtakes", [False, True])
async def test_a_cancelled_order_drops_its_edit_whenever_the_answer_comes(
    shop: TwoServices, overtakes: bool
) -> None:
    await shop.supply(LAMP=5)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    assert await shop.edit_orders([edit_of(order, LAMP=5)]) == [None]
    (asked,) = await shop.waiting(shop.orders)
    if not overtakes:
        await shop.inventory_receiver.receive([asked])
    await shop.cancel(order.state.order_id, "changed my mind", ANNA)
    if overtakes:
        _, over = await shop.waiting(shop.orders)
        await shop.inventory_receiver.receive([over])
    await shop.deliver()

    ended = await shop.order(order.state.order_id)

    assert ended.edit
    assert (ended.state.status, ended.edit.state) == ("CANCELLED", EditState.DROPPED)
    assert ended.contents == order.contents
    assert await shop.reserved("LAMP") == 0
    assert isinstance(await refusal(shop, edit_of(ended, LAMP=1)), IllegalTransition)


async def test_a_hold_that_runs_out_drops_the_edit(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)
    (placed,) = await shop.place(held_for(timedelta(microseconds=1)))
    await shop.deliver()
    order = await shop.order(placed.order_id)
    assert await shop.edit_orders([edit_of(order, LAMP=5)]) == [None]
    shop.clock.advance(60)

    assert await EndHolds(shop.begin, shop.reader, shop.clock)() == 1
    await shop.deliver()

    ended = await shop.order(placed.order_id)
    assert ended.edit
    assert (ended.state.status, ended.edit.state) == ("EXPIRED", EditState.DROPPED)
    assert await shop.reserved("LAMP") == 0


def held_for(hold: timedelta) -> PlaceOrder:
    return asks("r-1", LAMP=2)._replace(hold=hold)


async def test_a_held_order_is_confirmed_while_it_is_edited(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)
    (placed,) = await shop.place(held_for(timedelta(hours=1)))
    await shop.deliver()
    order = await shop.order(placed.order_id)
    assert await shop.edit_orders([edit_of(order, LAMP=3)]) == [None]
    paid = Payment(CAPTURED, "pi_1", Money("GBP", 700))

    assert await shop.change_orders([ConfirmOrder(placed.order_id, "pi_1", ANNA, paid)]) == [None]
    await shop.deliver()

    edited = await shop.order(placed.order_id)
    assert (edited.state.status, units(edited)) == ("CONFIRMED", {"LAMP": 3})
    assert await payment_state(shop, edited) == "PARTIALLY_PAID"


async def test_a_pending_order_is_not_edited_yet(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)
    (placed,) = await shop.place(asks("r-1", LAMP=2))
    order = await shop.order(placed.order_id)

    assert isinstance(await refusal(shop, edit_of(order, LAMP=3)), StillPending)


class Hurried:
    """A caller's context, with little time left."""

    def time_remaining(self) -> float:
        return 0.2


async def test_an_edit_of_what_stays_pending_is_told_so_and_not_that_it_is_stale(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)
    (placed,) = await shop.place(asks("r-1", LAMP=1))
    order = await shop.order(placed.order_id)
    unused: Any = None
    servicer = OrderServicer(
        place_orders=unused,
        use_cases=unused,
        watch_order=WatchOrder(shop.named, shop.reader.edits, Wakeups()),
        get_order=unused,
        reader=shop.reader,
        customers=unused,
        feed=unused,
        boundary=unused,
        new_id=shop.clock.new_id,
    )
    hurried: Any = Hurried()

    with pytest.raises(StillPending):
        await servicer._once_settled(shop.edits.preview, edit_of(order, LAMP=2), hurried)
    await shop.deliver()
    seen, version = await servicer._once_settled(
        shop.edits.preview, edit_of(order, LAMP=2)._replace(version=2), hurried
    )

    assert (units(seen), version) == ({"LAMP": 2}, 2)


async def test_who_waits_for_an_edit_waits_for_no_other(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)
    order = await shop.confirmed(asks("r-1", LAMP=1))
    watch = WatchOrder(shop.named, shop.reader.edits, Wakeups())
    assert await shop.edit_orders([edit_of(order, LAMP=2)]) == [None]
    waiting = asyncio.ensure_future(watch.until_edited(OrderRef(order.state.order_id), 3))
    await asyncio.sleep(0.1)
    await shop.deliver()
    applied = await shop.order(order.state.order_id)
    assert await shop.edit_orders([edit_of(applied, LAMP=3)]) == [None]

    seen = await asyncio.wait_for(waiting, 5)

    assert units(seen) == {"LAMP": 2}


async def test_an_edit_whose_question_was_lost_is_asked_again_with_the_lines_that_it_wants(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5, MUG=5)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    assert await shop.edit_orders([edit_of(order, LAMP=1, MUG=3)]) == [None]
    await shop.forget_told(shop.orders)
    shop.clock.advance(LATE_S + 1)

    assert await shop.chase() == 1
    await shop.deliver()

    edited = await shop.order(order.state.order_id)
    assert units(edited) == {"LAMP": 1, "MUG": 3}
    assert (await shop.reserved("LAMP"), await shop.reserved("MUG")) == (1, 3)


async def test_an_edit_whose_answer_was_lost_or_repeated_is_settled_once(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    assert await shop.edit_orders([edit_of(order, LAMP=4)]) == [None]
    asked = await shop.waiting(shop.orders)
    await shop.inventory_receiver.receive(asked)
    await shop.forget_told(shop.inventory)
    shop.clock.advance(LATE_S + 1)
    assert await shop.chase() == 1
    await shop.deliver()
    told = answer(order.state.order_id, revision=2, sequence=2, LAMP=4)
    await shop.hear_inventory([told, told._replace(event_id="once more")])

    edited = await shop.order(order.state.order_id)
    assert actions(edited) == ["PENDING", "CONFIRMED", "EDIT_ASKED", "EDITED"]
    assert await movements(shop) == [("RESERVATION", 2), ("RESERVATION", 2)]


async def test_only_the_answer_to_its_own_question_ends_an_edit(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    assert await shop.edit_orders([edit_of(order, LAMP=4)]) == [None]

    older = answer(order.state.order_id, revision=1, sequence=1, LAMP=2)
    await shop.hear_inventory([older])

    asked = await shop.order(order.state.order_id)
    assert actions(asked)[-1] == "EDIT_ASKED"
    assert units(asked) == {"LAMP": 2}
    await shop.deliver()
    assert units(await shop.order(order.state.order_id)) == {"LAMP": 4}


async def test_the_number_of_a_removed_line_is_never_given_again(shop: TwoServices) -> None:
    await shop.supply(LAMP=5, DESK=5, CHAIR=5)
    order = await shop.confirmed(asks("r-1", LAMP=1, DESK=1))

    without = await edit(shop, edit_of(order, LAMP=1))
    added = await edit(shop, edit_of(without, LAMP=1, CHAIR=1))

    assert [(line.line_no, line.product_id) for line in added.lines] == [(1, "LAMP"), (3, "CHAIR")]


async def test_inventory_away_refuses_what_needs_more_and_lets_less_be_asked_for(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    shop.stock_check.away = True

    assert isinstance(await refusal(shop, edit_of(order, LAMP=3)), InventoryUnavailable)
    fewer = await edit(shop, edit_of(order, LAMP=1))

    assert units(fewer) == {"LAMP": 1}
