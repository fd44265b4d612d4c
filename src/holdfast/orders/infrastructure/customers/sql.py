"""SQL about customers, as PostgreSQL reads it: profiles, and what erasing empties."""

from holdfast.chassis.database.sql import either


class CustomerStatements:
    """What `rows.py` and `reader.py` ask of the database, beside the orders."""

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
    LIST_PROFILES_OF_NAME = (
        _PROFILE
        + """
 WHERE folded_name >= $3
   AND folded_name < $4
   AND folded_name <> ''    -- the index has no others
   AND (folded_name, customer_id) > ($1, $2)
   AND ($6 = '' OR email = $6)
 ORDER BY folded_name, customer_id
 LIMIT $5
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
    LOCK_PROFILES_WITH_EMAIL = (
        _PROFILE
        + """
 WHERE email = $1
   AND email <> ''          -- the index has no others
 ORDER BY customer_id       -- one lock order for everyone: no deadlocks
   FOR NO KEY UPDATE
"""
    )
    SAVE_PROFILES = """
UPDATE customer
   SET name = new.name, email = new.email, phone = new.phone, address = new.address,
       version = new.version, updated_at = new.updated_at, erased_at = new.erased_at,
       folded_name = new.folded_name
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[],
              $7::timestamptz[], $8::timestamptz[], $9::text[])
       AS new (customer_id, name, email, phone, address, version,
               updated_at, erased_at, folded_name)
 WHERE customer.customer_id = new.customer_id
"""

    # All of them are locked, in everyone's order. PostgreSQL makes the array first, and so can't
    # turn it round and walk everyone's orders; what has another e-mail address by the time it is
    # locked is left out.
    LOCK_ORDERS_TO_ERASE = either(
        postgresql="""
SELECT order_id::text AS order_id, status
  FROM orders
 WHERE order_id = ANY(ARRAY(SELECT order_id
                              FROM orders
                             WHERE customer_id = ANY($1::text[])
                             UNION
                            SELECT order_id
                              FROM orders
                             WHERE email = $2::text
                               AND email <> ''))
   AND (customer_id = ANY($1::text[]) OR email = $2::text AND email <> '')
 ORDER BY orders.order_id
   FOR NO KEY UPDATE
""",
        sqlite="""
SELECT order_id, status
  FROM orders
 WHERE order_id IN (SELECT order_id
                      FROM orders
                     WHERE customer_id IN (SELECT value FROM json_each($1))
                     UNION
                    SELECT order_id
                      FROM orders
                     WHERE email = $2
                       AND email <> '')
 ORDER BY order_id
""",
    )
    # `$2` is an address without any part.
    EMPTY_DETAILS = """
UPDATE order_details
   SET note = '', attributes = '[]', ship_to = $2, bill_to = $2
 WHERE order_id = ANY($1::uuid[])
   AND (note <> '' OR attributes <> '[]' OR ship_to <> $2::jsonb OR bill_to <> $2::jsonb)
"""
    EMPTY_REASONS = """
   UPDATE order_history
      SET reason = ''
    WHERE order_id = ANY($1::uuid[])
      AND (status = 'CANCELLED' AND action = ''
           OR (action = 'EDIT_ASKED'
               OR status = 'SHIPPED' AND action = ''  -- where the rest was cancelled
                  AND EXISTS (SELECT 1
                                FROM order_edit
                               WHERE order_edit.order_id = order_history.order_id
                                 AND ended_version = order_history.version))
              AND reason NOT IN ('order edited', 'units cancelled'))  -- the system's own
      AND reason <> ''
RETURNING order_id::text AS order_id
"""
    EMPTY_RETURN_REASONS = """
   UPDATE return_item
      SET reason = ''
    WHERE return_id IN (SELECT return_id
                          FROM order_return
                         WHERE order_id = ANY($1::uuid[]))
      AND reason <> ''
RETURNING (SELECT order_id::text
             FROM order_return
            WHERE order_return.return_id = return_item.return_id) AS order_id
"""
    # Not even digests stay: whoever guesses well would know by one. "" is none.
    EMPTY_RETURN_REQUESTS = """
UPDATE order_return
   SET request_hash = ''
 WHERE order_id = ANY($1::uuid[])
   AND request_hash <> ''
"""
    # An order that was erased before is marked again if it had anything, if only a reason (`$3`).
    EMPTY_ORDERS = """
UPDATE orders
   SET name = '', email = '', phone = '', address = '', request_hash = '', erased_at = $2
 WHERE order_id = ANY($1::uuid[])
   AND (erased_at IS NULL OR order_id = ANY($3::uuid[]) OR request_hash <> ''
        OR name <> '' OR email <> '' OR phone <> '' OR address <> '')
"""
    ADD_ERASURE = """
INSERT INTO erasure
            (erasure_id, found_by, customer_id, actor, credential_id, erased_at,
             orders, profiles, forced)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
    FIND_ERASED_ORDER = """
SELECT 1 AS found
  FROM orders
 WHERE order_id = $1::uuid
   AND erased_at IS NOT NULL
"""
