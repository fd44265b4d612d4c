"""What users of other order systems report again and again of orders, money and places, tried here;
each test bears the name of its class of bugs. See `test_bug_classes.py` for the others.
"""

import asyncio
from datetime import timedelta

from holdfast.inventory.application.stock.change_stock import AdjustOnHand
from holdfast.inventory.application.transfers.create_transfer import AskedTransfer, CreateTransfer
from holdfast.inventory.application.transfers.receive_transfer import ReceiveTransfer
from holdfast.inventory.domain.errors import BelowReserved
from holdfast.orders.application.ordering.confirm_order import ConfirmOrder
from holdfast.orders.application.ordering.edit_orders import CancelRest, CancelUnits
from holdfast.orders.application.payments.record_payment import RecordPayment
from holdfast.orders.domain.errors import IllegalTransition
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.charges import Charge, ChargeKind
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.payments.errors import PaymentExceeds
from holdfast.orders.domain.payments.payment import Payment, PaymentKind
from holdfast.orders.domain.returns.returned import Disposition
from tests.contract import conftest as contract
from tests.integration import editing, two_services
from tests.integration.editing import edit, edit_of, movements
from tests.integration.goods import (
    close_return,
    deactivate,
    levels,
    locate,
    open_return,
    receive,
    ship,
)
from tests.integration.two_services import ANNA, BOB, TwoServices, asks, reserve

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls
sound = editing.sound

CROWD = 12


async def test_the_last_unit_is_not_sold_twice(shop: TwoServices) -> None:
    """Field row 1. All see the unit; all ask for it at the same moment."""
    await shop.supply(LAMP=1)
    placed = await shop.place(*(asks(f"r-{number}", LAMP=1) for number in range(CROWD)))

    await asyncio.gather(*(shop.hear_orders([reserve(order.order_id, LAMP=1)]) for order in placed))
    await shop.deliver()

    assert sorted(await shop.statuses(*placed)) == ["CONFIRMED"] + ["REJECTED"] * (CROWD - 1)
    assert await levels(shop) == {"LAMP": {"main": (1, 1, 0)}}


async def test_confirming_twice_moves_nothing_twice(shop: TwoServices) -> None:
    await shop.supply(LAMP=3)
    held = await shop.confirmed(asks("r-1", LAMP=2)._replace(hold=timedelta(hours=1)))
    name = held.order_id

    (first,) = await shop.change_orders([ConfirmOrder(name, "pi_1", ANNA)])
    (again,) = await shop.change_orders([ConfirmOrder(name, "pi_1", ANNA)])
    (other,) = await shop.change_orders([ConfirmOrder(name, "pi_2", ANNA)])
    await shop.deliver()

    assert first == again
    assert isinstance(other, IllegalTransition)
    assert (await shop.order(name)).state.status == "CONFIRMED"
    assert await levels(shop) == {"LAMP": {"main": (3, 2, 0)}}


async def test_an_order_s_own_reservation_does_not_block_it(shop: TwoServices) -> None:
    await shop.supply(LAMP=3)
    order = await shop.confirmed(asks("r-1", LAMP=2))

    order = await edit(shop, edit_of(order, LAMP=3))

    assert order.contents.demand == {"LAMP": 3}
    assert await levels(shop) == {"LAMP": {"main": (3, 3, 0)}}


async def test_all_can_be_shipped_when_all_is_reserved(shop: TwoServices) -> None:
    await shop.supply(LAMP=2)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    full = await levels(shop)

    order = await ship(shop, order, "s-1")

    assert full == {"LAMP": {"main": (2, 2, 0)}}
    assert order.state.status == "SHIPPED"
    assert await levels(shop) == {"LAMP": {"main": (0, 0, 0)}}


async def test_a_discount_does_not_wander_to_other_lines(shop: TwoServices) -> None:
    await shop.supply(LAMP=5, MUG=5)
    order = await shop.confirmed(asks("r-1", LAMP=1, MUG=1))
    off = Charge(ChargeKind.DISCOUNT, 2, "SALE", Money("GBP", 100))
    order = await edit(shop, edit_of(order, off, LAMP=1, MUG=1))
    with_both = order.total

    order = await edit(shop, CancelUnits(order.order_id, order.state.version, ((2, 1),), ANNA, ""))

    assert (with_both, order.total) == (Money("GBP", 600), Money("GBP", 350))
    assert order.contents.charges == ()


async def test_cancelled_units_take_their_share_of_every_charge_with_them(
    shop: TwoServices,
) -> None:
    """Who keeps one of three pays the same, whether the others were cancelled as units, one after
    the other or as the rest.
    """
    await shop.supply(LAMP=9, MUG=9)
    charges = (
        Charge(ChargeKind.DISCOUNT, 1, "SALE", Money("GBP", 600)),
        Charge(ChargeKind.TAX, 1, "VAT", Money("GBP", 100)),
        Charge(ChargeKind.DISCOUNT, 0, "CLUB", Money("GBP", 80)),
        Charge(ChargeKind.SHIPPING, 0, "", Money("GBP", 500)),
    )
    orders = [await shop.confirmed(asks(f"r-{number}", LAMP=3, MUG=1)) for number in range(3)]
    orders = [await edit(shop, edit_of(order, *charges, LAMP=3, MUG=1)) for order in orders]
    at_once, by_one, rest = orders

    async def cancel(order: Order, *units: tuple[int, int]) -> Order:
        return await edit(shop, CancelUnits(order.order_id, order.state.version, units, ANNA, ""))

    at_once = await cancel(at_once, (1, 2), (2, 1))
    by_one = await cancel(await cancel(await cancel(by_one, (2, 1)), (1, 1)), (1, 1))
    rest = await ship(shop, rest, "s-1", (1, 1))
    version = rest.state.version
    assert await shop.edit_orders([CancelRest(rest.order_id, version, ANNA, "")]) == [None]
    rest = await shop.order(rest.order_id)

    assert [charge.amount.minor for charge in at_once.charges] == [200, 33, 15, 500]
    assert at_once.total == Money("GBP", 350 - 200 + 33 - 15 + 500)
    assert at_once.contents == by_one.contents == rest.contents


async def test_what_never_came_back_is_not_restocked_nor_more_refunded_than_was_paid(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=3)
    order = await ship(shop, await shop.confirmed(asks("r-1", LAMP=3)), "s-1")

    async def pay(kind: PaymentKind, reference: str, minor: int) -> object:
        payment = Payment(kind, reference, Money("GBP", minor))
        (outcome,) = await shop.change_orders([RecordPayment(order.order_id, payment, ANNA)])
        return outcome

    await pay(PaymentKind.CAPTURED, "pi_1", 1_050)
    back = await open_return(shop, order, "back", (1, 3))
    await receive(shop, order, back, "p-1", (1, 2, Disposition.RESTOCK))
    await close_return(shop, order, back)
    await pay(PaymentKind.REFUNDED, "re_1", 700)
    beyond = await pay(PaymentKind.REFUNDED, "re_2", 351)

    assert await levels(shop) == {"LAMP": {"main": (2, 0, 0)}}
    assert isinstance(beyond, PaymentExceeds)
    await open_return(shop, order, "late", (1, 1))  # what has not come may still come


async def test_a_place_that_would_be_negative_blocks_no_other(shop: TwoServices) -> None:
    await shop.supply(LAMP=2)
    await locate(shop, "shop", LAMP=0)

    (refused,) = await shop.change_stock([AdjustOnHand("LAMP", "shop", -5, "", "", "", BOB)])
    order = await shop.confirmed(asks("r-1", LAMP=2))

    assert isinstance(refused, BelowReserved)
    assert order.state.status == "CONFIRMED"
    assert (await levels(shop))["LAMP"]["main"] == (2, 2, 0)


async def test_a_transfer_is_not_received_twice(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)
    await locate(shop, "shop")
    begin, clock = shop.stock.begin, shop.clock
    asked = AskedTransfer(clock.new_id(), "main", "shop", {"LAMP": 4}, "", None, "", BOB)
    sent = await CreateTransfer(begin, clock, clock.new_id)(asked)
    arrive = ReceiveTransfer(begin, clock, clock.new_id)

    for _ in range(3):
        await arrive(sent.transfer_id, {"LAMP": 3}, "parcel", BOB)

    assert await levels(shop) == {"LAMP": {"main": (1, 0, 0), "shop": (3, 0, 0)}}


async def test_a_deactivated_place_loses_no_stock(shop: TwoServices) -> None:
    await shop.supply(LAMP=0)
    await locate(shop, "shop", LAMP=5)
    order = await shop.confirmed(asks("r-1", LAMP=2))

    await deactivate(shop, "shop")
    (refused,) = await shop.place_orders([asks("r-2", LAMP=1)])
    there = (await levels(shop))["LAMP"]["shop"]
    order = await ship(shop, order, "s-1")

    assert there == (5, 2, 0)
    assert type(refused).__name__ == "ShortOfStock"
    assert order.state.status == "SHIPPED"
    assert (await levels(shop))["LAMP"]["shop"] == (3, 0, 0)


async def test_a_price_only_edit_reserves_nothing_anew(shop: TwoServices) -> None:
    await shop.supply(LAMP=2)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    before = await movements(shop)

    order = await edit(shop, edit_of(order, prices={"LAMP": 300}, LAMP=2))

    assert order.total == Money("GBP", 600)
    assert await movements(shop) == before
