"""SQL of what is read of orders, as PostgreSQL reads it: whole orders, and pages of them."""

import re

from holdfast.chassis.database.sql import either
from holdfast.orders.domain.ordering.status import OrderStatus

# An end is final, so the history tells it for good. The index `order_history_of_ends` has the same
# words: a new final status needs a migration that makes the index anew.
ENDED = "status IN ('REJECTED', 'CANCELLED', 'EXPIRED')"

assert set(re.findall(r"'(\w+)'", ENDED)) == {
    status for status in OrderStatus if status.is_final
}, (
    "ListOrders finds what has ended through the index order_history_of_ends: name every final "
    "status in a new migration of it, and here"
)


class ReadingStatements:
    """What `reader.py` asks of the database; the store finds orders by it, too."""

    _FIELDS = """
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision,
"""
    # An edit as a document, with the lines and charges that are to be, or were.
    _EDIT = either(
        postgresql="""
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
                        (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor,
                                                          line_no) ORDER BY line_no)
                           FROM order_line
                          WHERE order_line.order_id = order_edit.order_id
                            AND order_line.edition = order_edit.edition),
                        (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor)
                                         ORDER BY charge_no)
                           FROM order_charge
                          WHERE order_charge.order_id = order_edit.order_id
                            AND order_charge.edition = order_edit.edition))
""",
        sqlite="""
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
                  (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor,
                                                      line_no))
                     FROM (SELECT product_id, quantity, unit_price_minor, line_no
                             FROM order_line
                            WHERE order_line.order_id = order_edit.order_id
                              AND order_line.edition = order_edit.edition
                         ORDER BY line_no)),
                  (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
                     FROM (SELECT kind, line_no, code, amount_minor
                             FROM order_charge
                            WHERE order_charge.order_id = order_edit.order_id
                              AND order_charge.edition = order_edit.edition
                         ORDER BY charge_no)))
""",
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
    _COLUMNS = (
        _FIELDS
        + _NEWEST_EDIT
        + either(
            postgresql="""
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
""",
            sqlite="""
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
""",
        )
    )
    _HISTORY = either(
        postgresql="""
     , (SELECT json_agg(json_build_array(version, status, changed_at, reason, actor, action)
                        ORDER BY version)
          FROM order_history
         WHERE order_history.order_id = orders.order_id) AS history
""",
        sqlite="""
     , (SELECT json_group_array(json_array(version, status, changed_at, reason, actor, action))
          FROM (SELECT version, status, changed_at, reason, actor, action
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
    FIND_EDITABLE = _COLUMNS + _LINE_NO_MAX + _OF_IDS
    FIND_DETAILS = _COLUMNS + _HISTORY + _OF_IDS

    _IN_PAGE = """
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
"""
    _FILTERED = """
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
"""
    _NEWEST_FIRST = """
ORDER BY orders.order_id DESC
   LIMIT $2
"""

    # One text for each filter that has an index of its own; the other filters are checked row by
    # row.
    _LISTED = _IN_PAGE + _FILTERED + _NEWEST_FIRST
    LIST_ORDERS = _COLUMNS + "  FROM orders\n WHERE true" + _LISTED
    LIST_ORDERS_OF_CUSTOMER = _COLUMNS + "  FROM orders\n WHERE customer_id = $6" + _LISTED

    # Where another table has the index, its rows lead and each looks its order up, as above.
    _LED_BY = either(postgresql="\nSELECT whole.*\n  FROM (", sqlite=_COLUMNS + "  FROM (")
    _OF_FOUND = "  FROM orders\n WHERE orders.order_id = found.order_id"
    _LOOKED_UP = either(
        postgresql="        ORDER BY order_id DESC) AS found\n CROSS JOIN LATERAL ("
        + (_COLUMNS + _OF_FOUND + _FILTERED + " LIMIT 1) AS whole"),
        sqlite=") AS found\n CROSS JOIN orders USING (order_id)\n WHERE true" + _FILTERED,
    )
    _NEWEST_FOUND_FIRST = """
ORDER BY found.order_id DESC
   LIMIT $2
"""
    _PENDING = """
SELECT order_id
  FROM unanswered          -- all that is PENDING is among them
 WHERE true
"""
    _RESERVED = """
SELECT order_id
  FROM hold                -- all that is RESERVED is among them
 WHERE true
"""
    _ENDED = "\nSELECT order_id\n  FROM order_history\n WHERE status = $7\n   AND " + ENDED
    _WITH_PRODUCT = """
  FROM order_line
 WHERE product_id = $8
"""
    # SQLite would sort all of a DISTINCT before it gives the newest.
    _ONCE = either(postgresql="SELECT DISTINCT order_id", sqlite="SELECT order_id")
    _GROUPED = either(postgresql="", sqlite=" GROUP BY found.order_id")
    LIST_PENDING_ORDERS = _LED_BY + _PENDING + _IN_PAGE + _LOOKED_UP + _NEWEST_FOUND_FIRST
    LIST_RESERVED_ORDERS = _LED_BY + _RESERVED + _IN_PAGE + _LOOKED_UP + _NEWEST_FOUND_FIRST
    LIST_ENDED_ORDERS = _LED_BY + _ENDED + _IN_PAGE + _LOOKED_UP + _NEWEST_FOUND_FIRST
    _STILL_WITH_PRODUCT = """
   AND EXISTS (SELECT 1
                 FROM order_line
                WHERE order_line.order_id = orders.order_id
                  AND order_line.edition = orders.edition
                  AND product_id = $8)
"""
    _STILL_LOOKED_UP = either(
        postgresql="        ORDER BY order_id DESC) AS found\n CROSS JOIN LATERAL ("
        + (_COLUMNS + _OF_FOUND + _FILTERED + _STILL_WITH_PRODUCT + " LIMIT 1) AS whole"),
        sqlite=") AS found\n CROSS JOIN orders USING (order_id)\n WHERE true"
        + (_FILTERED + _STILL_WITH_PRODUCT),
    )
    LIST_ORDERS_WITH_PRODUCT = (_LED_BY + _ONCE + _WITH_PRODUCT + _IN_PAGE) + (
        _STILL_LOOKED_UP + _GROUPED + _NEWEST_FOUND_FIRST
    )

    # On PostgreSQL planned by itself (MATERIALIZED), so that the page's order can't tempt the
    # planner into walking all orders from the newest.
    _OF_REQUESTS = either(
        postgresql="""
  WITH asked AS MATERIALIZED (SELECT order_id, edition
                                FROM orders
                               WHERE request_id = ANY($8::text[]))
SELECT order_id
  FROM asked
 WHERE""",
        sqlite="""
SELECT order_id
  FROM orders AS asked
 WHERE request_id IN (SELECT value FROM json_each($8))
   AND""",
    )
    _WITH_PRODUCT_TOO = """ ($9 = '' OR EXISTS (SELECT 1
                             FROM order_line
                            WHERE order_line.order_id = asked.order_id
                              AND order_line.edition = asked.edition
                              AND product_id = $9))
"""
    LIST_ORDERS_OF_REQUESTS = (
        _LED_BY + _OF_REQUESTS + _WITH_PRODUCT_TOO + _IN_PAGE + _LOOKED_UP + _NEWEST_FOUND_FIRST
    )

    # What is sought for: the filter that tells most leads, all of them are checked row by row.
    _SOUGHT_BESIDE = """
   AND ($8 = '' OR EXISTS (SELECT 1
                             FROM order_line
                            WHERE order_line.order_id = orders.order_id
                              AND order_line.edition = orders.edition
                              AND product_id = $8))
   AND ($9 = '' OR EXISTS (SELECT 1
                             FROM order_details
                            WHERE order_details.order_id = orders.order_id
                              AND reference = $9))
   AND ($10 = '' OR email = $10)
   AND ($11 = '' OR EXISTS (SELECT 1
                              FROM order_details
                             WHERE order_details.order_id = orders.order_id
                               AND channel = $11))
   AND ($12 = '' OR coalesce((SELECT payment_state.status
                                FROM payment_state
                               WHERE payment_state.order_id = orders.order_id), 'NONE') = $12)
"""
    _SEARCHED = _FILTERED + _SOUGHT_BESIDE
    _FOUND_OUT = either(
        postgresql="        ORDER BY order_id DESC) AS found\n CROSS JOIN LATERAL ("
        + (_COLUMNS + _OF_FOUND + _SEARCHED + " LIMIT 1) AS whole"),
        sqlite=") AS found\n CROSS JOIN orders USING (order_id)\n WHERE true" + _SEARCHED,
    )
    _SOUGHT = _IN_PAGE + _FOUND_OUT + _NEWEST_FOUND_FIRST
    _OF_REFERENCE = """
SELECT order_id
  FROM order_details
 WHERE reference = $9 AND reference <> ''
"""
    _OF_EMAIL = """
SELECT order_id
  FROM orders AS asked
 WHERE email = $10 AND email <> ''
"""
    _OF_CHANNEL = """
SELECT order_id
  FROM order_details
 WHERE channel = $11 AND channel <> ''
"""
    _PAID = """
SELECT order_id
  FROM payment_state
 WHERE status = $12
"""
    _OF_CUSTOMER = """
SELECT order_id
  FROM orders AS asked
 WHERE customer_id = $6
"""
    SEARCH_BY_REFERENCE = _LED_BY + _OF_REFERENCE + _SOUGHT
    SEARCH_BY_EMAIL = _LED_BY + _OF_EMAIL + _SOUGHT
    SEARCH_BY_CUSTOMER = _LED_BY + _OF_CUSTOMER + _SOUGHT
    SEARCH_BY_PAYMENT = _LED_BY + _PAID + _SOUGHT
    SEARCH_BY_CHANNEL = _LED_BY + _OF_CHANNEL + _SOUGHT
    _ALL_SOUGHT = _IN_PAGE + _SEARCHED + _NEWEST_FIRST
    SEARCH_ALL = _COLUMNS + "  FROM orders\n WHERE true" + _ALL_SOUGHT

    UNSENT_NOTIFICATIONS = """
  SELECT notification.order_id::text AS order_id, notification.version, notification.status,
         customer_id, name, email, phone, address, action
    FROM notification
    JOIN orders USING (order_id)
    JOIN order_history ON order_history.order_id = notification.order_id
     AND order_history.version = notification.version
   WHERE sent_at IS NULL
ORDER BY recorded_at, notification.order_id
   LIMIT $1
"""

    _SENT = """
UPDATE notification
   SET sent_at = $3
"""
    MARK_SENT = _SENT + either(
        postgresql="""
  FROM unnest($1::uuid[], $2::bigint[]) AS sent (order_id, version)
 WHERE notification.order_id = sent.order_id
   AND notification.version = sent.version
""",
        sqlite="""
 WHERE (order_id, version) IN (SELECT value, json_extract($2, '$[' || key || ']')
                                 FROM json_each($1))
""",
    )
