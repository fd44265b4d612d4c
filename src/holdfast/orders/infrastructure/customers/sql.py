"""SQL about customers, as PostgreSQL reads it: profiles, and what erasing empties."""

from holdfast.chassis.database.sql import either


class CustomerStatements:
    """What `rows.py` and `reader.py` ask of the database, and how an order takes a profile."""

    _PROFILE = """
SELECT customer_id, name, email, phone, address, version, created_at, updated_at, erased_at
  FROM customer
"""
    FIND_PROFILE = _PROFILE + " WHERE customer_id = $1"
    LIST_PROFILES = (
        _PROFILE
        + """
 WHERE customer_id > $1
 ORDER BY customer_id
 LIMIT $2
"""
    )
    LIST_PROFILES_OF_EMAIL = (
        _PROFILE
        + """
 WHERE email = $3
   AND email <> ''          -- the index has no others
   AND customer_id > $1
 ORDER BY customer_id
 LIMIT $2
"""
    )
    ANY_ORDER_OF_CUSTOMER = """
SELECT 1 AS found
  FROM orders
 WHERE customer_id = $1
 LIMIT 1
"""

    # Version 0 is never committed: whoever adds it saves it as 1 or rolls back.
    ADD_PROFILE = """
INSERT INTO customer (customer_id, name, email, phone, address, version, created_at, updated_at)
     VALUES ($1, '', '', '', '', 0, $2, $2)
ON CONFLICT (customer_id) DO NOTHING
"""
    LOCK_PROFILE = FIND_PROFILE + " FOR NO KEY UPDATE"
    SAVE_PROFILE = """
UPDATE customer
   SET name = $2, email = $3, phone = $4, address = $5, version = $6, updated_at = $7,
       erased_at = $8
 WHERE customer_id = $1
"""

    # The profile's lock makes who erases and who places wait for each other: an order that took a
    # copy is there to be erased, and after that nobody takes one.
    TAKE_PROFILES = either(
        postgresql="""
UPDATE orders
   SET name = profile.name, email = profile.email, phone = profile.phone, address = profile.address
  FROM unnest($1::uuid[], $2::text[]) AS new (order_id, customer_id)
 CROSS JOIN LATERAL (SELECT name, email, phone, address
                       FROM customer
                      WHERE customer.customer_id = new.customer_id
                        AND erased_at IS NULL
                        FOR SHARE) AS profile
 WHERE orders.order_id = new.order_id
""",
        sqlite="""
UPDATE orders
   SET name = profile.name, email = profile.email, phone = profile.phone, address = profile.address
  FROM customer AS profile
 WHERE profile.customer_id = $2
   AND profile.erased_at IS NULL
   AND orders.order_id = $1
""",
    )

    # PostgreSQL makes the array first, and so can't turn it round and walk everyone's orders.
    _OF_CUSTOMER = either(
        postgresql="""
 WHERE order_id = ANY(ARRAY(SELECT order_id
                              FROM orders
                             WHERE customer_id = $1))
""",
        sqlite="""
 WHERE order_id IN (SELECT order_id
                      FROM orders
                     WHERE customer_id = $1)
""",
    )
    # All of them are locked, in everyone's order, and those that are not final are told.
    _LOCKED = either(
        postgresql="""
WITH locked AS MATERIALIZED (
SELECT order_id, status
  FROM orders
""",
        sqlite="""
WITH locked AS (
SELECT order_id, status
  FROM orders
""",
    )
    LOCK_ORDERS_OF_CUSTOMER = (
        _LOCKED
        + _OF_CUSTOMER
        + """
 ORDER BY orders.order_id
   FOR NO KEY UPDATE)
SELECT order_id::text AS order_id
  FROM locked
 WHERE status <> ALL($2::text[])
 ORDER BY locked.order_id
"""
    )
    EMPTY_ORDERS = """
UPDATE orders
   SET name = '', email = '', phone = '', address = ''
 WHERE customer_id = $1
   AND (name <> '' OR email <> '' OR phone <> '' OR address <> '')
"""
    _DETAILS = """
UPDATE order_details
   SET note = '', attributes = '[]', ship_to = $2, bill_to = $2
"""
    # `$2` is an address without any part.
    EMPTY_DETAILS = (
        _DETAILS
        + _OF_CUSTOMER
        + """
   AND (note <> '' OR attributes <> '[]' OR ship_to <> $2::jsonb OR bill_to <> $2::jsonb)
"""
    )
    _REASONS = """
UPDATE order_history
   SET reason = ''
"""
    EMPTY_REASONS = (
        _REASONS
        + _OF_CUSTOMER
        + """
   AND status = 'CANCELLED'
   AND action = ''          -- else the text is the system's own
   AND reason <> ''
"""
    )
    ERASED_SINCE_ORDER = """
SELECT customer.customer_id
  FROM orders
  JOIN customer ON customer.customer_id = orders.customer_id
 WHERE orders.order_id = $1::uuid
   AND customer.erased_at >= orders.placed_at
"""
