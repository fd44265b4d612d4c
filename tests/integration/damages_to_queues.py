"""Damages to records of who waits for stock, and what verify says of each."""

from tests.integration.damages import MOVED, NOBODY, Damage

AT_GATE = "product_id = 'TRAY' AND location_id = 'main'"


def one_more(product_id: str) -> tuple[str, ...]:
    """One more unit at main."""
    here = f"WHERE product_id = '{product_id}' AND location_id = 'main'"
    return (
        f"UPDATE stock_level SET on_hand = on_hand + 1, version = version + 1 {here}",
        "INSERT INTO stock_movement (product_id, location_id, kind, on_hand_delta, reserved_delta,"
        " on_hand_after, reserved_after, reason, reference, actor, moved_at) SELECT product_id,"
        " location_id, 'RECEIPT', 1, 0, on_hand, reserved, '', '', 'eve', CURRENT_TIMESTAMP"
        f" FROM stock_level {here}",
    )


def by(strategy: str, location_ids: str, may_split: str) -> dict[str, tuple[str, ...]]:
    """Both services know that it waits for stock that is to come so."""
    its = f"'{strategy}', '{location_ids}', {may_split}, false"
    wish = f'["{strategy}", {location_ids}, {may_split}, false]'
    return {
        "orders": (f"INSERT INTO order_sourcing VALUES ('{{waits}}', 1, {its})",),
        "inventory": (f"UPDATE reservation SET sourcing = '{wish}' WHERE order_id = '{{waits}}'",),
    }


ONE_MORE = one_more("TRAY")
ONE_AT_THE_SHOP = (
    "INSERT INTO stock_level (product_id, location_id, lot_id, on_hand, reserved, version,"
    " quarantined) VALUES ('TRAY', 'shop', '', 1, 0, 1, 0)",
    f"UPDATE stock_level SET others = 1 WHERE {AT_GATE}",
    "INSERT INTO stock_movement (product_id, location_id, kind, on_hand_delta, reserved_delta,"
    " on_hand_after, reserved_after, reason, reference, actor, moved_at)"
    " VALUES ('TRAY', 'shop', 'RECEIPT', 1, 0, 1, 0, '', '', 'eve', CURRENT_TIMESTAMP)",
)
AT_THE_SHOP = by("PINNED", '["attic", "shop"]', "true")
UNSPLIT = by("PRIORITY", "[]", "false")
ANOTHER_ROW = (
    "INSERT INTO backorder (product_id, since, order_id, quantity)"
    " SELECT product_id, since, '{whose}', quantity FROM backorder WHERE order_id = '{{waits}}'",
    f"UPDATE stock_level SET queued = 4 WHERE {AT_GATE}",
)
NO_MORE = "UPDATE reservation SET queued = NULL WHERE order_id = '{waits}'"

QUEUES = {
    "a gate that counts others than wait": Damage(
        ("5 units of TRAY are waited for by its gate, 2 by its queue",),
        inventory=(f"UPDATE stock_level SET queued = 5 WHERE {AT_GATE}",),
    ),
    "units that wait elsewhere than at the gate": Damage(
        ("1 units of CUP are waited for by its gate, 0 by its queue",),
        inventory=("UPDATE stock_level SET queued = 1 WHERE location_id = 'shop'",),
    ),
    "a gate with another policy": Damage(
        ("product TRAY lets 1000000000000 units be waited for, and its gate 9",),
        inventory=(f"UPDATE stock_level SET queued_max = 9 WHERE {AT_GATE}",),
    ),
    "a product with another policy": Damage(
        ("product CUP lets 3 units be waited for, and its gate 0",),
        inventory=("UPDATE product SET backorder_max = 3 WHERE product_id = 'CUP'",),
    ),
    "a policy elsewhere than at the gate, and queues that are served wrongly": Damage(
        (
            "product CUP lets 0 units be waited for, and its gate 1",
            "the queue of TRAY was served 4 times, by ticket 3, and the next ticket would not be",
            "the queue of NONE was served 1 times, by ticket 1, and that is no product",
        ),
        inventory=(
            "UPDATE stock_level SET queued_max = 1 WHERE product_id = 'CUP'"
            " AND location_id = 'shop'",
            "INSERT INTO to_serve VALUES ('TRAY', 3, 4)",
            "INSERT INTO to_serve VALUES ('NONE', 1, 1)",
        ),
    ),
    "a row of the queue with more units": Damage(
        (
            "2 units of TRAY are waited for by its gate, 3 by its queue",
            "order {waits} waits for {{'TRAY': 2}}, and the queues have {{'TRAY': 3}}",
        ),
        inventory=("UPDATE backorder SET quantity = 3 WHERE order_id = '{waits}'",),
    ),
    "a row of the queue before those who asked earlier": Damage(
        ("order {waits} waits for {{'TRAY since 20",),
        inventory=(
            "UPDATE backorder SET since = '2020-01-01T00:00:00+00:00' WHERE order_id = '{waits}'",
        ),
    ),
    "a reservation that waits for nothing": Damage(
        (
            "order {waits} is HELD, holds {{}} and waits for {{}}",
            "order {waits} waits for {{}}, and the queues have {{'TRAY': 2}}",
            "order {waits} knows {{'TRAY': 2}} to wait, Inventory has {{}} wait",
        ),
        inventory=(NO_MORE,),
    ),
    "a row of the queue that is of no reservation": Damage(
        (f"order {NOBODY} waits for TRAY and has no reservation",),
        inventory=tuple(sql.format(whose=NOBODY) for sql in ANOTHER_ROW),
    ),
    "an order that is over and waits": Damage(
        (
            "order {over} is OVER, holds {{}} and waits for {{'TRAY': 2}}",
            "order {over} asks for {{'TRAY': 1}}, reserved {{}} and {{'TRAY': 2}} queued",
            "order {over} knows {{}} to wait, Inventory has {{'TRAY': 2}} wait",
        ),
        inventory=(
            *(
                sql.format(whose="{over}").replace("{{", "{").replace("}}", "}")
                for sql in ANOTHER_ROW
            ),
            "UPDATE reservation SET queued = (SELECT queued FROM reservation AS other"
            " WHERE other.order_id = '{waits}') WHERE order_id = '{over}'",
        ),
    ),
    "a unit is free, and nobody serves": Damage(
        ("1 units of TRAY are free at main, order {waits} waits for them, and nobody serves",),
        inventory=ONE_MORE,
    ),
    "a unit is free, and the queue counts as served": Damage(
        ("1 units of TRAY are free at main, order {waits} waits for them, and nobody serves",),
        inventory=(*ONE_MORE, "INSERT INTO to_serve VALUES ('TRAY', 3, 3)"),
    ),
    "units are free at several places": Damage(
        ("2 units of TRAY are free at main, shop, order {waits} waits for them, and nobody",),
        inventory=(*ONE_MORE, *ONE_AT_THE_SHOP),
    ),
    "a unit is free where a pinned order may have it from": Damage(
        ("1 units of TRAY are free at shop, order {waits} waits for them, and nobody serves",),
        orders=AT_THE_SHOP["orders"],
        inventory=(*AT_THE_SHOP["inventory"], *ONE_MORE, *ONE_AT_THE_SHOP),
    ),
    "a unit is free for who has nothing yet and must not be split": Damage(
        ("1 units of TRAY are free at shop, order {waits} waits for them, and nobody serves",),
        orders=UNSPLIT["orders"],
        inventory=(*UNSPLIT["inventory"], *ONE_AT_THE_SHOP),
    ),
    "a unit is free where an order has the others that must not be split": Damage(
        ("1 units of BOWL are free at main, order {unsplit} waits for them, and nobody serves",),
        inventory=one_more("BOWL"),
    ),
    "Orders does not know what waits": Damage(
        ("order {waits} knows {{}} to wait, Inventory has {{'TRAY': 2}} wait",),
        orders=("UPDATE orders SET stock = '[]' WHERE order_id = '{waits}'",),
    ),
    "Orders knows fewer to wait": Damage(
        ("order {waits} knows {{'TRAY': 1}} to wait, Inventory has {{'TRAY': 2}} wait",),
        orders=("UPDATE orders SET stock = '[[\"TRAY\", \"\", 1]]' WHERE order_id = '{waits}'",),
    ),
}

# More units than are promised, which nobody who waits may have: of those nothing is said.
NOBODYS = {
    "until the queue is served": Damage(
        (), inventory=(*ONE_MORE, "INSERT INTO to_serve VALUES ('TRAY', 3, 2)")
    ),
    "elsewhere than the order is pinned to": Damage(
        (),
        orders=AT_THE_SHOP["orders"],
        inventory=(*AT_THE_SHOP["inventory"], *ONE_MORE),
    ),
    "elsewhere than the order has the others that must not be split": Damage(
        (), inventory=tuple(sql.replace("TRAY", "BOWL") for sql in ONE_AT_THE_SHOP)
    ),
    "kept back by the product": Damage(
        (),
        inventory=(
            *ONE_MORE,
            "UPDATE product SET safety_stock = 2 WHERE product_id = 'TRAY'",
            f"UPDATE stock_level SET safety_stock = 2 WHERE {AT_GATE}",
        ),
    ),
    "in quarantine": Damage(
        (),
        inventory=(
            *ONE_MORE,
            f"UPDATE stock_level SET quarantined = 1, version = version + 1 WHERE {AT_GATE}",
            MOVED.format(kind="QUARANTINE", delta=1, after=1).replace(
                "quarantined = 2", "quarantined = 1"
            ),
        ),
    ),
    "where nothing is promised": Damage(
        (),
        inventory=(
            *ONE_AT_THE_SHOP,
            "UPDATE location SET active = false, inactive_after = (SELECT max(movement_id)"
            " FROM stock_movement) WHERE location_id = 'shop'",
        ),
    ),
}
