"""SQL of Orders, as PostgreSQL reads it; `chassis/database/sql.py` tells how SQLite does."""

from holdfast.chassis.database.sql import by_engine, either
from holdfast.orders.infrastructure.customers.sql import CustomerStatements
from holdfast.orders.infrastructure.ordering.figures_sql import FiguresStatements
from holdfast.orders.infrastructure.ordering.naming_sql import (
    SELECT_STATES,
    STATE,
    NamingStatements,
)
from holdfast.orders.infrastructure.ordering.paging_sql import PagingStatements
from holdfast.orders.infrastructure.ordering.reading_sql import ReadingStatements
from holdfast.orders.infrastructure.shipping.sql import GoodsStatements

_LOCKING = """
  SELECT locked.*
    FROM {leading}
   CROSS JOIN LATERAL (SELECT orders.order_id::text AS order_id,{state}
                         FROM orders
                        WHERE orders.order_id = {leading}.order_id
                          AND {open_}
                          FOR NO KEY UPDATE SKIP LOCKED) AS locked
   WHERE true
"""
_LOCKING_ON_SQLITE = """
  SELECT orders.order_id,{state}
    FROM {leading}
   CROSS JOIN orders USING (order_id)
   WHERE {open_}
"""


def _locking(leading: str, open_: str, *, on_postgresql: str = "") -> str:
    """Rows of another table lead and each looks its order up, locked; those locked by others are
    left out. PostgreSQL can't turn a LATERAL round, nor SQLite a CROSS JOIN, and walk all orders.

    :param open_: asked for under the lock, as what leads may be out of date.
    :param on_postgresql: more to ask for there.
    """
    state = STATE.replace("expires_at", "orders.expires_at")  # which holds have, too
    facts = {"leading": leading, "state": state}
    return either(
        postgresql=_LOCKING.format(open_=open_ + on_postgresql, **facts),
        sqlite=_LOCKING_ON_SQLITE.format(open_=open_, **facts),
    )


class Statements(
    ReadingStatements,
    PagingStatements,
    FiguresStatements,
    NamingStatements,
    CustomerStatements,
    GoodsStatements,
):
    """What `store.py` asks of the database and writes to it."""

    INSERT_ORDERS = """
INSERT INTO orders
            (order_id, customer_id, request_id, request_hash, status, version,
             edition, edition_newest, asked, answered, stock_sequence, stock_revision, stock,
             currency, total_minor, name, email, phone, address,
             shortages, placed_at, updated_at, expires_at)
SELECT order_id, customer_id, request_id, request_hash, 'PENDING', 1,
       1, 1, 1, 0, 0, 0, '[]',
       currency, total_minor, name, email, phone, address,
       '[]', at, at, expires_at
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[],
              $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[],
              $11::timestamptz[], $12::timestamptz[])
       AS new (order_id, customer_id, request_id, request_hash,
               currency, total_minor, name, email, phone, address,
               at, expires_at)
ON CONFLICT (request_id, customer_id) DO NOTHING
"""

    INSERT_LINES = """
INSERT INTO order_line (order_id, edition, line_no, product_id, quantity, unit_price_minor)
SELECT *
  FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::text[], $5::bigint[], $6::bigint[])
"""

    INSERT_UNANSWERED = """
INSERT INTO unanswered (order_id, since, asked_at)
SELECT order_id, at, at
  FROM unnest($1::uuid[], $2::timestamptz[]) AS new (order_id, at)
"""

    PUT_UNANSWERED = """
INSERT INTO unanswered (order_id, since, asked_at)
SELECT order_id, at, at
  FROM unnest($1::uuid[], $2::timestamptz[]) AS new (order_id, at)
ON CONFLICT (order_id) DO UPDATE SET since = excluded.since, asked_at = excluded.asked_at
"""

    DELETE_UNANSWERED = either(
        postgresql="""
DELETE FROM unanswered
      WHERE order_id = ANY($1::uuid[])
""",
        sqlite="""
DELETE FROM unanswered
      WHERE order_id = $1
""",
    )

    INSERT_HISTORY = """
INSERT INTO order_history
            (order_id, version, status, changed_at, reason, actor, action, credential_id)
SELECT *
  FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[], $5::text[], $6::text[],
              $7::text[], $8::text[])
"""

    INSERT_PLACED = """
INSERT INTO order_history
            (order_id, version, status, changed_at, reason, actor, action, credential_id)
SELECT order_id, 1, 'PENDING', at, reason, actor, '', credential_id
  FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[])
       AS new (order_id, at, reason, actor, credential_id)
"""

    INSERT_CHARGES = """
INSERT INTO order_charge (order_id, edition, charge_no, line_no, kind, code, amount_minor)
SELECT *
  FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[], $5::text[], $6::text[],
              $7::bigint[])
"""

    INSERT_SOURCINGS = """
INSERT INTO order_sourcing (order_id, edition, strategy, location_ids, may_split, in_stock_only)
SELECT *
  FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::jsonb[], $5::boolean[], $6::boolean[])
"""

    # Of what an order wants: its lines, or those that an edit under way is to give it.
    WANTED_SOURCINGS = """
  SELECT orders.order_id::text AS order_id, strategy, location_ids, may_split, in_stock_only
    FROM orders
    JOIN order_sourcing ON order_sourcing.order_id = orders.order_id
     AND order_sourcing.edition = CASE WHEN edit_revision IS NULL THEN orders.edition
                                       ELSE edition_newest END
   WHERE orders.order_id = ANY($1::uuid[])
"""

    PUT_DETAILS = """
INSERT INTO order_details (order_id, reference, channel, note, attributes, ship_to, bill_to)
SELECT order_id, reference, channel, note, attributes, ship_to, bill_to
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::jsonb[], $7::jsonb[])
       AS new (order_id, reference, channel, note, attributes, ship_to, bill_to)
ON CONFLICT (order_id) DO UPDATE
   SET reference = excluded.reference, channel = excluded.channel, note = excluded.note,
       attributes = excluded.attributes, ship_to = excluded.ship_to, bill_to = excluded.bill_to
"""

    PUT_PAYMENT_STATES = """
INSERT INTO payment_state (order_id, status)
SELECT order_id, status
  FROM unnest($1::uuid[], $2::text[]) AS new (order_id, status)
ON CONFLICT (order_id) DO UPDATE SET status = excluded.status
"""

    INSERT_HOLDS = """
INSERT INTO hold (order_id, expires_at)
SELECT order_id, expires_at
  FROM unnest($1::uuid[], $2::timestamptz[]) AS new (order_id, expires_at)
ON CONFLICT (order_id) DO UPDATE SET expires_at = excluded.expires_at
"""

    DELETE_HOLDS = either(
        postgresql="""
DELETE FROM hold
      WHERE order_id = ANY($1::uuid[])
""",
        sqlite="""
DELETE FROM hold
      WHERE order_id = $1
""",
    )

    INSERT_PAYMENTS = """
INSERT INTO payment (order_id, version, kind, reference, amount_minor, recorded_at)
SELECT *
  FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[])
"""

    PAYMENTS_OF_ORDERS = """
   SELECT orders.order_id::text AS order_id, currency, total_minor, kind, reference, amount_minor,
          CASE WHEN edit_revision IS NOT NULL
               THEN (SELECT order_edit.total_minor
                       FROM order_edit
                      WHERE order_edit.order_id = orders.order_id
                        AND order_edit.edition = orders.edition_newest) END AS edited_minor
     FROM orders
LEFT JOIN payment ON payment.order_id = orders.order_id
    WHERE orders.order_id = ANY($1::uuid[])
 ORDER BY orders.order_id, payment.version
"""

    # SQLite has no clock that a simulation could set: there it is the process's.
    DATABASE_NOW = either(
        postgresql="""
SELECT statement_timestamp() AS now
 WHERE $1::timestamptz IS NOT NULL
""",
        sqlite="""
SELECT $1 AS now
""",
    )
    _ENDED_HOLD = either(
        postgresql="hold.expires_at <= statement_timestamp() AND $1::timestamptz IS NOT NULL",
        sqlite="hold.expires_at <= $1",
    )
    _ANY_HOLD = """
SELECT 1 AS found
  FROM hold
 WHERE """
    ANY_HOLD_ENDED = _ANY_HOLD + _ENDED_HOLD + "\n LIMIT 1\n"

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

    _LOCKED = """
    FROM orders
   WHERE orders.order_id = ANY($1::uuid[])
ORDER BY orders.order_id          -- one lock order for everyone: no deadlocks
     FOR NO KEY UPDATE
"""
    LOCK_STATES = SELECT_STATES + _LOCKED
    KNOWN_OF_ORDER = """
   SELECT name, email, phone, address,
          reference, channel, note, attributes, ship_to, bill_to
     FROM orders
LEFT JOIN order_details USING (order_id)
    WHERE orders.order_id = $1::uuid
"""

    # The version guards what the lock already holds: a change never applies twice. NULL leaves what
    # is asked, known, missing, held and confirmed as it is.
    UPDATE_STATES = """
UPDATE orders
   SET status = new.status, version = new.version, updated_at = new.at,
       shortages = coalesce(new.shortages, orders.shortages),
       asked = coalesce(new.asked, orders.asked),
       answered = coalesce(new.answered, orders.answered),
       stock_sequence = coalesce(new.sequence, orders.stock_sequence),
       stock_revision = coalesce(new.revision, orders.stock_revision),
       stock = coalesce(new.stock, orders.stock),
       expires_at = coalesce(new.expires_at, orders.expires_at),
       confirmed_by = coalesce(new.confirmed_by, orders.confirmed_by)
  FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bigint[], $5::timestamptz[],
              $6::bigint[], $7::bigint[], $8::bigint[], $9::json[],
              $10::jsonb[], $11::bigint[], $12::timestamptz[], $13::text[])
       AS new (order_id, before, status, version, at,
               answered, sequence, revision, stock,
               shortages, asked, expires_at, confirmed_by)
 WHERE orders.order_id = new.order_id
   AND orders.version = new.before
"""

    # By an answer that tells no more than what is held, as nearly all do.
    SETTLE_STATES = """
UPDATE orders
   SET status = new.status, version = new.version, updated_at = new.at,
       answered = new.answered, stock_sequence = new.sequence, stock_revision = new.revision,
       stock = new.stock
  FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bigint[], $5::timestamptz[],
              $6::bigint[], $7::bigint[], $8::bigint[], $9::json[])
       AS new (order_id, before, status, version, at,
               answered, sequence, revision, stock)
 WHERE orders.order_id = new.order_id
   AND orders.version = new.before
"""

    # What is known of the stock is replaced by what is newer only.
    UPDATE_STOCK = """
UPDATE orders
   SET answered = new.answered, stock_sequence = new.sequence, stock_revision = new.revision,
       stock = new.stock
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::json[])
       AS new (order_id, answered, sequence, revision, stock)
 WHERE orders.order_id = new.order_id
   AND orders.stock_sequence < new.sequence
"""

    INSERT_EDITS = """
INSERT INTO order_edit
            (order_id, edition, revision, state, total_minor, missing, asked_version, ended_version)
SELECT order_id, edition, revision, state, total_minor, '[]', asked_version, ended_version
  FROM unnest($1::uuid[], $2::integer[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[],
              $7::bigint[])
       AS new (order_id, edition, revision, state, total_minor, asked_version, ended_version)
"""

    END_EDITS = """
UPDATE order_edit
   SET state = new.state, missing = new.missing, ended_version = new.version
  FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::jsonb[], $5::bigint[])
       AS new (order_id, edition, state, missing, version)
 WHERE order_edit.order_id = new.order_id
   AND order_edit.edition = new.edition
"""

    UPDATE_EDITIONS = """
UPDATE orders
   SET edition = new.edition, edition_newest = new.newest, edit_revision = new.revision,
       total_minor = coalesce(new.total_minor, orders.total_minor)
  FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::bigint[], $5::bigint[])
       AS new (order_id, edition, newest, revision, total_minor)
 WHERE orders.order_id = new.order_id
"""

    # What an order wants: its lines, or those that an edit under way is to give it.
    WANTED_LINES = """
  SELECT orders.order_id::text AS order_id, product_id, quantity
    FROM orders
    JOIN order_line ON order_line.order_id = orders.order_id
     AND order_line.edition = CASE WHEN edit_revision IS NULL THEN orders.edition
                                   ELSE edition_newest END
   WHERE orders.order_id = ANY($1::uuid[])
"""

    UPDATE_CUSTOMERS = """
UPDATE orders
   SET name = new.name, email = new.email, phone = new.phone, address = new.address
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
       AS new (order_id, name, email, phone, address)
 WHERE orders.order_id = new.order_id
"""

    # An order that has its answer meanwhile, or in this transaction, may still stand among those
    # who wait; one that was confirmed or cancelled among the holds.
    _LOCK_UNANSWERED = _locking("unanswered", "answered < asked")
    _LOCK_HELD = _locking(
        "hold",
        "status IN ('PENDING', 'RESERVED')",
        on_postgresql="\n                          AND orders.expires_at <= statement_timestamp()",
    )
    _OLDEST_FIRST = """
ORDER BY unanswered.order_id
   LIMIT $2
"""
    # Who waits longer is asked about more seldom. As far ahead as an answer is late, a moment is a
    # wrong clock's: without it the order would wait until then.
    _LATE = either(
        postgresql="""
     AND (asked_at < $1
          AND $3::timestamptz - asked_at >= asked_at - since
          OR asked_at - $3::timestamptz > $3::timestamptz - $1::timestamptz)
""",
        sqlite="""
     AND (asked_at < $1
          AND julianday($3) - julianday(asked_at) >= julianday(asked_at) - julianday(since)
          OR julianday(asked_at) - julianday($3) > julianday($3) - julianday($1))
""",
    )
    CLAIM_LATE = _LOCK_UNANSWERED + _LATE + _OLDEST_FIRST
    CLAIM_EXPIRED = _LOCK_UNANSWERED + "     AND since < $1 AND status = 'PENDING'" + _OLDEST_FIRST

    _SOONEST_FIRST = """
ORDER BY hold.expires_at, hold.order_id
   LIMIT $2
"""
    CLAIM_ENDED_HOLDS = _LOCK_HELD + "     AND " + _ENDED_HOLD + _SOONEST_FIRST

    # By id, which is about the order of time. Counting stops where any figure is trouble enough.
    COUNT_PENDING = """
SELECT count(*) AS waiting, min(since) AS oldest
  FROM (SELECT since
          FROM unanswered
          JOIN orders ON orders.order_id = unanswered.order_id
         WHERE status = 'PENDING'
      ORDER BY unanswered.order_id
         LIMIT 10000) AS waiting
"""

    MARK_ASKED = """
UPDATE unanswered
   SET asked_at = $2
 WHERE order_id = ANY($1::uuid[])
RETURNING order_id::text AS order_id, since
"""


SQL = by_engine(Statements)
