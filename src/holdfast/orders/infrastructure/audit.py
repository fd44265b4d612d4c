"""Recompute Orders from its own records: states from histories, totals from lines."""

from holdfast.chassis.database.audit import Auditor
from holdfast.chassis.database.seam import Row
from holdfast.chassis.messaging import feed_audit
from holdfast.orders.domain.ordering.status import Action, OrderStatus, may_follow, may_happen
from holdfast.orders.infrastructure import told_audit
from holdfast.orders.infrastructure.customers import audit as customers_audit
from holdfast.orders.infrastructure.ordering import edits_audit
from holdfast.orders.infrastructure.returns import audit as returns_audit
from holdfast.orders.infrastructure.shipping import audit as shipments_audit

HOLD_OVERDUE_S_MAX = 60.0

COUNTS = {
    "orders": "orders",
    "order lines": "order_line",
    "order changes": "order_history",
    "holds": "hold",
    "payments": "payment",
    "edits": "order_edit",
    "shipments": "shipment",
    "returns": "order_return",
    "customers": "customer",
    "erasures": "erasure",
}

# Every version of an order is told by one event.
VERSIONS = "SELECT CAST(order_id AS text) AS subject, version, updated_at FROM orders"

QUESTIONS = {
    "key {key_id} is good, and its user {user_name} is locked or gone": """
SELECT credential.key_id, credential.user_name
  FROM credential
  LEFT JOIN local_user ON local_user.name = credential.user_name
 WHERE credential.user_name <> ''
   AND credential.revoked_at IS NULL
   AND (local_user.name IS NULL OR local_user.locked_at IS NOT NULL)
""",
    "order {order_id} is at version {version}, its history has {entries} entries up to {last}": """
SELECT orders.order_id, orders.version, count(order_history.version) AS entries,
       max(order_history.version) AS last
  FROM orders
  LEFT JOIN order_history ON order_history.order_id = orders.order_id
 GROUP BY orders.order_id, orders.version
HAVING count(order_history.version) <> orders.version
    OR max(order_history.version) <> orders.version
    OR min(order_history.version) <> 1
""",
    "order {order_id} is {status}, its history ends with {last}": """
SELECT orders.order_id, orders.status, order_history.status AS last
  FROM orders
  JOIN order_history ON order_history.order_id = orders.order_id
   AND order_history.version = orders.version
 WHERE order_history.status <> orders.status
""",
    "order {order_id} does not tell who made its version {version}": """
SELECT order_id, version
  FROM order_history
 WHERE actor = ''
""",
    # One moment is written to both.
    "order {order_id} tells of {what} at {at}, its history at {changed_at}": """
SELECT told.order_id, what, at, changed_at
  FROM (SELECT order_id, 1 AS version, 'being placed' AS what, placed_at AS at FROM orders
         UNION ALL
        SELECT order_id, version, 'its newest change', updated_at FROM orders
         UNION ALL
        SELECT order_id, version, 'a payment', recorded_at FROM payment
         UNION ALL
        SELECT order_id, version, 'a shipment', shipped_at FROM shipment
         UNION ALL
        SELECT order_id, version, 'a return', opened_at FROM order_return
         UNION ALL
        SELECT order_id, version, 'a receipt', received_at FROM return_receipt) AS told
  JOIN order_history ON order_history.order_id = told.order_id
   AND order_history.version = told.version
 WHERE changed_at <> at
""",
    "order {order_id} tells of {what} at {at}, its history of none": """
SELECT told.order_id, what, at
  FROM (SELECT order_id, 'a question' AS what, since AS at, '' AS action FROM unanswered
         UNION ALL
        SELECT order_id, 'the end of a return', closed_at, 'RETURN_CLOSED'
          FROM order_return
         WHERE closed_at IS NOT NULL) AS told
  LEFT JOIN order_history ON order_history.order_id = told.order_id
   AND order_history.changed_at = told.at
   AND told.action IN ('', order_history.action)
 WHERE order_history.order_id IS NULL
""",
    "order {order_id} has a history but is no order": """
SELECT DISTINCT order_history.order_id
  FROM order_history
  LEFT JOIN orders ON orders.order_id = order_history.order_id
 WHERE orders.order_id IS NULL
""",
    "order {order_id} has {lines} lines but is no order": """
SELECT order_line.order_id, count(*) AS lines
  FROM order_line
  LEFT JOIN orders ON orders.order_id = order_line.order_id
 WHERE orders.order_id IS NULL
 GROUP BY order_line.order_id
""",
    "order {order_id} totals {total_minor}, its {lines} lines and charges {summed}": """
SELECT orders.order_id, orders.total_minor, count(order_line.line_no) AS lines,
       sum(order_line.quantity * order_line.unit_price_minor) + max(charged.minor) AS summed
  FROM orders
  JOIN (SELECT orders.order_id,
               coalesce(sum(CASE kind WHEN 'DISCOUNT' THEN -amount_minor WHEN 'TAX_INCLUDED' THEN 0
                            ELSE amount_minor END), 0) AS minor
          FROM orders
          LEFT JOIN order_charge ON order_charge.order_id = orders.order_id
           AND order_charge.edition = orders.edition
         GROUP BY orders.order_id) AS charged ON charged.order_id = orders.order_id
  LEFT JOIN order_line ON order_line.order_id = orders.order_id
   AND order_line.edition = orders.edition
 GROUP BY orders.order_id, orders.total_minor
HAVING count(order_line.line_no) = 0
    OR max(order_line.edition) = 1 AND max(order_line.line_no) <> count(order_line.line_no)
    OR sum(order_line.quantity * order_line.unit_price_minor) + max(charged.minor)
       <> orders.total_minor
""",
    "order {order_id} has asked {asked} and has answers up to {answered}, and stands {times} times "
    "among the unanswered": """
SELECT orders.order_id, asked, answered, count(unanswered.order_id) AS times
  FROM orders
  LEFT JOIN unanswered ON unanswered.order_id = orders.order_id
 GROUP BY orders.order_id, asked, answered
HAVING count(unanswered.order_id) <> CASE WHEN answered < asked THEN 1 ELSE 0 END
""",
    "order {order_id} is {status}, has asked {asked} and has answers up to {answered}": """
SELECT order_id, status, asked, answered
  FROM orders
 WHERE asked < 1 OR answered < 0 OR answered > asked OR answered < stock_revision
    OR status = 'PENDING' AND (asked > 1 OR answered > 0)
    OR status IN ('RESERVED', 'CONFIRMED', 'REJECTED', 'PARTIALLY_SHIPPED', 'SHIPPED')
       AND answered < 1
    OR status IN ('CANCELLED', 'EXPIRED', 'PARTIALLY_SHIPPED', 'SHIPPED') AND asked < 2
""",
    "order {order_id} has asked {asked} by version {version}, its history tells of {questions}": """
SELECT order_id, version, asked, questions
  FROM (SELECT told.order_id, told.version, told.asked, count(order_history.version) AS questions
          FROM (SELECT order_id, version, asked FROM orders
                 UNION
                SELECT order_id, version, revision FROM shipment
                 UNION
                SELECT order_id, version, revision FROM return_receipt
                 UNION
                SELECT order_id, asked_version, revision FROM order_edit
                 WHERE revision > 0) AS told
          JOIN order_history ON order_history.order_id = told.order_id
           AND order_history.version <= told.version
           AND (action IN ('EDIT_ASKED', 'SHIPPED', 'RETURN_RECEIVED')
                OR action = '' AND status IN ('PENDING', 'CANCELLED', 'EXPIRED',
                                              'PARTIALLY_SHIPPED', 'SHIPPED'))
         GROUP BY told.order_id, told.version, told.asked) AS counted
 WHERE asked <> questions
""",
    "order {order_id} stands among the unanswered but is no order": """
SELECT unanswered.order_id
  FROM unanswered
  LEFT JOIN orders ON orders.order_id = unanswered.order_id
 WHERE orders.order_id IS NULL
""",
    "order {order_id} is {status}, placed with a hold until {expires_at}, and stands {times} times "
    "among the holds": """
SELECT orders.order_id, status, orders.expires_at, count(hold.order_id) AS times
  FROM orders
  LEFT JOIN hold ON hold.order_id = orders.order_id
 GROUP BY orders.order_id, status, orders.expires_at
HAVING count(hold.order_id) <> CASE WHEN orders.expires_at IS NOT NULL
                                     AND status IN ('PENDING', 'RESERVED') THEN 1 ELSE 0 END
""",
    "order {order_id} is held until {expires_at}, and its hold ends at {ends_at}": """
SELECT orders.order_id, orders.expires_at, hold.expires_at AS ends_at
  FROM hold
  JOIN orders ON orders.order_id = hold.order_id
 WHERE hold.expires_at <> orders.expires_at
""",
    "order {order_id} is {status}, held until {expires_at} and confirmed by {confirmed_by}": """
SELECT order_id, status, expires_at, confirmed_by
  FROM orders
 WHERE status = 'RESERVED' AND (expires_at IS NULL OR confirmed_by IS NOT NULL)
    OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED', 'SHIPPED')
       AND (expires_at IS NULL) <> (confirmed_by IS NULL)
    OR status IN ('PENDING', 'REJECTED', 'EXPIRED') AND confirmed_by IS NOT NULL
""",
    "a hold stands for {order_id}, which is no order": """
SELECT hold.order_id
  FROM hold
  LEFT JOIN orders ON orders.order_id = hold.order_id
 WHERE orders.order_id IS NULL
""",
    "order {order_id} had a payment recorded {recorded} times at version {version}, and has "
    "{facts} facts": """
SELECT order_id, version, sum(recorded) AS recorded, sum(facts) AS facts
  FROM (SELECT order_id, version, 1 AS recorded, 0 AS facts
          FROM order_history
         WHERE action = 'PAYMENT_RECORDED'
         UNION ALL
        SELECT order_id, version, 0, 1
          FROM payment) AS counted
 GROUP BY order_id, version
HAVING sum(recorded) <> sum(facts)
""",
    "order {order_id} has payments that make it {follows}, it is sought by {status}": """
SELECT order_id, status, follows
  FROM (SELECT orders.order_id, coalesce(payment_state.status, 'NONE') AS status,
               CASE WHEN refunded > 0 AND refunded = captured THEN 'REFUNDED'
                    WHEN refunded > 0 THEN 'PARTIALLY_REFUNDED'
                    WHEN captured > total_minor THEN 'OVERPAID'
                    WHEN captured > 0 AND captured = total_minor THEN 'PAID'
                    WHEN captured > 0 THEN 'PARTIALLY_PAID'
                    WHEN promised > 0 THEN 'AUTHORIZED'
                    ELSE 'NONE' END AS follows
          FROM orders
          LEFT JOIN payment_state ON payment_state.order_id = orders.order_id
          LEFT JOIN (SELECT order_id,
                            sum(CASE kind WHEN 'CAPTURED' THEN amount_minor ELSE 0 END) AS captured,
                            sum(CASE kind WHEN 'REFUNDED' THEN amount_minor ELSE 0 END) AS refunded,
                            sum(CASE kind WHEN 'AUTHORIZED' THEN amount_minor
                                          WHEN 'VOIDED' THEN -amount_minor ELSE 0 END) AS promised
                       FROM payment
                      GROUP BY order_id) AS sums ON sums.order_id = orders.order_id) AS found
 WHERE status <> follows
""",
    "details, charges or edits stand for {order_id}, which is no order": """
SELECT known.order_id
  FROM (SELECT order_id FROM order_details
         UNION SELECT order_id FROM order_charge
         UNION SELECT order_id FROM order_edit
         UNION SELECT order_id FROM order_sourcing
         UNION SELECT order_id FROM shipment
         UNION SELECT order_id FROM shipment_item
         UNION SELECT order_id FROM order_return
         UNION SELECT order_id FROM payment_state) AS known
  LEFT JOIN orders ON orders.order_id = known.order_id
 WHERE orders.order_id IS NULL
""",
    # As of each fact: the first authorisation binds what is taken after it, and nothing before.
    "order {order_id} has {authorized} authorised, {voided} voided, {captured} captured and "
    "{refunded} refunded with {kind} {reference}": """
SELECT *
  FROM (SELECT order_id, kind, reference,
               sum(CASE WHEN kind = 'AUTHORIZED' THEN amount_minor ELSE 0 END) OVER so_far
               AS authorized,
               sum(CASE WHEN kind = 'VOIDED' THEN amount_minor ELSE 0 END) OVER so_far AS voided,
               sum(CASE WHEN kind = 'CAPTURED' THEN amount_minor ELSE 0 END) OVER so_far
               AS captured,
               sum(CASE WHEN kind = 'CAPTURED' AND version < promised_with THEN amount_minor
                        ELSE 0 END) OVER so_far AS direct,
               sum(CASE WHEN kind = 'REFUNDED' THEN amount_minor ELSE 0 END) OVER so_far
               AS refunded
          FROM (SELECT order_id, version, kind, reference, amount_minor,
                       min(CASE WHEN kind = 'AUTHORIZED' THEN version END)
                       OVER (PARTITION BY order_id) AS promised_with
                  FROM payment) AS facts
        WINDOW so_far AS (PARTITION BY order_id ORDER BY version
                          ROWS UNBOUNDED PRECEDING)) AS running
 WHERE refunded > captured
    OR voided > authorized
    OR kind IN ('CAPTURED', 'VOIDED') AND authorized > 0
       AND captured - direct > authorized - voided
""",
    "order {order_id} is {status} with shortages {shortages}": """
SELECT order_id, status, shortages
  FROM orders
 WHERE (status = 'REJECTED') <> (CAST(shortages AS text) <> '[]')
""",
}

TRANSITIONS = """
SELECT before.status AS before, now.status AS now, now.action, count(*) AS times,
       min(CAST(now.order_id AS text)) AS example
  FROM order_history AS now
  JOIN order_history AS before ON before.order_id = now.order_id
   AND before.version = now.version - 1
 GROUP BY before.status, now.status, now.action
"""

FIRST_STATUSES = """
SELECT order_id, status
  FROM order_history
 WHERE version = 1 AND status <> 'PENDING'
"""

PENDING = """
SELECT count(*) AS n, min(placed_at) AS oldest
  FROM orders
 WHERE status = 'PENDING'
"""

UNANSWERED = """
SELECT count(*) AS n, min(since) AS oldest
  FROM unanswered
  JOIN orders ON orders.order_id = unanswered.order_id
 WHERE status <> 'PENDING'
"""

ENDED_HOLDS = """
SELECT count(*) AS n, min(expires_at) AS oldest
  FROM hold
 WHERE expires_at <= $1
"""


async def audit(auditor: Auditor, *, pending_s_max: float) -> None:
    """Check all of Orders' own records.

    :param pending_s_max: an order that is PENDING for longer is a contradiction, and so is one
        whose question is unanswered for longer: nothing stays so.
    """
    await auditor.count(COUNTS)
    await auditor.refute(QUESTIONS)
    await auditor.refute(edits_audit.QUESTIONS)
    await auditor.refute(shipments_audit.QUESTIONS)
    await auditor.refute(returns_audit.QUESTIONS)
    await customers_audit.audit(auditor)
    for row in await auditor.rows(FIRST_STATUSES):
        auditor.findings.contradict([f"orders: order {row['order_id']} began as {row['status']}"])
    for row in await auditor.rows(TRANSITIONS):
        with auditor.reading(f"the history of {row['example']}"):
            if not _is_legal(row):
                step = f"{row['before']} to {row['now']} {row['action']}".rstrip()
                text = f"orders: {row['times']} orders went from {step}"
                auditor.findings.contradict([f"{text}, such as {row['example']}"])
    (row,) = await auditor.rows(PENDING)
    auditor.overdue(
        "{n} orders are PENDING since {oldest}", row["n"], row["oldest"], after_s=pending_s_max
    )
    (row,) = await auditor.rows(UNANSWERED)
    auditor.overdue(
        "{n} questions to Inventory are unanswered since {oldest}",
        row["n"],
        row["oldest"],
        after_s=pending_s_max,
    )
    (row,) = await auditor.rows(ENDED_HOLDS, auditor.at)
    auditor.overdue(
        "{n} holds have ended and stand all the same, since {oldest}",
        row["n"],
        row["oldest"],
        after_s=HOLD_OVERDUE_S_MAX,
    )
    await auditor.messages()
    await feed_audit.audit(auditor, VERSIONS)
    await told_audit.audit(auditor)


def _is_legal(step: Row) -> bool:
    before, now = OrderStatus(step["before"]), OrderStatus(step["now"])
    if step["action"]:
        return before is now and may_happen(Action(step["action"]), now)
    return may_follow(before, now)
