"""SQL that counts the orders of a day, as PostgreSQL reads it."""

from holdfast.chassis.database.sql import either

_OF_DAY = """
 WHERE orders.order_id >= $1::uuid
   AND orders.order_id < $2::uuid
   AND placed_at >= $3
   AND placed_at < $4
"""
_SHORT_OF = """
SELECT product_id, sum(rejected)::bigint AS rejected, sum(missing)::bigint AS missing,
       sum(waiting)::bigint AS waiting, sum(waited_for)::bigint AS waited_for
  FROM (
"""
_MOST_FIRST = """
       ) AS short
GROUP BY product_id
ORDER BY sum(rejected) + sum(waiting) DESC, product_id
   LIMIT 1000
"""


class FiguresStatements:
    """What `figures.py` asks of the database. Ids hold about the time of placing: every statement
    reads a range of a primary key, and no other index is there for it.
    """

    # In two parts: together, totals may be more than a bigint holds.
    _SALES = """
SELECT currency, count(*) AS orders,
       sum(CASE WHEN came THEN total_minor / 1000000000 ELSE 0 END)::bigint AS billions,
       sum(CASE WHEN came THEN total_minor % 1000000000 ELSE 0 END)::bigint AS rest
"""
    _PLACED = """
  FROM (SELECT currency, total_minor,
               status NOT IN ('REJECTED', 'CANCELLED', 'EXPIRED') AS came
          FROM orders
"""
    _BY_CURRENCY = """
       ) AS placed
GROUP BY currency
ORDER BY currency
"""
    COUNT_SALES = _SALES + _PLACED + _OF_DAY + _BY_CURRENCY

    # An order's statuses one after the other: the first is the one it was placed with, the second
    # its first answer. $5: the reason of a promise that has to be waited for.
    _MS = either(
        postgresql="(extract(epoch FROM changed_at - placed_at) * 1000)::bigint",
        sqlite="CAST(round((julianday(changed_at) - julianday(placed_at)) * 86400000) AS INTEGER)",
    )
    _OUTCOMES = """
SELECT count(CASE WHEN promised AND reason <> $5 THEN 1 END) AS at_once,
       count(CASE WHEN promised AND reason = $5 THEN 1 END) AS waited,
       count(CASE WHEN status = 'REJECTED' THEN 1 END) AS rejected,
       count(CASE WHEN status IN ('CANCELLED', 'EXPIRED') THEN 1 END) AS ended,
       min(CASE WHEN promised AND place * 100 >= alike * 50 THEN ms END) AS p50_ms,
       min(CASE WHEN promised AND place * 100 >= alike * 95 THEN ms END) AS p95_ms
"""
    _RANKED = """
  FROM (SELECT status, reason, promised, ms,
               row_number() OVER (PARTITION BY promised ORDER BY ms) AS place,
               count(*) OVER (PARTITION BY promised) AS alike
          FROM (SELECT status, reason, status IN ('CONFIRMED', 'RESERVED') AS promised,
"""
    _DECIDED = """ AS ms
                  FROM (SELECT status, reason, changed_at,
                               lag(changed_at) OVER statuses AS placed_at,
                               row_number() OVER statuses AS number
                          FROM order_history
                         WHERE order_id >= $1::uuid
                           AND order_id < $2::uuid
                           AND action = ''
                        WINDOW statuses AS (PARTITION BY order_id ORDER BY version)) AS entries
                 WHERE number = 2
                   AND placed_at >= $3
                   AND placed_at < $4) AS decided) AS ranked
"""
    COUNT_OUTCOMES = _OUTCOMES + _RANKED + _MS + _DECIDED

    _REJECTED = either(
        postgresql="""
SELECT short.one ->> 0 AS product_id, 1 AS rejected,
       (short.one ->> 1)::bigint - (short.one ->> 2)::bigint AS missing,
       0 AS waiting, 0 AS waited_for
  FROM order_history
 CROSS JOIN LATERAL (SELECT shortages
                       FROM orders
                      WHERE orders.order_id = order_history.order_id
                        AND placed_at >= $3
                        AND placed_at < $4) AS rejected
 CROSS JOIN jsonb_array_elements(shortages) AS short (one)
""",
        sqlite="""
SELECT json_extract(short.value, '$[0]') AS product_id, 1 AS rejected,
       json_extract(short.value, '$[1]') - json_extract(short.value, '$[2]') AS missing,
       0 AS waiting, 0 AS waited_for
  FROM order_history
 CROSS JOIN orders
    ON orders.order_id = order_history.order_id
   AND placed_at >= $3
   AND placed_at < $4
 CROSS JOIN json_each(shortages) AS short
""",
    )
    _REJECTED_OF_DAY = """
 WHERE order_history.status = 'REJECTED'
   AND action = ''              -- not what was recorded of it afterwards, such as a payment
   AND order_history.order_id >= $1::uuid
   AND order_history.order_id < $2::uuid
"""
    # What waits has no location.
    _WAITING = either(
        postgresql="""
SELECT held.one ->> 0, 0, 0, 1, (held.one ->> 2)::bigint
  FROM orders
 CROSS JOIN json_array_elements(stock) AS held (one)
""",
        sqlite="""
SELECT json_extract(held.value, '$[0]'), 0, 0, 1, json_extract(held.value, '$[2]')
  FROM orders
 CROSS JOIN json_each(stock) AS held
""",
    )
    _NOWHERE = either(
        postgresql="   AND held.one ->> 1 = ''\n",
        sqlite="   AND json_extract(held.value, '$[1]') = ''\n",
    )
    COUNT_SHORTAGES = (
        (_SHORT_OF + _REJECTED + _REJECTED_OF_DAY)
        + (" UNION ALL" + _WAITING + _OF_DAY + _NOWHERE)
        + _MOST_FIRST
    )
