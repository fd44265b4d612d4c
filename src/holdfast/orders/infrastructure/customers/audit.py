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
