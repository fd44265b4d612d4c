"""What an edit makes of an order's lines and charges, and what it refuses."""

from typing import Any

import pytest

from holdfast.chassis.wakeups import Wakeups
from holdfast.inventory.application.stock.change_stock import SetOnHand
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.locations.location import MAIN_LOCATION
from holdfast.orders.application.customers.erase_customer import EraseCustomer
from holdfast.orders.application.ordering.edit_orders import CancelUnits, EditOrder
from holdfast.orders.application.ordering.watch_order import WatchOrder
from holdfast.orders.application.ports import OrderFilter
from holdfast.orders.domain.caller import OrderRef
from holdfast.orders.domain.customers.erasure import ByCustomer
from holdfast.orders.domain.errors import (
    EditUnderWay,
    KeptCharges,
    NothingLeft,
    OrderNotFound,
    ShortOfStock,
    TooManyChanges,
    UnknownProducts,
    WrongCharges,
    WrongContents,
    WrongLines,
)
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.charges import Charge, ChargeKind
from holdfast.orders.domain.ordering.edits import EditedLine, Editions
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import OrderStatus
from tests.contract import conftest as contract
from tests.integration import editing, two_services
from tests.integration.editing import edit, edit_of, refusal, units
from tests.integration.two_services import ANNA, BOB, TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls
sound = editing.sound


async def test_an_edit_that_changes_nothing_leaves_no_trace(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)
    order = await shop.confirmed(asks("r-1", LAMP=2))

    assert await edit(shop, edit_of(order, LAMP=2)) == order


async def test_what_is_edited_there_and_back_is_held_as_before(shop: TwoServices) -> None:
    await shop.supply(LAMP=5, MUG=5)
    order = await shop.confirmed(asks("r-1", LAMP=2))

    there = await edit(shop, edit_of(order, LAMP=1, MUG=1))
    back = await edit(shop, edit_of(there, LAMP=2))

    assert back.contents == order.contents
    assert (await shop.reserved("LAMP"), await shop.reserved("MUG")) == (2, 0)


async def test_units_of_lines_are_cancelled_but_never_the_last(shop: TwoServices) -> None:
    await shop.supply(LAMP=5, MUG=5)
    order = await shop.confirmed(asks("r-1", LAMP=2, MUG=3))
    name, version = order.state.order_id, order.state.version

    cancelled = await edit(
        shop, CancelUnits(name, version, ((1, 2), (2, 1)), ANNA, "broken in the shop")
    )
    nothing = CancelUnits(name, cancelled.state.version, ((2, 2),), ANNA, "")
    strange = nothing._replace(units=((1, 1), (2, 3)))
    refused = await refusal(shop, strange)

    assert [(line.line_no, line.quantity) for line in cancelled.lines] == [(2, 2)]
    assert cancelled.history[2].reason == "broken in the shop"
    assert (await shop.reserved("LAMP"), await shop.reserved("MUG")) == (0, 2)
    assert isinstance(await refusal(shop, nothing), NothingLeft)
    assert isinstance(refused, WrongLines)
    assert sorted(refused.problems) == [0, 1]


async def test_erasing_takes_the_reasons_of_cancelled_units_too(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    name, version = order.state.order_id, order.state.version
    await edit(shop, CancelUnits(name, version, ((1, 1),), ANNA, "Ada moved to 1 High Street"))

    await EraseCustomer(shop.begin, shop.clock)(ByCustomer("c-1"), True, ANNA)

    assert "Ada" not in repr(await shop.order(name))


async def test_charges_are_edited_and_those_of_a_removed_line_go_with_it(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5, MUG=5)
    order = await shop.confirmed(asks("r-1", LAMP=2, MUG=3))
    off = Charge(ChargeKind.DISCOUNT, 2, "SALE", Money("GBP", 50))
    post = Charge(ChargeKind.SHIPPING, 0, "", Money("GBP", 500))

    charged = await edit(shop, edit_of(order, off, post, LAMP=2, MUG=3))
    removed = await edit(shop, edit_of(charged, LAMP=2))
    too_much = await refusal(
        shop, edit_of(removed, off._replace(line_no=1, amount=Money("GBP", 701)), LAMP=2)
    )
    nowhere = await refusal(shop, edit_of(removed, off, LAMP=2))

    assert charged.total == Money("GBP", 5 * 350 - 50 + 500)
    assert (removed.charges, removed.total) == ((post,), Money("GBP", 2 * 350 + 500))
    assert isinstance(too_much, WrongCharges)
    assert isinstance(nowhere, WrongCharges)
    assert nowhere.problems == {0: "is for line 2, which is none"}


async def test_what_does_not_fit_the_order_is_refused(shop: TwoServices) -> None:
    await shop.supply(LAMP=5, MUG=5)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    good = edit_of(order, LAMP=2)

    def lines(*edited: EditedLine) -> EditOrder:
        return good._replace(lines=edited)

    lamp = EditedLine(1, "LAMP", 2, None)
    wrong = await refusal(
        shop,
        lines(
            lamp,
            lamp,
            EditedLine(7, "MUG", 1, None),
            EditedLine(0, "MUG", 1, Money("EUR", 5)),
        ),
    )
    other = await refusal(shop, lines(EditedLine(1, "MUG", 1, None)))
    unknown = await refusal(shop, lines(lamp, EditedLine(0, "GONE", 1, None)))
    gone = good._replace(order_id="018f0000-0000-7000-8000-000000000000")
    (missing,) = await shop.edit_orders([gone])

    assert isinstance(wrong, WrongContents)
    assert [sorted(one.problems) for one in wrong.errors] == [[1, 2], [3]]
    assert isinstance(other, WrongLines)
    assert isinstance(unknown, UnknownProducts)
    assert isinstance(missing, OrderNotFound)


async def test_an_edit_that_can_not_be_harms_no_other_of_its_batch(shop: TwoServices) -> None:
    await shop.supply(LAMP=9)
    bad, good = [await shop.confirmed(asks(f"r-{n}", LAMP=1)) for n in range(2)]
    in_euros = Charge(ChargeKind.FEE, 0, "", Money("EUR", 1))

    refused, done = await shop.edit_orders([edit_of(bad, in_euros, LAMP=1), edit_of(good, LAMP=2)])
    await shop.deliver()

    assert isinstance(refused, WrongCharges)
    assert refused.problems == {0: "is in EUR, but the order is in GBP"}
    assert done is None
    assert await shop.reserved("LAMP") == 3


async def test_a_product_is_sold_in_its_own_currency_only(shop: TwoServices) -> None:
    await shop.supply(LAMP=9)
    await shop.create_product(Product("YEN", "", "", "JPY", 5_000, active=True))
    supplied = SetOnHand("YEN", MAIN_LOCATION, 5, None, "", "", BOB)
    await shop.change_stock([supplied])
    order = await shop.confirmed(asks("r-1", LAMP=1))

    for prices in ({"YEN": 500_000}, None):
        refused = await refusal(shop, edit_of(order, prices=prices, LAMP=1, YEN=1))
        assert isinstance(refused, WrongLines)
        assert refused.problems == {1: "YEN is sold in JPY, but the order is in GBP"}


async def test_lines_that_can_not_be_are_told_whatever_stock_there_is(shop: TwoServices) -> None:
    await shop.supply(LAMP=2)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    lamp = EditedLine(1, "LAMP", 2, None)
    shop.stock_check.away = True

    for wrong in (
        (lamp, lamp),
        (EditedLine(1, "GONE", 1, None),),
        (EditedLine(9, "LAMP", 9, None),),
    ):
        refused = await refusal(shop, edit_of(order, LAMP=2)._replace(lines=wrong))
        assert isinstance(refused, WrongLines)


async def test_a_discount_that_stays_is_named_where_it_is_too_much(shop: TwoServices) -> None:
    await shop.supply(LAMP=5, MUG=5)
    order = await shop.confirmed(asks("r-1", LAMP=1, MUG=1))
    fee = Charge(ChargeKind.FEE, 2, "WRAP", Money("GBP", 50))
    off = Charge(ChargeKind.DISCOUNT, 0, "SALE", Money("GBP", 600))
    order = await edit(shop, edit_of(order, fee, off, LAMP=1, MUG=1))

    refused = await refusal(shop, edit_of(order, LAMP=1))

    assert isinstance(refused, KeptCharges)
    assert str(refused).startswith("SALE would be more than what it is taken off from")
    assert "with its lines and all its charges" in str(refused)


async def test_erasing_again_finds_nothing_after_an_edit_that_said_nothing(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)
    order = await shop.confirmed(asks("r-1", LAMP=1))
    erase = EraseCustomer(shop.begin, shop.clock)
    await erase(ByCustomer("c-1"), True, ANNA)

    edited = await edit(shop, edit_of(order, LAMP=2))
    again = await erase(ByCustomer("c-1"), True, ANNA)

    assert again.orders == 0
    assert (await shop.order(order.state.order_id)).history == edited.history


async def test_five_hundred_edits_are_allowed_and_no_more() -> None:
    state = OrderState("o-1", OrderStatus.CONFIRMED, 9)

    state._replace(editions=Editions(1, 500)).refuse_edit(9)
    with pytest.raises(TooManyChanges, match="500"):
        state._replace(editions=Editions(1, 501)).refuse_edit(9)


async def test_a_preview_tells_what_would_be_and_changes_nothing(shop: TwoServices) -> None:
    await shop.supply(LAMP=5, MUG=5)
    order = await shop.confirmed(asks("r-1", LAMP=2))

    seen = await shop.edits.preview(edit_of(order, LAMP=1, MUG=2))

    assert (units(seen), seen.total) == ({"LAMP": 1, "MUG": 2}, Money("GBP", 1_050))
    assert [line.line_no for line in seen.lines] == [1, 2]
    assert await shop.order(order.state.order_id) == order
    with pytest.raises(ShortOfStock):
        await shop.edits.preview(edit_of(order, LAMP=9))


async def test_a_batch_decides_each_edit_alone(shop: TwoServices) -> None:
    await shop.supply(LAMP=50)
    orders = [await shop.confirmed(asks(f"r-{n}", LAMP=1)) for n in range(4)]
    same = edit_of(orders[0], LAMP=9)

    outcomes = await shop.edit_orders(
        [
            *(edit_of(order, LAMP=2) for order in orders),
            same,
            edit_of(orders[1], LAMP=99),
        ]
    )
    await shop.deliver()

    assert outcomes[:4] == [None] * 4
    assert isinstance(outcomes[4], EditUnderWay)
    assert isinstance(outcomes[5], ShortOfStock)
    assert await shop.reserved("LAMP") == 8


async def test_a_watcher_sees_the_contents_of_every_version(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)
    order = await shop.confirmed(asks("r-1", LAMP=1))
    told = WatchOrder(shop.named, shop.reader.edits, Wakeups())(OrderRef(order.state.order_id))
    first = await anext(told)

    order = await edit(shop, edit_of(order, LAMP=3))
    order = await edit(shop, edit_of(order, prices={"LAMP": 100}, LAMP=3))
    order = await edit(shop, edit_of(order, LAMP=2))
    await shop.cancel(order.state.order_id, "", ANNA)
    rest = [order async for order in told]

    assert [
        (step.state.version, units(step)["LAMP"], step.total.minor, step.edit and step.edit.state)
        for step in [first, *rest]
    ] == [
        (2, 1, 350, None),
        (3, 1, 350, "ASKED"),
        (4, 3, 1_050, "APPLIED"),
        (5, 3, 300, "APPLIED"),
        (6, 3, 300, "ASKED"),
        (7, 2, 200, "APPLIED"),
        (8, 2, 200, "APPLIED"),
    ]


async def test_an_order_is_found_by_the_products_that_it_has_and_not_by_those_it_had(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5, MUG=5)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    await edit(shop, edit_of(order, MUG=1))

    async def found(product_id: str, **more: Any) -> int:
        wanted = OrderFilter(product_id=product_id, **more)
        return len((await shop.reader.orders(wanted, before="", limit=9)).orders)

    for more in ({}, {"request_ids": ("r-1",)}, {"customer_id": "c-1", "channel": ""}):
        assert [await found(name, **more) for name in ("LAMP", "MUG")] == [0, 1]
