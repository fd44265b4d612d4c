"""What verify says of who was erased: each rule finds what it is there for."""

import json

import pytest

from holdfast.orders.application.customers.erase_customer import EraseCustomer
from holdfast.orders.application.ordering.edit_orders import CancelRest, CancelUnits
from holdfast.orders.application.returns.return_goods import OpenReturn
from holdfast.orders.domain.customers.erasure import ByCustomer
from holdfast.orders.domain.returns.returned import AskedReturnLine
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.editing import edit
from tests.integration.goods import move, ship
from tests.integration.test_verification import live, verified
from tests.integration.two_services import ANNA, TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls

WHY = "Ada moved to 1 High Street"
# A damage to what erasing promises, and how it is named.
DAMAGES = {
    "a profile that came back": (
        "UPDATE customer SET email = 'ada@example.org'",
        "customer c-1 was erased at ",
    ),
    "an order that was forgotten": (
        "UPDATE orders SET phone = '+44', erased_at = NULL WHERE request_id = 'old'",
        "was placed before customer c-1 was erased at ",
    ),
    "an order that came back": (
        "UPDATE orders SET phone = '+44' WHERE request_id = 'old'",
        " was erased at ",
    ),
    "a record that was lost": (
        "DELETE FROM erasure",
        ", and no record says so",
    ),
    "a note that was forgotten": (
        "INSERT INTO order_details"
        " (order_id, reference, channel, note, attributes, ship_to, bill_to)"
        " SELECT order_id, '', '', 'for Ada', '[]', '[]', '[]' FROM orders"
        " WHERE request_id = 'old'",
        " was erased at ",
    ),
    "the reason of a cancellation": (
        "UPDATE order_history SET reason = 'Ada moved' WHERE status = 'CANCELLED' AND reason = ''",
        ", and has the reason of CANCELLED at ",
    ),
    "the reason why units were cancelled": (
        "UPDATE order_history SET reason = 'Ada moved' WHERE action = 'EDIT_ASKED'",
        ", and has the reason of EDIT_ASKED at ",
    ),
    "the reason why a rest was cancelled": (
        "UPDATE order_history SET reason = 'Ada moved' WHERE status = 'SHIPPED' AND reason = ''",
        ", and has the reason of SHIPPED at ",
    ),
    "the digest of an order": (
        "UPDATE orders SET request_hash = 'v1:1f' WHERE request_id = 'old'",
        ", and has a digest of what was asked for",
    ),
    "the digest of a return": (
        "UPDATE order_return SET request_hash = 'v1:1f'",
        ", and has a digest of what was asked for with return ",
    ),
    "the reason of a return": (
        "UPDATE return_item SET reason = 'Ada moved'",
        ", and has the reason of RETURN_OPENED at ",
    ),
}


async def give_reasons(shop: TwoServices) -> None:
    """Orders with a reason of every kind that people write, and one whose reasons nobody wrote."""
    await ship(shop, await shop.confirmed(asks("whole", LAMP=1)), "s-1")
    cancelled = await shop.confirmed(asks("cancelled", LAMP=1))
    await shop.cancel(cancelled.order_id, WHY, ANNA)
    await shop.deliver()
    fewer = await shop.confirmed(asks("fewer", LAMP=2))
    await edit(shop, CancelUnits(fewer.order_id, fewer.state.version, ((1, 1),), ANNA, WHY))
    sent = await ship(shop, await shop.confirmed(asks("sent", LAMP=2)), "s-1", (1, 1))
    rest = CancelRest(sent.order_id, sent.state.version, ANNA, WHY)
    assert await shop.edit_orders([rest]) == [None]
    await shop.deliver()
    back = (AskedReturnLine(1, 1, WHY),)
    assert (
        await move(shop, OpenReturn(sent.order_id, shop.clock.new_id(), "r-1", back, ANNA)) is None
    )


@pytest.mark.parametrize("damage", DAMAGES)
async def test_verify_names_what_an_erased_customer_has_left(
    shop: TwoServices, damage: str
) -> None:
    live(shop, 300)
    await shop.supply(LAMP=9)
    await give_reasons(shop)
    placed = []
    for request_id, seconds_ago in (("old", 300), ("at about that time", 5), ("new", 0)):
        live(shop, seconds_ago)
        placed += await shop.place(asks(request_id, LAMP=1))
        await shop.deliver()
    await EraseCustomer(shop.begin, shop.clock)(ByCustomer("c-1"), True, ANNA)
    later = "UPDATE orders SET name = 'Ada', erased_at = NULL WHERE request_id IN ('new', {})"
    assert await shop.orders.execute(later.format("'at about that time'")) == 2
    await shop.cancel(placed[0].order_id, "written after the erasing", ANNA)
    await shop.deliver()
    unharmed = await verified(shop)

    sql, named = DAMAGES[damage]
    assert await shop.orders.execute(sql) == 1
    report = await verified(shop)

    assert unharmed.contradictions == []
    assert unharmed.checked["erasures"] == 1
    assert {named in one for one in report.contradictions} == {True}, json.dumps(
        report.contradictions
    )
