"""SQL of transfers, as PostgreSQL reads it; `chassis/database/sql.py` tells how SQLite does."""


class TransferStatements:
    """What `transfers.py` asks of the database and writes to it."""

    LOCK_TRANSFER = """
SELECT transfer_id
  FROM transfer
 WHERE transfer_id = $1::uuid
   FOR UPDATE
"""

    _TRANSFER = """
  SELECT transfer_id::text AS transfer_id, request_id, origin, target, reference, expected_at,
         created_at, closed_at, product_id, sent, received, missing
    FROM transfer
    JOIN transfer_line USING (transfer_id)
"""

    FIND_TRANSFER = (
        _TRANSFER
        + """
   WHERE transfer_id = $1::uuid
ORDER BY product_id
"""
    )

    FIND_REQUESTED_TRANSFER = (
        _TRANSFER
        + """
   WHERE request_id = $1
ORDER BY product_id
"""
    )

    # Whole transfers, however many lines they have, in one statement: as of one moment.
    _NEWEST = """
   WHERE transfer_id IN (SELECT transfer_id
                           FROM transfer
                          WHERE transfer_id < $1::uuid
                            AND ($3 = '' OR state = $3)
                       ORDER BY transfer_id DESC
                          LIMIT $2)
"""
    _NEWEST_IN_TRANSIT = """
   WHERE transfer_id IN (SELECT transfer_id
                           FROM transfer
                          WHERE transfer_id < $1::uuid
                            AND state = 'IN_TRANSIT'
                       ORDER BY transfer_id DESC
                          LIMIT $2)
"""
    _BY_PRODUCT = """
ORDER BY transfer_id DESC, product_id
"""
    LIST_TRANSFERS = _TRANSFER + _NEWEST + _BY_PRODUCT
    LIST_TRANSFERS_IN_TRANSIT = _TRANSFER + _NEWEST_IN_TRANSIT + _BY_PRODUCT

    # Few transfers of a product are on their way; of each location the oldest are told one by one.
    COMING = """
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
"""

    INSERT_TRANSFER = """
INSERT INTO transfer
            (transfer_id, request_id, origin, target, state, reference, expected_at, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

    INSERT_TRANSFER_LINES = """
INSERT INTO transfer_line (transfer_id, product_id, sent, received, missing)
SELECT *
  FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
"""

    UPDATE_TRANSFER = """
UPDATE transfer
   SET state = $2, closed_at = $3
 WHERE transfer_id = $1::uuid
"""

    UPDATE_TRANSFER_LINES = """
UPDATE transfer_line
   SET received = new.received, missing = new.missing
  FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[])
       AS new (transfer_id, product_id, received, missing)
 WHERE transfer_line.transfer_id = new.transfer_id
   AND transfer_line.product_id = new.product_id
"""

    FIND_RECEIPT = """
SELECT is_rest, product_id, quantity
  FROM transfer_receipt
  JOIN transfer_receipt_line USING (transfer_id, request_id)
 WHERE transfer_id = $1::uuid AND request_id = $2
"""

    INSERT_RECEIPT = """
INSERT INTO transfer_receipt (transfer_id, request_id, is_rest, received_at)
     VALUES ($1, $2, $3, $4)
"""

    INSERT_RECEIPT_LINES = """
INSERT INTO transfer_receipt_line (transfer_id, request_id, product_id, quantity)
SELECT *
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[])
"""
