"""Damages to records of stock, places and sourcing, and what verify says of each."""

from collections.abc import Mapping
from typing import NamedTuple

from holdfast.verification import verify
from tests.integration.two_services import TwoServices

NOBODY = "01a21e6a-0000-7000-8000-000000000000"
MOVED = (
    "INSERT INTO stock_movement (product_id, location_id, kind, on_hand_delta, reserved_delta,"
    " on_hand_after, reserved_after, reason, reference, actor, moved_at, quarantined_delta,"
    " quarantined_after) SELECT product_id, location_id, '{kind}', 0, 0, on_hand, reserved, '', '',"
    " 'eve', CURRENT_TIMESTAMP, {delta}, {after} FROM stock_level WHERE quarantined = 2"
)
MOVED_TWICE = "UPDATE stock_level SET version = version + 2 WHERE quarantined = 2"
LAMPS = "WHERE product_id = 'LAMP' AND location_id = 'main'"
IN_ATTIC = "quarantined = 2", "location_id = 'attic'"


class Damage(NamedTuple):
    """Statements that damage records, each exactly one row, and all that is then said of them."""

    says: tuple[str, ...]
    orders: tuple[str, ...] = ()
    inventory: tuple[str, ...] = ()


async def is_told(shop: TwoServices, damage: Damage, named: Mapping[str, str]) -> None:
    """Damage sound records, of orders by these names, and see that all of it is said."""
    for database, statements in (
        (shop.orders, damage.orders),
        (shop.inventory, damage.inventory),
    ):
        for sql in statements:
            assert await database.execute(sql.format(**named)) == 1
    said = (await verify(*shop.urls)).contradictions

    assert len(said) == len(damage.says), said
    for expected in damage.says:
        assert sum(expected.format(**named) in text for text in said) == 1, (expected, said)


LEVEL = (
    "inventory: level LAMP at main has on hand {}, reserved {}, quarantined 2, version {}; "
    "its movements sum to 6, 2, 2, 11"
)

LEVELS = {
    "a level with more on hand": Damage(
        (LEVEL.format(7, 2, 11),),
        inventory=(f"UPDATE stock_level SET on_hand = on_hand + 1 {LAMPS}",),
    ),
    "a level with more reserved": Damage(
        (LEVEL.format(6, 3, 11),),
        inventory=(f"UPDATE stock_level SET reserved = reserved + 1 {LAMPS}",),
    ),
    "a level of another version": Damage(
        (LEVEL.format(6, 2, 99),),
        inventory=(f"UPDATE stock_level SET version = 99 {LAMPS}",),
    ),
    "a movement that counts what is on hand wrongly": Damage(
        ("says 8 on hand, 0 reserved and 2 quarantined; its predecessors sum to 9, 0 and 2",),
        inventory=("UPDATE stock_movement SET on_hand_after = 8 WHERE kind = 'QUARANTINE'",),
    ),
    "a movement that counts what is reserved wrongly": Damage(
        ("says 9 on hand, 1 reserved and 2 quarantined; its predecessors sum to 9, 0 and 2",),
        inventory=("UPDATE stock_movement SET reserved_after = 1 WHERE kind = 'QUARANTINE'",),
    ),
}

INVENTORY = {
    "units in quarantine that no movement tells of": Damage(
        ("level LAMP at main has on hand 6, reserved 2, quarantined 0",),
        inventory=("UPDATE stock_level SET quarantined = 0 WHERE quarantined = 2",),
    ),
    "movements where there is no level": Damage(
        (
            "1 movements of MUG at attic belong to no level",
            "level MUG at main is wrong about levels beside its gate",
        ),
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
    "movements that nobody made": Damage(
        ("of LAMP does not tell who made it",),
        inventory=("UPDATE stock_movement SET actor = '' WHERE kind = 'QUARANTINE'",),
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
            " version, created_at, updated_at, backorder_max, expected_on, safety_stock"
            " FROM product WHERE product_id = 'LAMP'",
        ),
    ),
    "kept back otherwise than the product says": Damage(
        ("level LAMP at main keeps back 0, by its product it is 2",),
        inventory=("UPDATE product SET safety_stock = 2 WHERE product_id = 'LAMP'",),
    ),
    "a gate that is not told of other levels": Damage(
        ("level LAMP at main is wrong about levels beside its gate",),
        inventory=(
            "UPDATE stock_level SET others = others + 1"
            " WHERE product_id = 'LAMP' AND location_id = 'main'",
        ),
    ),
    "kept back elsewhere than at the gate": Damage(
        ("level LAMP at shop keeps back 2, by its product it is 0",),
        inventory=(
            "UPDATE stock_level SET safety_stock = 2"
            " WHERE product_id = 'LAMP' AND location_id = 'shop'",
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
    "put back on sale where nothing may be": Damage(
        ("is a UNQUARANTINE of MUG at attic, which was not active",),
        inventory=(
            MOVED.format(kind="QUARANTINE", delta=1, after=1).replace(*IN_ATTIC),
            MOVED.format(kind="UNQUARANTINE", delta=-1, after=0).replace(*IN_ATTIC),
            MOVED_TWICE.replace(*IN_ATTIC),
        ),
    ),
    "two spellings of one place": Damage(
        (
            "locations Shop and shop differ only in the case of their letters",
            "location Shop is not found by how it may be written",
        ),
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
    "left, and was never promised": Damage(
        (
            "0 of LAMP were promised to order {cut}, and 1 have left",
            "order {cut} holds {{}} by its document, {{('LAMP', 'main', ''): -2}} by its movements",
            "order {part} holds {{('LAMP', 'main', ''): 1}} by its document, {{('LAMP', 'main',",
        ),
        inventory=(
            "UPDATE stock_movement SET order_id = '{part}'"
            " WHERE kind = 'RESERVATION' AND order_id = '{cut}'",
        ),
    ),
    "moved for nobody": Damage(
        (
            "order {pinned} moved LAMP at shop without a reservation",
            "order {pinned} is CONFIRMED, Inventory has it not",
        ),
        inventory=("DELETE FROM reservation WHERE order_id = '{pinned}'",),
    ),
}

SOURCING = {
    "held elsewhere than it is pinned to": Damage(
        ("order {pinned} is pinned to main and holds stock at shop",),
        orders=(
            "UPDATE order_sourcing SET location_ids = '[\"main\"]' WHERE order_id = '{pinned}'",
        ),
        inventory=(
            'UPDATE reservation SET sourcing = \'["PINNED", ["main"], true, false]\''
            " WHERE order_id = '{pinned}'",
        ),
    ),
    "split, and must not be": Damage(
        ("order {whole} must not be split and holds stock at main, shop",),
        orders=(
            "INSERT INTO order_sourcing VALUES ('{whole}', 1, 'PRIORITY', '[]', false, false)",
        ),
        inventory=(
            "UPDATE reservation SET sourcing = '[\"PRIORITY\", [], false, false]'"
            " WHERE order_id = '{whole}'",
        ),
    ),
    "a wish that Inventory goes by and nobody has": Damage(
        (
            "order {pinned} is to be sourced by ('PRIORITY', (), True, False), Inventory goes by"
            " ('PINNED', ('shop',), True, False)",
        ),
        orders=("DELETE FROM order_sourcing WHERE order_id = '{pinned}'",),
    ),
    "a wish that Inventory does not know": Damage(
        (
            "order {unsplit} is to be sourced by ('FEWEST_SHIPMENTS', (), False, False), Inventory"
            " goes by ('PRIORITY', (), True, False)",
        ),
        inventory=("UPDATE reservation SET sourcing = NULL WHERE order_id = '{unsplit}'",),
    ),
    "a rejected order whose wish was another one": Damage(
        (
            "order {short} is to be sourced by ('PINNED', ('shop',), True, False), Inventory goes"
            " by ('PINNED', ('main',), True, False)",
        ),
        orders=(
            "UPDATE order_sourcing SET location_ids = '[\"shop\"]' WHERE order_id = '{short}'",
        ),
    ),
    "a wish of no edition": Damage(
        (
            "order {pinned} has lines, charges or a sourcing of edition 9, which it never had",
            "order {pinned} is to be sourced by ('PRIORITY', (), True, False), Inventory goes by",
        ),
        orders=("UPDATE order_sourcing SET edition = 9 WHERE order_id = '{pinned}'",),
    ),
    "a wish of no order": Damage(
        (f"details, charges or edits stand for {NOBODY}, which is no order",),
        orders=(
            f"INSERT INTO order_sourcing VALUES ('{NOBODY}', 1, 'PRIORITY', '[]', false, false)",
        ),
    ),
}

WAITING = {
    "what waits and is not known to": Damage(
        (
            "order {waits} knows {{}} as version 1, Inventory holds {{('TRAY', 'main'): 1}} as",
            "order {waits} knows {{}} to wait, Inventory has {{'TRAY': 2}} wait",
        ),
        orders=("UPDATE orders SET stock = '[]' WHERE order_id = '{waits}'",),
    ),
    "what is known to be held, and waits": Damage(
        (
            "order {waits} knows {{('TRAY', 'main'): 3}} as version 1, Inventory holds {{('TRAY',"
            " 'main'): 1}} as version 1",
            "order {waits} knows {{}} to wait, Inventory has {{'TRAY': 2}} wait",
        ),
        orders=(
            "UPDATE orders SET stock = '[[\"TRAY\", \"main\", 3]]' WHERE order_id = '{waits}'",
        ),
    ),
    "more is asked for than is held and waits": Damage(
        (
            "order {waits} totals 1050, its 1 lines and charges 1400",
            "order {waits} asks for {{'TRAY': 4}}, reserved {{'TRAY': 1}} and {{'TRAY': 2}} queued",
        ),
        orders=("UPDATE order_line SET quantity = 4 WHERE order_id = '{waits}'",),
    ),
    "what waits since another moment": Damage(
        ("order {waits} was placed at 20",),
        inventory=(
            "UPDATE reservation SET placed_at = '2020-01-01T00:00:00+00:00'"
            " WHERE order_id = '{waits}'",
        ),
    ),
    "another shortage than was told": Damage(
        (
            "order {short} was short of [['DESK', 1, 0]] by question 1, by Inventory of"
            " [['DESK', 2, 0]]",
        ),
        inventory=(
            "UPDATE reservation SET missing = '[[\"DESK\", 2, 0]]' WHERE order_id = '{short}'",
        ),
    ),
    "it waits for what is there only": Damage(
        ("order {waits} is to be sourced by ('PRIORITY', (), True, True), Inventory goes by",),
        orders=("INSERT INTO order_sourcing VALUES ('{waits}', 1, 'PRIORITY', '[]', true, true)",),
    ),
}
