-- Written by `.venv/bin/python -m tests.contract.written_sql`, not by hand.

BEGIN;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 0001

CREATE TABLE orders (
    order_id     TEXT PRIMARY KEY,
    customer_id  TEXT NOT NULL,
    request_id   TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status       TEXT NOT NULL,
    version      INTEGER NOT NULL,
    edition      INTEGER NOT NULL,               -- whose lines and charges count
    edition_newest INTEGER NOT NULL,             -- never used again, also when it never counts
    edit_revision INTEGER,                        -- the question that decides the newest; NULL: none
    -- The newest question to Inventory (StockWanted.revision), and the newest answered.
    asked        INTEGER NOT NULL,
    answered     INTEGER NOT NULL CHECK (answered <= asked),
    -- What Inventory holds, as it last told: its reservation's version, and the question decided.
    stock_sequence INTEGER NOT NULL,
    stock_revision INTEGER NOT NULL,
    stock        TEXT NOT NULL,                  -- [[product, location, units, why], ...]
                                                 -- Those without a location ('') wait for stock.
    currency     TEXT NOT NULL,
    total_minor  INTEGER NOT NULL CHECK (total_minor >= 0),
    name         TEXT NOT NULL,
    email        TEXT NOT NULL,
    phone        TEXT NOT NULL,
    address      TEXT NOT NULL,
    shortages    TEXT NOT NULL,
    expires_at   TEXT,                    -- of its hold, also when that is over
    confirmed_by TEXT,               -- the payment's reference
    placed_at    TEXT NOT NULL,
    updated_at   TEXT NOT NULL,
    erased_at    TEXT,                    -- what it says of people; it stays so
    -- For ever: what makes a repeated request harmless. The request leads, so that it is found
    -- whoever the customer is.
    UNIQUE (request_id, customer_id)
);

CREATE INDEX orders_by_customer ON orders (customer_id, order_id);

CREATE INDEX orders_by_email ON orders (email, order_id) WHERE email <> '';

-- No index of `orders` holds what settling changes, and its pages are left half empty: nearly every
-- update then happens in place (HOT) and touches no index. Who waits for an answer of
-- Inventory (answered < asked) stands here instead; all that is PENDING does.
CREATE TABLE unanswered (
    order_id TEXT PRIMARY KEY,
    since    TEXT NOT NULL,
    asked_at TEXT NOT NULL
) WITHOUT ROWID;

-- What is known beside the lines: a row only where something was given.
CREATE TABLE order_details (
    order_id   TEXT PRIMARY KEY,
    reference  TEXT NOT NULL,
    channel    TEXT NOT NULL,
    note       TEXT NOT NULL,
    attributes TEXT NOT NULL,                   -- [[key, value], ...]
    ship_to    TEXT NOT NULL,                   -- the parts of an address, in order
    bill_to    TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX order_details_by_reference ON order_details (reference, order_id)
 WHERE reference <> '';

CREATE INDEX order_details_by_channel ON order_details (channel, order_id) WHERE channel <> '';

CREATE TABLE order_charge (
    order_id     TEXT NOT NULL,
    edition      INTEGER NOT NULL,
    charge_no    INTEGER NOT NULL,
    line_no      INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    code         TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
    PRIMARY KEY (order_id, edition, charge_no)
) WITHOUT ROWID;

-- Where the stock of an edition is to come from: a row only where it is not by priority.
CREATE TABLE order_sourcing (
    order_id     TEXT NOT NULL,
    edition      INTEGER NOT NULL,
    strategy     TEXT NOT NULL,
    location_ids TEXT NOT NULL,                 -- [location, ...]
    may_split    INTEGER NOT NULL,
    in_stock_only INTEGER NOT NULL,
    PRIMARY KEY (order_id, edition)
) WITHOUT ROWID;

-- What has left: facts, only added; and how it travels, as last told. Sums of them are never kept:
-- what is not stored can't drift.
CREATE TABLE shipment (
    order_id        TEXT NOT NULL,
    shipment_id     TEXT NOT NULL,
    version         INTEGER NOT NULL,             -- the order's with it
    revision        INTEGER NOT NULL,             -- of the question that first told of it
    carrier         TEXT NOT NULL,
    tracking_number TEXT NOT NULL,
    tracking_url    TEXT NOT NULL,
    request_hash    TEXT NOT NULL,
    shipped_at      TEXT NOT NULL,
    delivered_at    TEXT,                 -- NULL: not known
    PRIMARY KEY (order_id, shipment_id)
) WITHOUT ROWID;

CREATE TABLE shipment_item (
    order_id    TEXT NOT NULL,
    shipment_id TEXT NOT NULL,
    item_no     INTEGER NOT NULL,
    line_no     INTEGER NOT NULL,
    product_id  TEXT NOT NULL,
    location_id TEXT NOT NULL,
    quantity    INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, shipment_id, item_no)
) WITHOUT ROWID;

-- What may come back, and what has: facts, only added but for the end of a return.
CREATE TABLE order_return (
    return_id    TEXT PRIMARY KEY,
    order_id     TEXT NOT NULL,
    version      INTEGER NOT NULL,                -- the order's with it
    request_id   TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    opened_at    TEXT NOT NULL,
    closed_at    TEXT,                    -- NULL: it is open
    UNIQUE (order_id, request_id)
) WITHOUT ROWID;

CREATE TABLE return_item (
    return_id  TEXT NOT NULL,
    line_no    INTEGER NOT NULL,
    product_id TEXT NOT NULL,
    quantity   INTEGER NOT NULL CHECK (quantity > 0),
    reason     TEXT NOT NULL,
    PRIMARY KEY (return_id, line_no)
) WITHOUT ROWID;

CREATE TABLE return_receipt (
    order_id     TEXT NOT NULL,
    request_id   TEXT NOT NULL,
    return_id    TEXT NOT NULL,
    version      INTEGER NOT NULL,                -- the order's with it
    revision     INTEGER NOT NULL,                -- of the question that first told of it
    request_hash TEXT NOT NULL,
    received_at  TEXT NOT NULL,
    PRIMARY KEY (order_id, request_id)
) WITHOUT ROWID;

CREATE TABLE receipt_item (
    order_id    TEXT NOT NULL,
    request_id  TEXT NOT NULL,
    item_no     INTEGER NOT NULL,
    line_no     INTEGER NOT NULL,
    product_id  TEXT NOT NULL,
    quantity    INTEGER NOT NULL CHECK (quantity > 0),
    disposition TEXT NOT NULL,
    location_id TEXT NOT NULL,
    PRIMARY KEY (order_id, request_id, item_no)
) WITHOUT ROWID;

-- Holds that run: all that is RESERVED, and what is PENDING and will be.
CREATE TABLE hold (
    order_id   TEXT PRIMARY KEY,
    expires_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX hold_by_end ON hold (expires_at);

-- Facts, only added; `version` is that of the order with it.
CREATE TABLE payment (
    order_id     TEXT NOT NULL,
    version      INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    reference    TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
    recorded_at  TEXT NOT NULL,
    PRIMARY KEY (order_id, version),
    UNIQUE (order_id, kind, reference)
) WITHOUT ROWID;

-- Where the payments of an order stand, to be sought by; it follows from the facts.
CREATE TABLE payment_state (
    order_id TEXT PRIMARY KEY,
    status   TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX payment_state_by_status ON payment_state (status, order_id);

CREATE TABLE order_line (
    order_id         TEXT NOT NULL,
    edition          INTEGER NOT NULL,
    line_no          INTEGER NOT NULL,
    product_id       TEXT NOT NULL,
    quantity         INTEGER NOT NULL CHECK (quantity > 0),
    unit_price_minor INTEGER NOT NULL CHECK (unit_price_minor >= 0),
    PRIMARY KEY (order_id, edition, line_no)
) WITHOUT ROWID;

CREATE INDEX order_line_by_product ON order_line (product_id, order_id);

-- Editions after the first, whatever became of them. Versions are the order's.
CREATE TABLE order_edit (
    order_id      TEXT NOT NULL,
    edition       INTEGER NOT NULL CHECK (edition > 1),
    revision      INTEGER NOT NULL,               -- of the question that decides it; 0: none
    state         TEXT NOT NULL,
    total_minor   INTEGER NOT NULL CHECK (total_minor >= 0),
    missing       TEXT NOT NULL,                -- [[product, wanted, available], ...]
    asked_version INTEGER NOT NULL,
    ended_version INTEGER,                        -- NULL: it is under way
    PRIMARY KEY (order_id, edition)
) WITHOUT ROWID;

CREATE TABLE order_history (
    order_id   TEXT NOT NULL,
    version    INTEGER NOT NULL,
    status     TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    reason     TEXT NOT NULL,
    actor      TEXT NOT NULL,
    action     TEXT NOT NULL,                    -- '': the status changed
    credential_id TEXT,                          -- what the actor came with; NULL: nothing
    PRIMARY KEY (order_id, version)
) WITHOUT ROWID;

-- The final statuses, word by word as in `ENDED` of sql.py, or a list by status can't use it.
CREATE INDEX order_history_of_ends ON order_history (status, order_id)
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED');

-- Who a customer is; an order without contact information takes a copy. Erased, a row stays.
CREATE TABLE customer (
    customer_id TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    email       TEXT NOT NULL,
    phone       TEXT NOT NULL,
    address     TEXT NOT NULL,
    version     INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    erased_at   TEXT,
    folded_name TEXT NOT NULL DEFAULT ''  -- by which it is found
) WITHOUT ROWID;

CREATE INDEX customer_by_name ON customer (folded_name, customer_id) WHERE folded_name <> '';

CREATE INDEX customer_by_email ON customer (email, customer_id) WHERE email <> '';

-- That something was erased, for whoever has to show it. Of an e-mail address nothing is kept, not
-- even a digest: addresses can be guessed.
CREATE TABLE erasure (
    erasure_id  TEXT PRIMARY KEY,
    found_by    TEXT NOT NULL,                   -- 'customer' or 'e-mail'
    customer_id TEXT NOT NULL,       -- '': found by e-mail
    actor       TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    erased_at   TEXT NOT NULL,
    orders      INTEGER NOT NULL CHECK (orders >= 0),
    profiles    INTEGER NOT NULL CHECK (profiles >= 0),
    forced      INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE outbox (
    position    INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id    TEXT NOT NULL,
    type        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    sequence    INTEGER NOT NULL,
    happened_at TEXT NOT NULL,
    traceparent TEXT NOT NULL,
    data        BLOB NOT NULL,
    is_repeat   INTEGER NOT NULL                 -- told before: not for the feed
);

-- What has left the outbox, in the order of leaving: dense, for whoever follows.
CREATE TABLE feed (
    position    INTEGER PRIMARY KEY,
    event_id    TEXT NOT NULL,
    type        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    sequence    INTEGER NOT NULL,
    happened_at TEXT NOT NULL,
    traceparent TEXT NOT NULL,
    data        BLOB NOT NULL
);

CREATE TABLE feed_head (                         -- one row
    feed_id TEXT NOT NULL,                       -- random: names this feed in every cursor
    last    INTEGER NOT NULL                      -- the newest position; 0: none yet
);

INSERT INTO feed_head VALUES (substr(lower(hex(randomblob(16))), 1, 12), 0);

CREATE TABLE inbox (
    event_id    TEXT PRIMARY KEY,
    received_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX inbox_by_age ON inbox (received_at);

CREATE TABLE dead_letter (
    letter_id   TEXT PRIMARY KEY,
    queue       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    parked_at   TEXT NOT NULL,
    body        BLOB NOT NULL,
    type        TEXT,           -- this and the rest: NULL when the body is no event
    subject     TEXT,
    sequence    INTEGER,
    happened_at TEXT,
    traceparent TEXT
) WITHOUT ROWID;

-- Rows of good keys are never deleted: one that is gone must not come back as a new one.
CREATE TABLE credential (
    key_id     TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    digest     BLOB NOT NULL,                   -- HMAC-SHA-256 of the secret
    grants     TEXT NOT NULL,                    -- roles and scopes, with blanks between
    networks   TEXT NOT NULL,                    -- likewise; '': anywhere
    created_at TEXT NOT NULL,
    expires_at TEXT,
    revoked_at TEXT,                      -- it stays so
    version    INTEGER NOT NULL,
    used_at    TEXT,                      -- about; no change of its version
    user_name  TEXT NOT NULL         -- who signed in for it; '': nobody
) WITHOUT ROWID;

CREATE INDEX credential_of_user ON credential (user_name, created_at) WHERE user_name <> '';

-- Those of users are deleted when they have expired, by which they can't come back. What the sum of
-- all versions misses of them is here.
CREATE TABLE credential_gone (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    versions   INTEGER NOT NULL
);

CREATE TABLE local_user (
    name         TEXT PRIMARY KEY,
    password     TEXT NOT NULL,                  -- argon2id
    grants       TEXT NOT NULL,                  -- roles and scopes, with blanks between
    created_at   TEXT NOT NULL,
    password_at  TEXT NOT NULL,           -- when it was set
    locked_at    TEXT,
    signed_in_at TEXT
) WITHOUT ROWID;

INSERT INTO alembic_version (version_num) VALUES ('0001') RETURNING version_num;

COMMIT;


-- PUT_SHIPMENTS
INSERT INTO shipment (order_id, shipment_id, version, revision, carrier, tracking_number,
                      tracking_url, request_hash, shipped_at, delivered_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6,
       ?7, ?8, ?9, ?10)
ON CONFLICT (order_id, shipment_id) DO UPDATE
   SET carrier = excluded.carrier, tracking_number = excluded.tracking_number,
       tracking_url = excluded.tracking_url, delivered_at = excluded.delivered_at
;

-- INSERT_SHIPMENT_ITEMS
INSERT INTO shipment_item
            (order_id, shipment_id, item_no, line_no, product_id, location_id, quantity)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6,
              ?7)
;

-- PUT_RETURNS
INSERT INTO order_return
            (return_id, order_id, version, request_id, request_hash, opened_at, closed_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (return_id) DO UPDATE SET closed_at = excluded.closed_at
;

-- INSERT_RETURN_ITEMS
INSERT INTO return_item (return_id, line_no, product_id, quantity, reason)
     VALUES (?1, ?2, ?3, ?4, ?5)
;

-- INSERT_RECEIPTS
INSERT INTO return_receipt
            (order_id, request_id, return_id, version, revision, request_hash, received_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6,
              ?7)
;

-- INSERT_RECEIPT_ITEMS
INSERT INTO receipt_item (order_id, request_id, item_no, line_no, product_id, quantity,
                          disposition, location_id)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6,
              ?7, ?8)
;

-- FIND_PROFILE
SELECT customer_id, name, email, phone, address, version, created_at, updated_at, erased_at
  FROM customer
 WHERE customer_id = ?1
;

-- LIST_PROFILES
SELECT customer_id, name, email, phone, address, version, created_at, updated_at, erased_at
  FROM customer
 WHERE customer_id > ?1
 ORDER BY customer_id
 LIMIT ?2
;

-- LIST_PROFILES_OF_EMAIL
SELECT customer_id, name, email, phone, address, version, created_at, updated_at, erased_at
  FROM customer
 WHERE email = ?3
   AND email <> ''          -- the index has no others
   AND customer_id > ?1
 ORDER BY customer_id
 LIMIT ?2
;

-- LIST_PROFILES_OF_NAME
SELECT customer_id, name, email, phone, address, version, created_at, updated_at, erased_at
  FROM customer
 WHERE folded_name >= ?3
   AND folded_name < ?4
   AND folded_name <> ''    -- the index has no others
   AND (folded_name, customer_id) > (?1, ?2)
   AND (?6 = '' OR email = ?6)
 ORDER BY folded_name, customer_id
 LIMIT ?5
;

-- ANY_ORDER_OF_CUSTOMER
SELECT 1 AS found
  FROM orders
 WHERE customer_id = ?1
 LIMIT 1
;

-- ADD_PROFILE
INSERT INTO customer (customer_id, name, email, phone, address, version, created_at, updated_at)
     VALUES (?1, '', '', '', '', 0, ?2, ?2)
ON CONFLICT (customer_id) DO NOTHING
;

-- LOCK_PROFILE
SELECT customer_id, name, email, phone, address, version, created_at, updated_at, erased_at
  FROM customer
 WHERE customer_id = ?1
;

-- LOCK_PROFILES_WITH_EMAIL
SELECT customer_id, name, email, phone, address, version, created_at, updated_at, erased_at
  FROM customer
 WHERE email = ?1
   AND email <> ''          -- the index has no others
 ORDER BY customer_id       -- one lock order for everyone: no deadlocks
;

-- SAVE_PROFILES
UPDATE customer
   SET name = new.column2, email = new.column3, phone = new.column4, address = new.column5,
       version = new.column6, updated_at = new.column7, erased_at = new.column8,
       folded_name = new.column9
  FROM (VALUES (?1, ?2, ?3, ?4, ?5, ?6,
              ?7, ?8, ?9)) AS new
 WHERE customer.customer_id = new.column1
;

-- LOCK_ORDERS_TO_ERASE
SELECT order_id, status
  FROM orders
 WHERE order_id IN (SELECT order_id
                      FROM orders
                     WHERE customer_id IN (SELECT value FROM json_each(?1))
                     UNION
                    SELECT order_id
                      FROM orders
                     WHERE email = ?2
                       AND email <> '')
 ORDER BY order_id
;

-- EMPTY_DETAILS
UPDATE order_details
   SET note = '', attributes = '[]', ship_to = ?2, bill_to = ?2
 WHERE order_id IN (SELECT value FROM json_each(?1))
   AND (note <> '' OR attributes <> '[]' OR ship_to <> ?2 OR bill_to <> ?2)
;

-- EMPTY_REASONS
   UPDATE order_history
      SET reason = ''
    WHERE order_id IN (SELECT value FROM json_each(?1))
      AND (status = 'CANCELLED' AND action = ''
           OR (action = 'EDIT_ASKED'
               OR status = 'SHIPPED' AND action = ''  -- where the rest was cancelled
                  AND EXISTS (SELECT 1
                                FROM order_edit
                               WHERE order_edit.order_id = order_history.order_id
                                 AND ended_version = order_history.version))
              AND reason NOT IN ('order edited', 'units cancelled'))  -- the system's own
      AND reason <> ''
RETURNING order_id AS order_id
;

-- EMPTY_RETURN_REASONS
   UPDATE return_item
      SET reason = ''
    WHERE return_id IN (SELECT return_id
                          FROM order_return
                         WHERE order_id IN (SELECT value FROM json_each(?1)))
      AND reason <> ''
RETURNING (SELECT order_id
             FROM order_return
            WHERE order_return.return_id = return_item.return_id) AS order_id
;

-- EMPTY_RETURN_REQUESTS
UPDATE order_return
   SET request_hash = ''
 WHERE order_id IN (SELECT value FROM json_each(?1))
   AND request_hash <> ''
;

-- EMPTY_ORDERS
UPDATE orders
   SET name = '', email = '', phone = '', address = '', request_hash = '', erased_at = ?2
 WHERE order_id IN (SELECT value FROM json_each(?1))
   AND (erased_at IS NULL OR order_id IN (SELECT value FROM json_each(?3)) OR request_hash <> ''
        OR name <> '' OR email <> '' OR phone <> '' OR address <> '')
;

-- ADD_ERASURE
INSERT INTO erasure
            (erasure_id, found_by, customer_id, actor, credential_id, erased_at,
             orders, profiles, forced)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
;

-- FIND_ERASED_ORDER
SELECT 1 AS found
  FROM orders
 WHERE order_id = ?1
   AND erased_at IS NOT NULL
;

-- INSERT_UNANSWERED
INSERT INTO unanswered (order_id, since, asked_at)
     VALUES (?1, ?2, ?2)
;

-- PUT_UNANSWERED
INSERT INTO unanswered (order_id, since, asked_at)
     VALUES (?1, ?2, ?2)
ON CONFLICT (order_id) DO UPDATE SET since = excluded.since, asked_at = excluded.asked_at
;

-- DELETE_UNANSWERED
DELETE FROM unanswered
      WHERE order_id = ?1
;

-- INSERT_HOLDS
INSERT INTO hold (order_id, expires_at)
     VALUES (?1, ?2)
ON CONFLICT (order_id) DO UPDATE SET expires_at = excluded.expires_at
;

-- DELETE_HOLDS
DELETE FROM hold
      WHERE order_id = ?1
;

-- DATABASE_NOW
SELECT ?1 AS now
;

-- ANY_HOLD_ENDED
SELECT 1 AS found
  FROM hold
 WHERE hold.expires_at <= ?1
 LIMIT 1
;

-- CLAIM_LATE
  SELECT orders.order_id,
       status, version, asked, answered, stock_sequence, orders.expires_at, confirmed_by,
       edition, edition_newest, edit_revision
    FROM unanswered
   CROSS JOIN orders USING (order_id)
   WHERE answered < asked
     AND NOT EXISTS (SELECT 1
                       FROM order_history AS told
                      WHERE told.order_id = orders.order_id
                        AND told.version > orders.version)
     AND (asked_at < ?1
          AND julianday(?3) - julianday(asked_at) >= julianday(asked_at) - julianday(since)
          OR julianday(asked_at) - julianday(?3) > julianday(?3) - julianday(?1))
ORDER BY unanswered.order_id
   LIMIT ?2
;

-- CLAIM_EXPIRED
  SELECT orders.order_id,
       status, version, asked, answered, stock_sequence, orders.expires_at, confirmed_by,
       edition, edition_newest, edit_revision
    FROM unanswered
   CROSS JOIN orders USING (order_id)
   WHERE answered < asked
     AND NOT EXISTS (SELECT 1
                       FROM order_history AS told
                      WHERE told.order_id = orders.order_id
                        AND told.version > orders.version)
     AND since < ?1 AND status = 'PENDING'
ORDER BY unanswered.order_id
   LIMIT ?2
;

-- CLAIM_ENDED_HOLDS
  SELECT orders.order_id,
       status, version, asked, answered, stock_sequence, orders.expires_at, confirmed_by,
       edition, edition_newest, edit_revision
    FROM hold
   CROSS JOIN orders USING (order_id)
   WHERE status IN ('PENDING', 'RESERVED')
     AND NOT EXISTS (SELECT 1
                       FROM order_history AS told
                      WHERE told.order_id = orders.order_id
                        AND told.version > orders.version)
     AND hold.expires_at <= ?1
ORDER BY hold.expires_at, hold.order_id
   LIMIT ?2
;

-- COUNT_PENDING
SELECT count(*) AS waiting, min(since) AS oldest
  FROM (SELECT since
          FROM unanswered
          JOIN orders ON orders.order_id = unanswered.order_id
         WHERE status = 'PENDING'
      ORDER BY unanswered.order_id
         LIMIT 10000) AS waiting
;

-- COUNT_HOLDS
SELECT count(*) AS waiting, min(expires_at) AS oldest
  FROM (SELECT expires_at
          FROM hold
      ORDER BY expires_at
         LIMIT 10000) AS running
;

-- MARK_ASKED
UPDATE unanswered
   SET asked_at = ?2
 WHERE order_id IN (SELECT value FROM json_each(?1))
RETURNING order_id AS order_id, since
;

-- LOCK_NAMED_STATES
SELECT order_id AS order_id,
       status, version, asked, answered, stock_sequence, expires_at, confirmed_by,
       edition, edition_newest, edit_revision
     , owner
  FROM (SELECT value AS id, json_extract(?2, '$[' || key || ']') AS owner
          FROM json_each(?1)) AS named
 CROSS JOIN orders
 WHERE orders.order_id = named.id
   AND (owner = '' OR customer_id = owner)
ORDER BY orders.order_id          -- one lock order for everyone: no deadlocks
;

-- ORDERS_OF_NAMED_RETURNS
SELECT return_id AS return_id, order_return.order_id AS order_id, owner
  FROM (SELECT value AS id, json_extract(?2, '$[' || key || ']') AS owner
          FROM json_each(?1)) AS named
 CROSS JOIN order_return
 CROSS JOIN orders
 WHERE return_id = named.id
   AND orders.order_id = order_return.order_id
   AND (owner = '' OR customer_id = owner)
;

-- FIND_REQUESTS
SELECT order_id AS order_id,
       status, version, asked, answered, stock_sequence, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, customer_id, request_id, request_hash
  FROM orders
 WHERE (customer_id, request_id) IN (SELECT value, json_extract(?2, '$[' || key || ']')
                                       FROM json_each(?1))
;

-- COUNT_SALES
SELECT currency, count(*) AS orders,
       sum(CASE WHEN came THEN total_minor / 1000000000 ELSE 0 END) AS billions,
       sum(CASE WHEN came THEN total_minor % 1000000000 ELSE 0 END) AS rest
  FROM (SELECT currency, total_minor,
               status NOT IN ('REJECTED', 'CANCELLED', 'EXPIRED') AS came
          FROM orders
 WHERE orders.order_id >= ?1
   AND orders.order_id < ?2
   AND placed_at >= ?3
   AND placed_at < ?4
       ) AS placed
GROUP BY currency
ORDER BY currency
;

-- COUNT_OUTCOMES
SELECT count(CASE WHEN promised AND reason <> ?5 THEN 1 END) AS at_once,
       count(CASE WHEN promised AND reason = ?5 THEN 1 END) AS waited,
       count(CASE WHEN status = 'REJECTED' THEN 1 END) AS rejected,
       count(CASE WHEN status IN ('CANCELLED', 'EXPIRED') THEN 1 END) AS ended,
       min(CASE WHEN promised AND place * 100 >= alike * 50 THEN ms END) AS p50_ms,
       min(CASE WHEN promised AND place * 100 >= alike * 95 THEN ms END) AS p95_ms
  FROM (SELECT status, reason, promised, ms,
               row_number() OVER (PARTITION BY promised ORDER BY ms) AS place,
               count(*) OVER (PARTITION BY promised) AS alike
          FROM (SELECT status, reason, status IN ('CONFIRMED', 'RESERVED') AS promised,
CAST(round((julianday(changed_at) - julianday(placed_at)) * 86400000) AS INTEGER) AS ms
                  FROM (SELECT status, reason, changed_at,
                               lag(changed_at) OVER statuses AS placed_at,
                               row_number() OVER statuses AS number
                          FROM order_history
                         WHERE order_id >= ?1
                           AND order_id < ?2
                           AND action = ''
                        WINDOW statuses AS (PARTITION BY order_id ORDER BY version)) AS entries
                 WHERE number = 2
                   AND placed_at >= ?3
                   AND placed_at < ?4) AS decided) AS ranked
;

-- COUNT_SHORTAGES
SELECT product_id, sum(rejected) AS rejected, sum(missing) AS missing,
       sum(waiting) AS waiting, sum(waited_for) AS waited_for
  FROM (
SELECT json_extract(short.value, '$[0]') AS product_id, 1 AS rejected,
       json_extract(short.value, '$[1]') - json_extract(short.value, '$[2]') AS missing,
       0 AS waiting, 0 AS waited_for
  FROM order_history
 CROSS JOIN orders
    ON orders.order_id = order_history.order_id
   AND placed_at >= ?3
   AND placed_at < ?4
 CROSS JOIN json_each(shortages) AS short
 WHERE order_history.status = 'REJECTED'
   AND action = ''              -- not what was recorded of it afterwards, such as a payment
   AND order_history.order_id >= ?1
   AND order_history.order_id < ?2
 UNION ALL
SELECT json_extract(held.value, '$[0]'), 0, 0, 1, json_extract(held.value, '$[2]')
  FROM orders
 CROSS JOIN json_each(stock) AS held
 WHERE orders.order_id >= ?1
   AND orders.order_id < ?2
   AND placed_at >= ?3
   AND placed_at < ?4
   AND json_extract(held.value, '$[1]') = ''
       ) AS short
GROUP BY product_id
ORDER BY sum(rejected) + sum(waiting) DESC, product_id
   LIMIT 1000
;

-- LIST_ORDERS
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM orders
 WHERE true
   AND order_id < ?1
   AND order_id >= ?3
   AND placed_at >= ?4
   AND placed_at < ?5
   AND (?6 = '' OR customer_id = ?6)
   AND (?7 = '' OR status = ?7)
ORDER BY orders.order_id DESC
   LIMIT ?2
;

-- LIST_ORDERS_OF_CUSTOMER
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM orders
 WHERE customer_id = ?6
   AND order_id < ?1
   AND order_id >= ?3
   AND placed_at >= ?4
   AND placed_at < ?5
   AND (?6 = '' OR customer_id = ?6)
   AND (?7 = '' OR status = ?7)
ORDER BY orders.order_id DESC
   LIMIT ?2
;

-- LIST_ENDED_ORDERS
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM (
SELECT order_id
  FROM order_history
 WHERE status = ?7
   AND status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND order_id < ?1
   AND order_id >= ?3
) AS found
 CROSS JOIN orders USING (order_id)
 WHERE true
   AND placed_at >= ?4
   AND placed_at < ?5
   AND (?6 = '' OR customer_id = ?6)
   AND (?7 = '' OR status = ?7)
 GROUP BY found.order_id
ORDER BY found.order_id DESC
   LIMIT ?2
;

-- LIST_ORDERS_OF_REQUESTS
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM (
SELECT order_id
  FROM orders AS asked
 WHERE request_id IN (SELECT value FROM json_each(?8))
   AND (?6 = '' OR customer_id = ?6)
   AND (?9 = '' OR EXISTS (SELECT 1
                             FROM order_line
                            WHERE order_line.order_id = asked.order_id
                              AND order_line.edition = asked.edition
                              AND product_id = ?9))
   AND order_id < ?1
   AND order_id >= ?3
) AS found
 CROSS JOIN orders USING (order_id)
 WHERE true
   AND placed_at >= ?4
   AND placed_at < ?5
   AND (?6 = '' OR customer_id = ?6)
   AND (?7 = '' OR status = ?7)
ORDER BY found.order_id DESC
   LIMIT ?2
;

-- HOLD_SO_FAR
SELECT order_id, expires_at AS ends_at
  FROM hold                -- all that is RESERVED is among them
 WHERE (expires_at, order_id) > (?3, ?1)
 ORDER BY expires_at, order_id
 LIMIT 1
OFFSET ?2
;

-- LIST_HOLDS_BY_END
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM (
SELECT order_id, expires_at AS ends_at
  FROM hold                -- all that is RESERVED is among them
 WHERE (expires_at, order_id) > (?3, ?1)
 ORDER BY expires_at, order_id
 LIMIT ?15) AS found
 CROSS JOIN orders USING (order_id)
 WHERE true
   AND placed_at >= ?4
   AND placed_at < ?5
   AND (?6 = '' OR customer_id = ?6)
   AND (?7 = '' OR status = ?7)
   AND (?8 = '' OR EXISTS (SELECT 1
                 FROM order_line
                WHERE order_line.order_id = orders.order_id
                  AND order_line.edition = orders.edition
                  AND product_id = ?8))
   AND (?9 = '' OR EXISTS (SELECT 1
                             FROM order_details
                            WHERE order_details.order_id = orders.order_id
                              AND reference = ?9))
   AND (?10 = '' OR email = ?10)
   AND (?11 = '' OR EXISTS (SELECT 1
                              FROM order_details
                             WHERE order_details.order_id = orders.order_id
                               AND channel = ?11))
   AND (?12 = '' OR coalesce((SELECT payment_state.status
                                FROM payment_state
                               WHERE payment_state.order_id = orders.order_id), 'NONE') = ?12)
   AND (?13 = '' AND NOT ?14
        OR EXISTS (SELECT 1
                     FROM json_each(stock) AS part
                    WHERE json_extract(part.value, '$[1]') <> ''
                      AND ?13 IN ('', json_extract(part.value, '$[1]'))))
   AND (NOT ?14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
ORDER BY found.ends_at, found.order_id
   LIMIT ?2
;

-- MARKS
SELECT lead, next, far
  FROM (
SELECT 'REFERENCE' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = ?9
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1) AS entry) AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = ?9
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1 OFFSET ?2) AS entry) AS far
 WHERE ?9 <> ''
 UNION ALL
SELECT 'EMAIL' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = ?10
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1) AS entry) AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = ?10
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1 OFFSET ?2) AS entry) AS far
 WHERE ?10 <> ''
 UNION ALL
SELECT 'PENDING' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1) AS entry) AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1 OFFSET ?2) AS entry) AS far
 WHERE ?7 = 'PENDING'
 UNION ALL
SELECT 'RESERVED' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1) AS entry) AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1 OFFSET ?2) AS entry) AS far
 WHERE ?7 = 'RESERVED'
 UNION ALL
SELECT 'CUSTOMER' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = ?6
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1) AS entry) AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = ?6
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1 OFFSET ?2) AS entry) AS far
 WHERE ?6 <> ''
 UNION ALL
SELECT 'PRODUCT' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = ?8
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1) AS entry) AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = ?8
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1 OFFSET ?2) AS entry) AS far
 WHERE ?8 <> ''
 UNION ALL
SELECT 'ENDED' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = ?7
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1) AS entry) AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = ?7
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1 OFFSET ?2) AS entry) AS far
 WHERE ?7 IN ('REJECTED', 'CANCELLED', 'EXPIRED')
 UNION ALL
SELECT 'PAYMENT' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = ?12
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1) AS entry) AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = ?12
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1 OFFSET ?2) AS entry) AS far
 WHERE ?12 NOT IN ('', 'NONE')
 UNION ALL
SELECT 'CHANNEL' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = ?11
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1) AS entry) AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = ?11
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1 OFFSET ?2) AS entry) AS far
 WHERE ?11 <> ''
) AS marks
 WHERE ?4 < ?5
;

-- MARKS_OF_CUSTOMER
SELECT lead, next, far
  FROM (
SELECT 'CUSTOMER' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = ?6
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1) AS entry) AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = ?6
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1 OFFSET ?2) AS entry) AS far
 WHERE ?6 <> ''
) AS marks
 WHERE ?4 < ?5
;

-- MARKS_OF_ALL
SELECT lead, next, far
  FROM (
SELECT 'ALL' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM orders
 WHERE true
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1) AS entry) AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM orders
 WHERE true
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
 LIMIT 1 OFFSET ?2) AS entry) AS far
 WHERE true
) AS marks
 WHERE ?4 < ?5
;

-- SEARCH_BY_REFERENCE
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = ?9
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
) AS found
 CROSS JOIN orders USING (order_id)
 WHERE true
   AND placed_at >= ?4
   AND placed_at < ?5
   AND (?6 = '' OR customer_id = ?6)
   AND (?7 = '' OR status = ?7)
   AND (?8 = '' OR EXISTS (SELECT 1
                 FROM order_line
                WHERE order_line.order_id = orders.order_id
                  AND order_line.edition = orders.edition
                  AND product_id = ?8))
   AND (?9 = '' OR EXISTS (SELECT 1
                             FROM order_details
                            WHERE order_details.order_id = orders.order_id
                              AND reference = ?9))
   AND (?10 = '' OR email = ?10)
   AND (?11 = '' OR EXISTS (SELECT 1
                              FROM order_details
                             WHERE order_details.order_id = orders.order_id
                               AND channel = ?11))
   AND (?12 = '' OR coalesce((SELECT payment_state.status
                                FROM payment_state
                               WHERE payment_state.order_id = orders.order_id), 'NONE') = ?12)
   AND (?13 = '' AND NOT ?14
        OR EXISTS (SELECT 1
                     FROM json_each(stock) AS part
                    WHERE json_extract(part.value, '$[1]') <> ''
                      AND ?13 IN ('', json_extract(part.value, '$[1]'))))
   AND (NOT ?14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
   AND CASE WHEN ?10 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = ?10
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 = 'PENDING' THEN (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 = 'RESERVED' THEN (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?6 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = ?6
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?8 <> '' THEN (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = ?8
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 IN ('REJECTED', 'CANCELLED', 'EXPIRED') THEN (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = ?7
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?12 NOT IN ('', 'NONE') THEN (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = ?12
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?11 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = ?11
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
ORDER BY found.order_id DESC
   LIMIT ?2
;

-- SEARCH_BY_EMAIL
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = ?10
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
) AS found
 CROSS JOIN orders USING (order_id)
 WHERE true
   AND placed_at >= ?4
   AND placed_at < ?5
   AND (?6 = '' OR customer_id = ?6)
   AND (?7 = '' OR status = ?7)
   AND (?8 = '' OR EXISTS (SELECT 1
                 FROM order_line
                WHERE order_line.order_id = orders.order_id
                  AND order_line.edition = orders.edition
                  AND product_id = ?8))
   AND (?9 = '' OR EXISTS (SELECT 1
                             FROM order_details
                            WHERE order_details.order_id = orders.order_id
                              AND reference = ?9))
   AND (?10 = '' OR email = ?10)
   AND (?11 = '' OR EXISTS (SELECT 1
                              FROM order_details
                             WHERE order_details.order_id = orders.order_id
                               AND channel = ?11))
   AND (?12 = '' OR coalesce((SELECT payment_state.status
                                FROM payment_state
                               WHERE payment_state.order_id = orders.order_id), 'NONE') = ?12)
   AND (?13 = '' AND NOT ?14
        OR EXISTS (SELECT 1
                     FROM json_each(stock) AS part
                    WHERE json_extract(part.value, '$[1]') <> ''
                      AND ?13 IN ('', json_extract(part.value, '$[1]'))))
   AND (NOT ?14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
   AND CASE WHEN ?9 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = ?9
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 = 'PENDING' THEN (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 = 'RESERVED' THEN (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?6 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = ?6
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?8 <> '' THEN (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = ?8
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 IN ('REJECTED', 'CANCELLED', 'EXPIRED') THEN (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = ?7
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?12 NOT IN ('', 'NONE') THEN (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = ?12
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?11 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = ?11
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
ORDER BY found.order_id DESC
   LIMIT ?2
;

-- SEARCH_BY_PENDING
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
) AS found
 CROSS JOIN orders USING (order_id)
 WHERE true
   AND placed_at >= ?4
   AND placed_at < ?5
   AND (?6 = '' OR customer_id = ?6)
   AND (?7 = '' OR status = ?7)
   AND (?8 = '' OR EXISTS (SELECT 1
                 FROM order_line
                WHERE order_line.order_id = orders.order_id
                  AND order_line.edition = orders.edition
                  AND product_id = ?8))
   AND (?9 = '' OR EXISTS (SELECT 1
                             FROM order_details
                            WHERE order_details.order_id = orders.order_id
                              AND reference = ?9))
   AND (?10 = '' OR email = ?10)
   AND (?11 = '' OR EXISTS (SELECT 1
                              FROM order_details
                             WHERE order_details.order_id = orders.order_id
                               AND channel = ?11))
   AND (?12 = '' OR coalesce((SELECT payment_state.status
                                FROM payment_state
                               WHERE payment_state.order_id = orders.order_id), 'NONE') = ?12)
   AND (?13 = '' AND NOT ?14
        OR EXISTS (SELECT 1
                     FROM json_each(stock) AS part
                    WHERE json_extract(part.value, '$[1]') <> ''
                      AND ?13 IN ('', json_extract(part.value, '$[1]'))))
   AND (NOT ?14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
   AND CASE WHEN ?9 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = ?9
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?10 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = ?10
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 = 'RESERVED' THEN (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?6 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = ?6
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?8 <> '' THEN (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = ?8
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 IN ('REJECTED', 'CANCELLED', 'EXPIRED') THEN (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = ?7
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?12 NOT IN ('', 'NONE') THEN (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = ?12
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?11 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = ?11
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
ORDER BY found.order_id DESC
   LIMIT ?2
;

-- SEARCH_BY_RESERVED
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
) AS found
 CROSS JOIN orders USING (order_id)
 WHERE true
   AND placed_at >= ?4
   AND placed_at < ?5
   AND (?6 = '' OR customer_id = ?6)
   AND (?7 = '' OR status = ?7)
   AND (?8 = '' OR EXISTS (SELECT 1
                 FROM order_line
                WHERE order_line.order_id = orders.order_id
                  AND order_line.edition = orders.edition
                  AND product_id = ?8))
   AND (?9 = '' OR EXISTS (SELECT 1
                             FROM order_details
                            WHERE order_details.order_id = orders.order_id
                              AND reference = ?9))
   AND (?10 = '' OR email = ?10)
   AND (?11 = '' OR EXISTS (SELECT 1
                              FROM order_details
                             WHERE order_details.order_id = orders.order_id
                               AND channel = ?11))
   AND (?12 = '' OR coalesce((SELECT payment_state.status
                                FROM payment_state
                               WHERE payment_state.order_id = orders.order_id), 'NONE') = ?12)
   AND (?13 = '' AND NOT ?14
        OR EXISTS (SELECT 1
                     FROM json_each(stock) AS part
                    WHERE json_extract(part.value, '$[1]') <> ''
                      AND ?13 IN ('', json_extract(part.value, '$[1]'))))
   AND (NOT ?14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
   AND CASE WHEN ?9 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = ?9
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?10 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = ?10
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 = 'PENDING' THEN (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?6 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = ?6
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?8 <> '' THEN (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = ?8
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 IN ('REJECTED', 'CANCELLED', 'EXPIRED') THEN (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = ?7
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?12 NOT IN ('', 'NONE') THEN (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = ?12
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?11 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = ?11
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
ORDER BY found.order_id DESC
   LIMIT ?2
;

-- SEARCH_BY_CUSTOMER
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = ?6
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
) AS found
 CROSS JOIN orders USING (order_id)
 WHERE true
   AND placed_at >= ?4
   AND placed_at < ?5
   AND (?6 = '' OR customer_id = ?6)
   AND (?7 = '' OR status = ?7)
   AND (?8 = '' OR EXISTS (SELECT 1
                 FROM order_line
                WHERE order_line.order_id = orders.order_id
                  AND order_line.edition = orders.edition
                  AND product_id = ?8))
   AND (?9 = '' OR EXISTS (SELECT 1
                             FROM order_details
                            WHERE order_details.order_id = orders.order_id
                              AND reference = ?9))
   AND (?10 = '' OR email = ?10)
   AND (?11 = '' OR EXISTS (SELECT 1
                              FROM order_details
                             WHERE order_details.order_id = orders.order_id
                               AND channel = ?11))
   AND (?12 = '' OR coalesce((SELECT payment_state.status
                                FROM payment_state
                               WHERE payment_state.order_id = orders.order_id), 'NONE') = ?12)
   AND (?13 = '' AND NOT ?14
        OR EXISTS (SELECT 1
                     FROM json_each(stock) AS part
                    WHERE json_extract(part.value, '$[1]') <> ''
                      AND ?13 IN ('', json_extract(part.value, '$[1]'))))
   AND (NOT ?14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
   AND CASE WHEN ?9 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = ?9
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?10 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = ?10
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 = 'PENDING' THEN (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 = 'RESERVED' THEN (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?8 <> '' THEN (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = ?8
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 IN ('REJECTED', 'CANCELLED', 'EXPIRED') THEN (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = ?7
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?12 NOT IN ('', 'NONE') THEN (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = ?12
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?11 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = ?11
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
ORDER BY found.order_id DESC
   LIMIT ?2
;

-- SEARCH_BY_PRODUCT
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = ?8
   AND order_id < ?1
   AND order_id >= ?3
) AS found
 CROSS JOIN orders USING (order_id)
 WHERE true
   AND placed_at >= ?4
   AND placed_at < ?5
   AND (?6 = '' OR customer_id = ?6)
   AND (?7 = '' OR status = ?7)
   AND (?8 = '' OR EXISTS (SELECT 1
                 FROM order_line
                WHERE order_line.order_id = orders.order_id
                  AND order_line.edition = orders.edition
                  AND product_id = ?8))
   AND (?9 = '' OR EXISTS (SELECT 1
                             FROM order_details
                            WHERE order_details.order_id = orders.order_id
                              AND reference = ?9))
   AND (?10 = '' OR email = ?10)
   AND (?11 = '' OR EXISTS (SELECT 1
                              FROM order_details
                             WHERE order_details.order_id = orders.order_id
                               AND channel = ?11))
   AND (?12 = '' OR coalesce((SELECT payment_state.status
                                FROM payment_state
                               WHERE payment_state.order_id = orders.order_id), 'NONE') = ?12)
   AND (?13 = '' AND NOT ?14
        OR EXISTS (SELECT 1
                     FROM json_each(stock) AS part
                    WHERE json_extract(part.value, '$[1]') <> ''
                      AND ?13 IN ('', json_extract(part.value, '$[1]'))))
   AND (NOT ?14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
   AND CASE WHEN ?9 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = ?9
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?10 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = ?10
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 = 'PENDING' THEN (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 = 'RESERVED' THEN (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?6 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = ?6
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 IN ('REJECTED', 'CANCELLED', 'EXPIRED') THEN (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = ?7
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?12 NOT IN ('', 'NONE') THEN (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = ?12
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?11 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = ?11
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
 GROUP BY found.order_id
ORDER BY found.order_id DESC
   LIMIT ?2
;

-- SEARCH_BY_ENDED
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = ?7
   AND order_id < ?1
   AND order_id >= ?3
) AS found
 CROSS JOIN orders USING (order_id)
 WHERE true
   AND placed_at >= ?4
   AND placed_at < ?5
   AND (?6 = '' OR customer_id = ?6)
   AND (?7 = '' OR status = ?7)
   AND (?8 = '' OR EXISTS (SELECT 1
                 FROM order_line
                WHERE order_line.order_id = orders.order_id
                  AND order_line.edition = orders.edition
                  AND product_id = ?8))
   AND (?9 = '' OR EXISTS (SELECT 1
                             FROM order_details
                            WHERE order_details.order_id = orders.order_id
                              AND reference = ?9))
   AND (?10 = '' OR email = ?10)
   AND (?11 = '' OR EXISTS (SELECT 1
                              FROM order_details
                             WHERE order_details.order_id = orders.order_id
                               AND channel = ?11))
   AND (?12 = '' OR coalesce((SELECT payment_state.status
                                FROM payment_state
                               WHERE payment_state.order_id = orders.order_id), 'NONE') = ?12)
   AND (?13 = '' AND NOT ?14
        OR EXISTS (SELECT 1
                     FROM json_each(stock) AS part
                    WHERE json_extract(part.value, '$[1]') <> ''
                      AND ?13 IN ('', json_extract(part.value, '$[1]'))))
   AND (NOT ?14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
   AND CASE WHEN ?9 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = ?9
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?10 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = ?10
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 = 'PENDING' THEN (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 = 'RESERVED' THEN (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?6 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = ?6
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?8 <> '' THEN (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = ?8
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?12 NOT IN ('', 'NONE') THEN (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = ?12
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?11 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = ?11
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
 GROUP BY found.order_id
ORDER BY found.order_id DESC
   LIMIT ?2
;

-- SEARCH_BY_PAYMENT
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = ?12
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
) AS found
 CROSS JOIN orders USING (order_id)
 WHERE true
   AND placed_at >= ?4
   AND placed_at < ?5
   AND (?6 = '' OR customer_id = ?6)
   AND (?7 = '' OR status = ?7)
   AND (?8 = '' OR EXISTS (SELECT 1
                 FROM order_line
                WHERE order_line.order_id = orders.order_id
                  AND order_line.edition = orders.edition
                  AND product_id = ?8))
   AND (?9 = '' OR EXISTS (SELECT 1
                             FROM order_details
                            WHERE order_details.order_id = orders.order_id
                              AND reference = ?9))
   AND (?10 = '' OR email = ?10)
   AND (?11 = '' OR EXISTS (SELECT 1
                              FROM order_details
                             WHERE order_details.order_id = orders.order_id
                               AND channel = ?11))
   AND (?12 = '' OR coalesce((SELECT payment_state.status
                                FROM payment_state
                               WHERE payment_state.order_id = orders.order_id), 'NONE') = ?12)
   AND (?13 = '' AND NOT ?14
        OR EXISTS (SELECT 1
                     FROM json_each(stock) AS part
                    WHERE json_extract(part.value, '$[1]') <> ''
                      AND ?13 IN ('', json_extract(part.value, '$[1]'))))
   AND (NOT ?14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
   AND CASE WHEN ?9 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = ?9
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?10 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = ?10
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 = 'PENDING' THEN (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 = 'RESERVED' THEN (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?6 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = ?6
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?8 <> '' THEN (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = ?8
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 IN ('REJECTED', 'CANCELLED', 'EXPIRED') THEN (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = ?7
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?11 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = ?11
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
ORDER BY found.order_id DESC
   LIMIT ?2
;

-- SEARCH_BY_CHANNEL
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = ?11
   AND order_id < ?1
   AND order_id >= ?3
 ORDER BY order_id DESC
) AS found
 CROSS JOIN orders USING (order_id)
 WHERE true
   AND placed_at >= ?4
   AND placed_at < ?5
   AND (?6 = '' OR customer_id = ?6)
   AND (?7 = '' OR status = ?7)
   AND (?8 = '' OR EXISTS (SELECT 1
                 FROM order_line
                WHERE order_line.order_id = orders.order_id
                  AND order_line.edition = orders.edition
                  AND product_id = ?8))
   AND (?9 = '' OR EXISTS (SELECT 1
                             FROM order_details
                            WHERE order_details.order_id = orders.order_id
                              AND reference = ?9))
   AND (?10 = '' OR email = ?10)
   AND (?11 = '' OR EXISTS (SELECT 1
                              FROM order_details
                             WHERE order_details.order_id = orders.order_id
                               AND channel = ?11))
   AND (?12 = '' OR coalesce((SELECT payment_state.status
                                FROM payment_state
                               WHERE payment_state.order_id = orders.order_id), 'NONE') = ?12)
   AND (?13 = '' AND NOT ?14
        OR EXISTS (SELECT 1
                     FROM json_each(stock) AS part
                    WHERE json_extract(part.value, '$[1]') <> ''
                      AND ?13 IN ('', json_extract(part.value, '$[1]'))))
   AND (NOT ?14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
   AND CASE WHEN ?9 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = ?9
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?10 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = ?10
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 = 'PENDING' THEN (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 = 'RESERVED' THEN (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?6 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = ?6
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?8 <> '' THEN (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = ?8
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?7 IN ('REJECTED', 'CANCELLED', 'EXPIRED') THEN (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = ?7
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN ?12 NOT IN ('', 'NONE') THEN (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = ?12
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
ORDER BY found.order_id DESC
   LIMIT ?2
;

-- SEARCH_BY_ALL
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM orders
 WHERE true
   AND order_id < ?1
   AND order_id >= ?3
   AND placed_at >= ?4
   AND placed_at < ?5
   AND (?6 = '' OR customer_id = ?6)
   AND (?7 = '' OR status = ?7)
   AND (?8 = '' OR EXISTS (SELECT 1
                 FROM order_line
                WHERE order_line.order_id = orders.order_id
                  AND order_line.edition = orders.edition
                  AND product_id = ?8))
   AND (?9 = '' OR EXISTS (SELECT 1
                             FROM order_details
                            WHERE order_details.order_id = orders.order_id
                              AND reference = ?9))
   AND (?10 = '' OR email = ?10)
   AND (?11 = '' OR EXISTS (SELECT 1
                              FROM order_details
                             WHERE order_details.order_id = orders.order_id
                               AND channel = ?11))
   AND (?12 = '' OR coalesce((SELECT payment_state.status
                                FROM payment_state
                               WHERE payment_state.order_id = orders.order_id), 'NONE') = ?12)
   AND (?13 = '' AND NOT ?14
        OR EXISTS (SELECT 1
                     FROM json_each(stock) AS part
                    WHERE json_extract(part.value, '$[1]') <> ''
                      AND ?13 IN ('', json_extract(part.value, '$[1]'))))
   AND (NOT ?14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
ORDER BY orders.order_id DESC
   LIMIT ?2
;

-- EDITS_SINCE
SELECT currency, 
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition)) AS edit
  FROM order_edit
  JOIN orders USING (order_id)
 WHERE order_edit.order_id = ?1
   AND (asked_version > ?2 OR ended_version > ?2)
 ORDER BY order_edit.edition
;

-- FIND_EDITABLE
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
     ,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(return_id, request_id, request_hash, opened_at, closed_at))
          FROM (SELECT *
                  FROM (SELECT * FROM order_return) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS returns,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(return_id, line_no, product_id, quantity, reason))
          FROM (SELECT *
                  FROM (SELECT * FROM order_return JOIN return_item USING (return_id)) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY line_no)) END AS return_items,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(return_id, request_id, revision, request_hash, received_at))
          FROM (SELECT *
                  FROM (SELECT * FROM return_receipt) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS receipts,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(request_id, line_no, product_id, quantity, disposition, location_id))
          FROM (SELECT *
                  FROM (SELECT * FROM receipt_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY request_id, item_no)) END AS receipt_items
     , (SELECT max(line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id) AS line_no_max
  FROM orders
 WHERE orders.order_id IN (SELECT value FROM json_each(?1))
;

-- FIND_NAMED_EDITABLE
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
     ,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(return_id, request_id, request_hash, opened_at, closed_at))
          FROM (SELECT *
                  FROM (SELECT * FROM order_return) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS returns,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(return_id, line_no, product_id, quantity, reason))
          FROM (SELECT *
                  FROM (SELECT * FROM order_return JOIN return_item USING (return_id)) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY line_no)) END AS return_items,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(return_id, request_id, revision, request_hash, received_at))
          FROM (SELECT *
                  FROM (SELECT * FROM return_receipt) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS receipts,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(request_id, line_no, product_id, quantity, disposition, location_id))
          FROM (SELECT *
                  FROM (SELECT * FROM receipt_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY request_id, item_no)) END AS receipt_items
     , (SELECT max(line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id) AS line_no_max
     , owner
  FROM (SELECT value AS id, json_extract(?2, '$[' || key || ']') AS owner
          FROM json_each(?1)) AS named
 CROSS JOIN orders
 WHERE orders.order_id = named.id
   AND (owner = '' OR customer_id = owner)
;

-- FIND_DETAILS
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
     ,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(return_id, request_id, request_hash, opened_at, closed_at))
          FROM (SELECT *
                  FROM (SELECT * FROM order_return) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS returns,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(return_id, line_no, product_id, quantity, reason))
          FROM (SELECT *
                  FROM (SELECT * FROM order_return JOIN return_item USING (return_id)) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY line_no)) END AS return_items,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(return_id, request_id, revision, request_hash, received_at))
          FROM (SELECT *
                  FROM (SELECT * FROM return_receipt) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS receipts,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(request_id, line_no, product_id, quantity, disposition, location_id))
          FROM (SELECT *
                  FROM (SELECT * FROM receipt_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY request_id, item_no)) END AS receipt_items
     , (SELECT json_group_array(json_array(version, status, changed_at, reason, actor, action,
                                         credential_id))
          FROM (SELECT version, status, changed_at, reason, actor, action, credential_id
                  FROM order_history
                 WHERE order_history.order_id = orders.order_id
              ORDER BY version)) AS history
  FROM orders
 WHERE orders.order_id IN (SELECT value FROM json_each(?1))
;

-- FIND_NAMED_DETAILS
SELECT order_id AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_array(order_edit.edition, revision, state, order_edit.total_minor, json(missing),
                  asked_version, ended_version,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
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
              ORDER BY charge_no)),
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor, line_no))
          FROM (SELECT product_id, quantity, unit_price_minor, line_no
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines,
       (SELECT json_group_array(json_array(kind, line_no, code, amount_minor))
          FROM (SELECT kind, line_no, code, amount_minor
                  FROM order_charge
                 WHERE order_charge.order_id = orders.order_id
                   AND order_charge.edition = orders.edition
              ORDER BY charge_no)) AS charges,
       (SELECT json_array(strategy, json(location_ids), may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(shipment_id, line_no, product_id, location_id, quantity))
          FROM (SELECT *
                  FROM (SELECT * FROM shipment_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY shipment_id, item_no)) END AS shipment_items,
       (SELECT json_group_array(json_array(kind, reference, amount_minor, recorded_at))
          FROM (SELECT kind, reference, amount_minor, recorded_at
                  FROM payment
                 WHERE payment.order_id = orders.order_id
              ORDER BY version)) AS payments,
       (SELECT json_array(reference, channel, note, json(attributes), json(ship_to), json(bill_to))
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
     ,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(return_id, request_id, request_hash, opened_at, closed_at))
          FROM (SELECT *
                  FROM (SELECT * FROM order_return) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS returns,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(return_id, line_no, product_id, quantity, reason))
          FROM (SELECT *
                  FROM (SELECT * FROM order_return JOIN return_item USING (return_id)) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY line_no)) END AS return_items,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(return_id, request_id, revision, request_hash, received_at))
          FROM (SELECT *
                  FROM (SELECT * FROM return_receipt) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY version)) END AS receipts,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_group_array(json_array(request_id, line_no, product_id, quantity, disposition, location_id))
          FROM (SELECT *
                  FROM (SELECT * FROM receipt_item) AS known
                 WHERE known.order_id = orders.order_id
              ORDER BY request_id, item_no)) END AS receipt_items
     , (SELECT json_group_array(json_array(version, status, changed_at, reason, actor, action,
                                         credential_id))
          FROM (SELECT version, status, changed_at, reason, actor, action, credential_id
                  FROM order_history
                 WHERE order_history.order_id = orders.order_id
              ORDER BY version)) AS history
     , owner
  FROM (SELECT value AS id, json_extract(?2, '$[' || key || ']') AS owner
          FROM json_each(?1)) AS named
 CROSS JOIN orders
 WHERE orders.order_id = named.id
   AND (owner = '' OR customer_id = owner)
;

-- ORDERS_OF_RETURNS
SELECT return_id AS return_id, order_id AS order_id
  FROM order_return
 WHERE return_id IN (SELECT value FROM json_each(?1))
;

-- INSERT_ORDERS
INSERT INTO orders
            (order_id, customer_id, request_id, request_hash, status, version,
             edition, edition_newest, asked, answered, stock_sequence, stock_revision, stock,
             currency, total_minor, name, email, phone, address,
             shortages, placed_at, updated_at, expires_at)
WITH new (order_id, customer_id, request_id, request_hash,
          currency, total_minor, name, email, phone,
          address, at, expires_at, bare)
  AS (VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13))
SELECT order_id, new.customer_id, request_id, request_hash, 'PENDING', 1,
       1, 1, 1, 0, 0, 0, '[]', currency, total_minor,
       coalesce(profile.name, new.name), coalesce(profile.email, new.email),
       coalesce(profile.phone, new.phone), coalesce(profile.address, new.address),
       '[]', at, at, expires_at
  FROM new
  LEFT JOIN customer AS profile ON profile.customer_id = new.bare AND profile.erased_at IS NULL
;

-- INSERT_LINES
INSERT INTO order_line (order_id, edition, line_no, product_id, quantity, unit_price_minor)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6)
;

-- INSERT_HISTORY
INSERT INTO order_history
            (order_id, version, status, changed_at, reason, actor, action, credential_id)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6,
              ?7, ?8)
;

-- INSERT_PLACED
INSERT INTO order_history
            (order_id, version, status, changed_at, reason, actor, action, credential_id)
     VALUES (?1, 1, 'PENDING', ?2, ?3, ?4, '', ?5)
;

-- INSERT_CHARGES
INSERT INTO order_charge (order_id, edition, charge_no, line_no, kind, code, amount_minor)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6,
              ?7)
;

-- INSERT_SOURCINGS
INSERT INTO order_sourcing (order_id, edition, strategy, location_ids, may_split, in_stock_only)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6)
;

-- WANTED_SOURCINGS
  SELECT orders.order_id AS order_id, strategy, location_ids, may_split, in_stock_only
    FROM orders
    JOIN order_sourcing ON order_sourcing.order_id = orders.order_id
     AND order_sourcing.edition = CASE WHEN edit_revision IS NULL THEN orders.edition
                                       ELSE edition_newest END
   WHERE orders.order_id IN (SELECT value FROM json_each(?1))
;

-- PUT_DETAILS
INSERT INTO order_details (order_id, reference, channel, note, attributes, ship_to, bill_to)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (order_id) DO UPDATE
   SET reference = excluded.reference, channel = excluded.channel, note = excluded.note,
       attributes = excluded.attributes, ship_to = excluded.ship_to, bill_to = excluded.bill_to
;

-- PUT_PAYMENT_STATES
INSERT INTO payment_state (order_id, status)
     VALUES (?1, ?2)
ON CONFLICT (order_id) DO UPDATE SET status = excluded.status
;

-- INSERT_PAYMENTS
INSERT INTO payment (order_id, version, kind, reference, amount_minor, recorded_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6)
;

-- PAYMENTS_OF_ORDERS
   SELECT orders.order_id AS order_id, currency, total_minor, kind, reference, amount_minor,
          CASE WHEN edit_revision IS NOT NULL
               THEN (SELECT order_edit.total_minor
                       FROM order_edit
                      WHERE order_edit.order_id = orders.order_id
                        AND order_edit.edition = orders.edition_newest) END AS edited_minor
     FROM orders
LEFT JOIN payment ON payment.order_id = orders.order_id
    WHERE orders.order_id IN (SELECT value FROM json_each(?1))
 ORDER BY orders.order_id, payment.version
;

-- LOCK_STATES
SELECT order_id AS order_id,
       status, version, asked, answered, stock_sequence, expires_at, confirmed_by,
       edition, edition_newest, edit_revision
    FROM orders
   WHERE orders.order_id IN (SELECT value FROM json_each(?1))
ORDER BY orders.order_id          -- one lock order for everyone: no deadlocks
;

-- KNOWN_OF_ORDER
   SELECT name, email, phone, address,
          reference, channel, note, attributes, ship_to, bill_to
     FROM orders
LEFT JOIN order_details USING (order_id)
    WHERE orders.order_id = ?1
;

-- UPDATE_STATES
UPDATE orders
   SET status = new.column3, version = new.column4, updated_at = new.column5,
       shortages = coalesce(new.column10, orders.shortages),
       asked = coalesce(new.column11, orders.asked),
       answered = coalesce(new.column6, orders.answered),
       stock_sequence = coalesce(new.column7, orders.stock_sequence),
       stock_revision = coalesce(new.column8, orders.stock_revision),
       stock = coalesce(new.column9, orders.stock),
       expires_at = coalesce(new.column12, orders.expires_at),
       confirmed_by = coalesce(new.column13, orders.confirmed_by)
  FROM (VALUES (?1, ?2, ?3, ?4, ?5,
              ?6, ?7, ?8, ?9,
              ?10, ?11, ?12, ?13)) AS new
 WHERE orders.order_id = new.column1
   AND orders.version = new.column2
;

-- SETTLE_STATES
UPDATE orders
   SET status = new.column3, version = new.column4, updated_at = new.column5,
       answered = new.column6, stock_sequence = new.column7, stock_revision = new.column8,
       stock = new.column9
  FROM (VALUES (?1, ?2, ?3, ?4, ?5,
              ?6, ?7, ?8, ?9)) AS new
 WHERE orders.order_id = new.column1
   AND orders.version = new.column2
;

-- UPDATE_STOCK
UPDATE orders
   SET answered = new.column2, stock_sequence = new.column3, stock_revision = new.column4,
       stock = new.column5
  FROM (VALUES (?1, ?2, ?3, ?4, ?5)) AS new
 WHERE orders.order_id = new.column1
   AND orders.stock_sequence < new.column3
;

-- INSERT_EDITS
INSERT INTO order_edit
            (order_id, edition, revision, state, total_minor, missing, asked_version, ended_version)
     VALUES (?1, ?2, ?3, ?4, ?5, '[]', ?6, ?7)
;

-- END_EDITS
UPDATE order_edit
   SET state = new.column3, missing = new.column4, ended_version = new.column5
  FROM (VALUES (?1, ?2, ?3, ?4, ?5)) AS new
 WHERE order_edit.order_id = new.column1
   AND order_edit.edition = new.column2
;

-- UPDATE_EDITIONS
UPDATE orders
   SET edition = new.column2, edition_newest = new.column3, edit_revision = new.column4,
       total_minor = coalesce(new.column5, orders.total_minor)
  FROM (VALUES (?1, ?2, ?3, ?4, ?5)) AS new
 WHERE orders.order_id = new.column1
;

-- WANTED_LINES
  SELECT orders.order_id AS order_id, product_id, quantity
    FROM orders
    JOIN order_line ON order_line.order_id = orders.order_id
     AND order_line.edition = CASE WHEN edit_revision IS NULL THEN orders.edition
                                   ELSE edition_newest END
   WHERE orders.order_id IN (SELECT value FROM json_each(?1))
;

-- UPDATE_CUSTOMERS
UPDATE orders
   SET name = new.column2, email = new.column3, phone = new.column4, address = new.column5
  FROM (VALUES (?1, ?2, ?3, ?4, ?5)) AS new
 WHERE orders.order_id = new.column1
;
