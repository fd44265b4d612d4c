"""SQL of what leaves and what comes back, as PostgreSQL reads it."""


class GoodsStatements:
    """What `rows.py`, here and of returns, writes to the database."""

    PUT_SHIPMENTS = """
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
"""

    INSERT_SHIPMENT_ITEMS = """
INSERT INTO shipment_item
            (order_id, shipment_id, item_no, line_no, product_id, location_id, quantity)
SELECT *
  FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[], $5::text[], $6::text[],
              $7::bigint[])
"""

    PUT_RETURNS = """
INSERT INTO order_return
            (return_id, order_id, version, request_id, request_hash, opened_at, closed_at)
SELECT return_id, order_id, version, request_id, request_hash, opened_at, closed_at
  FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[],
              $7::timestamptz[])
       AS new (return_id, order_id, version, request_id, request_hash, opened_at, closed_at)
ON CONFLICT (return_id) DO UPDATE SET closed_at = excluded.closed_at
"""

    INSERT_RETURN_ITEMS = """
INSERT INTO return_item (return_id, line_no, product_id, quantity, reason)
SELECT *
  FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::bigint[], $5::text[])
"""

    INSERT_RECEIPTS = """
INSERT INTO return_receipt
            (order_id, request_id, return_id, version, revision, request_hash, received_at)
SELECT *
  FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::text[],
              $7::timestamptz[])
"""

    INSERT_RECEIPT_ITEMS = """
INSERT INTO receipt_item (order_id, request_id, item_no, line_no, product_id, quantity,
                          disposition, location_id)
SELECT *
  FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[], $5::text[], $6::bigint[],
              $7::text[], $8::text[])
"""
