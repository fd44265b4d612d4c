"""Questions about transfers that a sound database answers with nothing."""

QUESTIONS = {
    "transfer {transfer_id} has {sent} of {product_id} sent, {received} received and {missing} "
    "missing": """
SELECT transfer_id, product_id, sent, received, missing
  FROM transfer_line
 WHERE NOT (sent > 0 AND received >= 0 AND missing >= 0 AND received + missing <= sent)
""",
    "transfer {transfer_id} is {state}, closed at {closed_at}, with {coming} of {product_id} in "
    "transit and {missing} missing": """
SELECT transfer.transfer_id, state, closed_at, product_id, missing,
       sent - received - missing AS coming
  FROM transfer
  JOIN transfer_line ON transfer_line.transfer_id = transfer.transfer_id
 WHERE NOT CASE state
           WHEN 'IN_TRANSIT' THEN closed_at IS NULL AND missing = 0
           WHEN 'CLOSED' THEN closed_at IS NOT NULL AND sent = received + missing
           ELSE false END
""",
    "transfer {transfer_id} from {origin} to {target} has no lines": """
SELECT transfer.transfer_id, origin, target
  FROM transfer
  LEFT JOIN transfer_line ON transfer_line.transfer_id = transfer.transfer_id
 WHERE transfer_line.transfer_id IS NULL
""",
    "transfer {transfer_id} has {received} of {product_id} received; its receipts sum to "
    "{receipts}": """
SELECT transfer_id, product_id, sum(received) AS received, sum(receipts) AS receipts
  FROM (SELECT transfer_id, product_id, received, 0 AS receipts
          FROM transfer_line
         UNION ALL
        SELECT transfer_id, product_id, 0, quantity
          FROM transfer_receipt_line) AS told
 GROUP BY transfer_id, product_id
HAVING sum(received) <> sum(receipts)
""",
    "{lines} lines or receipts are of transfer {transfer_id}, which is none": """
SELECT told.transfer_id, count(*) AS lines
  FROM (SELECT transfer_id FROM transfer_line
         UNION ALL SELECT transfer_id FROM transfer_receipt
         UNION ALL SELECT transfer_id FROM transfer_receipt_line) AS told
  LEFT JOIN transfer ON transfer.transfer_id = told.transfer_id
 WHERE transfer.transfer_id IS NULL
 GROUP BY told.transfer_id
""",
    "transfer {transfer_id} has {receipts} receipts {request_id}, of which {with_lines} have "
    "lines": """
SELECT transfer_id, request_id, sum(receipts) AS receipts, sum(with_lines) AS with_lines
  FROM (SELECT transfer_id, request_id, 1 AS receipts, 0 AS with_lines
          FROM transfer_receipt
         UNION ALL
        SELECT DISTINCT transfer_id, request_id, 0, 1
          FROM transfer_receipt_line) AS told
 GROUP BY transfer_id, request_id
HAVING sum(receipts) <> sum(with_lines)
""",
    # One moment is written to both.
    "transfer {transfer_id} tells of {quantity} {product_id} {what} at {at}, its movements of "
    "none": """
SELECT told.transfer_id, quantity, told.product_id, what, at
  FROM (SELECT transfer.transfer_id, sent AS quantity, product_id, 'sent' AS what,
               created_at AS at, 'TRANSFER_OUT' AS kind
          FROM transfer_line
          JOIN transfer ON transfer.transfer_id = transfer_line.transfer_id
         UNION ALL
        SELECT line.transfer_id, quantity, product_id, 'received', received_at, 'TRANSFER_IN'
          FROM transfer_receipt_line AS line
          JOIN transfer_receipt ON transfer_receipt.transfer_id = line.transfer_id
           AND transfer_receipt.request_id = line.request_id
         UNION ALL
        SELECT transfer.transfer_id, missing, product_id, 'lost', closed_at, 'TRANSFER_LOSS'
          FROM transfer_line
          JOIN transfer ON transfer.transfer_id = transfer_line.transfer_id
         WHERE missing > 0) AS told
  LEFT JOIN stock_movement ON stock_movement.kind = told.kind
   AND reference = CAST(told.transfer_id AS text)
   AND stock_movement.product_id = told.product_id
   AND abs(on_hand_delta) = quantity
   AND moved_at = at
 WHERE movement_id IS NULL
""",
    # One side is what the documents say, the other what the ledger does, by kind and location.
    "transfer {transfer_id} has a {kind} of {written} {product_id} at {location_id} by its "
    "document; its movements sum to {moved}": """
SELECT transfer_id, kind, product_id, location_id, sum(written) AS written, sum(moved) AS moved
  FROM (SELECT CAST(transfer.transfer_id AS text) AS transfer_id, 'TRANSFER_OUT' AS kind,
               product_id, origin AS location_id, -sent AS written, 0 AS moved
          FROM transfer_line
          JOIN transfer ON transfer.transfer_id = transfer_line.transfer_id
         UNION ALL
        SELECT CAST(transfer.transfer_id AS text), 'TRANSFER_IN', product_id, target,
               received + missing, 0
          FROM transfer_line
          JOIN transfer ON transfer.transfer_id = transfer_line.transfer_id
         UNION ALL
        SELECT CAST(transfer.transfer_id AS text), 'TRANSFER_LOSS', product_id, target, -missing, 0
          FROM transfer_line
          JOIN transfer ON transfer.transfer_id = transfer_line.transfer_id
         UNION ALL
        SELECT reference, kind, product_id, location_id, 0, on_hand_delta
          FROM stock_movement
         WHERE kind IN ('TRANSFER_OUT', 'TRANSFER_IN', 'TRANSFER_LOSS')) AS told
 GROUP BY transfer_id, kind, product_id, location_id
HAVING sum(written) <> sum(moved)
""",
    "movement {movement_id} is a TRANSFER_LOSS of {on_hand_delta} {product_id} at {location_id}; "
    "right before it stands {kind_before} of {delta_before}": """
SELECT *
  FROM (SELECT movement_id, product_id, location_id, kind, reference, on_hand_delta,
               lag(kind) OVER level AS kind_before,
               lag(reference) OVER level AS reference_before,
               lag(on_hand_delta) OVER level AS delta_before
          FROM stock_movement
         WHERE product_id IN (SELECT product_id FROM transfer_line WHERE missing > 0)
        WINDOW level AS (PARTITION BY product_id, location_id, coalesce(lot_id, '')
                         ORDER BY movement_id)) AS running
 WHERE kind = 'TRANSFER_LOSS'
   AND NOT (coalesce(kind_before, '') = 'TRANSFER_IN'
            AND reference_before = reference AND delta_before = -on_hand_delta)
""",
    # What is lost right away may come there: it is nothing but the record.
    "movement {movement_id} is a TRANSFER_IN of {product_id} at {location_id}, which was not "
    "active": """
SELECT movement_id, product_id, running.location_id
  FROM (SELECT movement_id, product_id, location_id, kind, lead(kind) OVER level AS kind_after
          FROM stock_movement
         WHERE location_id IN (SELECT location_id
                                 FROM location
                                WHERE inactive_after IS NOT NULL)
        WINDOW level AS (PARTITION BY product_id, location_id, coalesce(lot_id, '')
                         ORDER BY movement_id)) AS running
  JOIN location ON location.location_id = running.location_id
 WHERE movement_id > inactive_after
   AND running.kind = 'TRANSFER_IN'
   AND coalesce(kind_after, '') <> 'TRANSFER_LOSS'
""",
}
