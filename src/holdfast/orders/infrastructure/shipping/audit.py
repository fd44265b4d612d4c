"""Recompute shipments: never more than a line has, each told once, the status follows from them."""

QUESTIONS = {
    "order {order_id} is {status}, its lines have {units} units, and {shipped} have left": """
SELECT orders.order_id, status, ordered.units, coalesce(gone.units, 0) AS shipped
  FROM orders
  JOIN (SELECT order_line.order_id, order_line.edition, sum(quantity) AS units
          FROM order_line
         GROUP BY order_line.order_id, order_line.edition) AS ordered
    ON ordered.order_id = orders.order_id AND ordered.edition = orders.edition
  LEFT JOIN (SELECT order_id, sum(quantity) AS units
               FROM shipment_item
              GROUP BY order_id) AS gone ON gone.order_id = orders.order_id
 WHERE status <> CASE WHEN gone.units IS NULL THEN status
                      WHEN gone.units = ordered.units THEN 'SHIPPED'
                      ELSE 'PARTIALLY_SHIPPED' END
    OR gone.units IS NULL AND status IN ('SHIPPED', 'PARTIALLY_SHIPPED')
""",
    "order {order_id}, line {line_no} of {product_id}, has {quantity} units, and {shipped} have "
    "left": """
SELECT gone.order_id, gone.line_no, gone.product_id, order_line.quantity, gone.shipped
  FROM (SELECT order_id, line_no, product_id, sum(quantity) AS shipped
          FROM shipment_item
         GROUP BY order_id, line_no, product_id) AS gone
  JOIN orders ON orders.order_id = gone.order_id
  LEFT JOIN order_line ON order_line.order_id = gone.order_id
   AND order_line.edition = orders.edition AND order_line.line_no = gone.line_no
   AND order_line.product_id = gone.product_id
 WHERE coalesce(order_line.quantity, 0) < gone.shipped
""",
    "order {order_id} has shipment {shipment_id} by question {revision}, with {items} items": """
SELECT shipment.order_id, shipment.shipment_id, shipment.revision,
       count(shipment_item.item_no) AS items
  FROM shipment
  JOIN orders ON orders.order_id = shipment.order_id
  LEFT JOIN shipment_item ON shipment_item.order_id = shipment.order_id
   AND shipment_item.shipment_id = shipment.shipment_id
 GROUP BY shipment.order_id, shipment.shipment_id, shipment.revision, orders.asked
HAVING count(shipment_item.item_no) = 0
    OR shipment.revision NOT BETWEEN 2 AND orders.asked
""",
    "order {order_id} has items of shipment {shipment_id}, which is none": """
SELECT DISTINCT shipment_item.order_id, shipment_item.shipment_id
  FROM shipment_item
  LEFT JOIN shipment ON shipment.order_id = shipment_item.order_id
   AND shipment.shipment_id = shipment_item.shipment_id
 WHERE shipment.order_id IS NULL
""",
    "order {order_id} tells of a shipment at version {version} {told} times, and has "
    "{shipments}": """
SELECT order_id, version, sum(told) AS told, sum(shipments) AS shipments
  FROM (SELECT now.order_id, now.version, 1 AS told, 0 AS shipments
          FROM order_history AS now
          LEFT JOIN order_edit ON order_edit.order_id = now.order_id
           AND order_edit.ended_version = now.version
         WHERE (now.action = 'SHIPPED'
                OR now.action = '' AND now.status IN ('PARTIALLY_SHIPPED', 'SHIPPED'))
           AND order_edit.order_id IS NULL  -- else the rest was cancelled
         UNION ALL
        SELECT order_id, version, 0, 1
          FROM shipment) AS counted
 GROUP BY order_id, version
HAVING sum(told) <> sum(shipments)
""",
}
