"""What verify says of places, shipments and returns: each rule finds what it is there for."""

from typing import NamedTuple

import pytest

from holdfast import verification
from holdfast.inventory.application.stock.change_stock import Quarantine
from holdfast.orders.application.ordering.place_orders import AskedLine
from holdfast.orders.domain.ordering.sourcing import Sourcing, Strategy
from holdfast.orders.domain.returns.returned import Disposition
from holdfast.verification import verify
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.goods import (
    cancel_rest,
    close_return,
    deactivate,
    locate,
    open_return,
    receive,
    ship,
)
from tests.integration.test_verification import live
from tests.integration.two_services import BOB, TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls

UNSPLIT = Sourcing(Strategy.FEWEST_SHIPMENTS, (), may_split=False)
NOBODY = "01a21e6a-0000-7000-8000-000000000000"

MOVED = (
    "INSERT INTO stock_movement (product_id, location_id, kind, on_hand_delta, reserved_delta,"
    " on_hand_after, reserved_after, reason, reference, actor, moved_at, quarantined_delta,"
    " quarantined_after) SELECT product_id, location_id, '{kind}', 0, 0, on_hand, reserved, '', '',"
    " 'eve', CURRENT_TIMESTAMP, {delta}, {after} FROM stock_level WHERE quarantined = 2"
)
MOVED_TWICE = "UPDATE stock_level SET version = version + 2 WHERE quarantined = 2"


class Damage(NamedTuple):
    """Statements that damage records, each exactly one row, and all that is then said of them."""

    says: tuple[str, ...]
    orders: tuple[str, ...] = ()
    inventory: tuple[str, ...] = ()


INVENTORY = {
    "units in quarantine that no movement tells of": Damage(
        ("level LAMP at main has on hand 6, reserved 2, quarantined 0",),
        inventory=("UPDATE stock_level SET quarantined = 0 WHERE quarantined = 2",),
    ),
    "movements where there is no level": Damage(
        ("1 movements of MUG at attic belong to no level",),
        inventory=("DELETE FROM stock_level WHERE location_id = 'attic'",),
    ),
    "a movement that counts units in quarantine wrongly": Damage(
        ("says 9 on hand, 0 reserved and 5 quarantined; its predecessors sum to 9, 0 and 2",),
        inventory=("UPDATE stock_movement SET quarantined_after = 5 WHERE kind = 'QUARANTINE'",),
    ),
    "more in quarantine than there was": Damage(
        ("says 6 on hand, 2 reserved and 11 quarantined; its predecessors sum to 6, 2 and 11",),
        inventory=(
            MOVED.format(kind="QUARANTINE", delta=9, after=11),
            MOVED.format(kind="UNQUARANTINE", delta=-9, after=2),
            MOVED_TWICE,
        ),
    ),
    "less than nothing in quarantine": Damage(
        ("says 6 on hand, 2 reserved and -1 quarantined; its predecessors sum to 6, 2 and -1",),
        inventory=(
            MOVED.format(kind="UNQUARANTINE", delta=-3, after=-1),
            MOVED.format(kind="QUARANTINE", delta=3, after=2),
            MOVED_TWICE,
        ),
    ),
    "out of quarantine with more in it": Damage(
        ("is a UNQUARANTINE of 0 on hand, 0 reserved and 2 quarantined",),
        inventory=("UPDATE stock_movement SET kind = 'UNQUARANTINE' WHERE kind = 'QUARANTINE'",),
    ),
    "in quarantine with more on hand": Damage(
        ("is a QUARANTINE of 4 on hand, 0 reserved and 0 quarantined",),
        inventory=("UPDATE stock_movement SET kind = 'QUARANTINE' WHERE location_id = 'attic'",),
    ),
    "written off with more on hand": Damage(
        ("is a WRITE_OFF of 4 on hand, 0 reserved and 0 quarantined",),
        inventory=("UPDATE stock_movement SET kind = 'WRITE_OFF' WHERE location_id = 'attic'",),
    ),
    "a kind that is none": Damage(
        ("is a GIFT of 4 on hand, 0 reserved and 0 quarantined",),
        inventory=("UPDATE stock_movement SET kind = 'GIFT' WHERE location_id = 'attic'",),
    ),
    "left with nothing less on hand": Damage(
        (
            "is a SHIPMENT of 0 on hand, -1 reserved and 0 quarantined",
            "order {cut} moved stock by  1 times, and it is booked 0 times",
        ),
        inventory=(
            "UPDATE stock_movement SET kind = 'SHIPMENT'"
            " WHERE kind = 'RELEASE' AND order_id = '{cut}'",
        ),
    ),
    "came back to no order": Damage(
        (
            "is a RETURN of 4 on hand, 0 reserved and 0 quarantined",
            "order None moved stock by \n 1 times, and it is booked 0 times",
        ),
        inventory=("UPDATE stock_movement SET kind = 'RETURN' WHERE location_id = 'attic'",),
    ),
    "put in quarantine for an order": Damage(
        ("is a QUARANTINE of 0 on hand, 0 reserved and 2 quarantined",),
        inventory=("UPDATE stock_movement SET order_id = '{whole}' WHERE kind = 'QUARANTINE'",),
    ),
    "a product without its gate": Damage(
        ("product VASE has no level at main, which is its gate",),
        inventory=(
            "INSERT INTO product SELECT 'VASE', name, description, currency, price_minor, active,"
            " version, created_at, updated_at FROM product WHERE product_id = 'LAMP'",
        ),
    ),
    "stock at a place that is none": Damage(
        ("location attic has stock and is none",),
        inventory=("DELETE FROM location WHERE location_id = 'attic'",),
    ),
    "received where nothing may come": Damage(
        ("is a RECEIPT of MUG at attic, which was not active",),
        inventory=("UPDATE location SET inactive_after = 0 WHERE location_id = 'attic'",),
    ),
    "promised where nothing may be": Damage(
        ("is a RESERVATION of LAMP at shop, which was not active",),
        inventory=(
            "UPDATE location SET active = false, inactive_after = (SELECT max(movement_id) - 1"
            " FROM stock_movement WHERE kind = 'RESERVATION' AND location_id = 'shop')"
            " WHERE location_id = 'shop'",
        ),
    ),
    "two spellings of one place": Damage(
        ("locations Shop and shop differ only in the case of their letters",),
        inventory=(
            "INSERT INTO location SELECT 'Shop', 'other', name, kind, priority, active,"
            " inactive_after, address, version FROM location WHERE location_id = 'shop'",
        ),
    ),
    "a shipment that may be booked again": Damage(
        ("order {part} moved stock by part 1 times, and it is booked 0 times",),
        inventory=("DELETE FROM booked_fact WHERE fact = 'part'",),
    ),
    "a receipt that is booked by another name": Damage(
        (
            "order {gone} moved stock by \np-1 1 times, and it is booked 0 times",
            "order {gone} moved stock by \np-9 0 times, and it is booked 1 times",
        ),
        inventory=("UPDATE booked_fact SET fact = '\np-9' WHERE fact = '\np-1'",),
    ),
    "booked, and nothing moved": Damage(
        ("order {whole} moved stock by s-9 0 times, and it is booked 1 times",),
        inventory=("INSERT INTO booked_fact VALUES ('{whole}', 's-9')",),
    ),
    "moved for nobody": Damage(
        (
            "order {pinned} moved LAMP at shop without a reservation",
            "order {pinned} is CONFIRMED, Inventory has it not",
        ),
        inventory=("DELETE FROM reservation WHERE order_id = '{pinned}'",),
    ),
}

SHIPMENTS = {
    "all has left, and the order waits for more": Damage(
        (
            "order {gone} is PARTIALLY_SHIPPED, its history ends with SHIPPED",
            "order {gone} is PARTIALLY_SHIPPED, its lines have 5 units, and 5 have left",
            "order {gone} is PARTIALLY_SHIPPED, Inventory has it OVER",
        ),
        orders=("UPDATE orders SET status = 'PARTIALLY_SHIPPED' WHERE request_id = 'gone'",),
    ),
    "as much has left as there is": Damage(
        (
            "order {part} is PARTIALLY_SHIPPED, its lines have 3 units, and 3 have left",
            "line 1 of LAMP, has 2 units, and 3 have left",
            "order {part} asks for {{}}, reserved {{'LAMP': 1}}",
            "order {part} has shipped {{('LAMP', 'main'): 3}}, Inventory has booked",
        ),
        orders=("UPDATE shipment_item SET quantity = 3 WHERE shipment_id = 'part'",),
    ),
    "a shipment of nothing": Damage(
        (
            "order {part} is PARTIALLY_SHIPPED, its lines have 3 units, and 0 have left",
            "order {part} has shipment part by question 2, with 0 items",
            "order {part} asks for {{'LAMP': 3}}, reserved {{'LAMP': 1}}",
            "order {part} has shipped {{}}, Inventory has booked {{('LAMP', 'main'): 2}}",
        ),
        orders=("DELETE FROM shipment_item WHERE shipment_id = 'part'",),
    ),
    "more of a line than it has": Damage(
        ("order {part}, line 2 of LAMP, has 1 units, and 2 have left",),
        orders=("UPDATE shipment_item SET line_no = 2 WHERE shipment_id = 'part'",),
    ),
    "of a line that is none": Damage(
        ("order {part}, line 9 of LAMP, has None units, and 2 have left",),
        orders=("UPDATE shipment_item SET line_no = 9 WHERE shipment_id = 'part'",),
    ),
    "told by the question that asked for stock": Damage(
        ("order {part} has shipment part by question 1, with 1 items",),
        orders=("UPDATE shipment SET revision = 1 WHERE shipment_id = 'part'",),
    ),
    "told by a question that was never asked": Damage(
        ("order {part} has shipment part by question 9, with 1 items",),
        orders=("UPDATE shipment SET revision = 9 WHERE shipment_id = 'part'",),
    ),
    "an item of no shipment": Damage(
        ("order {gone} has items of shipment nowhere, which is none",),
        orders=(
            "UPDATE shipment_item SET shipment_id = 'nowhere'"
            " WHERE shipment_id = 'one' AND product_id = 'MUG'",
        ),
    ),
    "a shipment that its history does not tell of": Damage(
        (
            "order {gone} tells of a shipment at version 4 1 times, and has 0",
            "order {gone} tells of a shipment at version 5 1 times, and has 2",
        ),
        orders=("UPDATE shipment SET version = 5 WHERE shipment_id = 'two'",),
    ),
    "a rest that nobody cancelled": Damage(
        (
            "order {cut} is at edition 2 of 2",
            "order {cut} has lines, charges or a sourcing of edition 2, which it never had",
            "order {cut} tells of a shipment at version 4 1 times, and has 0",
        ),
        orders=("DELETE FROM order_edit WHERE edition = 2",),
    ),
    "a shipment of no order": Damage(
        (
            f"details, charges or edits stand for {NOBODY}, which is no order",
            f"order {NOBODY} tells of a shipment at version 3 0 times, and has 1",
        ),
        orders=(
            f"INSERT INTO shipment SELECT '{NOBODY}', shipment_id, version, revision, carrier,"
            " tracking_number, tracking_url, request_hash, shipped_at, delivered_at"
            " FROM shipment WHERE shipment_id = 'part'",
        ),
    ),
    "items of no order": Damage(
        (
            f"details, charges or edits stand for {NOBODY}, which is no order",
            f"order {NOBODY} has items of shipment part, which is none",
        ),
        orders=(
            f"INSERT INTO shipment_item SELECT '{NOBODY}', shipment_id, item_no, line_no,"
            " product_id, location_id, quantity FROM shipment_item WHERE shipment_id = 'part'",
        ),
    ),
    "nobody was told that more has left": Damage(
        ("order {gone} became PARTIALLY_SHIPPED at version 4 without a notification",),
        orders=("DELETE FROM notification WHERE order_id = '{gone}' AND version = 4",),
    ),
    "left before it was confirmed": Damage(
        (
            "order {whole} is CONFIRMED, its history ends with SHIPPED",
            "order {whole} tells of a shipment at version 2 1 times, and has 0",
            "1 orders went from PENDING to SHIPPED, such as {whole}",
        ),
        orders=(
            "UPDATE order_history SET status = 'SHIPPED'"
            " WHERE order_id = '{whole}' AND version = 2",
        ),
    ),
    "shipped, and held for a payment that never came": Damage(
        ("order {part} is PARTIALLY_SHIPPED, held until None and confirmed by pi",),
        orders=("UPDATE orders SET confirmed_by = 'pi' WHERE request_id = 'part'",),
    ),
    "shipped, and never asked for it": Damage(
        (
            "order {part} is PARTIALLY_SHIPPED, has asked 1 and has answers up to 1",
            "order {part} has shipment part by question 2, with 1 items",
            "order {part} has asked 1 questions, Inventory has decided 2",
            "order {part} knows {{('LAMP', 'main'): 1}} as version 2, Inventory holds",
        ),
        orders=(
            "UPDATE orders SET asked = 1, answered = 1, stock_revision = 1"
            " WHERE request_id = 'part'",
        ),
    ),
    "shipped, and no answer ever came": Damage(
        (
            "order {gone} has asked 6 and has answers up to 0, and stands 0 times",
            "order {gone} is SHIPPED, has asked 6 and has answers up to 0",
            "order {gone} knows {{}} as version 6, Inventory holds {{}} as version 6",
        ),
        orders=("UPDATE orders SET answered = 0, stock_revision = 0 WHERE request_id = 'gone'",),
    ),
    "what left was booked elsewhere": Damage(
        (
            "order {part} has shipped {{('LAMP', 'shop'): 2}}, Inventory has booked"
            " {{('LAMP', 'main'): 2}}",
        ),
        orders=("UPDATE shipment_item SET location_id = 'shop' WHERE shipment_id = 'part'",),
    ),
    "a part has left, and Inventory has ended it": Damage(
        ("order {part} is PARTIALLY_SHIPPED, Inventory has it OVER",),
        inventory=("UPDATE reservation SET state = 'OVER' WHERE order_id = '{part}'",),
    ),
    "all has left, and Inventory holds it": Damage(
        ("order {gone} is SHIPPED, Inventory has it HELD",),
        inventory=("UPDATE reservation SET state = 'HELD' WHERE order_id = '{gone}'",),
    ),
}

RETURNS = {
    "more may come than has left": Damage(
        ("order {gone}, line 2: 3 units have left, and 9 may come back or have",),
        orders=("UPDATE return_item SET quantity = 9 WHERE line_no = 2",),
    ),
    "a closed return that is open again": Damage(
        (
            "order {gone}, line 1: 2 units have left, and 3 may come back or have",
            "order {gone} tells that returns were closed 1 times, and 0 are",
        ),
        orders=("UPDATE order_return SET closed_at = NULL WHERE closed_at IS NOT NULL",),
    ),
    "more came than has left": Damage(
        (
            "order {gone}, line 1: 2 units have left, and 4 may come back or have",
            "line 1 of LAMP: 2 may come, 3 have",
            "order {gone} got {{",
        ),
        orders=("UPDATE receipt_item SET quantity = 3 WHERE request_id = 'p-1'",),
    ),
    "more came than may": Damage(
        ("line 2 of MUG: 3 may come, 4 have", "order {gone} got {{"),
        orders=("UPDATE receipt_item SET quantity = 3 WHERE disposition = 'QUARANTINE'",),
    ),
    "something else came than may": Damage(
        ("line 1 of LAMP: 0 may come, 1 have",),
        orders=("UPDATE return_item SET product_id = 'DESK' WHERE return_id = '{closed}'",),
    ),
    "a return that its history does not tell of": Damage(
        (
            "order {gone} tells of RETURN_OPENED at version 6 1 times, and has 0",
            "order {gone} tells of RETURN_OPENED at version 9 1 times, and has 2",
        ),
        orders=("UPDATE order_return SET version = 9 WHERE closed_at IS NOT NULL",),
    ),
    "a receipt that its history does not tell of": Damage(
        (
            "order {gone} tells of RETURN_RECEIVED at version 7 1 times, and has 0",
            "order {gone} tells of RETURN_RECEIVED at version 10 1 times, and has 2",
        ),
        orders=("UPDATE return_receipt SET version = 10 WHERE request_id = 'p-1'",),
    ),
    "an end that its history does not tell of": Damage(
        ("order {gone} tells that returns were closed 0 times, and 1 are",),
        orders=(
            "UPDATE order_history SET action = 'SHIPMENT_UPDATED' WHERE action = 'RETURN_CLOSED'",
        ),
    ),
    "a return of what has not left": Damage(
        (
            "order {whole} became CONFIRMED at version 2 without a notification",
            "order {whole} tells of RETURN_OPENED at version 2 1 times, and has 0",
            "1 orders went from PENDING to CONFIRMED RETURN_OPENED, such as {whole}",
        ),
        orders=(
            "UPDATE order_history SET action = 'RETURN_OPENED'"
            " WHERE order_id = '{whole}' AND version = 2",
            "DELETE FROM notification WHERE order_id = '{whole}'",
        ),
    ),
    "a receipt of nothing": Damage(
        ("order {gone} has receipt p-1 by question 5, with 0 items", "order {gone} got {{"),
        orders=("DELETE FROM receipt_item WHERE request_id = 'p-1'",),
    ),
    "a receipt of no return": Damage(
        (
            f"return {NOBODY}, line 1 of LAMP: 0 may come, 1 have",
            "order {gone} has receipt p-1 by question 5, with 1 items",
        ),
        orders=(f"UPDATE return_receipt SET return_id = '{NOBODY}' WHERE request_id = 'p-1'",),
    ),
    "told by the question that told of a shipment": Damage(
        ("order {gone} has receipt p-1 by question 2, with 1 items",),
        orders=("UPDATE return_receipt SET revision = 2 WHERE request_id = 'p-1'",),
    ),
    "told by a question that will be asked": Damage(
        ("order {gone} has receipt p-1 by question 9, with 1 items",),
        orders=("UPDATE return_receipt SET revision = 9 WHERE request_id = 'p-1'",),
    ),
    "a receipt of no order": Damage(
        (
            f"order {NOBODY} tells of RETURN_RECEIVED at version 7 0 times, and has 1",
            f"order {NOBODY} has receipt p-1 by question 5, with 0 items",
        ),
        orders=(
            f"INSERT INTO return_receipt SELECT '{NOBODY}', request_id, return_id, version,"
            " revision, request_hash, received_at FROM return_receipt WHERE request_id = 'p-1'",
        ),
    ),
    "a return of no order": Damage(
        (
            f"details, charges or edits stand for {NOBODY}, which is no order",
            f"order {NOBODY} tells of RETURN_OPENED at version 6 0 times, and has 1",
        ),
        orders=(
            f"INSERT INTO order_return SELECT '{NOBODY}', '{NOBODY}', version, request_id,"
            " request_hash, opened_at, NULL FROM order_return WHERE return_id = '{closed}'",
        ),
    ),
    "a line of no return": Damage(
        (f"items of return {NOBODY} belong to none",),
        orders=(f"INSERT INTO return_item VALUES ('{NOBODY}', 1, 'LAMP', 1, '')",),
    ),
    "a line of no receipt": Damage(
        ("items of receipt p-9 belong to none",),
        orders=(
            f"INSERT INTO receipt_item"
            f" VALUES ('{NOBODY}', 'p-9', 1, 1, 'LAMP', 1, 'RESTOCK', 'main')",
        ),
    ),
    "more came than was booked": Damage(
        ("order {gone} got {{",),
        orders=("UPDATE receipt_item SET quantity = 2 WHERE disposition = 'QUARANTINE'",),
    ),
    "what came was booked elsewhere": Damage(
        ("order {gone} got {{('LAMP', 'shop', 'RESTOCK'): 1,",),
        orders=("UPDATE receipt_item SET location_id = 'shop' WHERE request_id = 'p-1'",),
    ),
    "what was to be written off is on sale": Damage(
        ("order {gone} got {{",),
        orders=("UPDATE receipt_item SET disposition = 'RESTOCK' WHERE disposition = 'WRITE_OFF'",),
    ),
    "what was to be in quarantine is on sale": Damage(
        ("order {gone} got {{",),
        orders=(
            "UPDATE receipt_item SET disposition = 'RESTOCK' WHERE disposition = 'QUARANTINE'",
        ),
    ),
}

SOURCING = {
    "held elsewhere than it is pinned to": Damage(
        ("order {pinned} is pinned to main and holds stock at shop",),
        orders=(
            "UPDATE order_sourcing SET location_ids = '[\"main\"]' WHERE order_id = '{pinned}'",
        ),
        inventory=(
            'UPDATE reservation SET sourcing = \'["PINNED", ["main"], true]\''
            " WHERE order_id = '{pinned}'",
        ),
    ),
    "split, and must not be": Damage(
        ("order {whole} must not be split and holds stock at main, shop",),
        orders=("INSERT INTO order_sourcing VALUES ('{whole}', 1, 'PRIORITY', '[]', false)",),
        inventory=(
            "UPDATE reservation SET sourcing = '[\"PRIORITY\", [], false]'"
            " WHERE order_id = '{whole}'",
        ),
    ),
    "a wish that Inventory goes by and nobody has": Damage(
        (
            "order {pinned} is to be sourced by ('PRIORITY', (), True), Inventory goes by"
            " ('PINNED', ('shop',), True)",
        ),
        orders=("DELETE FROM order_sourcing WHERE order_id = '{pinned}'",),
    ),
    "a wish that Inventory does not know": Damage(
        (
            "order {unsplit} is to be sourced by ('FEWEST_SHIPMENTS', (), False), Inventory goes"
            " by ('PRIORITY', (), True)",
        ),
        inventory=("UPDATE reservation SET sourcing = NULL WHERE order_id = '{unsplit}'",),
    ),
    "a rejected order whose wish was another one": Damage(
        (
            "order {short} is to be sourced by ('PINNED', ('shop',), True), Inventory goes by"
            " ('PINNED', ('main',), True)",
        ),
        orders=(
            "UPDATE order_sourcing SET location_ids = '[\"shop\"]' WHERE order_id = '{short}'",
        ),
    ),
    "a wish of no edition": Damage(
        (
            "order {pinned} has lines, charges or a sourcing of edition 9, which it never had",
            "order {pinned} is to be sourced by ('PRIORITY', (), True), Inventory goes by",
        ),
        orders=("UPDATE order_sourcing SET edition = 9 WHERE order_id = '{pinned}'",),
    ),
    "a wish of no order": Damage(
        (f"details, charges or edits stand for {NOBODY}, which is no order",),
        orders=(f"INSERT INTO order_sourcing VALUES ('{NOBODY}', 1, 'PRIORITY', '[]', false)",),
    ),
}

DAMAGES = INVENTORY | SHIPMENTS | RETURNS | SOURCING
assert len(DAMAGES) == sum(map(len, (INVENTORY, SHIPMENTS, RETURNS, SOURCING)))


async def trade(shop: TwoServices) -> dict[str, str]:
    """Orders wherever goods can be; return their ids, and a closed return's, by name."""
    await shop.supply(LAMP=9, MUG=9, DESK=1)
    await locate(shop, "shop", LAMP=3, DESK=3)
    await locate(shop, "attic", MUG=4)
    await deactivate(shop, "attic")
    await shop.change_stock([Quarantine("LAMP", "main", 2, "scratched", "", BOB)])
    wishes = {
        "whole": asks("whole", DESK=2),
        "pinned": asks("pinned", LAMP=1)._replace(sourcing=Sourcing(Strategy.PINNED, ("shop",))),
        "unsplit": asks("unsplit", LAMP=1)._replace(sourcing=UNSPLIT),
        "short": asks("short", DESK=1)._replace(sourcing=Sourcing(Strategy.PINNED, ("main",))),
        "part": asks("part")._replace(
            lines=(AskedLine("LAMP", 2, None), AskedLine("LAMP", 1, None))
        ),
        "cut": asks("cut", LAMP=2),
        "gone": asks("gone", LAMP=2, MUG=3),
    }
    orders = {name: await shop.confirmed(wish) for name, wish in wishes.items()}
    await ship(shop, orders["part"], "part", (1, 2))
    await cancel_rest(shop, await ship(shop, orders["cut"], "cut", (1, 1)))
    gone = orders["gone"]
    await ship(shop, gone, "one", (1, 1), (2, 1))
    await ship(shop, gone, "two", (1, 1))
    await ship(shop, gone, "three")
    closed = await open_return(shop, gone, "r-1", (1, 2))
    await receive(shop, gone, closed, "p-1", (1, 1, Disposition.RESTOCK))
    await close_return(shop, gone, closed)
    open_ = await open_return(shop, gone, "r-2", (1, 1), (2, 3))
    aside, lost = Disposition.QUARANTINE, Disposition.WRITE_OFF
    await receive(shop, gone, open_, "p-2", (2, 1, aside), (2, 1, lost))
    await shop.reader.mark_sent(await shop.reader.unsent(99), shop.clock.now())
    return {name: order.order_id for name, order in orders.items()} | {"closed": closed}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_goods_are_recomputed_from_their_records(
    shop: TwoServices, damage: Damage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "SETTLE_S_MAX", 0.0)  # nothing is on its way
    live(shop)
    named = await trade(shop)
    sound = await verify(*shop.urls)

    for database, statements in (
        (shop.orders, damage.orders),
        (shop.inventory, damage.inventory),
    ):
        for sql in statements:
            assert await database.execute(sql.format(**named)) == 1
    said = (await verify(*shop.urls)).contradictions

    assert sound.contradictions == []
    assert len(said) == len(damage.says), said
    for expected in damage.says:
        assert sum(expected.format(**named) in text for text in said) == 1, (expected, said)
