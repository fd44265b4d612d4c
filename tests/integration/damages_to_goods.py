"""Damages to records of shipments and returns, and what verify says of each."""

from tests.integration.damages import NOBODY, Damage

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
        (
            "order {part} has asked 1 by version 3, its history tells of 2",
            "order {part} has shipment part by question 1, with 1 items",
        ),
        orders=("UPDATE shipment SET revision = 1 WHERE shipment_id = 'part'",),
    ),
    "told by a question that was never asked": Damage(
        (
            "order {part} has asked 9 by version 3, its history tells of 2",
            "order {part} has shipment part by question 9, with 1 items",
        ),
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
            "order {gone} has asked 3 by version 5, its history tells of 4",
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
    "it was told as an update that more has left": Damage(
        (
            "1 changes to PARTIALLY_SHIPPED SHIPPED are told as holdfast.orders.v1.OrderUpdated,"
            " such as of {gone}",
        ),
        orders=(
            "UPDATE feed SET type = 'holdfast.orders.v1.OrderUpdated'"
            " WHERE subject = '{gone}' AND sequence = 4",
        ),
    ),
    "left before it was confirmed": Damage(
        (
            "order {whole} is CONFIRMED, its history ends with SHIPPED",
            "order {whole} has asked 1 by version 2, its history tells of 2",
            "order {whole} tells of a shipment at version 2 1 times, and has 0",
            "1 orders went from PENDING to SHIPPED, such as {whole}",
            "1 changes to SHIPPED are told as holdfast.orders.v1.OrderConfirmed",
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
            "order {part} has asked 1 by version 3, its history tells of 2",
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
        (
            "line 1 of LAMP: 0 may come, 1 have",
            "return {closed} has line 1 of DESK, of which nothing has left",
        ),
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
            "order {gone} has asked 5 by version 10, its history tells of 6",
            "order {gone} tells of RETURN_RECEIVED at version 7 1 times, and has 0",
            "order {gone} tells of RETURN_RECEIVED at version 10 1 times, and has 2",
        ),
        orders=("UPDATE return_receipt SET version = 10 WHERE request_id = 'p-1'",),
    ),
    "an end that its history does not tell of": Damage(
        (
            "order {gone} tells of the end of a return at 20",
            "order {gone} tells that returns were closed 0 times, and 1 are",
            "1 changes to SHIPPED SHIPMENT_UPDATED are told as holdfast.orders.v1.ReturnClosed",
        ),
        orders=(
            "UPDATE order_history SET action = 'SHIPMENT_UPDATED' WHERE action = 'RETURN_CLOSED'",
        ),
    ),
    "a return of what has not left": Damage(
        (
            "1 changes to CONFIRMED RETURN_OPENED are told as holdfast.orders.v1.OrderConfirmed",
            "order {whole} tells of RETURN_OPENED at version 2 1 times, and has 0",
            "1 orders went from PENDING to CONFIRMED RETURN_OPENED, such as {whole}",
        ),
        orders=(
            "UPDATE order_history SET action = 'RETURN_OPENED'"
            " WHERE order_id = '{whole}' AND version = 2",
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
        (
            "order {gone} has asked 2 by version 7, its history tells of 5",
            "order {gone} has receipt p-1 by question 2, with 1 items",
        ),
        orders=("UPDATE return_receipt SET revision = 2 WHERE request_id = 'p-1'",),
    ),
    "told by a question that will be asked": Damage(
        (
            "order {gone} has asked 9 by version 7, its history tells of 5",
            "order {gone} has receipt p-1 by question 9, with 1 items",
        ),
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
            f"order {NOBODY} has return {NOBODY} of no lines",
            f"order {NOBODY} tells of RETURN_OPENED at version 6 0 times, and has 1",
        ),
        orders=(
            f"INSERT INTO order_return SELECT '{NOBODY}', '{NOBODY}', version, request_id,"
            " request_hash, opened_at, NULL FROM order_return WHERE return_id = '{closed}'",
        ),
    ),
    "a return of nothing": Damage(
        (
            "order {gone} has return {closed} of no lines",
            "return {closed}, line 1 of LAMP: 0 may come, 1 have",
        ),
        orders=("DELETE FROM return_item WHERE return_id = '{closed}'",),
    ),
    "told by the question that told of something else": Damage(
        ("order {gone} has asked 3 by version 7, its history tells of 5",),
        orders=("UPDATE return_receipt SET revision = 3 WHERE request_id = 'p-1'",),
    ),
    "at other moments than the history has": Damage(
        (
            "order {whole} tells of being placed at 2020-01-01",
            "order {whole} was placed at 2020-01-01 00:00:00+00:00, Inventory has it since 20",
            "order {part} tells of its newest change at 2020-01-01",
            "order {part} tells of a shipment at 2020-01-01",
            "order {gone} tells of a return at 2020-01-01",
            "order {gone} tells of the end of a return at 2020-01-01",
            "order {gone} tells of a receipt at 2020-01-01",
        ),
        orders=tuple(
            f"UPDATE {table} SET {column} = '2020-01-01T00:00:00+00:00' WHERE {those}"
            for table, column, those in (
                ("orders", "placed_at", "request_id = 'whole'"),
                ("orders", "updated_at", "request_id = 'part'"),
                ("shipment", "shipped_at", "shipment_id = 'part'"),
                ("order_return", "opened_at", "return_id = '{closed}'"),
                ("order_return", "closed_at", "return_id = '{closed}'"),
                ("return_receipt", "received_at", "request_id = 'p-1'"),
            )
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
