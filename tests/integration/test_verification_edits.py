"""What verify says of edits: each of its questions is seen to find what it is there for."""

import pytest

from holdfast import verification
from holdfast.verification import verify
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.editing import edit, edit_of
from tests.integration.test_verification import live
from tests.integration.two_services import ANNA, TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls

# A damage to an order with an edit of each kind, and how it is named.
DAMAGES = {
    "a refused edition that counts": (
        "UPDATE orders SET edition = 4 WHERE request_id = 'edited'",
        "is at edition 4 of 4",
    ),
    "an edition that was used again": (
        "UPDATE orders SET edition_newest = 3 WHERE request_id = 'edited'",
        "is at edition 3 of 3",
    ),
    "an edit that nothing decides": (
        "UPDATE orders SET edit_revision = NULL WHERE request_id = 'open'",
        "decided by question None, its 1 edits say 1, 2 and 2",
    ),
    "an edit under way of what is over": (
        "UPDATE orders SET edit_revision = 2 WHERE request_id = 'cancelled'",
        "decided by question 2",
    ),
    "an edit that was forgotten": (
        "DELETE FROM order_edit WHERE state = 'REFUSED'",
        "its 2 edits say 3, 3 and None",
    ),
    "a question that was never asked": (
        "UPDATE order_edit SET revision = 9 WHERE state = 'REFUSED'",
        "has edition 4 REFUSED by question 9 of 3",
    ),
    "refused for nothing": (
        "UPDATE order_edit SET missing = '[]' WHERE state = 'REFUSED'",
        "short of []",
    ),
    "asked when nothing happened": (
        "UPDATE unanswered SET since = '2020-01-01T00:00:00+00:00'",
        "tells of a question at 2020-01-01",
    ),
    "an end that did not come": (
        "UPDATE order_edit SET ended_version = NULL WHERE state = 'DROPPED'",
        "from version 3 to None",
    ),
    "applied at another version": (
        "UPDATE order_edit SET ended_version = 5 WHERE edition = 2 AND state = 'APPLIED'",
        "tells of an edit at version 4 1 times, its edits 0",
    ),
    "an edition that costs something else": (
        "UPDATE order_edit SET total_minor = 1 WHERE state = 'REFUSED'",
        "totals 1 in edition 4",
    ),
    "a line of no edition": (
        "UPDATE order_line SET edition = 9 WHERE edition = 4",
        "has lines, charges or a sourcing of edition 9, which it never had",
    ),
    "an edit of no order": (
        "UPDATE order_edit SET order_id = '01a21e6a-0000-7000-8000-000000000000'"
        " WHERE state = 'DROPPED'",
        "details, charges or edits stand for",
    ),
    "nobody was told": (
        "DELETE FROM feed WHERE sequence = 4 AND type = 'holdfast.orders.v1.OrderEdited'",
        "comes to 5 after 3",
    ),
}


async def trade(shop: TwoServices) -> None:
    """An order with edits of every end, one with an edit under way, and one that dropped its."""
    await shop.supply(LAMP=9)
    order = await shop.confirmed(asks("edited", LAMP=2))
    order = await edit(shop, edit_of(order, LAMP=1))
    order = await edit(shop, edit_of(order, prices={"LAMP": 100}, LAMP=1))
    assert await shop.edit_orders([edit_of(order, LAMP=8)]) == [None]
    events = await shop.waiting(shop.orders)
    await shop.forget_told(shop.orders)
    cancelled = await shop.confirmed(asks("cancelled", LAMP=3))
    await shop.inventory_receiver.receive(events)
    await shop.deliver()
    assert await shop.edit_orders([edit_of(cancelled, LAMP=2)]) == [None]
    await shop.cancel(cancelled.state.order_id, "", ANNA)
    await shop.deliver()
    open_ = await shop.confirmed(asks("open", LAMP=3))
    assert await shop.edit_orders([edit_of(open_, LAMP=2)]) == [None]


@pytest.mark.parametrize("damage", DAMAGES)
async def test_edits_are_recomputed_from_their_records(
    shop: TwoServices, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(shop)
    await trade(shop)
    sound = await verify(*shop.urls)
    monkeypatch.setattr(verification, "SETTLE_S_MAX", 0.0)  # nothing is on its way

    sql, named = DAMAGES[damage]
    assert await shop.orders.execute(sql) == 1
    report = await verify(*shop.urls)

    assert sound.contradictions == []
    assert any(named in one for one in report.contradictions), report.contradictions
