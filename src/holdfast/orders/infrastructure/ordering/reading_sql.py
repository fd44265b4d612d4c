"""SQL of what is read of orders, as PostgreSQL reads it: whole orders."""

from holdfast.chassis.database.sql import either
from holdfast.orders.infrastructure.ordering.naming_sql import OF_NAMED

# Documents of an edition in its order, as each engine makes them.
_LINES = (
    """
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = {owner}.order_id
           AND order_line.edition = {owner}.edition)""",
    """
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = {owner}.order_id
                   AND order_line.edition = {owner}.edition
              ORDER BY line_no))""",
)
_CHARGES = (
    """
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = {owner}.order_id
           AND order_charge.edition = {owner}.edition)""",
    """
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = {owner}.order_id
                   AND order_charge.edition = {owner}.edition
              ORDER BY charge_no))""",
)


_SOURCING = (
    """
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = {owner}.order_id
           AND order_sourcing.edition = {owner}.edition)""",
    """
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = {owner}.order_id
           AND order_sourcing.edition = {owner}.edition)""",
)


def _of(owner: str, document: tuple[str, str]) -> str:
    """The document of the edition that a row of this table names."""
    postgresql, sqlite = (text.format(owner=owner) for text in document)
    return either(postgresql=postgresql, sqlite=sqlite)


def _where_shipped(columns: str, table: str, order: str) -> str:
    """Rows of a table about orders as a document, of orders of which something has left."""
    facts = {"columns": columns, "table": table, "order": order}
    return either(
        postgresql=_WHERE_SHIPPED.format(**facts), sqlite=_WHERE_SHIPPED_ON_SQLITE.format(**facts)
    )


_WHERE_SHIPPED = """
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array({columns}) ORDER BY {order})
          FROM (SELECT * FROM {table}) AS known
         WHERE known.order_id = orders.order_id) END"""
_WHERE_SHIPPED_ON_SQLITE = """
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array({columns}))
          FROM (SELECT *
                  FROM (SELECT * FROM {table}) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY {order})) END"""


class ReadingStatements:
    """What `reader.py` asks of the database; the store finds orders by it, too."""

    _FIELDS = """
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
"""
    # An edit as a document, with the lines and charges that are to be, or were.
    _FACTS = either(
        postgresql="""
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,""",
        sqlite="""
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,""",
    )
    _EDIT = (
        (_FACTS + _of("order_edit", _LINES) + ",")
        + (_of("order_edit", _CHARGES) + ",")
        + (_of("order_edit", _SOURCING) + ")")
    )
    _OF_NEWEST = """
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
"""
    _NEWEST_EDIT = "       CASE WHEN edition_newest > 1 THEN (SELECT" + _EDIT + _OF_NEWEST
    EDITS_SINCE = (
        "\nSELECT currency, "
        + _EDIT
        + """ AS edit
  FROM order_edit
  JOIN orders USING (order_id)
 WHERE order_edit.order_id = $1::uuid
   AND (asked_version > $2 OR ended_version > $2)
 ORDER BY order_edit.edition
"""
    )
    _PAYMENTS_AND_DETAILS = either(
        postgresql="""
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
""",
        sqlite="""
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
""",
    )
    _CONTENTS = (
        (_of("orders", _LINES) + " AS lines,")
        + (_of("orders", _CHARGES) + " AS charges,")
        + (_of("orders", _SOURCING) + " AS sourcing,")
    )
    _SHIPMENTS = (
        _where_shipped(
            "shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, "
            "shipped_at, delivered_at",
            "shipment",
            "version",
        )
        + " AS shipments,"
        + _where_shipped(
            "shipment_id, line_no, product_id, location_id, quantity",
            "shipment_item",
            "shipment_id, item_no",
        )
        + " AS shipment_items,"
    )
    _RETURNS = (
        "     ,"
        + _where_shipped(
            "return_id, request_id, request_hash, opened_at, closed_at", "order_return", "version"
        )
        + " AS returns,"
        + _where_shipped(
            "return_id, line_no, product_id, quantity, reason",
            "order_return JOIN return_item USING (return_id)",
            "line_no",
        )
        + " AS return_items,"
        + _where_shipped(
            "return_id, request_id, revision, request_hash, received_at",
            "return_receipt",
            "version",
        )
        + " AS receipts,"
        + _where_shipped(
            "request_id, line_no, product_id, quantity, disposition, location_id",
            "receipt_item",
            "request_id, item_no",
        )
        + " AS receipt_items\n"
    )
    _COLUMNS = _FIELDS + _NEWEST_EDIT + _CONTENTS + _SHIPMENTS + _PAYMENTS_AND_DETAILS
    _HISTORY = either(
        postgresql="""
     , (SELECT json_agg(json_build_array(version, status, changed_at, reason, actor, action,
                                         credential_id) ORDER BY version)
          FROM order_history
         WHERE order_history.order_id = orders.order_id) AS history
""",
        sqlite="""
     , (SELECT json_group_array(json_array(version, status, changed_at, reason, actor, action,
                                         credential_id))
          FROM (SELECT version, status, changed_at, reason, actor, action, credential_id
                  FROM order_history
                 WHERE order_history.order_id = orders.order_id
              ORDER BY version)) AS history
""",
    )
    _OF_IDS = """
  FROM orders
 WHERE orders.order_id = ANY($1::uuid[])
"""
    _LINE_NO_MAX = """
     , (SELECT max(line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id) AS line_no_max
"""
    FIND_EDITABLE = _COLUMNS + _RETURNS + _LINE_NO_MAX + _OF_IDS
    FIND_NAMED_EDITABLE = _COLUMNS + _RETURNS + _LINE_NO_MAX + OF_NAMED
    FIND_DETAILS = _COLUMNS + _RETURNS + _HISTORY + _OF_IDS
    FIND_NAMED_DETAILS = _COLUMNS + _RETURNS + _HISTORY + "\n" + OF_NAMED

    ORDERS_OF_RETURNS = """
SELECT return_id::text AS return_id, order_id::text AS order_id
  FROM order_return
 WHERE return_id = ANY($1::uuid[])
"""
