"""Recompute what customers are promised: who is erased has nothing personal left."""

from datetime import timedelta

from holdfast.chassis.database.audit import Auditor
from holdfast.chassis.database.seam import instant
from holdfast.orders.domain.customers.profile import folded

# An order that was placed at about that moment may come after it: clocks differ.
AT_ABOUT = timedelta(seconds=60)

SAYS_OF_PEOPLE = """
   AND (orders.name <> '' OR orders.email <> '' OR orders.phone <> '' OR orders.address <> ''
        OR note <> '' OR CAST(attributes AS text) <> '[]'
        OR CAST(ship_to AS text) <> '["", "", "", "", "", "", ""]'
        OR CAST(bill_to AS text) <> '["", "", "", "", "", "", ""]')
"""

QUESTIONS = {
    "customer {customer_id} was erased at {erased_at}, and the profile is not empty": """
SELECT customer_id, erased_at
  FROM customer
 WHERE erased_at IS NOT NULL
   AND (name <> '' OR email <> '' OR phone <> '' OR address <> '' OR folded_name <> '')
""",
    "order {order_id} was erased at {erased_at}, and has personal data": """
SELECT orders.order_id, erased_at
  FROM orders
  LEFT JOIN order_details ON order_details.order_id = orders.order_id
 WHERE erased_at IS NOT NULL
"""
    + SAYS_OF_PEOPLE,
    "order {order_id} was erased at {erased_at}, and has a digest of what was asked for": """
SELECT order_id, erased_at
  FROM orders
 WHERE erased_at IS NOT NULL
   AND request_hash <> ''
""",
    "order {order_id} was erased at {erased_at}, and no record says so": """
SELECT order_id, orders.erased_at
  FROM orders
  LEFT JOIN erasure ON erasure.erased_at = orders.erased_at
 WHERE orders.erased_at IS NOT NULL
   AND erasure_id IS NULL
""",
    "customer {customer_id} was erased at {erased_at}, and no record says so": """
SELECT customer.customer_id, customer.erased_at
  FROM customer
  LEFT JOIN erasure ON erasure.erased_at = customer.erased_at
   AND erasure.customer_id IN (customer.customer_id, '')
 WHERE customer.erased_at IS NOT NULL
   AND erasure_id IS NULL
""",
}

FORGOTTEN = (
    """
SELECT orders.order_id, orders.customer_id, placed_at, customer.erased_at
  FROM customer
  JOIN orders ON orders.customer_id = customer.customer_id
  LEFT JOIN order_details ON order_details.order_id = orders.order_id
 WHERE customer.erased_at IS NOT NULL
   AND orders.erased_at IS NULL
"""
    + SAYS_OF_PEOPLE
)

# What people wrote when an order, its rest or units of it were cancelled, or goods were to come
# back. What is written after the erasing stays: see docs/concepts/customers.md.
REASONS = """
SELECT orders.order_id, orders.erased_at, changed_at AS written_at,
       CASE WHEN action <> '' THEN action ELSE order_history.status END AS what
  FROM orders
  JOIN order_history ON order_history.order_id = orders.order_id
  LEFT JOIN order_edit ON order_edit.order_id = order_history.order_id
   AND ended_version = order_history.version
 WHERE orders.erased_at IS NOT NULL
   AND reason NOT IN ('', 'order edited', 'units cancelled')   -- the system's own
   AND (action = 'EDIT_ASKED'
        OR action = '' AND order_history.status = 'CANCELLED'
        OR action = '' AND order_history.status = 'SHIPPED' AND order_edit.order_id IS NOT NULL)
 UNION
SELECT orders.order_id, orders.erased_at, opened_at, 'RETURN_OPENED'
  FROM orders
  JOIN order_return ON order_return.order_id = orders.order_id
  JOIN return_item ON return_item.return_id = order_return.return_id
 WHERE orders.erased_at IS NOT NULL
   AND reason <> ''
"""

# Those too have a digest, with which the reasons of a return could be guessed.
RETURN_DIGESTS = """
SELECT orders.order_id, orders.erased_at, return_id, opened_at
  FROM orders
  JOIN order_return ON order_return.order_id = orders.order_id
 WHERE orders.erased_at IS NOT NULL
   AND order_return.request_hash <> ''
"""

NAMES_AT_ONCE = 10_000
NAMES = """
SELECT customer_id, name, folded_name
  FROM customer
 WHERE customer_id > $1
 ORDER BY customer_id
 LIMIT $2
"""


async def audit(auditor: Auditor) -> None:
    """Check that erased customers are, and that the others are found by their names."""
    await auditor.refute(QUESTIONS)
    after = ""
    while rows := await auditor.rows(NAMES, after, NAMES_AT_ONCE):
        auditor.findings.contradict(
            [
                f"orders: customer {row['customer_id']} is not found by the name"
                for row in rows
                if folded(row["name"]) != row["folded_name"]
            ]
        )
        after = rows[-1]["customer_id"]
    auditor.findings.contradict(
        [
            f"orders: order {row['order_id']} was placed before customer {row['customer_id']} was "
            f"erased at {row['erased_at']}, and has personal data"
            for row in await auditor.rows(FORGOTTEN)
            if instant(row["placed_at"]) < instant(row["erased_at"]) - AT_ABOUT
        ]
    )
    auditor.findings.contradict(
        [
            f"orders: order {row['order_id']} was erased at {row['erased_at']}, and has the reason "
            f"of {row['what']} at {row['written_at']}"
            for row in await auditor.rows(REASONS)
            if instant(row["written_at"]) < instant(row["erased_at"]) - AT_ABOUT
        ]
    )
    auditor.findings.contradict(
        [
            f"orders: order {row['order_id']} was erased at {row['erased_at']}, and has a digest "
            f"of what was asked for with return {row['return_id']}"
            for row in await auditor.rows(RETURN_DIGESTS)
            if instant(row["opened_at"]) < instant(row["erased_at"]) - AT_ABOUT
        ]
    )
