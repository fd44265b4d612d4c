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
    updated_at  timestamptz NOT NULL
);

-- Every location in its one spelling; `folded` is it without the case of its letters.
CREATE TABLE location (
    location_id text COLLATE "C" PRIMARY KEY,
    folded      text COLLATE "C" NOT NULL UNIQUE
);

INSERT INTO location VALUES ('main', 'main');

-- The last wall against overselling: whatever the program does, these checks hold.
-- Fill factor: room for updates in place, since these rows change all the time.
CREATE TABLE stock_level (
    product_id  text COLLATE "C" NOT NULL REFERENCES product,
    location_id text COLLATE "C" NOT NULL,
    lot_id      text COLLATE "C" NOT NULL,       -- '': it has no lots
    on_hand     bigint NOT NULL CHECK (on_hand >= 0),
    reserved    bigint NOT NULL CHECK (reserved >= 0),
    version     bigint NOT NULL,
    PRIMARY KEY (product_id, location_id, lot_id),
    CHECK (reserved <= on_hand)
) WITH (fillfactor = 50);

-- What each order is promised, as a document. The ledger stays the truth: levels and reservations
-- are its two projections, written in the same transaction and compared by `verify`.
CREATE TABLE reservation (
    order_id   uuid PRIMARY KEY,
    version    bigint NOT NULL,                  -- the `sequence` of what is told
    revision   bigint NOT NULL,                  -- of the newest question decided
    state      text NOT NULL,
    stock      json NOT NULL,                    -- [[product, location, lot, units], ...], sorted
    missing    json NOT NULL,                    -- [[product, wanted, available], ...]: why refused
    decided_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 70);

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
    reason         text NOT NULL,
    reference      text NOT NULL,
    actor          text NOT NULL,
    moved_at       timestamptz NOT NULL
);

CREATE INDEX stock_movement_by_product ON stock_movement (product_id, movement_id);

CREATE INDEX stock_movement_by_order ON stock_movement (order_id) WHERE order_id IS NOT NULL;

CREATE TABLE stock_request (
    request_id   text COLLATE "C" PRIMARY KEY,
    request_hash text NOT NULL,
    product_id   text COLLATE "C" NOT NULL,
    location_id  text COLLATE "C" NOT NULL,
    on_hand      bigint NOT NULL,
    reserved     bigint NOT NULL,
    version      bigint NOT NULL,
    done_at      timestamptz NOT NULL
);

CREATE TABLE outbox (
    position    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    text COLLATE "C" NOT NULL,
    type        text NOT NULL,
    subject     text NOT NULL,
    sequence    bigint NOT NULL,
    happened_at timestamptz NOT NULL,
    traceparent text NOT NULL,
    data        bytea NOT NULL
);

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

INSERT INTO alembic_version (version_num) VALUES ('0001') RETURNING alembic_version.version_num;

COMMIT;


-- FIND_RESERVATIONS
  SELECT order_id::text AS order_id, version, revision, state, stock, missing
    FROM reservation
   WHERE order_id = ANY($1::uuid[])
ORDER BY order_id          -- one lock order for everyone: no deadlocks
     FOR UPDATE
;

-- INSERT_RESERVATIONS
INSERT INTO reservation
            (order_id, version, revision, state, stock, missing, decided_at, updated_at)
SELECT order_id, version, revision, state, stock, missing, at, at
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::json[], $6::json[],
              $7::timestamptz[])
       AS new (order_id, version, revision, state, stock, missing, at)
;

-- UPDATE_RESERVATIONS
UPDATE reservation
   SET version = new.version, revision = new.revision, state = new.state, stock = new.stock,
       missing = new.missing, updated_at = new.at
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::json[], $6::json[],
              $7::timestamptz[], $8::bigint[])
       AS new (order_id, version, revision, state, stock, missing, at, version_before)
 WHERE reservation.order_id = new.order_id
   AND reservation.version = new.version_before
;

-- LOCK_LEVELS
  SELECT product_id, location_id, lot_id, on_hand, reserved, version
    FROM stock_level
   WHERE product_id = ANY($1::text[])
         -- One lock order for everyone, each product's gate first: no deadlocks.
ORDER BY product_id, location_id <> 'main', location_id, lot_id
     FOR UPDATE
;

-- INSERT_LEVELS
INSERT INTO stock_level (product_id, location_id, lot_id, on_hand, reserved, version)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
;

-- UPDATE_LEVELS
UPDATE stock_level
   SET on_hand = new.on_hand, reserved = new.reserved, version = new.version
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],
              $7::bigint[])
       AS new (product_id, location_id, lot_id, on_hand, reserved, version, version_before)
 WHERE stock_level.product_id = new.product_id
   AND stock_level.location_id = new.location_id
   AND stock_level.lot_id = new.lot_id
   AND stock_level.version = new.version_before
;

-- INSERT_MOVEMENTS
INSERT INTO stock_movement
            (product_id, location_id, lot_id, kind,
             on_hand_delta, reserved_delta, on_hand_after, reserved_after,
             order_id, reason, reference, actor, moved_at)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],
              $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
              $9::uuid[], $10::text[], $11::text[], $12::text[], $13::timestamptz[])
;

-- FIND_LOCATIONS
SELECT location_id, folded
  FROM location
 WHERE folded = ANY($1::text[])
;

-- INSERT_LOCATIONS
INSERT INTO location (location_id, folded)
SELECT *
  FROM unnest($1::text[], $2::text[])
    ON CONFLICT (location_id) DO NOTHING
;

-- EXISTING_PRODUCTS
SELECT product_id
  FROM product
 WHERE product_id = ANY($1::text[])
;

-- LOCK_PRODUCT
SELECT product_id, name, description, currency, price_minor, active, version
  FROM product
 WHERE product_id = $1
   FOR UPDATE
;

-- INSERT_PRODUCT
INSERT INTO product
            (product_id, name, description, currency, price_minor, active, version,
             created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
ON CONFLICT DO NOTHING
;

-- UPDATE_PRODUCT
UPDATE product
   SET name = $2, description = $3, currency = $4, price_minor = $5, active = $6,
       version = $7, updated_at = $8
 WHERE product_id = $1
;

-- FIND_CHANGES
SELECT request_id, request_hash, product_id, location_id, on_hand, reserved, version
  FROM stock_request
 WHERE request_id = ANY($1::text[])
;

-- INSERT_CHANGES
INSERT INTO stock_request
            (request_id, request_hash, product_id, location_id, on_hand, reserved, version, done_at)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],
              $5::bigint[], $6::bigint[], $7::bigint[], $8::timestamptz[])
;

-- STOCK_INFO
   SELECT product_id, name, description, currency, price_minor, active,
          product.version AS product_version,
          location_id, lot_id, on_hand, reserved, stock_level.version AS level_version
     FROM product
LEFT JOIN stock_level USING (product_id)
    WHERE product_id = ANY($1::text[])
 ORDER BY product_id, location_id, lot_id
;

-- STOCK_SUMMARIES
   SELECT product.product_id, currency, price_minor, active, product.version,
          COALESCE(SUM(on_hand), 0)::bigint AS on_hand,
          COALESCE(SUM(reserved), 0)::bigint AS reserved
     FROM product
LEFT JOIN stock_level ON stock_level.product_id = product.product_id
    WHERE product.product_id = ANY($1::text[])
 GROUP BY product.product_id
;

-- LIST_PRODUCTS
  SELECT product_id, name, description, currency, price_minor, active, version
    FROM product
   WHERE product_id > $1
ORDER BY product_id
   LIMIT $2
;

-- LIST_MOVEMENTS
  SELECT movement_id, product_id, location_id, lot_id, kind,
         on_hand_delta, reserved_delta, on_hand_after, reserved_after,
         order_id::text AS order_id, reason, reference, actor, moved_at
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
         order_id::text AS order_id, reason, reference, actor, moved_at
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
         order_id::text AS order_id, reason, reference, actor, moved_at
    FROM stock_movement
   WHERE movement_id < $1
     AND ($3 = '' OR location_id = $3)
     AND ($4::timestamptz IS NULL OR moved_at >= $4)
     AND ($5::timestamptz IS NULL OR moved_at < $5)
     AND order_id = $7::uuid AND ($6 = '' OR product_id = $6)
ORDER BY movement_id DESC
   LIMIT $2
;
