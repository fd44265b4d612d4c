"""Recompute returns: never more than has left, never more came than may, each told once."""

QUESTIONS = {
    "order {order_id}, line {line_no}: {shipped} units have left, and {claimed} may come back or "
    "have": """
SELECT claims.order_id, claims.line_no, claims.claimed, coalesce(gone.shipped, 0) AS shipped
  FROM (SELECT order_return.order_id, return_item.line_no,
               sum(CASE WHEN closed_at IS NULL THEN return_item.quantity
                        ELSE coalesce(came.quantity, 0) END) AS claimed
          FROM order_return
          JOIN return_item ON return_item.return_id = order_return.return_id
          LEFT JOIN (SELECT return_receipt.return_id, receipt_item.line_no,
                            sum(receipt_item.quantity) AS quantity
                       FROM return_receipt
                       JOIN receipt_item ON receipt_item.order_id = return_receipt.order_id
                        AND receipt_item.request_id = return_receipt.request_id
                      GROUP BY return_receipt.return_id, receipt_item.line_no) AS came
            ON came.return_id = return_item.return_id AND came.line_no = return_item.line_no
         GROUP BY order_return.order_id, return_item.line_no) AS claims
  LEFT JOIN (SELECT order_id, line_no, sum(quantity) AS shipped
               FROM shipment_item
              GROUP BY order_id, line_no) AS gone
    ON gone.order_id = claims.order_id AND gone.line_no = claims.line_no
 WHERE claims.claimed > coalesce(gone.shipped, 0)
""",
    "return {return_id}, line {line_no} of {product_id}: {quantity} may come, {came} have": """
SELECT came.return_id, came.line_no, came.product_id,
       coalesce(return_item.quantity, 0) AS quantity, came.quantity AS came
  FROM (SELECT return_receipt.return_id, receipt_item.line_no, receipt_item.product_id,
               sum(receipt_item.quantity) AS quantity
          FROM return_receipt
          JOIN receipt_item ON receipt_item.order_id = return_receipt.order_id
           AND receipt_item.request_id = return_receipt.request_id
         GROUP BY return_receipt.return_id, receipt_item.line_no, receipt_item.product_id) AS came
  LEFT JOIN return_item ON return_item.return_id = came.return_id
   AND return_item.line_no = came.line_no AND return_item.product_id = came.product_id
 WHERE came.quantity > coalesce(return_item.quantity, 0)
""",
    "return {return_id} has line {line_no} of {product_id}, of which nothing has left": """
SELECT DISTINCT return_item.return_id, return_item.line_no, return_item.product_id
  FROM return_item
  JOIN order_return ON order_return.return_id = return_item.return_id
  LEFT JOIN shipment_item ON shipment_item.order_id = order_return.order_id
   AND shipment_item.line_no = return_item.line_no
   AND shipment_item.product_id = return_item.product_id
 WHERE shipment_item.order_id IS NULL
""",
    "order {order_id} has return {return_id} of no lines": """
SELECT order_return.order_id, order_return.return_id
  FROM order_return
  LEFT JOIN return_item ON return_item.return_id = order_return.return_id
 WHERE return_item.return_id IS NULL
""",
    "order {order_id} tells of {action} at version {version} {told} times, and has {facts}": """
SELECT order_id, action, version, sum(told) AS told, sum(facts) AS facts
  FROM (SELECT order_id, action, version, 1 AS told, 0 AS facts
          FROM order_history
         WHERE action IN ('RETURN_OPENED', 'RETURN_RECEIVED')
         UNION ALL
        SELECT order_id, 'RETURN_OPENED', version, 0, 1
          FROM order_return
         UNION ALL
        SELECT order_id, 'RETURN_RECEIVED', version, 0, 1
          FROM return_receipt) AS counted
 GROUP BY order_id, action, version
HAVING sum(told) <> sum(facts)
""",
    "order {order_id} tells that returns were closed {told} times, and {closed} are": """
SELECT order_id, sum(told) AS told, sum(closed) AS closed
  FROM (SELECT order_id, 1 AS told, 0 AS closed
          FROM order_history
         WHERE action = 'RETURN_CLOSED'
         UNION ALL
        SELECT order_id, 0, 1
          FROM order_return
         WHERE closed_at IS NOT NULL) AS counted
 GROUP BY order_id
HAVING sum(told) <> sum(closed)
""",
    "order {order_id} has receipt {request_id} by question {revision}, with {items} items": """
SELECT return_receipt.order_id, return_receipt.request_id, return_receipt.revision,
       count(receipt_item.item_no) AS items
  FROM return_receipt
  LEFT JOIN orders ON orders.order_id = return_receipt.order_id
  LEFT JOIN order_return ON order_return.return_id = return_receipt.return_id
   AND order_return.order_id = return_receipt.order_id
  LEFT JOIN receipt_item ON receipt_item.order_id = return_receipt.order_id
   AND receipt_item.request_id = return_receipt.request_id
 GROUP BY return_receipt.order_id, return_receipt.request_id, return_receipt.revision,
          orders.asked, order_return.return_id
HAVING count(receipt_item.item_no) = 0 OR order_return.return_id IS NULL
    OR return_receipt.revision NOT BETWEEN 3 AND coalesce(orders.asked, 0)
""",
    "items of {what} {name} belong to none": """
SELECT 'return' AS what, CAST(return_item.return_id AS text) AS name
  FROM return_item
  LEFT JOIN order_return ON order_return.return_id = return_item.return_id
 WHERE order_return.return_id IS NULL
 UNION
SELECT 'receipt', receipt_item.request_id
  FROM receipt_item
  LEFT JOIN return_receipt ON return_receipt.order_id = receipt_item.order_id
   AND return_receipt.request_id = receipt_item.request_id
 WHERE return_receipt.order_id IS NULL
""",
}
