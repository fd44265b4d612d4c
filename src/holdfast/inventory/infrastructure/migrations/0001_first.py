"""The first schema of Inventory: products, stock levels, reservations, the ledger of movements.

Statuses, states and kinds have no CHECK, which SQLite could not alter: the domain knows them. What
counts does: it is the last wall.
"""

from alembic import op

from holdfast.chassis.identity.tables import KEY_TABLES_1
from holdfast.chassis.messaging.tables import MESSAGE_TABLES_1, statements

revision = "0001"
down_revision = None

TABLES = """
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
) WITHOUT ROWID;
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
) WITHOUT ROWID;
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
) WITH (fillfactor = 50) WITHOUT ROWID;
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
) WITH (fillfactor = 70) WITHOUT ROWID;
-- The queues: what orders wait for, by product; the key is the order in which they are served. The
-- reservations say the same, order by order.
CREATE TABLE backorder (
    product_id text COLLATE "C" NOT NULL,
    since      timestamptz NOT NULL,
    order_id   uuid NOT NULL,
    quantity   bigint NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (product_id, since, order_id)
) WITHOUT ROWID;
-- A queue is to be served when something became free since it was served last.
CREATE TABLE to_serve (
    product_id text COLLATE "C" PRIMARY KEY,
    ticket     bigint NOT NULL,
    served     bigint NOT NULL
) WITHOUT ROWID;
CREATE INDEX to_serve_now ON to_serve (ticket) WHERE served < ticket;
-- Each shipment and each receipt is booked once, for ever; a receipt's name begins with a line
-- break.
CREATE TABLE booked_fact (
    order_id uuid NOT NULL,
    fact     text COLLATE "C" NOT NULL,
    PRIMARY KEY (order_id, fact)
) WITHOUT ROWID;
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
) WITHOUT ROWID;
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
) WITHOUT ROWID;
CREATE INDEX transfer_in_transit ON transfer (transfer_id) WHERE state = 'IN_TRANSIT';
CREATE TABLE transfer_line (
    transfer_id uuid NOT NULL REFERENCES transfer,
    product_id  text COLLATE "C" NOT NULL REFERENCES product,
    sent        bigint NOT NULL CHECK (sent > 0),
    received    bigint NOT NULL CHECK (received >= 0),
    missing     bigint NOT NULL CHECK (missing >= 0),
    PRIMARY KEY (transfer_id, product_id),
    CHECK (received + missing <= sent)
) WITHOUT ROWID;
CREATE INDEX transfer_line_in_transit ON transfer_line (product_id) WHERE received + missing < sent;
-- Each receipt is booked once, for ever.
CREATE TABLE transfer_receipt (
    transfer_id uuid NOT NULL REFERENCES transfer,
    request_id  text COLLATE "C" NOT NULL,
    is_rest     boolean NOT NULL,                -- no units were named: all that was to come
    received_at timestamptz NOT NULL,
    PRIMARY KEY (transfer_id, request_id)
) WITHOUT ROWID;
CREATE TABLE transfer_receipt_line (
    transfer_id uuid NOT NULL,
    request_id  text COLLATE "C" NOT NULL,
    product_id  text COLLATE "C" NOT NULL,
    quantity    bigint NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (transfer_id, request_id, product_id),
    FOREIGN KEY (transfer_id, request_id) REFERENCES transfer_receipt
) WITHOUT ROWID;
"""


def upgrade() -> None:
    for tables in (TABLES, MESSAGE_TABLES_1, KEY_TABLES_1):
        for statement in statements(tables, op.get_context().dialect.name):
            op.execute(statement)
