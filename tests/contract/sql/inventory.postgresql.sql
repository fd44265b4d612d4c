-- Written by `.venv/bin/python -m tests.contract.written_sql`, not by hand.

BEGIN;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 0001

CREATE TABLE product (
    product_id  text COLLATE "C" PRIMARY KEY,
    name        text NOT NULL,
    description text NOT NULL,
    currency    text NOT NULL,
    price_minor bigint NOT NULL CHECK (price_minor >= 0),
    active      boolean NOT NULL,
    version     bigint NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    backorder_max bigint NOT NULL DEFAULT 0 CHECK (backorder_max >= 0),
    expected_on text,                            -- a day, as YYYY-MM-DD
    safety_stock bigint NOT NULL DEFAULT 0 CHECK (safety_stock >= 0)
);

CREATE INDEX product_by_active ON product (active, product_id);

-- Every location in its one spelling; `folded` is it without the case of its letters. Whoever moves
-- stock at a location shares a lock on its row. `inactive_after` is the newest movement when it was
-- made inactive, so that the ledger itself shows that nothing came there since.
CREATE TABLE location (
    location_id    text COLLATE "C" PRIMARY KEY,
    folded         text COLLATE "C" NOT NULL UNIQUE,
    name           text NOT NULL,
    kind           text NOT NULL,
    priority       integer NOT NULL,
    active         boolean NOT NULL,
    inactive_after bigint,                       -- NULL: it is active
    address        jsonb NOT NULL,
    version        bigint NOT NULL,
    CHECK (active = (inactive_after IS NULL))
);

INSERT INTO location
     VALUES ('main', 'main', '', 'WAREHOUSE', 0, true, NULL, '["", "", "", "", ""]', 1);

-- The last wall against overselling: whatever the program does, these checks hold.
-- Fill factor: room for updates in place, since these rows change all the time.
CREATE TABLE stock_level (
    product_id  text COLLATE "C" NOT NULL REFERENCES product,
    location_id text COLLATE "C" NOT NULL,
    lot_id      text COLLATE "C" NOT NULL,       -- '': it has no lots
    on_hand     bigint NOT NULL CHECK (on_hand >= 0),
    reserved    bigint NOT NULL CHECK (reserved >= 0),
    version     bigint NOT NULL,
    quarantined bigint NOT NULL CHECK (quarantined >= 0),
    -- Only at the product's gate, its level at 'main': units waited for, and how many may be.
    queued      bigint NOT NULL DEFAULT 0 CHECK (queued >= 0),
    queued_max  bigint NOT NULL DEFAULT 0,
    safety_stock bigint NOT NULL DEFAULT 0,      -- the product's, at its gate; elsewhere 0
    others       integer NOT NULL DEFAULT 0,     -- at the gate: how many more the product has
    -- Of gates, for lists of products: nothing or little is free at it of what was in stock once,
    -- and its queue is not empty. They change seldom, and as long as they don't, an update in place
    -- touches no index.
    sold_out boolean NOT NULL GENERATED ALWAYS AS
        (location_id = 'main' AND (version > 0 OR others > 0)
         AND on_hand - reserved - quarantined - safety_stock - queued <= 0)
        STORED,
    scarce boolean NOT NULL GENERATED ALWAYS AS
        (location_id = 'main' AND (version > 0 OR others > 0)
         AND on_hand - reserved - quarantined - safety_stock - queued <= 20)
        STORED,
    waited boolean NOT NULL GENERATED ALWAYS AS (queued > 0) STORED,
    PRIMARY KEY (product_id, location_id, lot_id),
    CHECK (reserved + quarantined <= on_hand)
) WITH (fillfactor = 50);

CREATE INDEX stock_level_sold_out ON stock_level (product_id) WHERE sold_out AND lot_id = '';

CREATE INDEX stock_level_scarce ON stock_level (product_id) WHERE scarce AND lot_id = '';

CREATE INDEX stock_level_waited ON stock_level (product_id) WHERE waited;

-- What each order is promised, as a document. The ledger stays the truth: levels and reservations
-- are its two projections, written in the same transaction and compared by `verify`.
CREATE TABLE reservation (
    order_id   uuid PRIMARY KEY,
    version    bigint NOT NULL,                  -- the `sequence` of what is told
    revision   bigint NOT NULL,                  -- of the newest question decided
    state      text NOT NULL,
    stock      json NOT NULL,                    -- [[product, location, lot, units, why], ...]
    missing    json NOT NULL,                    -- [[product, wanted, available], ...]: why refused
    sourcing   json,                             -- [strategy, [location], split?]; NULL: priority
    placed_at  timestamptz NOT NULL,             -- when the order asked its first question
    updated_at timestamptz NOT NULL,
    queued     json                              -- [[product, units, since], ...]; NULL: none
) WITH (fillfactor = 70);

-- The queues: what orders wait for, by product; the key is the order in which they are served. The
-- reservations say the same, order by order.
CREATE TABLE backorder (
    product_id text COLLATE "C" NOT NULL,
    since      timestamptz NOT NULL,
    order_id   uuid NOT NULL,
    quantity   bigint NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (product_id, since, order_id)
);

-- A queue is to be served when something became free since it was served last.
CREATE TABLE to_serve (
    product_id text COLLATE "C" PRIMARY KEY,
    ticket     bigint NOT NULL,
    served     bigint NOT NULL
);

CREATE INDEX to_serve_now ON to_serve (ticket) WHERE served < ticket;

-- Each shipment and each receipt is booked once, for ever; a receipt's name begins with a line
-- break.
CREATE TABLE booked_fact (
    order_id uuid NOT NULL,
    fact     text COLLATE "C" NOT NULL,
    PRIMARY KEY (order_id, fact)
);

CREATE TABLE stock_movement (
    movement_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id     text COLLATE "C" NOT NULL,
    location_id    text COLLATE "C" NOT NULL,
    lot_id         text COLLATE "C",             -- NULL: it has no lots, and costs nothing
    kind           text NOT NULL,
    on_hand_delta  bigint NOT NULL,
    reserved_delta bigint NOT NULL,
    on_hand_after  bigint NOT NULL CHECK (on_hand_after >= 0),
    reserved_after bigint NOT NULL CHECK (reserved_after BETWEEN 0 AND on_hand_after),
    order_id       uuid,
    reason_code    text,                         -- NULL: not said
    reason         text NOT NULL,
    reference      text NOT NULL,
    actor          text NOT NULL,
    moved_at       timestamptz NOT NULL,
    quarantined_delta bigint,                    -- NULL: 0
    quarantined_after bigint,                    -- NULL: 0
    credential_id  text                          -- what the actor came with; NULL: nothing
);

-- Location and time stand in it to be read past: who looks for a level's movements, or for a
-- moment, goes backwards through the entries alone.
CREATE INDEX stock_movement_by_product
    ON stock_movement (product_id, movement_id, location_id, moved_at);

CREATE INDEX stock_movement_by_order ON stock_movement (order_id) WHERE order_id IS NOT NULL;

CREATE TABLE stock_request (
    request_id   text COLLATE "C" PRIMARY KEY,
    request_hash text NOT NULL,
    product_id   text COLLATE "C" NOT NULL,
    location_id  text COLLATE "C" NOT NULL,
    on_hand      bigint NOT NULL,
    reserved     bigint NOT NULL,
    version      bigint NOT NULL,
    done_at      timestamptz NOT NULL,
    quarantined  bigint NOT NULL,
    safety_stock bigint NOT NULL DEFAULT 0,
    active       boolean NOT NULL DEFAULT true
);

-- Units on their way. Its movements are those whose reference is its id.
CREATE TABLE transfer (
    transfer_id uuid PRIMARY KEY,
    request_id  text COLLATE "C" NOT NULL UNIQUE,
    origin      text COLLATE "C" NOT NULL REFERENCES location,
    target      text COLLATE "C" NOT NULL REFERENCES location,
    state       text NOT NULL,
    reference   text NOT NULL,
    expected_at timestamptz,                     -- NULL: not said
    created_at  timestamptz NOT NULL,
    closed_at   timestamptz,                     -- NULL: more may come
    CHECK (origin <> target)
);

CREATE INDEX transfer_in_transit ON transfer (transfer_id) WHERE state = 'IN_TRANSIT';

CREATE TABLE transfer_line (
    transfer_id uuid NOT NULL REFERENCES transfer,
    product_id  text COLLATE "C" NOT NULL REFERENCES product,
    sent        bigint NOT NULL CHECK (sent > 0),
    received    bigint NOT NULL CHECK (received >= 0),
    missing     bigint NOT NULL CHECK (missing >= 0),
    PRIMARY KEY (transfer_id, product_id),
    CHECK (received + missing <= sent)
);

CREATE INDEX transfer_line_in_transit ON transfer_line (product_id) WHERE received + missing < sent;

-- Each receipt is booked once, for ever.
CREATE TABLE transfer_receipt (
    transfer_id uuid NOT NULL REFERENCES transfer,
    request_id  text COLLATE "C" NOT NULL,
    is_rest     boolean NOT NULL,                -- no units were named: all that was to come
    received_at timestamptz NOT NULL,
    PRIMARY KEY (transfer_id, request_id)
);

CREATE TABLE transfer_receipt_line (
    transfer_id uuid NOT NULL,
    request_id  text COLLATE "C" NOT NULL,
    product_id  text COLLATE "C" NOT NULL,
    quantity    bigint NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (transfer_id, request_id, product_id),
    FOREIGN KEY (transfer_id, request_id) REFERENCES transfer_receipt
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

INSERT INTO alembic_version (version_num) VALUES ('0001') RETURNING alembic_version.version_num;

COMMIT;


-- LOCK_TRANSFER
SELECT transfer_id
  FROM transfer
 WHERE transfer_id = $1::uuid
   FOR UPDATE
;

-- FIND_TRANSFER
  SELECT transfer_id::text AS transfer_id, request_id, origin, target, reference, expected_at,
         created_at, closed_at, product_id, sent, received, missing
    FROM transfer
    JOIN transfer_line USING (transfer_id)
   WHERE transfer_id = $1::uuid
ORDER BY product_id
;

-- FIND_REQUESTED_TRANSFER
  SELECT transfer_id::text AS transfer_id, request_id, origin, target, reference, expected_at,
         created_at, closed_at, product_id, sent, received, missing
    FROM transfer
    JOIN transfer_line USING (transfer_id)
   WHERE request_id = $1
ORDER BY product_id
;

-- LIST_TRANSFERS
  SELECT transfer_id::text AS transfer_id, request_id, origin, target, reference, expected_at,
         created_at, closed_at, product_id, sent, received, missing
    FROM transfer
    JOIN transfer_line USING (transfer_id)
   WHERE transfer_id IN (SELECT transfer_id
                           FROM transfer
                          WHERE transfer_id < $1::uuid
                            AND ($3 = '' OR state = $3)
                       ORDER BY transfer_id DESC
                          LIMIT $2)
ORDER BY transfer_id DESC, product_id
;

-- LIST_TRANSFERS_IN_TRANSIT
  SELECT transfer_id::text AS transfer_id, request_id, origin, target, reference, expected_at,
         created_at, closed_at, product_id, sent, received, missing
    FROM transfer
    JOIN transfer_line USING (transfer_id)
   WHERE transfer_id IN (SELECT transfer_id
                           FROM transfer
                          WHERE transfer_id < $1::uuid
                            AND state = 'IN_TRANSIT'
                       ORDER BY transfer_id DESC
                          LIMIT $2)
ORDER BY transfer_id DESC, product_id
;

-- COMING
  SELECT target, active, transfers, in_transit, transfer_id, origin, units, created_at, expected_at
    FROM (SELECT target, transfer_id::text AS transfer_id, origin, created_at, expected_at,
                 sent - received - missing AS units,
                 row_number() OVER (PARTITION BY target ORDER BY transfer_id) AS place,
                 count(*) OVER (PARTITION BY target) AS transfers,
                 (sum(sent - received - missing) OVER (PARTITION BY target))::bigint AS in_transit
            FROM transfer_line
            JOIN transfer USING (transfer_id)
           WHERE product_id = $1 AND received + missing < sent
             AND ($2 = '' OR target = $2) AND target > $3) AS line
    JOIN location ON location_id = target
   WHERE place <= $4
ORDER BY target, transfer_id
;

-- INSERT_TRANSFER
INSERT INTO transfer
            (transfer_id, request_id, origin, target, state, reference, expected_at, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
;

-- INSERT_TRANSFER_LINES
INSERT INTO transfer_line (transfer_id, product_id, sent, received, missing)
SELECT *
  FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
;

-- UPDATE_TRANSFER
UPDATE transfer
   SET state = $2, closed_at = $3
 WHERE transfer_id = $1::uuid
;

-- UPDATE_TRANSFER_LINES
UPDATE transfer_line
   SET received = new.received, missing = new.missing
  FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[])
       AS new (transfer_id, product_id, received, missing)
 WHERE transfer_line.transfer_id = new.transfer_id
   AND transfer_line.product_id = new.product_id
;

-- FIND_RECEIPT
SELECT is_rest, product_id, quantity
  FROM transfer_receipt
  JOIN transfer_receipt_line USING (transfer_id, request_id)
 WHERE transfer_id = $1::uuid AND request_id = $2
;

-- INSERT_RECEIPT
INSERT INTO transfer_receipt (transfer_id, request_id, is_rest, received_at)
     VALUES ($1, $2, $3, $4)
;

-- INSERT_RECEIPT_LINES
INSERT INTO transfer_receipt_line (transfer_id, request_id, product_id, quantity)
SELECT *
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[])
;

-- LIST_PRODUCTS
  SELECT product.product_id, name, description, currency, price_minor, product.active,
         product.version, backorder_max, expected_on, product.safety_stock
    FROM product
   WHERE product.product_id > $1
     AND product.product_id <= $2
     AND ($4::boolean IS NULL OR product.active = $4)
     AND ($6::boolean IS NULL
          OR $6 = EXISTS (SELECT 1
                            FROM stock_level
                           WHERE stock_level.product_id = product.product_id
                             AND waited))
     AND ($5::bigint IS NULL
          OR $5 >= (SELECT SUM(CASE WHEN location.active
                                     AND on_hand - reserved - quarantined > product.safety_stock
                                    THEN on_hand - reserved - quarantined - product.safety_stock
                                    ELSE 0 END) - SUM(queued)
                      FROM stock_level
                      JOIN location USING (location_id)
                     WHERE stock_level.product_id = product.product_id
                    HAVING MAX(stock_level.version) > 0))
ORDER BY product.product_id
   LIMIT $3
;

-- LIST_PRODUCTS_BY_ACTIVE
  SELECT product.product_id, name, description, currency, price_minor, product.active,
         product.version, backorder_max, expected_on, product.safety_stock
    FROM product
   WHERE product.product_id > $1
     AND product.product_id <= $2
     AND product.active = $4
     AND ($4::boolean IS NULL OR product.active = $4)
     AND ($6::boolean IS NULL
          OR $6 = EXISTS (SELECT 1
                            FROM stock_level
                           WHERE stock_level.product_id = product.product_id
                             AND waited))
     AND ($5::bigint IS NULL
          OR $5 >= (SELECT SUM(CASE WHEN location.active
                                     AND on_hand - reserved - quarantined > product.safety_stock
                                    THEN on_hand - reserved - quarantined - product.safety_stock
                                    ELSE 0 END) - SUM(queued)
                      FROM stock_level
                      JOIN location USING (location_id)
                     WHERE stock_level.product_id = product.product_id
                    HAVING MAX(stock_level.version) > 0))
ORDER BY product.product_id
   LIMIT $3
;

-- LIST_PRODUCTS_WAITED_FOR
  SELECT product.product_id, name, description, currency, price_minor, product.active,
         product.version, backorder_max, expected_on, product.safety_stock
    FROM product
    JOIN stock_level AS gate USING (product_id)
   WHERE gate.product_id > $1
     AND gate.product_id <= $2
     AND gate.waited
     AND ($4::boolean IS NULL OR product.active = $4)
     AND ($6::boolean IS NULL
          OR $6 = EXISTS (SELECT 1
                            FROM stock_level
                           WHERE stock_level.product_id = product.product_id
                             AND waited))
     AND ($5::bigint IS NULL
          OR $5 >= (SELECT SUM(CASE WHEN location.active
                                     AND on_hand - reserved - quarantined > product.safety_stock
                                    THEN on_hand - reserved - quarantined - product.safety_stock
                                    ELSE 0 END) - SUM(queued)
                      FROM stock_level
                      JOIN location USING (location_id)
                     WHERE stock_level.product_id = product.product_id
                    HAVING MAX(stock_level.version) > 0))
ORDER BY gate.product_id
   LIMIT $3
;

-- LIST_SOLD_OUT_PRODUCTS
  SELECT product.product_id, name, description, currency, price_minor, product.active,
         product.version, backorder_max, expected_on, product.safety_stock
    FROM product
    JOIN stock_level AS gate USING (product_id)
   WHERE gate.product_id > $1
     AND gate.product_id <= $2
     AND gate.sold_out AND gate.lot_id = ''
     AND ($4::boolean IS NULL OR product.active = $4)
     AND ($6::boolean IS NULL
          OR $6 = EXISTS (SELECT 1
                            FROM stock_level
                           WHERE stock_level.product_id = product.product_id
                             AND waited))
     AND ($5::bigint IS NULL
          OR $5 >= (SELECT SUM(CASE WHEN location.active
                                     AND on_hand - reserved - quarantined > product.safety_stock
                                    THEN on_hand - reserved - quarantined - product.safety_stock
                                    ELSE 0 END) - SUM(queued)
                      FROM stock_level
                      JOIN location USING (location_id)
                     WHERE stock_level.product_id = product.product_id
                    HAVING MAX(stock_level.version) > 0))
ORDER BY gate.product_id
   LIMIT $3
;

-- LIST_SCARCE_PRODUCTS
  SELECT product.product_id, name, description, currency, price_minor, product.active,
         product.version, backorder_max, expected_on, product.safety_stock
    FROM product
    JOIN stock_level AS gate USING (product_id)
   WHERE gate.product_id > $1
     AND gate.product_id <= $2
     AND gate.scarce AND gate.lot_id = ''
     AND ($4::boolean IS NULL OR product.active = $4)
     AND ($6::boolean IS NULL
          OR $6 = EXISTS (SELECT 1
                            FROM stock_level
                           WHERE stock_level.product_id = product.product_id
                             AND waited))
     AND ($5::bigint IS NULL
          OR $5 >= (SELECT SUM(CASE WHEN location.active
                                     AND on_hand - reserved - quarantined > product.safety_stock
                                    THEN on_hand - reserved - quarantined - product.safety_stock
                                    ELSE 0 END) - SUM(queued)
                      FROM stock_level
                      JOIN location USING (location_id)
                     WHERE stock_level.product_id = product.product_id
                    HAVING MAX(stock_level.version) > 0))
ORDER BY gate.product_id
   LIMIT $3
;

-- IS_MAIN_ACTIVE
SELECT active
  FROM location
 WHERE location_id = 'main'
   AND active
;

-- INSERT_WAITING_RESERVATIONS
INSERT INTO reservation
            (order_id, version, revision, state, stock, missing, sourcing, updated_at, placed_at,
             queued)
SELECT order_id, version, revision, state, stock, missing, sourcing, at, placed_at, queued
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::json[], $6::json[],
              $7::json[], $8::timestamptz[], $9::timestamptz[], $10::json[])
       AS new (order_id, version, revision, state, stock, missing, sourcing, at, placed_at, queued)
;

-- SET_QUEUED
UPDATE reservation
   SET queued = new.queued
  FROM unnest($1::uuid[], $2::json[])
       AS new (order_id, queued)
 WHERE reservation.order_id = new.order_id
;

-- PUT_BACKORDERS
INSERT INTO backorder (product_id, since, order_id, quantity)
SELECT *
  FROM unnest($1::text[], $2::timestamptz[], $3::uuid[], $4::bigint[])
ON CONFLICT (product_id, since, order_id) DO UPDATE SET quantity = excluded.quantity
;

-- COUNT_BACKORDERS
SELECT count(*) AS waiting, min(since) AS oldest
  FROM (SELECT since FROM backorder LIMIT 10000) AS waiting
;

-- DELETE_BACKORDERS
DELETE FROM backorder
      USING unnest($1::text[], $2::timestamptz[], $3::uuid[])
            AS gone (product_id, since, order_id)
      WHERE backorder.product_id = gone.product_id
        AND backorder.since = gone.since
        AND backorder.order_id = gone.order_id
;

-- QUEUE
  SELECT order_id::text AS order_id, quantity, since
    FROM backorder
   WHERE product_id = $1
     AND (since, order_id) > ($2::timestamptz, $3::uuid)
ORDER BY since, order_id
   LIMIT $4
;

-- QUEUE_UNTIL
SELECT count(*) AS places, coalesce(sum(quantity), 0)::bigint AS units
  FROM backorder
 WHERE product_id = $1
   AND (since, order_id) <= ($2::timestamptz, $3::uuid)
;

-- WAKE_QUEUES
INSERT INTO to_serve (product_id, ticket, served)
SELECT product_id, 1, 0
  FROM unnest($1::text[])
       AS new (product_id)
ON CONFLICT (product_id) DO UPDATE SET ticket = to_serve.ticket + 1
;

-- WAKE_QUEUES_BY_LOCATION
INSERT INTO to_serve (product_id, ticket, served)
  SELECT DISTINCT product_id, 1, 0
    FROM backorder
   WHERE EXISTS (SELECT 1 FROM location WHERE location_id = $1 AND NOT active)
ORDER BY product_id
ON CONFLICT (product_id) DO UPDATE SET ticket = to_serve.ticket + 1
;

-- NEWEST_TICKET
SELECT ticket
  FROM to_serve
 WHERE product_id = $1
;

-- QUEUE_SERVED
UPDATE to_serve
   SET served = new.ticket
  FROM unnest($1::text[], $2::bigint[])
       AS new (product_id, ticket)
 WHERE to_serve.product_id = new.product_id
   AND served < new.ticket
;

-- TO_SERVE
  SELECT product_id, ticket,
         (SELECT coalesce(sum(on_hand - reserved - quarantined), 0)::bigint
            FROM stock_level
            JOIN location USING (location_id)
           WHERE stock_level.product_id = to_serve.product_id
             AND location.active) AS free
    FROM to_serve
   WHERE served < ticket
ORDER BY ticket
   LIMIT 1
;

-- YOUNGEST_PROMISES
  SELECT order_id::text AS order_id
    FROM (SELECT order_id, newest, units,
                 sum(units) OVER (ORDER BY newest DESC ROWS UNBOUNDED PRECEDING) AS so_far
            FROM (SELECT order_id, sum(reserved_delta) AS units,
                         max(CASE kind WHEN 'RESERVATION' THEN movement_id END) AS newest
                    FROM stock_movement
                   WHERE product_id = $1
                     AND location_id = $2
                     AND order_id IS NOT NULL
                GROUP BY order_id
                  HAVING sum(reserved_delta) > 0) AS held) AS running
   WHERE so_far - units < (SELECT reserved + quarantined
                                  - coalesce($4::bigint, on_hand - $3::bigint)
                             FROM stock_level
                            WHERE product_id = $1
                              AND location_id = $2
                              AND lot_id = '')
ORDER BY newest DESC
;

-- SET_QUEUED_AT_GATES
UPDATE stock_level
   SET queued = new.queued
  FROM unnest($1::text[], $2::bigint[])
       AS new (product_id, queued)
 WHERE stock_level.product_id = new.product_id
   AND location_id = 'main'
   AND lot_id = ''
;

-- WAKE_QUEUE_OF
INSERT INTO to_serve (product_id, ticket, served)
SELECT product_id, 1, 0
  FROM stock_level
 WHERE product_id = $1
   AND queued > 0
ON CONFLICT (product_id) DO UPDATE SET ticket = to_serve.ticket + 1
;

-- FIND_RESERVATIONS
  SELECT order_id::text AS order_id, version, revision, state, stock, missing, sourcing, placed_at,
         queued
    FROM reservation
   WHERE order_id = ANY($1::uuid[])
ORDER BY order_id          -- one lock order for everyone: no deadlocks
     FOR UPDATE
;

-- INSERT_RESERVATIONS
INSERT INTO reservation
            (order_id, version, revision, state, stock, missing, sourcing, updated_at, placed_at)
SELECT order_id, version, revision, state, stock, missing, sourcing, at, placed_at
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::json[], $6::json[],
              $7::json[], $8::timestamptz[], $9::timestamptz[])
       AS new (order_id, version, revision, state, stock, missing, sourcing, at, placed_at)
;

-- UPDATE_RESERVATIONS
UPDATE reservation
   SET version = new.version, revision = new.revision, state = new.state, stock = new.stock,
       missing = new.missing, sourcing = new.sourcing, updated_at = new.at
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::json[], $6::json[],
              $7::json[], $8::timestamptz[], $9::bigint[])
       AS new (order_id, version, revision, state, stock, missing, sourcing, at, version_before)
 WHERE reservation.order_id = new.order_id
   AND reservation.version = new.version_before
;

-- FIND_FACTS
SELECT order_id::text AS order_id, fact
  FROM booked_fact
 WHERE order_id = ANY($1::uuid[])
;

-- INSERT_FACTS
INSERT INTO booked_fact (order_id, fact)
SELECT *
  FROM unnest($1::uuid[], $2::text[])
;

-- LOCK_LEVELS
  SELECT product_id, location_id, lot_id, on_hand, reserved, stock_level.version, priority, active,
         quarantined, queued, queued_max, safety_stock, others
    FROM stock_level
    JOIN location USING (location_id)
   WHERE product_id = ANY($1::text[])
         -- One lock order for everyone, each product's gate first: no deadlocks. A location's lock
         -- is shared by all but those who change the location, and these hold nothing else.
ORDER BY product_id, location_id <> 'main', location_id, lot_id
     FOR UPDATE OF stock_level FOR SHARE OF location
;

-- INSERT_LEVELS
INSERT INTO stock_level (product_id, location_id, lot_id, on_hand, reserved, version, quarantined)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],
              $7::bigint[])
;

-- INSERT_GATES
INSERT INTO stock_level (product_id, location_id, lot_id, on_hand, reserved, version, quarantined,
                         queued_max, safety_stock)
SELECT product_id, 'main', '', 0, 0, 0, 0, queued_max, safety_stock
  FROM unnest($1::text[], $2::bigint[], $3::bigint[])
       AS new (product_id, queued_max, safety_stock)
;

-- TELL_GATES_OF_OTHERS
UPDATE stock_level
   SET others = others + new.levels
  FROM unnest($1::text[], $2::integer[]) AS new (product_id, levels)
 WHERE stock_level.product_id = new.product_id
   AND location_id = 'main'
   AND lot_id = ''
;

-- UPDATE_LEVELS
UPDATE stock_level
   SET on_hand = new.on_hand, reserved = new.reserved, version = new.version,
       quarantined = new.quarantined
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],
              $7::bigint[], $8::bigint[])
       AS new (product_id, location_id, lot_id, on_hand, reserved, version, quarantined,
               version_before)
 WHERE stock_level.product_id = new.product_id
   AND stock_level.location_id = new.location_id
   AND stock_level.lot_id = new.lot_id
   AND stock_level.version = new.version_before
;

-- SET_DETAILS_AT_GATE
UPDATE stock_level
   SET queued_max = $2, safety_stock = $3
 WHERE product_id = $1 AND location_id = 'main' AND lot_id = ''
   AND (queued_max <> $2 OR safety_stock <> $3)
;

-- INSERT_PROMISES
INSERT INTO stock_movement
            (product_id, location_id, kind, on_hand_delta, reserved_delta, on_hand_after,
             reserved_after, order_id, reason, reference, actor, moved_at)
SELECT product_id, location_id, kind, 0, reserved_delta, on_hand_after,
       reserved_after, order_id, reason, '', actor, at
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[],
              $6::bigint[], $7::uuid[], $8::text[], $9::text[], $10::timestamptz[])
       AS new (product_id, location_id, kind, reserved_delta, on_hand_after,
               reserved_after, order_id, reason, actor, at)
;

-- INSERT_MOVEMENTS
INSERT INTO stock_movement
            (product_id, location_id, lot_id, kind,
             on_hand_delta, reserved_delta, on_hand_after, reserved_after,
             order_id, reason, reference, actor, moved_at,
             reason_code, quarantined_delta, quarantined_after, credential_id)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],
              $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
              $9::uuid[], $10::text[], $11::text[], $12::text[], $13::timestamptz[],
              $14::text[], $15::bigint[], $16::bigint[], $17::text[])
;

-- FIND_LOCATIONS
  SELECT location_id, name, kind, priority, active, address, version
    FROM location
   WHERE folded = ANY($1::text[])
;

-- SHARE_LOCATIONS
  SELECT location_id, name, kind, priority, active, address, version
    FROM location
   WHERE folded = ANY($1::text[])
ORDER BY location_id
     FOR SHARE
;

-- LOCK_LOCATION
  SELECT location_id, name, kind, priority, active, address, version
    FROM location
   WHERE location_id = $1
     FOR UPDATE
;

-- LIST_LOCATIONS
  SELECT location_id, name, kind, priority, active, address, version
    FROM location
   WHERE (priority, location_id) > ($1, $2)
ORDER BY priority, location_id
   LIMIT $3
;

-- COUNT_LOCATIONSSELECT count(*) AS locations FROM location
;

-- INSERT_LOCATION
INSERT INTO location (location_id, folded, name, kind, priority, active, inactive_after, address,
                      version)
     VALUES ($1, $2, $3, $4, $5, $6,
             CASE WHEN $6 THEN NULL
                  ELSE (SELECT coalesce(max(movement_id), 0) FROM stock_movement) END,
             $7, $8)
;

-- UPDATE_LOCATION
UPDATE location
   SET name = $2, kind = $3, priority = $4, active = $5,
       inactive_after =
           CASE WHEN $5 THEN NULL
                ELSE coalesce(inactive_after,
                              (SELECT coalesce(max(movement_id), 0) FROM stock_movement)) END,
       address = $6, version = $7
 WHERE location_id = $1
;

-- EXISTING_PRODUCTS
SELECT product_id
  FROM product
 WHERE product_id = ANY($1::text[])
;

-- LOCK_PRODUCT
SELECT product_id, name, description, currency, price_minor, active, version, backorder_max,
       expected_on, safety_stock
  FROM product
 WHERE product_id = $1
   FOR UPDATE
;

-- INSERT_PRODUCT
INSERT INTO product
            (product_id, name, description, currency, price_minor, active, version,
             backorder_max, expected_on, safety_stock, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
ON CONFLICT DO NOTHING
;

-- UPDATE_PRODUCT
UPDATE product
   SET name = $2, description = $3, currency = $4, price_minor = $5, active = $6,
       version = $7, backorder_max = $8, expected_on = $9, safety_stock = $10, updated_at = $11
 WHERE product_id = $1
;

-- FIND_CHANGES
SELECT request_id, request_hash, product_id, location_id, on_hand, reserved, version, quarantined,
       safety_stock, active
  FROM stock_request
 WHERE request_id = ANY($1::text[])
;

-- INSERT_CHANGES
INSERT INTO stock_request
            (request_id, request_hash, product_id, location_id, on_hand, reserved, version, done_at,
             quarantined, safety_stock, active)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],
              $5::bigint[], $6::bigint[], $7::bigint[], $8::timestamptz[], $9::bigint[],
              $10::bigint[], $11::boolean[])
;

-- STOCK_INFO
   SELECT product_id, product.name, description, currency, price_minor, product.active,
          product.version AS product_version, product.safety_stock, backorder_max, expected_on,
          location_id, lot_id, on_hand, reserved, level_version, queued, queued_max,
          location.priority, location.active AS location_active, quarantined, coming
     FROM product
LEFT JOIN (SELECT product_id, location_id, lot_id, on_hand, reserved, version AS level_version,
                  quarantined, queued, queued_max, 0 AS coming
             FROM stock_level
            WHERE product_id = ANY($1::text[])
            UNION ALL
           SELECT product_id, target, '', 0, 0, 0, 0, 0, 0, sum(sent - received - missing)::bigint
             FROM transfer_line
             JOIN transfer USING (transfer_id)
            WHERE product_id = ANY($1::text[]) AND received + missing < sent
            GROUP BY product_id, target) AS there USING (product_id)
LEFT JOIN location USING (location_id)
    WHERE product_id = ANY($1::text[])
 ORDER BY product_id, location_id, lot_id
;

-- STOCK_SUMMARIES
   SELECT product.product_id, currency, price_minor, product.active, product.version,
          COALESCE(SUM(on_hand), 0)::bigint AS on_hand,
          COALESCE(SUM(reserved), 0)::bigint AS reserved,
          COALESCE(SUM(CASE WHEN location.active
                             AND on_hand - reserved - quarantined > product.safety_stock
                            THEN on_hand - reserved - quarantined - product.safety_stock
                            ELSE 0 END), 0)::bigint AS available,
          COALESCE(SUM(quarantined), 0)::bigint AS quarantined,
          COALESCE(SUM(queued), 0)::bigint AS queued,
          COALESCE(MAX(queued_max), 0) AS queued_max
     FROM product
LEFT JOIN stock_level ON stock_level.product_id = product.product_id
LEFT JOIN location USING (location_id)
    WHERE product.product_id = ANY($1::text[])
 GROUP BY product.product_id
;

-- LIST_MOVEMENTS
  SELECT movement_id, product_id, location_id, lot_id, kind,
         on_hand_delta, reserved_delta, on_hand_after, reserved_after,
         order_id::text AS order_id, reason_code, reason, reference, actor, moved_at,
         quarantined_delta, quarantined_after, credential_id
    FROM stock_movement
   WHERE movement_id < $1
     AND ($3 = '' OR location_id = $3)
     AND ($4::timestamptz IS NULL OR moved_at >= $4)
     AND ($5::timestamptz IS NULL OR moved_at < $5)
ORDER BY movement_id DESC
   LIMIT $2
;

-- LIST_MOVEMENTS_OF_PRODUCT
  SELECT movement_id, product_id, location_id, lot_id, kind,
         on_hand_delta, reserved_delta, on_hand_after, reserved_after,
         order_id::text AS order_id, reason_code, reason, reference, actor, moved_at,
         quarantined_delta, quarantined_after, credential_id
    FROM stock_movement
   WHERE movement_id < $1
     AND ($3 = '' OR location_id = $3)
     AND ($4::timestamptz IS NULL OR moved_at >= $4)
     AND ($5::timestamptz IS NULL OR moved_at < $5)
     AND product_id = $6
ORDER BY movement_id DESC
   LIMIT $2
;

-- LIST_MOVEMENTS_OF_ORDER
  SELECT movement_id, product_id, location_id, lot_id, kind,
         on_hand_delta, reserved_delta, on_hand_after, reserved_after,
         order_id::text AS order_id, reason_code, reason, reference, actor, moved_at,
         quarantined_delta, quarantined_after, credential_id
    FROM stock_movement
   WHERE movement_id < $1
     AND ($3 = '' OR location_id = $3)
     AND ($4::timestamptz IS NULL OR moved_at >= $4)
     AND ($5::timestamptz IS NULL OR moved_at < $5)
     AND order_id = $7::uuid AND ($6 = '' OR product_id = $6)
ORDER BY movement_id DESC
   LIMIT $2
;

-- LEVELS_AT
    WITH until AS MATERIALIZED (
           SELECT movement_id
             FROM stock_movement
            WHERE product_id BETWEEN $1 AND $1 AND moved_at <= $3
         ORDER BY product_id DESC, movement_id DESC
            LIMIT 1)
  SELECT location_id, on_hand, reserved, quarantined, stock_level.version, active,
         (SELECT product.safety_stock FROM product WHERE product_id = $1) AS safety_stock,
         (SELECT movement_id
            FROM stock_movement AS one
           WHERE (one.product_id, one.movement_id) >= ($1, 1)
             AND (one.product_id, one.movement_id) <= ($1, until.movement_id)
             AND one.location_id = stock_level.location_id
        ORDER BY one.product_id DESC, one.movement_id DESC
           LIMIT 1) AS newest,
         EXISTS (SELECT 1
                   FROM stock_movement AS one
                  WHERE (one.product_id, one.movement_id) >= ($1, until.movement_id + 1)
                    AND one.product_id <= $1
                    AND one.location_id = stock_level.location_id) AS changed_since
    FROM stock_level
    JOIN location USING (location_id) CROSS JOIN until
   WHERE product_id = $1 AND ($2 = '' OR location_id = $2) AND location_id > $4
     AND EXISTS (SELECT 1
                   FROM stock_movement AS one
                  WHERE (one.product_id, one.movement_id) >= ($1, 1)
                    AND (one.product_id, one.movement_id) <= ($1, until.movement_id)
                    AND one.location_id = stock_level.location_id)
ORDER BY location_id
   LIMIT $5
;

-- NEWEST_STEPS
  SELECT movement_id, kind, on_hand_delta, reserved_delta, quarantined_delta,
         order_id::text AS order_id, moved_at
    FROM stock_movement
   WHERE (product_id, movement_id) >= ($1, 1)
     AND (product_id, movement_id) <= ($1, $3)
     AND location_id = $2
ORDER BY product_id DESC, movement_id DESC
   LIMIT $4
;

-- FIND_MOVEMENTS
  SELECT movement_id, product_id, location_id, lot_id, kind,
         on_hand_delta, reserved_delta, on_hand_after, reserved_after,
         order_id::text AS order_id, reason_code, reason, reference, actor, moved_at,
         quarantined_delta, quarantined_after, credential_id
    FROM stock_movement
   WHERE movement_id = ANY($1::bigint[])
ORDER BY movement_id DESC
;

-- RESERVED_BEFORE
  SELECT order_id::text AS order_id, SUM(reserved_delta)::bigint AS units
    FROM stock_movement
   WHERE order_id = ANY($1::uuid[])
     AND product_id || '' = $2
     AND location_id || '' = $3
     AND movement_id + 0 < $4
GROUP BY order_id
;
