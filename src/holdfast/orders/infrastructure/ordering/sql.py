"""SQL of Orders, as PostgreSQL reads it; `chassis/database/sql.py` tells how SQLite does."""

from holdfast.chassis.database.sql import by_engine, either
from holdfast.orders.infrastructure.customers.sql import CustomerStatements
from holdfast.orders.infrastructure.ordering.figures_sql import FiguresStatements
from holdfast.orders.infrastructure.ordering.naming_sql import SELECT_STATES, NamingStatements
from holdfast.orders.infrastructure.ordering.paging_sql import PagingStatements
from holdfast.orders.infrastructure.ordering.reading_sql import ReadingStatements
from holdfast.orders.infrastructure.ordering.waiting_sql import WaitingStatements
from holdfast.orders.infrastructure.shipping.sql import GoodsStatements


class Statements(
    ReadingStatements,
    PagingStatements,
    FiguresStatements,
    NamingStatements,
    WaitingStatements,
    CustomerStatements,
    GoodsStatements,
):
    """What `store.py` asks of the database and writes to it."""

    # Orders that bring no contact information, whose customers stand in `bare`, get a copy of the
    # profile's. Its lock makes who erases and who places wait for each other: an order that took a
    # copy is there to be erased, and after that nobody takes one. Everyone locks profiles, and then
    # inserts, in the order of the keys: two batches can't deadlock.
    _INTO_ORDERS = """
INSERT INTO orders
            (order_id, customer_id, request_id, request_hash, status, version,
             edition, edition_newest, asked, answered, stock_sequence, stock_revision, stock,
             currency, total_minor, name, email, phone, address,
             shortages, placed_at, updated_at, expires_at)
"""
    _NEW = either(
        postgresql="""
WITH new AS (SELECT *
               FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[],
                           $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[],
                           $10::text[], $11::timestamptz[], $12::timestamptz[], $13::text[])
                    AS new (order_id, customer_id, request_id, request_hash,
                            currency, total_minor, name, email, phone,
                            address, at, expires_at, bare)
              ORDER BY bare COLLATE "C")
""",
        sqlite="""
WITH new (order_id, customer_id, request_id, request_hash,
          currency, total_minor, name, email, phone,
          address, at, expires_at, bare)
  AS (VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13))
""",
    )
    _AS_ORDERS = """
SELECT order_id, new.customer_id, request_id, request_hash, 'PENDING', 1,
       1, 1, 1, 0, 0, 0, '[]', currency, total_minor,
       coalesce(profile.name, new.name), coalesce(profile.email, new.email),
       coalesce(profile.phone, new.phone), coalesce(profile.address, new.address),
       '[]', at, at, expires_at
  FROM new
"""
    _BY_PROFILES = either(
        postgresql="""
  LEFT JOIN LATERAL (SELECT name, email, phone, address
                       FROM customer
                      WHERE customer.customer_id = new.bare
                        AND erased_at IS NULL
                        FOR SHARE) AS profile ON true
 ORDER BY request_id COLLATE "C", new.customer_id COLLATE "C"
""",
        sqlite="""
  LEFT JOIN customer AS profile ON profile.customer_id = new.bare AND profile.erased_at IS NULL
""",
    )
    INSERT_ORDERS = _INTO_ORDERS + _NEW + _AS_ORDERS + _BY_PROFILES

    INSERT_LINES = """
INSERT INTO order_line (order_id, edition, line_no, product_id, quantity, unit_price_minor)
SELECT *
  FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::text[], $5::bigint[], $6::bigint[])
"""

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


SQL = by_engine(Statements)
