"""Customers, and what orders keep of them, are read by SQL of the proof's own."""

from collections.abc import Mapping

from holdfast.chassis.database.seam import Reading
from proof.customers import Profile

_PROFILES = """
SELECT customer_id, version, name, email, phone, address, erased_at IS NOT NULL AS is_erased
  FROM customer
"""

_EMAILS = """
SELECT CAST(order_id AS text) AS order_id, email
  FROM orders
 WHERE email <> ''
"""


async def profiles_of(reading: Reading) -> Mapping[str, Profile]:
    """Profiles by customer."""
    return {
        row["customer_id"]: Profile(
            row["customer_id"],
            row["version"],
            tuple(row[name] for name in ("name", "email", "phone", "address")),
            bool(row["is_erased"]),
        )
        for row in await reading.fetch(_PROFILES)
    }


async def emails_of(reading: Reading) -> Mapping[str, str]:
    """The e-mail addresses that orders keep, by order."""
    return {row["order_id"]: row["email"] for row in await reading.fetch(_EMAILS)}
