"""SQL of orders that callers name, each with the customer whose it must be; '' is anybody.

What is somebody else's is no row of these statements: neither read nor locked nor waited for. The
names lead, and each looks its order up.
"""

from holdfast.chassis.database.sql import either

# Where an order stands: all that its transitions depend on.
STATE = """
       status, version, asked, answered, stock_sequence, expires_at, confirmed_by,
       edition, edition_newest, edit_revision"""
SELECT_STATES = "\nSELECT order_id::text AS order_id," + STATE

_NAMED = either(
    postgresql="\n  FROM unnest($1::uuid[], $2::text[]) AS named (id, owner)",
    sqlite="\n  FROM (SELECT value AS id, json_extract($2, '$[' || key || ']') AS owner\n"
    "          FROM json_each($1)) AS named",
)
_THEIRS = "\n   AND (owner = '' OR customer_id = owner)\n"
OF_NAMED = (
    "     , owner" + _NAMED + "\n CROSS JOIN orders\n WHERE orders.order_id = named.id" + _THEIRS
)


class NamingStatements:
    """What `store.py` and `reader.py` ask about orders and returns that a customer names."""

    LOCK_NAMED_STATES = (
        SELECT_STATES
        + "\n"
        + OF_NAMED
        + """
ORDER BY orders.order_id          -- one lock order for everyone: no deadlocks
     FOR NO KEY UPDATE OF orders
"""
    )
    ORDERS_OF_NAMED_RETURNS = (
        """
SELECT return_id::text AS return_id, order_return.order_id::text AS order_id, owner"""
        + _NAMED
        + """
 CROSS JOIN order_return
 CROSS JOIN orders
 WHERE return_id = named.id
   AND orders.order_id = order_return.order_id"""
        + _THEIRS
    )
    _OF_REQUESTS = ", customer_id, request_id, request_hash\n  FROM orders\n"
    # SQLite pairs two lists by looking into the second: joined, it would be read anew for every
    # item.
    FIND_REQUESTS = (
        SELECT_STATES
        + _OF_REQUESTS
        + either(
            postgresql="""
  JOIN unnest($1::text[], $2::text[]) AS asked (customer_id, request_id)
       USING (customer_id, request_id)
""",
            sqlite="""
 WHERE (customer_id, request_id) IN (SELECT value, json_extract($2, '$[' || key || ']')
                                       FROM json_each($1))
""",
        )
    )
