-- Written by `.venv/bin/python -m tests.contract.written_sql`, not by hand.

BEGIN;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 0001

CREATE TABLE orders (
    order_id     uuid PRIMARY KEY,
    customer_id  text COLLATE "C" NOT NULL,
    request_id   text COLLATE "C" NOT NULL,
    request_hash text NOT NULL,
    status       text NOT NULL,
    version      bigint NOT NULL,
    edition      integer NOT NULL,               -- whose lines and charges count
    edition_newest integer NOT NULL,             -- never used again, also when it never counts
    edit_revision bigint,                        -- the question that decides the newest; NULL: none
    -- The newest question to Inventory (StockWanted.revision), and the newest answered.
    asked        bigint NOT NULL,
    answered     bigint NOT NULL CHECK (answered <= asked),
    -- What Inventory holds, as it last told: its reservation's version, and the question decided.
    stock_sequence bigint NOT NULL,
    stock_revision bigint NOT NULL,
    stock        json NOT NULL,                  -- [[product, location, units, why], ...]
                                                 -- Those without a location ('') wait for stock.
    currency     text NOT NULL,
    total_minor  bigint NOT NULL CHECK (total_minor >= 0),
    name         text NOT NULL,
    email        text NOT NULL,
    phone        text NOT NULL,
    address      text NOT NULL,
    shortages    jsonb NOT NULL,
    expires_at   timestamptz,                    -- of its hold, also when that is over
    confirmed_by text COLLATE "C",               -- the payment's reference
    placed_at    timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    erased_at    timestamptz,                    -- what it says of people; it stays so
    -- For ever: what makes a repeated request harmless. The request leads, so that it is found
    -- whoever the customer is.
    UNIQUE (request_id, customer_id)
) WITH (fillfactor = 40);

CREATE INDEX orders_by_customer ON orders (customer_id, order_id);

CREATE INDEX orders_by_email ON orders (email, order_id) WHERE email <> '';

-- No index of `orders` holds what settling changes, and its pages are left half empty: nearly every
-- update then happens in place (HOT) and touches no index. Who waits for an answer of
-- Inventory (answered < asked) stands here instead; all that is PENDING does.
CREATE TABLE unanswered (
    order_id uuid PRIMARY KEY,
    since    timestamptz NOT NULL,
    asked_at timestamptz NOT NULL
);

-- What is known beside the lines: a row only where something was given.
CREATE TABLE order_details (
    order_id   uuid PRIMARY KEY,
    reference  text COLLATE "C" NOT NULL,
    channel    text COLLATE "C" NOT NULL,
    note       text NOT NULL,
    attributes jsonb NOT NULL,                   -- [[key, value], ...]
    ship_to    jsonb NOT NULL,                   -- the parts of an address, in order
    bill_to    jsonb NOT NULL
);

CREATE INDEX order_details_by_reference ON order_details (reference, order_id)
 WHERE reference <> '';

CREATE INDEX order_details_by_channel ON order_details (channel, order_id) WHERE channel <> '';

CREATE TABLE order_charge (
    order_id     uuid NOT NULL,
    edition      integer NOT NULL,
    charge_no    integer NOT NULL,
    line_no      integer NOT NULL,
    kind         text NOT NULL,
    code         text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    PRIMARY KEY (order_id, edition, charge_no)
);

-- Where the stock of an edition is to come from: a row only where it is not by priority.
CREATE TABLE order_sourcing (
    order_id     uuid NOT NULL,
    edition      integer NOT NULL,
    strategy     text NOT NULL,
    location_ids jsonb NOT NULL,                 -- [location, ...]
    may_split    boolean NOT NULL,
    in_stock_only boolean NOT NULL,
    PRIMARY KEY (order_id, edition)
);

-- What has left: facts, only added; and how it travels, as last told. Sums of them are never kept:
-- what is not stored can't drift.
CREATE TABLE shipment (
    order_id        uuid NOT NULL,
    shipment_id     text COLLATE "C" NOT NULL,
    version         bigint NOT NULL,             -- the order's with it
    revision        bigint NOT NULL,             -- of the question that first told of it
    carrier         text NOT NULL,
    tracking_number text NOT NULL,
    tracking_url    text NOT NULL,
    request_hash    text NOT NULL,
    shipped_at      timestamptz NOT NULL,
    delivered_at    timestamptz,                 -- NULL: not known
    PRIMARY KEY (order_id, shipment_id)
);

CREATE TABLE shipment_item (
    order_id    uuid NOT NULL,
    shipment_id text COLLATE "C" NOT NULL,
    item_no     integer NOT NULL,
    line_no     integer NOT NULL,
    product_id  text COLLATE "C" NOT NULL,
    location_id text COLLATE "C" NOT NULL,
    quantity    bigint NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, shipment_id, item_no)
);

-- What may come back, and what has: facts, only added but for the end of a return.
CREATE TABLE order_return (
    return_id    uuid PRIMARY KEY,
    order_id     uuid NOT NULL,
    version      bigint NOT NULL,                -- the order's with it
    request_id   text COLLATE "C" NOT NULL,
    request_hash text NOT NULL,
    opened_at    timestamptz NOT NULL,
    closed_at    timestamptz,                    -- NULL: it is open
    UNIQUE (order_id, request_id)
);

CREATE TABLE return_item (
    return_id  uuid NOT NULL,
    line_no    integer NOT NULL,
    product_id text COLLATE "C" NOT NULL,
    quantity   bigint NOT NULL CHECK (quantity > 0),
    reason     text NOT NULL,
    PRIMARY KEY (return_id, line_no)
);

CREATE TABLE return_receipt (
    order_id     uuid NOT NULL,
    request_id   text COLLATE "C" NOT NULL,
    return_id    uuid NOT NULL,
    version      bigint NOT NULL,                -- the order's with it
    revision     bigint NOT NULL,                -- of the question that first told of it
    request_hash text NOT NULL,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (order_id, request_id)
);

CREATE TABLE receipt_item (
    order_id    uuid NOT NULL,
    request_id  text COLLATE "C" NOT NULL,
    item_no     integer NOT NULL,
    line_no     integer NOT NULL,
    product_id  text COLLATE "C" NOT NULL,
    quantity    bigint NOT NULL CHECK (quantity > 0),
    disposition text NOT NULL,
    location_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (order_id, request_id, item_no)
);

-- Holds that run: all that is RESERVED, and what is PENDING and will be.
CREATE TABLE hold (
    order_id   uuid PRIMARY KEY,
    expires_at timestamptz NOT NULL
);

CREATE INDEX hold_by_end ON hold (expires_at);

-- Facts, only added; `version` is that of the order with it.
CREATE TABLE payment (
    order_id     uuid NOT NULL,
    version      bigint NOT NULL,
    kind         text NOT NULL,
    reference    text COLLATE "C" NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    recorded_at  timestamptz NOT NULL,
    PRIMARY KEY (order_id, version),
    UNIQUE (order_id, kind, reference)
);

-- Where the payments of an order stand, to be sought by; it follows from the facts.
CREATE TABLE payment_state (
    order_id uuid PRIMARY KEY,
    status   text COLLATE "C" NOT NULL
);

CREATE INDEX payment_state_by_status ON payment_state (status, order_id);

CREATE TABLE order_line (
    order_id         uuid NOT NULL,
    edition          integer NOT NULL,
    line_no          integer NOT NULL,
    product_id       text COLLATE "C" NOT NULL,
    quantity         bigint NOT NULL CHECK (quantity > 0),
    unit_price_minor bigint NOT NULL CHECK (unit_price_minor >= 0),
    PRIMARY KEY (order_id, edition, line_no)
);

CREATE INDEX order_line_by_product ON order_line (product_id, order_id);

-- Editions after the first, whatever became of them. Versions are the order's.
CREATE TABLE order_edit (
    order_id      uuid NOT NULL,
    edition       integer NOT NULL CHECK (edition > 1),
    revision      bigint NOT NULL,               -- of the question that decides it; 0: none
    state         text NOT NULL,
    total_minor   bigint NOT NULL CHECK (total_minor >= 0),
    missing       jsonb NOT NULL,                -- [[product, wanted, available], ...]
    asked_version bigint NOT NULL,
    ended_version bigint,                        -- NULL: it is under way
    PRIMARY KEY (order_id, edition)
);

CREATE TABLE order_history (
    order_id   uuid NOT NULL,
    version    bigint NOT NULL,
    status     text NOT NULL,
    changed_at timestamptz NOT NULL,
    reason     text NOT NULL,
    actor      text NOT NULL,
    action     text NOT NULL,                    -- '': the status changed
    credential_id text,                          -- what the actor came with; NULL: nothing
    PRIMARY KEY (order_id, version)
);

-- The final statuses, word by word as in `ENDED` of sql.py, or a list by status can't use it.
CREATE INDEX order_history_of_ends ON order_history (status, order_id)
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED');

-- Who a customer is; an order without contact information takes a copy. Erased, a row stays.
CREATE TABLE customer (
    customer_id text COLLATE "C" PRIMARY KEY,
    name        text NOT NULL,
    email       text NOT NULL,
    phone       text NOT NULL,
    address     text NOT NULL,
    version     bigint NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    erased_at   timestamptz,
    folded_name text COLLATE "C" NOT NULL DEFAULT ''  -- by which it is found
);

CREATE INDEX customer_by_name ON customer (folded_name, customer_id) WHERE folded_name <> '';

CREATE INDEX customer_by_email ON customer (email, customer_id) WHERE email <> '';

-- That something was erased, for whoever has to show it. Of an e-mail address nothing is kept, not
-- even a digest: addresses can be guessed.
CREATE TABLE erasure (
    erasure_id  uuid PRIMARY KEY,
    found_by    text NOT NULL,                   -- 'customer' or 'e-mail'
    customer_id text COLLATE "C" NOT NULL,       -- '': found by e-mail
    actor       text NOT NULL,
    credential_id text NOT NULL,
    erased_at   timestamptz NOT NULL,
    orders      bigint NOT NULL CHECK (orders >= 0),
    profiles    bigint NOT NULL CHECK (profiles >= 0),
    forced      boolean NOT NULL
);

CREATE TABLE outbox (
    position    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    text COLLATE "C" NOT NULL,
    type        text NOT NULL,
    subject     text NOT NULL,
    sequence    bigint NOT NULL,
    happened_at timestamptz NOT NULL,
    traceparent text NOT NULL,
    data        bytea NOT NULL,
    is_repeat   boolean NOT NULL                 -- told before: not for the feed
);

-- What has left the outbox, in the order of leaving: dense, for whoever follows.
CREATE TABLE feed (
    position    bigint PRIMARY KEY,
    event_id    text COLLATE "C" NOT NULL,
    type        text NOT NULL,
    subject     text NOT NULL,
    sequence    bigint NOT NULL,
    happened_at timestamptz NOT NULL,
    traceparent text NOT NULL,
    data        bytea NOT NULL
);

CREATE TABLE feed_head (                         -- one row
    feed_id text NOT NULL,                       -- random: names this feed in every cursor
    last    bigint NOT NULL                      -- the newest position; 0: none yet
) WITH (fillfactor = 10);

INSERT INTO feed_head VALUES (substr(md5(gen_random_uuid()::text), 1, 12), 0);

CREATE TABLE inbox (
    event_id    text COLLATE "C" PRIMARY KEY,
    received_at timestamptz NOT NULL
);

CREATE INDEX inbox_by_age ON inbox (received_at);

CREATE TABLE dead_letter (
    letter_id   text PRIMARY KEY,
    queue       text NOT NULL,
    reason      text NOT NULL,
    parked_at   timestamptz NOT NULL,
    body        bytea NOT NULL,
    type        text,           -- this and the rest: NULL when the body is no event
    subject     text,
    sequence    bigint,
    happened_at timestamptz,
    traceparent text
);

-- Rows of good keys are never deleted: one that is gone must not come back as a new one.
CREATE TABLE credential (
    key_id     text COLLATE "C" PRIMARY KEY,
    name       text NOT NULL,
    digest     bytea NOT NULL,                   -- HMAC-SHA-256 of the secret
    grants     text NOT NULL,                    -- roles and scopes, with blanks between
    networks   text NOT NULL,                    -- likewise; '': anywhere
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,                      -- it stays so
    version    bigint NOT NULL,
    used_at    timestamptz,                      -- about; no change of its version
    user_name  text COLLATE "C" NOT NULL         -- who signed in for it; '': nobody
);

CREATE INDEX credential_of_user ON credential (user_name, created_at) WHERE user_name <> '';

-- Those of users are deleted when they have expired, by which they can't come back. What the sum of
-- all versions misses of them is here.
CREATE TABLE credential_gone (
    one        bigint PRIMARY KEY CHECK (one = 1),
    versions   bigint NOT NULL
);

CREATE TABLE local_user (
    name         text COLLATE "C" PRIMARY KEY,
    password     text NOT NULL,                  -- argon2id
    grants       text NOT NULL,                  -- roles and scopes, with blanks between
    created_at   timestamptz NOT NULL,
    password_at  timestamptz NOT NULL,           -- when it was set
    locked_at    timestamptz,
    signed_in_at timestamptz
);

INSERT INTO alembic_version (version_num) VALUES ('0001') RETURNING alembic_version.version_num;

COMMIT;


-- PUT_SHIPMENTS
INSERT INTO shipment (order_id, shipment_id, version, revision, carrier, tracking_number,
                      tracking_url, request_hash, shipped_at, delivered_at)
SELECT order_id, shipment_id, version, revision, carrier, tracking_number,
       tracking_url, request_hash, shipped_at, delivered_at
  FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[],
              $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[])
       AS new (order_id, shipment_id, version, revision, carrier, tracking_number,
               tracking_url, request_hash, shipped_at, delivered_at)
ON CONFLICT (order_id, shipment_id) DO UPDATE
   SET carrier = excluded.carrier, tracking_number = excluded.tracking_number,
       tracking_url = excluded.tracking_url, delivered_at = excluded.delivered_at
;

-- INSERT_SHIPMENT_ITEMS
INSERT INTO shipment_item
            (order_id, shipment_id, item_no, line_no, product_id, location_id, quantity)
SELECT *
  FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[], $5::text[], $6::text[],
              $7::bigint[])
;

-- PUT_RETURNS
INSERT INTO order_return
            (return_id, order_id, version, request_id, request_hash, opened_at, closed_at)
SELECT return_id, order_id, version, request_id, request_hash, opened_at, closed_at
  FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[],
              $7::timestamptz[])
       AS new (return_id, order_id, version, request_id, request_hash, opened_at, closed_at)
ON CONFLICT (return_id) DO UPDATE SET closed_at = excluded.closed_at
;

-- INSERT_RETURN_ITEMS
INSERT INTO return_item (return_id, line_no, product_id, quantity, reason)
SELECT *
  FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::bigint[], $5::text[])
;

-- INSERT_RECEIPTS
INSERT INTO return_receipt
            (order_id, request_id, return_id, version, revision, request_hash, received_at)
SELECT *
  FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::text[],
              $7::timestamptz[])
;

-- INSERT_RECEIPT_ITEMS
INSERT INTO receipt_item (order_id, request_id, item_no, line_no, product_id, quantity,
                          disposition, location_id)
SELECT *
  FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[], $5::text[], $6::bigint[],
              $7::text[], $8::text[])
;

-- FIND_PROFILE
SELECT customer_id, name, email, phone, address, version, created_at, updated_at, erased_at
  FROM customer
 WHERE customer_id = $1
;

-- LIST_PROFILES
SELECT customer_id, name, email, phone, address, version, created_at, updated_at, erased_at
  FROM customer
 WHERE customer_id > $1
 ORDER BY customer_id
 LIMIT $2
;

-- LIST_PROFILES_OF_EMAIL
SELECT customer_id, name, email, phone, address, version, created_at, updated_at, erased_at
  FROM customer
 WHERE email = $3
   AND email <> ''          -- the index has no others
   AND customer_id > $1
 ORDER BY customer_id
 LIMIT $2
;

-- LIST_PROFILES_OF_NAME
SELECT customer_id, name, email, phone, address, version, created_at, updated_at, erased_at
  FROM customer
 WHERE folded_name >= $3
   AND folded_name < $4
   AND folded_name <> ''    -- the index has no others
   AND (folded_name, customer_id) > ($1, $2)
   AND ($6 = '' OR email = $6)
 ORDER BY folded_name, customer_id
 LIMIT $5
;

-- ANY_ORDER_OF_CUSTOMER
SELECT 1 AS found
  FROM orders
 WHERE customer_id = $1
 LIMIT 1
;

-- ADD_PROFILE
INSERT INTO customer (customer_id, name, email, phone, address, version, created_at, updated_at)
     VALUES ($1, '', '', '', '', 0, $2, $2)
ON CONFLICT (customer_id) DO NOTHING
;

-- LOCK_PROFILE
SELECT customer_id, name, email, phone, address, version, created_at, updated_at, erased_at
  FROM customer
 WHERE customer_id = $1 FOR NO KEY UPDATE
;

-- LOCK_PROFILES_WITH_EMAIL
SELECT customer_id, name, email, phone, address, version, created_at, updated_at, erased_at
  FROM customer
 WHERE email = $1
   AND email <> ''          -- the index has no others
 ORDER BY customer_id       -- one lock order for everyone: no deadlocks
   FOR NO KEY UPDATE
;

-- SAVE_PROFILES
UPDATE customer
   SET name = new.name, email = new.email, phone = new.phone, address = new.address,
       version = new.version, updated_at = new.updated_at, erased_at = new.erased_at,
       folded_name = new.folded_name
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[],
              $7::timestamptz[], $8::timestamptz[], $9::text[])
       AS new (customer_id, name, email, phone, address, version,
               updated_at, erased_at, folded_name)
 WHERE customer.customer_id = new.customer_id
;

-- LOCK_ORDERS_TO_ERASE
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
;

-- EMPTY_DETAILS
UPDATE order_details
   SET note = '', attributes = '[]', ship_to = $2, bill_to = $2
 WHERE order_id = ANY($1::uuid[])
   AND (note <> '' OR attributes <> '[]' OR ship_to <> $2::jsonb OR bill_to <> $2::jsonb)
;

-- EMPTY_REASONS
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
;

-- EMPTY_RETURN_REASONS
   UPDATE return_item
      SET reason = ''
    WHERE return_id IN (SELECT return_id
                          FROM order_return
                         WHERE order_id = ANY($1::uuid[]))
      AND reason <> ''
RETURNING (SELECT order_id::text
             FROM order_return
            WHERE order_return.return_id = return_item.return_id) AS order_id
;

-- EMPTY_RETURN_REQUESTS
UPDATE order_return
   SET request_hash = ''
 WHERE order_id = ANY($1::uuid[])
   AND request_hash <> ''
;

-- EMPTY_ORDERS
UPDATE orders
   SET name = '', email = '', phone = '', address = '', request_hash = '', erased_at = $2
 WHERE order_id = ANY($1::uuid[])
   AND (erased_at IS NULL OR order_id = ANY($3::uuid[]) OR request_hash <> ''
        OR name <> '' OR email <> '' OR phone <> '' OR address <> '')
;

-- ADD_ERASURE
INSERT INTO erasure
            (erasure_id, found_by, customer_id, actor, credential_id, erased_at,
             orders, profiles, forced)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
;

-- FIND_ERASED_ORDER
SELECT 1 AS found
  FROM orders
 WHERE order_id = $1::uuid
   AND erased_at IS NOT NULL
;

-- INSERT_UNANSWERED
INSERT INTO unanswered (order_id, since, asked_at)
SELECT order_id, at, at
  FROM unnest($1::uuid[], $2::timestamptz[]) AS new (order_id, at)
;

-- PUT_UNANSWERED
INSERT INTO unanswered (order_id, since, asked_at)
SELECT order_id, at, at
  FROM unnest($1::uuid[], $2::timestamptz[]) AS new (order_id, at)
ON CONFLICT (order_id) DO UPDATE SET since = excluded.since, asked_at = excluded.asked_at
;

-- DELETE_UNANSWERED
DELETE FROM unanswered
      WHERE order_id = ANY($1::uuid[])
;

-- INSERT_HOLDS
INSERT INTO hold (order_id, expires_at)
SELECT order_id, expires_at
  FROM unnest($1::uuid[], $2::timestamptz[]) AS new (order_id, expires_at)
ON CONFLICT (order_id) DO UPDATE SET expires_at = excluded.expires_at
;

-- DELETE_HOLDS
DELETE FROM hold
      WHERE order_id = ANY($1::uuid[])
;

-- DATABASE_NOW
SELECT statement_timestamp() AS now
 WHERE $1::timestamptz IS NOT NULL
;

-- ANY_HOLD_ENDED
SELECT 1 AS found
  FROM hold
 WHERE hold.expires_at <= statement_timestamp() AND $1::timestamptz IS NOT NULL
 LIMIT 1
;

-- CLAIM_LATE
  SELECT locked.*
    FROM unanswered
   CROSS JOIN LATERAL (SELECT orders.order_id::text AS order_id,
       status, version, asked, answered, stock_sequence, orders.expires_at, confirmed_by,
       edition, edition_newest, edit_revision
                         FROM orders
                        WHERE orders.order_id = unanswered.order_id
                          AND answered < asked
                          AND NOT EXISTS (SELECT 1
                                            FROM order_history AS told
                                           WHERE told.order_id = orders.order_id
                                             AND told.version > orders.version)
                          FOR NO KEY UPDATE SKIP LOCKED) AS locked
   WHERE true
     AND (asked_at < $1
          AND $3::timestamptz - asked_at >= asked_at - since
          OR asked_at - $3::timestamptz > $3::timestamptz - $1::timestamptz)
ORDER BY unanswered.order_id
   LIMIT $2
;

-- CLAIM_EXPIRED
  SELECT locked.*
    FROM unanswered
   CROSS JOIN LATERAL (SELECT orders.order_id::text AS order_id,
       status, version, asked, answered, stock_sequence, orders.expires_at, confirmed_by,
       edition, edition_newest, edit_revision
                         FROM orders
                        WHERE orders.order_id = unanswered.order_id
                          AND answered < asked
                          AND NOT EXISTS (SELECT 1
                                            FROM order_history AS told
                                           WHERE told.order_id = orders.order_id
                                             AND told.version > orders.version)
                          FOR NO KEY UPDATE SKIP LOCKED) AS locked
   WHERE true
     AND since < $1 AND status = 'PENDING'
ORDER BY unanswered.order_id
   LIMIT $2
;

-- CLAIM_ENDED_HOLDS
  SELECT locked.*
    FROM hold
   CROSS JOIN LATERAL (SELECT orders.order_id::text AS order_id,
       status, version, asked, answered, stock_sequence, orders.expires_at, confirmed_by,
       edition, edition_newest, edit_revision
                         FROM orders
                        WHERE orders.order_id = hold.order_id
                          AND status IN ('PENDING', 'RESERVED')
                          AND orders.expires_at <= statement_timestamp()
                          AND NOT EXISTS (SELECT 1
                                            FROM order_history AS told
                                           WHERE told.order_id = orders.order_id
                                             AND told.version > orders.version)
                          FOR NO KEY UPDATE SKIP LOCKED) AS locked
   WHERE true
     AND hold.expires_at <= statement_timestamp() AND $1::timestamptz IS NOT NULL
ORDER BY hold.expires_at, hold.order_id
   LIMIT $2
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
   SET asked_at = $2
 WHERE order_id = ANY($1::uuid[])
RETURNING order_id::text AS order_id, since
;

-- LOCK_NAMED_STATES
SELECT order_id::text AS order_id,
       status, version, asked, answered, stock_sequence, expires_at, confirmed_by,
       edition, edition_newest, edit_revision
     , owner
  FROM unnest($1::uuid[], $2::text[]) AS named (id, owner)
 CROSS JOIN orders
 WHERE orders.order_id = named.id
   AND (owner = '' OR customer_id = owner)
ORDER BY orders.order_id          -- one lock order for everyone: no deadlocks
     FOR NO KEY UPDATE OF orders
;

-- ORDERS_OF_NAMED_RETURNS
SELECT return_id::text AS return_id, order_return.order_id::text AS order_id, owner
  FROM unnest($1::uuid[], $2::text[]) AS named (id, owner)
 CROSS JOIN order_return
 CROSS JOIN orders
 WHERE return_id = named.id
   AND orders.order_id = order_return.order_id
   AND (owner = '' OR customer_id = owner)
;

-- FIND_REQUESTS
SELECT order_id::text AS order_id,
       status, version, asked, answered, stock_sequence, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, customer_id, request_id, request_hash
  FROM orders
  JOIN unnest($1::text[], $2::text[]) AS asked (customer_id, request_id)
       USING (customer_id, request_id)
;

-- COUNT_SALES
SELECT currency, count(*) AS orders,
       sum(CASE WHEN came THEN total_minor / 1000000000 ELSE 0 END)::bigint AS billions,
       sum(CASE WHEN came THEN total_minor % 1000000000 ELSE 0 END)::bigint AS rest
  FROM (SELECT currency, total_minor,
               status NOT IN ('REJECTED', 'CANCELLED', 'EXPIRED') AS came
          FROM orders
 WHERE orders.order_id >= $1::uuid
   AND orders.order_id < $2::uuid
   AND placed_at >= $3
   AND placed_at < $4
       ) AS placed
GROUP BY currency
ORDER BY currency
;

-- COUNT_OUTCOMES
SELECT count(CASE WHEN promised AND reason <> $5 THEN 1 END) AS at_once,
       count(CASE WHEN promised AND reason = $5 THEN 1 END) AS waited,
       count(CASE WHEN status = 'REJECTED' THEN 1 END) AS rejected,
       count(CASE WHEN status IN ('CANCELLED', 'EXPIRED') THEN 1 END) AS ended,
       min(CASE WHEN promised AND place * 100 >= alike * 50 THEN ms END) AS p50_ms,
       min(CASE WHEN promised AND place * 100 >= alike * 95 THEN ms END) AS p95_ms
  FROM (SELECT status, reason, promised, ms,
               row_number() OVER (PARTITION BY promised ORDER BY ms) AS place,
               count(*) OVER (PARTITION BY promised) AS alike
          FROM (SELECT status, reason, status IN ('CONFIRMED', 'RESERVED') AS promised,
(extract(epoch FROM changed_at - placed_at) * 1000)::bigint AS ms
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
;

-- COUNT_SHORTAGES
SELECT product_id, sum(rejected)::bigint AS rejected, sum(missing)::bigint AS missing,
       sum(waiting)::bigint AS waiting, sum(waited_for)::bigint AS waited_for
  FROM (
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
 WHERE order_history.status = 'REJECTED'
   AND action = ''              -- not what was recorded of it afterwards, such as a payment
   AND order_history.order_id >= $1::uuid
   AND order_history.order_id < $2::uuid
 UNION ALL
SELECT held.one ->> 0, 0, 0, 1, (held.one ->> 2)::bigint
  FROM orders
 CROSS JOIN json_array_elements(stock) AS held (one)
 WHERE orders.order_id >= $1::uuid
   AND orders.order_id < $2::uuid
   AND placed_at >= $3
   AND placed_at < $4
   AND held.one ->> 1 = ''
       ) AS short
GROUP BY product_id
ORDER BY sum(rejected) + sum(waiting) DESC, product_id
   LIMIT 1000
;

-- LIST_ORDERS
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM orders
 WHERE true
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
ORDER BY orders.order_id DESC
   LIMIT $2
;

-- LIST_ORDERS_OF_CUSTOMER
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM orders
 WHERE customer_id = $6
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
ORDER BY orders.order_id DESC
   LIMIT $2
;

-- LIST_ENDED_ORDERS
SELECT whole.*
  FROM (
SELECT DISTINCT order_id
  FROM order_history
 WHERE status = $7
   AND status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
        ORDER BY order_id DESC) AS found
 CROSS JOIN LATERAL (
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM orders
 WHERE orders.order_id = found.order_id
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
 LIMIT 1) AS whole
ORDER BY found.order_id DESC
   LIMIT $2
;

-- LIST_ORDERS_OF_REQUESTS
SELECT whole.*
  FROM (
  WITH asked AS MATERIALIZED (SELECT order_id, edition
                                FROM orders
                               WHERE request_id = ANY($8::text[])
                                 AND ($6 = '' OR customer_id = $6))
SELECT order_id
  FROM asked
 WHERE ($9 = '' OR EXISTS (SELECT 1
                             FROM order_line
                            WHERE order_line.order_id = asked.order_id
                              AND order_line.edition = asked.edition
                              AND product_id = $9))
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
        ORDER BY order_id DESC) AS found
 CROSS JOIN LATERAL (
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM orders
 WHERE orders.order_id = found.order_id
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
 LIMIT 1) AS whole
ORDER BY found.order_id DESC
   LIMIT $2
;

-- HOLD_SO_FAR
SELECT order_id, expires_at AS ends_at
  FROM hold                -- all that is RESERVED is among them
 WHERE (expires_at, order_id) > ($3::timestamptz, $1::uuid)
 ORDER BY expires_at, order_id
 LIMIT 1
OFFSET $2
;

-- LIST_HOLDS_BY_END
SELECT whole.*
  FROM (
SELECT order_id, expires_at AS ends_at
  FROM hold                -- all that is RESERVED is among them
 WHERE (expires_at, order_id) > ($3::timestamptz, $1::uuid)
 ORDER BY expires_at, order_id
 LIMIT $15) AS found
 CROSS JOIN LATERAL (
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM orders
 WHERE orders.order_id = found.order_id
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
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
   AND ($13 = '' AND NOT $14
        OR EXISTS (SELECT 1
                     FROM json_array_elements(stock) AS part
                    WHERE part ->> 1 <> ''
                      AND $13 IN ('', part ->> 1)))
   AND (NOT $14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
 LIMIT 1) AS whole
ORDER BY found.ends_at, found.order_id
   LIMIT $2
;

-- MARKS
SELECT lead, next, far
  FROM (
SELECT 'REFERENCE' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = $9
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
 LIMIT 1) AS entry)::text AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = $9
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
 LIMIT 1 OFFSET $2) AS entry)::text AS far
 WHERE $9 <> ''
 UNION ALL
SELECT 'EMAIL' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = $10
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
 LIMIT 1) AS entry)::text AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = $10
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
 LIMIT 1 OFFSET $2) AS entry)::text AS far
 WHERE $10 <> ''
 UNION ALL
SELECT 'PENDING' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
 LIMIT 1) AS entry)::text AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
 LIMIT 1 OFFSET $2) AS entry)::text AS far
 WHERE $7 = 'PENDING'
 UNION ALL
SELECT 'RESERVED' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
 LIMIT 1) AS entry)::text AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
 LIMIT 1 OFFSET $2) AS entry)::text AS far
 WHERE $7 = 'RESERVED'
 UNION ALL
SELECT 'CUSTOMER' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = $6
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
 LIMIT 1) AS entry)::text AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = $6
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
 LIMIT 1 OFFSET $2) AS entry)::text AS far
 WHERE $6 <> ''
 UNION ALL
SELECT 'PRODUCT' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = $8
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
 LIMIT 1) AS entry)::text AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = $8
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
 LIMIT 1 OFFSET $2) AS entry)::text AS far
 WHERE $8 <> ''
 UNION ALL
SELECT 'ENDED' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = $7
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
 LIMIT 1) AS entry)::text AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = $7
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
 LIMIT 1 OFFSET $2) AS entry)::text AS far
 WHERE $7 IN ('REJECTED', 'CANCELLED', 'EXPIRED')
 UNION ALL
SELECT 'PAYMENT' AS lead,
       (SELECT order_id FROM (
SELECT order_id, status AS led
  FROM payment_state
 WHERE true
   AND (status, order_id) < ($12, $1::uuid)
   AND (status, order_id) >= ($12, $3::uuid)
 ORDER BY status DESC, order_id DESC
 LIMIT 1) AS entry)::text AS next,
       (SELECT order_id FROM (
SELECT order_id, status AS led
  FROM payment_state
 WHERE true
   AND (status, order_id) < ($12, $1::uuid)
   AND (status, order_id) >= ($12, $3::uuid)
 ORDER BY status DESC, order_id DESC
 LIMIT 1 OFFSET $2) AS entry)::text AS far
 WHERE $12 NOT IN ('', 'NONE')
 UNION ALL
SELECT 'CHANNEL' AS lead,
       (SELECT order_id FROM (
SELECT order_id, channel AS led
  FROM order_details
 WHERE channel <> ''
   AND (channel, order_id) < ($11, $1::uuid)
   AND (channel, order_id) >= ($11, $3::uuid)
 ORDER BY channel DESC, order_id DESC
 LIMIT 1) AS entry)::text AS next,
       (SELECT order_id FROM (
SELECT order_id, channel AS led
  FROM order_details
 WHERE channel <> ''
   AND (channel, order_id) < ($11, $1::uuid)
   AND (channel, order_id) >= ($11, $3::uuid)
 ORDER BY channel DESC, order_id DESC
 LIMIT 1 OFFSET $2) AS entry)::text AS far
 WHERE $11 <> ''
) AS marks
 WHERE $4::timestamptz < $5::timestamptz
;

-- MARKS_OF_CUSTOMER
SELECT lead, next, far
  FROM (
SELECT 'CUSTOMER' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = $6
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
 LIMIT 1) AS entry)::text AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = $6
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
 LIMIT 1 OFFSET $2) AS entry)::text AS far
 WHERE $6 <> ''
) AS marks
 WHERE $4::timestamptz < $5::timestamptz
;

-- MARKS_OF_ALL
SELECT lead, next, far
  FROM (
SELECT 'ALL' AS lead,
       (SELECT order_id FROM (
SELECT order_id
  FROM orders
 WHERE true
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
 LIMIT 1) AS entry)::text AS next,
       (SELECT order_id FROM (
SELECT order_id
  FROM orders
 WHERE true
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
 LIMIT 1 OFFSET $2) AS entry)::text AS far
 WHERE true
) AS marks
 WHERE $4::timestamptz < $5::timestamptz
;

-- SEARCH_BY_REFERENCE
SELECT whole.*
  FROM (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = $9
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
) AS found
 CROSS JOIN LATERAL (
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM orders
 WHERE orders.order_id = found.order_id
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
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
   AND ($13 = '' AND NOT $14
        OR EXISTS (SELECT 1
                     FROM json_array_elements(stock) AS part
                    WHERE part ->> 1 <> ''
                      AND $13 IN ('', part ->> 1)))
   AND (NOT $14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
 LIMIT 1) AS whole
 WHERE true
   AND CASE WHEN $10 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = $10
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 = 'PENDING' THEN (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 = 'RESERVED' THEN (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $6 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = $6
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $8 <> '' THEN (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = $8
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 IN ('REJECTED', 'CANCELLED', 'EXPIRED') THEN (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = $7
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $12 NOT IN ('', 'NONE') THEN (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = $12
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $11 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = $11
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
ORDER BY found.order_id DESC
 LIMIT $2
;

-- SEARCH_BY_EMAIL
SELECT whole.*
  FROM (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = $10
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
) AS found
 CROSS JOIN LATERAL (
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM orders
 WHERE orders.order_id = found.order_id
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
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
   AND ($13 = '' AND NOT $14
        OR EXISTS (SELECT 1
                     FROM json_array_elements(stock) AS part
                    WHERE part ->> 1 <> ''
                      AND $13 IN ('', part ->> 1)))
   AND (NOT $14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
 LIMIT 1) AS whole
 WHERE true
   AND CASE WHEN $9 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = $9
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 = 'PENDING' THEN (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 = 'RESERVED' THEN (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $6 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = $6
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $8 <> '' THEN (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = $8
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 IN ('REJECTED', 'CANCELLED', 'EXPIRED') THEN (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = $7
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $12 NOT IN ('', 'NONE') THEN (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = $12
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $11 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = $11
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
ORDER BY found.order_id DESC
 LIMIT $2
;

-- SEARCH_BY_PENDING
SELECT whole.*
  FROM (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
) AS found
 CROSS JOIN LATERAL (
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM orders
 WHERE orders.order_id = found.order_id
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
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
   AND ($13 = '' AND NOT $14
        OR EXISTS (SELECT 1
                     FROM json_array_elements(stock) AS part
                    WHERE part ->> 1 <> ''
                      AND $13 IN ('', part ->> 1)))
   AND (NOT $14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
 LIMIT 1) AS whole
 WHERE true
   AND CASE WHEN $9 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = $9
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $10 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = $10
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 = 'RESERVED' THEN (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $6 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = $6
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $8 <> '' THEN (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = $8
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 IN ('REJECTED', 'CANCELLED', 'EXPIRED') THEN (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = $7
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $12 NOT IN ('', 'NONE') THEN (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = $12
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $11 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = $11
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
ORDER BY found.order_id DESC
 LIMIT $2
;

-- SEARCH_BY_RESERVED
SELECT whole.*
  FROM (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
) AS found
 CROSS JOIN LATERAL (
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM orders
 WHERE orders.order_id = found.order_id
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
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
   AND ($13 = '' AND NOT $14
        OR EXISTS (SELECT 1
                     FROM json_array_elements(stock) AS part
                    WHERE part ->> 1 <> ''
                      AND $13 IN ('', part ->> 1)))
   AND (NOT $14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
 LIMIT 1) AS whole
 WHERE true
   AND CASE WHEN $9 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = $9
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $10 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = $10
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 = 'PENDING' THEN (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $6 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = $6
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $8 <> '' THEN (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = $8
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 IN ('REJECTED', 'CANCELLED', 'EXPIRED') THEN (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = $7
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $12 NOT IN ('', 'NONE') THEN (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = $12
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $11 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = $11
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
ORDER BY found.order_id DESC
 LIMIT $2
;

-- SEARCH_BY_CUSTOMER
SELECT whole.*
  FROM (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = $6
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
) AS found
 CROSS JOIN LATERAL (
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM orders
 WHERE orders.order_id = found.order_id
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
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
   AND ($13 = '' AND NOT $14
        OR EXISTS (SELECT 1
                     FROM json_array_elements(stock) AS part
                    WHERE part ->> 1 <> ''
                      AND $13 IN ('', part ->> 1)))
   AND (NOT $14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
 LIMIT 1) AS whole
 WHERE true
   AND CASE WHEN $9 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = $9
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $10 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = $10
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 = 'PENDING' THEN (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 = 'RESERVED' THEN (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $8 <> '' THEN (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = $8
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 IN ('REJECTED', 'CANCELLED', 'EXPIRED') THEN (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = $7
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $12 NOT IN ('', 'NONE') THEN (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = $12
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $11 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = $11
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
ORDER BY found.order_id DESC
 LIMIT $2
;

-- SEARCH_BY_PRODUCT
SELECT whole.*
  FROM (
SELECT DISTINCT order_id
  FROM order_line
 WHERE true
   AND product_id = $8
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
) AS found
 CROSS JOIN LATERAL (
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM orders
 WHERE orders.order_id = found.order_id
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
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
   AND ($13 = '' AND NOT $14
        OR EXISTS (SELECT 1
                     FROM json_array_elements(stock) AS part
                    WHERE part ->> 1 <> ''
                      AND $13 IN ('', part ->> 1)))
   AND (NOT $14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
 LIMIT 1) AS whole
 WHERE true
   AND CASE WHEN $9 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = $9
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $10 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = $10
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 = 'PENDING' THEN (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 = 'RESERVED' THEN (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $6 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = $6
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 IN ('REJECTED', 'CANCELLED', 'EXPIRED') THEN (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = $7
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $12 NOT IN ('', 'NONE') THEN (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = $12
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $11 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = $11
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
ORDER BY found.order_id DESC
 LIMIT $2
;

-- SEARCH_BY_ENDED
SELECT whole.*
  FROM (
SELECT DISTINCT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = $7
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
 ORDER BY order_id DESC
) AS found
 CROSS JOIN LATERAL (
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM orders
 WHERE orders.order_id = found.order_id
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
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
   AND ($13 = '' AND NOT $14
        OR EXISTS (SELECT 1
                     FROM json_array_elements(stock) AS part
                    WHERE part ->> 1 <> ''
                      AND $13 IN ('', part ->> 1)))
   AND (NOT $14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
 LIMIT 1) AS whole
 WHERE true
   AND CASE WHEN $9 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = $9
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $10 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = $10
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 = 'PENDING' THEN (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 = 'RESERVED' THEN (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $6 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = $6
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $8 <> '' THEN (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = $8
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $12 NOT IN ('', 'NONE') THEN (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = $12
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $11 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = $11
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
ORDER BY found.order_id DESC
 LIMIT $2
;

-- SEARCH_BY_PAYMENT
SELECT whole.*
  FROM (
SELECT order_id, status AS led
  FROM payment_state
 WHERE true
   AND (status, order_id) < ($12, $1::uuid)
   AND (status, order_id) >= ($12, $3::uuid)
 ORDER BY status DESC, order_id DESC
) AS found
 CROSS JOIN LATERAL (
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM orders
 WHERE orders.order_id = found.order_id
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
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
   AND ($13 = '' AND NOT $14
        OR EXISTS (SELECT 1
                     FROM json_array_elements(stock) AS part
                    WHERE part ->> 1 <> ''
                      AND $13 IN ('', part ->> 1)))
   AND (NOT $14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
 LIMIT 1) AS whole
 WHERE true
   AND CASE WHEN $9 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = $9
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $10 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = $10
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 = 'PENDING' THEN (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 = 'RESERVED' THEN (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $6 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = $6
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $8 <> '' THEN (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = $8
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 IN ('REJECTED', 'CANCELLED', 'EXPIRED') THEN (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = $7
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $11 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE channel <> ''
   AND channel = $11
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
ORDER BY found.led DESC, found.order_id DESC
 LIMIT $2
;

-- SEARCH_BY_CHANNEL
SELECT whole.*
  FROM (
SELECT order_id, channel AS led
  FROM order_details
 WHERE channel <> ''
   AND (channel, order_id) < ($11, $1::uuid)
   AND (channel, order_id) >= ($11, $3::uuid)
 ORDER BY channel DESC, order_id DESC
) AS found
 CROSS JOIN LATERAL (
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM orders
 WHERE orders.order_id = found.order_id
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
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
   AND ($13 = '' AND NOT $14
        OR EXISTS (SELECT 1
                     FROM json_array_elements(stock) AS part
                    WHERE part ->> 1 <> ''
                      AND $13 IN ('', part ->> 1)))
   AND (NOT $14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
 LIMIT 1) AS whole
 WHERE true
   AND CASE WHEN $9 <> '' THEN (
SELECT order_id
  FROM order_details
 WHERE reference <> ''
   AND reference = $9
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $10 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE email <> ''
   AND email = $10
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 = 'PENDING' THEN (
SELECT order_id
  FROM unanswered
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 = 'RESERVED' THEN (
SELECT order_id
  FROM hold
 WHERE true
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $6 <> '' THEN (
SELECT order_id
  FROM orders AS asked
 WHERE true
   AND customer_id = $6
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $8 <> '' THEN (
SELECT order_id
  FROM order_line
 WHERE true
   AND product_id = $8
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $7 IN ('REJECTED', 'CANCELLED', 'EXPIRED') THEN (
SELECT order_id
  FROM order_history
 WHERE status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
   AND status = $7
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
   AND CASE WHEN $12 NOT IN ('', 'NONE') THEN (
SELECT order_id
  FROM payment_state
 WHERE true
   AND status = $12
   AND order_id = found.order_id
 LIMIT 1) IS NOT NULL ELSE true END
ORDER BY found.led DESC, found.order_id DESC
 LIMIT $2
;

-- SEARCH_BY_ALL
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
  FROM orders
 WHERE true
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
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
   AND ($13 = '' AND NOT $14
        OR EXISTS (SELECT 1
                     FROM json_array_elements(stock) AS part
                    WHERE part ->> 1 <> ''
                      AND $13 IN ('', part ->> 1)))
   AND (NOT $14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))
ORDER BY orders.order_id DESC
   LIMIT $2
;

-- EDITS_SINCE
SELECT currency, 
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition)) AS edit
  FROM order_edit
  JOIN orders USING (order_id)
 WHERE order_edit.order_id = $1::uuid
   AND (asked_version > $2 OR ended_version > $2)
 ORDER BY order_edit.edition
;

-- FIND_EDITABLE
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
     ,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(return_id, request_id, request_hash, opened_at, closed_at) ORDER BY version)
          FROM (SELECT * FROM order_return) AS known
         WHERE known.order_id = orders.order_id) END AS returns,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(return_id, line_no, product_id, quantity, reason) ORDER BY line_no)
          FROM (SELECT * FROM order_return JOIN return_item USING (return_id)) AS known
         WHERE known.order_id = orders.order_id) END AS return_items,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(return_id, request_id, revision, request_hash, received_at) ORDER BY version)
          FROM (SELECT * FROM return_receipt) AS known
         WHERE known.order_id = orders.order_id) END AS receipts,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(request_id, line_no, product_id, quantity, disposition, location_id) ORDER BY request_id, item_no)
          FROM (SELECT * FROM receipt_item) AS known
         WHERE known.order_id = orders.order_id) END AS receipt_items
     , (SELECT max(line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id) AS line_no_max
  FROM orders
 WHERE orders.order_id = ANY($1::uuid[])
;

-- FIND_NAMED_EDITABLE
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
     ,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(return_id, request_id, request_hash, opened_at, closed_at) ORDER BY version)
          FROM (SELECT * FROM order_return) AS known
         WHERE known.order_id = orders.order_id) END AS returns,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(return_id, line_no, product_id, quantity, reason) ORDER BY line_no)
          FROM (SELECT * FROM order_return JOIN return_item USING (return_id)) AS known
         WHERE known.order_id = orders.order_id) END AS return_items,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(return_id, request_id, revision, request_hash, received_at) ORDER BY version)
          FROM (SELECT * FROM return_receipt) AS known
         WHERE known.order_id = orders.order_id) END AS receipts,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(request_id, line_no, product_id, quantity, disposition, location_id) ORDER BY request_id, item_no)
          FROM (SELECT * FROM receipt_item) AS known
         WHERE known.order_id = orders.order_id) END AS receipt_items
     , (SELECT max(line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id) AS line_no_max
     , owner
  FROM unnest($1::uuid[], $2::text[]) AS named (id, owner)
 CROSS JOIN orders
 WHERE orders.order_id = named.id
   AND (owner = '' OR customer_id = owner)
;

-- FIND_DETAILS
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
     ,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(return_id, request_id, request_hash, opened_at, closed_at) ORDER BY version)
          FROM (SELECT * FROM order_return) AS known
         WHERE known.order_id = orders.order_id) END AS returns,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(return_id, line_no, product_id, quantity, reason) ORDER BY line_no)
          FROM (SELECT * FROM order_return JOIN return_item USING (return_id)) AS known
         WHERE known.order_id = orders.order_id) END AS return_items,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(return_id, request_id, revision, request_hash, received_at) ORDER BY version)
          FROM (SELECT * FROM return_receipt) AS known
         WHERE known.order_id = orders.order_id) END AS receipts,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(request_id, line_no, product_id, quantity, disposition, location_id) ORDER BY request_id, item_no)
          FROM (SELECT * FROM receipt_item) AS known
         WHERE known.order_id = orders.order_id) END AS receipt_items
     , (SELECT json_agg(json_build_array(version, status, changed_at, reason, actor, action,
                                         credential_id) ORDER BY version)
          FROM order_history
         WHERE order_history.order_id = orders.order_id) AS history
  FROM orders
 WHERE orders.order_id = ANY($1::uuid[])
;

-- FIND_NAMED_DETAILS
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at, expires_at, confirmed_by,
       edition, edition_newest, edit_revision, stock, stock_revision,
       CASE WHEN edition_newest > 1 THEN (SELECT
       json_build_array(order_edit.edition, revision, state, order_edit.total_minor, missing,
                        asked_version, ended_version,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = order_edit.order_id
           AND order_line.edition = order_edit.edition),
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = order_edit.order_id
           AND order_charge.edition = order_edit.edition),
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = order_edit.order_id
           AND order_sourcing.edition = order_edit.edition))
          FROM order_edit
         WHERE order_edit.order_id = orders.order_id
           AND order_edit.edition = orders.edition_newest) END AS edit,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor, line_no)
                        ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines,
       (SELECT json_agg(json_build_array(kind, line_no, code, amount_minor) ORDER BY charge_no)
          FROM order_charge
         WHERE order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition) AS charges,
       (SELECT json_build_array(strategy, location_ids, may_split, in_stock_only)
          FROM order_sourcing
         WHERE order_sourcing.order_id = orders.order_id
           AND order_sourcing.edition = orders.edition) AS sourcing,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, revision, carrier, tracking_number, tracking_url, request_hash, shipped_at, delivered_at) ORDER BY version)
          FROM (SELECT * FROM shipment) AS known
         WHERE known.order_id = orders.order_id) END AS shipments,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(shipment_id, line_no, product_id, location_id, quantity) ORDER BY shipment_id, item_no)
          FROM (SELECT * FROM shipment_item) AS known
         WHERE known.order_id = orders.order_id) END AS shipment_items,
       (SELECT json_agg(json_build_array(kind, reference, amount_minor, recorded_at)
                        ORDER BY version)
          FROM payment
         WHERE payment.order_id = orders.order_id) AS payments,
       (SELECT json_build_array(reference, channel, note, attributes, ship_to, bill_to)
          FROM order_details
         WHERE order_details.order_id = orders.order_id) AS details
     ,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(return_id, request_id, request_hash, opened_at, closed_at) ORDER BY version)
          FROM (SELECT * FROM order_return) AS known
         WHERE known.order_id = orders.order_id) END AS returns,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(return_id, line_no, product_id, quantity, reason) ORDER BY line_no)
          FROM (SELECT * FROM order_return JOIN return_item USING (return_id)) AS known
         WHERE known.order_id = orders.order_id) END AS return_items,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(return_id, request_id, revision, request_hash, received_at) ORDER BY version)
          FROM (SELECT * FROM return_receipt) AS known
         WHERE known.order_id = orders.order_id) END AS receipts,
       CASE WHEN status IN ('PARTIALLY_SHIPPED', 'SHIPPED') THEN
       (SELECT json_agg(json_build_array(request_id, line_no, product_id, quantity, disposition, location_id) ORDER BY request_id, item_no)
          FROM (SELECT * FROM receipt_item) AS known
         WHERE known.order_id = orders.order_id) END AS receipt_items
     , (SELECT json_agg(json_build_array(version, status, changed_at, reason, actor, action,
                                         credential_id) ORDER BY version)
          FROM order_history
         WHERE order_history.order_id = orders.order_id) AS history
     , owner
  FROM unnest($1::uuid[], $2::text[]) AS named (id, owner)
 CROSS JOIN orders
 WHERE orders.order_id = named.id
   AND (owner = '' OR customer_id = owner)
;

-- ORDERS_OF_RETURNS
SELECT return_id::text AS return_id, order_id::text AS order_id
  FROM order_return
 WHERE return_id = ANY($1::uuid[])
;

-- INSERT_ORDERS
INSERT INTO orders
            (order_id, customer_id, request_id, request_hash, status, version,
             edition, edition_newest, asked, answered, stock_sequence, stock_revision, stock,
             currency, total_minor, name, email, phone, address,
             shortages, placed_at, updated_at, expires_at)
WITH new AS (SELECT *
               FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[],
                           $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[],
                           $10::text[], $11::timestamptz[], $12::timestamptz[], $13::text[])
                    AS new (order_id, customer_id, request_id, request_hash,
                            currency, total_minor, name, email, phone,
                            address, at, expires_at, bare)
              ORDER BY bare COLLATE "C")
SELECT order_id, new.customer_id, request_id, request_hash, 'PENDING', 1,
       1, 1, 1, 0, 0, 0, '[]', currency, total_minor,
       coalesce(profile.name, new.name), coalesce(profile.email, new.email),
       coalesce(profile.phone, new.phone), coalesce(profile.address, new.address),
       '[]', at, at, expires_at
  FROM new
  LEFT JOIN LATERAL (SELECT name, email, phone, address
                       FROM customer
                      WHERE customer.customer_id = new.bare
                        AND erased_at IS NULL
                        FOR SHARE) AS profile ON true
 ORDER BY request_id COLLATE "C", new.customer_id COLLATE "C"
;

-- INSERT_LINES
INSERT INTO order_line (order_id, edition, line_no, product_id, quantity, unit_price_minor)
SELECT *
  FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::text[], $5::bigint[], $6::bigint[])
;

-- INSERT_HISTORY
INSERT INTO order_history
            (order_id, version, status, changed_at, reason, actor, action, credential_id)
SELECT *
  FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[], $5::text[], $6::text[],
              $7::text[], $8::text[])
;

-- INSERT_PLACED
INSERT INTO order_history
            (order_id, version, status, changed_at, reason, actor, action, credential_id)
SELECT order_id, 1, 'PENDING', at, reason, actor, '', credential_id
  FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[])
       AS new (order_id, at, reason, actor, credential_id)
;

-- INSERT_CHARGES
INSERT INTO order_charge (order_id, edition, charge_no, line_no, kind, code, amount_minor)
SELECT *
  FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[], $5::text[], $6::text[],
              $7::bigint[])
;

-- INSERT_SOURCINGS
INSERT INTO order_sourcing (order_id, edition, strategy, location_ids, may_split, in_stock_only)
SELECT *
  FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::jsonb[], $5::boolean[], $6::boolean[])
;

-- WANTED_SOURCINGS
  SELECT orders.order_id::text AS order_id, strategy, location_ids, may_split, in_stock_only
    FROM orders
    JOIN order_sourcing ON order_sourcing.order_id = orders.order_id
     AND order_sourcing.edition = CASE WHEN edit_revision IS NULL THEN orders.edition
                                       ELSE edition_newest END
   WHERE orders.order_id = ANY($1::uuid[])
;

-- PUT_DETAILS
INSERT INTO order_details (order_id, reference, channel, note, attributes, ship_to, bill_to)
SELECT order_id, reference, channel, note, attributes, ship_to, bill_to
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::jsonb[], $7::jsonb[])
       AS new (order_id, reference, channel, note, attributes, ship_to, bill_to)
ON CONFLICT (order_id) DO UPDATE
   SET reference = excluded.reference, channel = excluded.channel, note = excluded.note,
       attributes = excluded.attributes, ship_to = excluded.ship_to, bill_to = excluded.bill_to
;

-- PUT_PAYMENT_STATES
INSERT INTO payment_state (order_id, status)
SELECT order_id, status
  FROM unnest($1::uuid[], $2::text[]) AS new (order_id, status)
ON CONFLICT (order_id) DO UPDATE SET status = excluded.status
;

-- INSERT_PAYMENTS
INSERT INTO payment (order_id, version, kind, reference, amount_minor, recorded_at)
SELECT *
  FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[])
;

-- PAYMENTS_OF_ORDERS
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
;

-- LOCK_STATES
SELECT order_id::text AS order_id,
       status, version, asked, answered, stock_sequence, expires_at, confirmed_by,
       edition, edition_newest, edit_revision
    FROM orders
   WHERE orders.order_id = ANY($1::uuid[])
ORDER BY orders.order_id          -- one lock order for everyone: no deadlocks
     FOR NO KEY UPDATE
;

-- KNOWN_OF_ORDER
   SELECT name, email, phone, address,
          reference, channel, note, attributes, ship_to, bill_to
     FROM orders
LEFT JOIN order_details USING (order_id)
    WHERE orders.order_id = $1::uuid
;

-- UPDATE_STATES
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
;

-- SETTLE_STATES
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
;

-- UPDATE_STOCK
UPDATE orders
   SET answered = new.answered, stock_sequence = new.sequence, stock_revision = new.revision,
       stock = new.stock
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::json[])
       AS new (order_id, answered, sequence, revision, stock)
 WHERE orders.order_id = new.order_id
   AND orders.stock_sequence < new.sequence
;

-- INSERT_EDITS
INSERT INTO order_edit
            (order_id, edition, revision, state, total_minor, missing, asked_version, ended_version)
SELECT order_id, edition, revision, state, total_minor, '[]', asked_version, ended_version
  FROM unnest($1::uuid[], $2::integer[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[],
              $7::bigint[])
       AS new (order_id, edition, revision, state, total_minor, asked_version, ended_version)
;

-- END_EDITS
UPDATE order_edit
   SET state = new.state, missing = new.missing, ended_version = new.version
  FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::jsonb[], $5::bigint[])
       AS new (order_id, edition, state, missing, version)
 WHERE order_edit.order_id = new.order_id
   AND order_edit.edition = new.edition
;

-- UPDATE_EDITIONS
UPDATE orders
   SET edition = new.edition, edition_newest = new.newest, edit_revision = new.revision,
       total_minor = coalesce(new.total_minor, orders.total_minor)
  FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::bigint[], $5::bigint[])
       AS new (order_id, edition, newest, revision, total_minor)
 WHERE orders.order_id = new.order_id
;

-- WANTED_LINES
  SELECT orders.order_id::text AS order_id, product_id, quantity
    FROM orders
    JOIN order_line ON order_line.order_id = orders.order_id
     AND order_line.edition = CASE WHEN edit_revision IS NULL THEN orders.edition
                                   ELSE edition_newest END
   WHERE orders.order_id = ANY($1::uuid[])
;

-- UPDATE_CUSTOMERS
UPDATE orders
   SET name = new.name, email = new.email, phone = new.phone, address = new.address
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
       AS new (order_id, name, email, phone, address)
 WHERE orders.order_id = new.order_id
;
