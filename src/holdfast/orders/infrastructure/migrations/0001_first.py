"""The first schema of Orders: orders with their lines and history, and customers.

Statuses, states and kinds have no CHECK, which SQLite could not alter: the domain knows them. What
counts does: it is the last wall.
"""

from alembic import op

from holdfast.chassis.identity.tables import KEY_TABLES_1, USER_TABLES_1
from holdfast.chassis.messaging.tables import MESSAGE_TABLES_1, statements

revision = "0001"
down_revision = None

TABLES = """
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
) WITHOUT ROWID;
-- What is known beside the lines: a row only where something was given.
CREATE TABLE order_details (
    order_id   uuid PRIMARY KEY,
    reference  text COLLATE "C" NOT NULL,
    channel    text COLLATE "C" NOT NULL,
    note       text NOT NULL,
    attributes jsonb NOT NULL,                   -- [[key, value], ...]
    ship_to    jsonb NOT NULL,                   -- the parts of an address, in order
    bill_to    jsonb NOT NULL
) WITHOUT ROWID;
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
) WITHOUT ROWID;
-- Where the stock of an edition is to come from: a row only where it is not by priority.
CREATE TABLE order_sourcing (
    order_id     uuid NOT NULL,
    edition      integer NOT NULL,
    strategy     text NOT NULL,
    location_ids jsonb NOT NULL,                 -- [location, ...]
    may_split    boolean NOT NULL,
    in_stock_only boolean NOT NULL,
    PRIMARY KEY (order_id, edition)
) WITHOUT ROWID;
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
) WITHOUT ROWID;
CREATE TABLE shipment_item (
    order_id    uuid NOT NULL,
    shipment_id text COLLATE "C" NOT NULL,
    item_no     integer NOT NULL,
    line_no     integer NOT NULL,
    product_id  text COLLATE "C" NOT NULL,
    location_id text COLLATE "C" NOT NULL,
    quantity    bigint NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, shipment_id, item_no)
) WITHOUT ROWID;
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
) WITHOUT ROWID;
CREATE TABLE return_item (
    return_id  uuid NOT NULL,
    line_no    integer NOT NULL,
    product_id text COLLATE "C" NOT NULL,
    quantity   bigint NOT NULL CHECK (quantity > 0),
    reason     text NOT NULL,
    PRIMARY KEY (return_id, line_no)
) WITHOUT ROWID;
CREATE TABLE return_receipt (
    order_id     uuid NOT NULL,
    request_id   text COLLATE "C" NOT NULL,
    return_id    uuid NOT NULL,
    version      bigint NOT NULL,                -- the order's with it
    revision     bigint NOT NULL,                -- of the question that first told of it
    request_hash text NOT NULL,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (order_id, request_id)
) WITHOUT ROWID;
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
) WITHOUT ROWID;
-- Holds that run: all that is RESERVED, and what is PENDING and will be.
CREATE TABLE hold (
    order_id   uuid PRIMARY KEY,
    expires_at timestamptz NOT NULL
) WITHOUT ROWID;
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
) WITHOUT ROWID;
-- Where the payments of an order stand, to be sought by; it follows from the facts.
CREATE TABLE payment_state (
    order_id uuid PRIMARY KEY,
    status   text COLLATE "C" NOT NULL
) WITHOUT ROWID;
CREATE INDEX payment_state_by_status ON payment_state (status, order_id);
CREATE TABLE order_line (
    order_id         uuid NOT NULL,
    edition          integer NOT NULL,
    line_no          integer NOT NULL,
    product_id       text COLLATE "C" NOT NULL,
    quantity         bigint NOT NULL CHECK (quantity > 0),
    unit_price_minor bigint NOT NULL CHECK (unit_price_minor >= 0),
    PRIMARY KEY (order_id, edition, line_no)
) WITHOUT ROWID;
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
) WITHOUT ROWID;
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
) WITHOUT ROWID;
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
    erased_at   timestamptz
) WITHOUT ROWID;
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
) WITHOUT ROWID;
"""


def upgrade() -> None:
    for tables in (TABLES, MESSAGE_TABLES_1, KEY_TABLES_1, USER_TABLES_1):
        for statement in statements(tables, op.get_context().dialect.name):
            op.execute(statement)
