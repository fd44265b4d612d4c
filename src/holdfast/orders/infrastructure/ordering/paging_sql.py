"""SQL of pages of orders, as PostgreSQL reads it: lists by one filter, searches by several."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from holdfast.chassis.database.sql import either
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.infrastructure.ordering.reading_sql import ReadingStatements

# An end is final, so the history tells it for good. The index `order_history_of_ends` has the same
# words: a new one needs a migration that makes the index anew. SHIPPED has none: it is what becomes
# of most orders.
ENDED = "status IN ('REJECTED', 'CANCELLED', 'EXPIRED')"

assert set(re.findall(r"'(\w+)'", ENDED)) == {
    status for status in OrderStatus if status.came_to_nothing
}, (
    "ListOrders finds what has ended through the index order_history_of_ends: name every such "
    "status in a new migration of it, and here"
)

_COLUMNS = ReadingStatements._COLUMNS  # noqa: SLF001 - of an order, wherever it is read
_IN_PAGE = """
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
"""
_FILTERED = """
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
"""
_NEWEST_FIRST = """
ORDER BY orders.order_id DESC
   LIMIT $2
"""
_LISTED = _IN_PAGE + _FILTERED + _NEWEST_FIRST

# Where another table has the index, its rows lead and each looks its order up.
_LED_BY = either(postgresql="\nSELECT whole.*\n  FROM (", sqlite=_COLUMNS + "  FROM (")
_NEWEST_FOUND_FIRST = """
ORDER BY found.order_id DESC
   LIMIT $2
"""
_GROUPED = either(postgresql="", sqlite=" GROUP BY found.order_id")

_OF_FOUND = "  FROM orders\n WHERE orders.order_id = found.order_id"


def _looked_up(filtered: str) -> str:
    return either(
        postgresql="        ORDER BY order_id DESC) AS found\n CROSS JOIN LATERAL ("
        + (_COLUMNS + _OF_FOUND + filtered + " LIMIT 1) AS whole"),
        sqlite=") AS found\n CROSS JOIN orders USING (order_id)\n WHERE true" + filtered,
    )


_ENDED = (
    either(postgresql="\nSELECT DISTINCT order_id", sqlite="\nSELECT order_id")
    + "\n  FROM order_history\n WHERE status = $7\n   AND "
    + ENDED
)
_HAS_PRODUCT = """EXISTS (SELECT 1
                 FROM order_line
                WHERE order_line.order_id = orders.order_id
                  AND order_line.edition = orders.edition
                  AND product_id = $8)"""
# On PostgreSQL planned by itself (MATERIALIZED), so that the page's order can't tempt the
# planner into walking all orders from the newest.
_OF_REQUESTS = either(
    postgresql="""
  WITH asked AS MATERIALIZED (SELECT order_id, edition
                                FROM orders
                               WHERE request_id = ANY($8::text[])
                                 AND ($6 = '' OR customer_id = $6))
SELECT order_id
  FROM asked
 WHERE""",
    sqlite="""
SELECT order_id
  FROM orders AS asked
 WHERE request_id IN (SELECT value FROM json_each($8))
   AND ($6 = '' OR customer_id = $6)
   AND""",
)
_WITH_PRODUCT_TOO = """ ($9 = '' OR EXISTS (SELECT 1
                             FROM order_line
                            WHERE order_line.order_id = asked.order_id
                              AND order_line.edition = asked.edition
                              AND product_id = $9))
"""

_SOUGHT_PRODUCT = "\n   AND ($8 = '' OR " + _HAS_PRODUCT + ")"
_SOUGHT_BESIDE = """
   AND ($9 = '' OR EXISTS (SELECT 1
                             FROM order_details
                            WHERE order_details.order_id = orders.order_id
                              AND reference = $9))
   AND ($10 = '' OR email = $10)
   AND ($11 = '' OR EXISTS (SELECT 1
                              FROM order_details
                             WHERE order_details.order_id = orders.order_id
                               AND channel = $11))
   AND ($12 = '' OR coalesce((SELECT payment_state.status
                                FROM payment_state
                               WHERE payment_state.order_id = orders.order_id), 'NONE') = $12)
"""
# What is held as Inventory last told, from which `reader.py` takes what has left since.
_SOUGHT_HELD = either(
    postgresql="""
   AND ($13 = '' AND NOT $14
        OR EXISTS (SELECT 1
                     FROM json_array_elements(stock) AS part
                    WHERE part ->> 1 <> ''
                      AND $13 IN ('', part ->> 1)))
""",
    sqlite="""
   AND ($13 = '' AND NOT $14
        OR EXISTS (SELECT 1
                     FROM json_each(stock) AS part
                    WHERE json_extract(part.value, '$[1]') <> ''
                      AND $13 IN ('', json_extract(part.value, '$[1]'))))
""",
)
_SOUGHT_TO_SHIP = "   AND (NOT $14 OR status IN ('CONFIRMED', 'PARTIALLY_SHIPPED'))\n"
_SOUGHT = _SOUGHT_PRODUCT + _SOUGHT_BESIDE + _SOUGHT_HELD + _SOUGHT_TO_SHIP


# Through the index that ends holds.
_HOLDS_BY_END = """
SELECT order_id, expires_at AS ends_at
  FROM hold                -- all that is RESERVED is among them
 WHERE (expires_at, order_id) > ($3::timestamptz, $1::uuid)
 ORDER BY expires_at, order_id
"""
_HOLDS_LOOKED_UP = " LIMIT $15" + either(
    postgresql=") AS found\n CROSS JOIN LATERAL ("
    + (_COLUMNS + _OF_FOUND + _FILTERED + _SOUGHT + " LIMIT 1) AS whole"),
    sqlite=") AS found\n CROSS JOIN orders USING (order_id)\n WHERE true" + _FILTERED + _SOUGHT,
)
_NEXT_END_FIRST = """
ORDER BY found.ends_at, found.order_id
   LIMIT $2
"""


class Lead(NamedTuple):
    """An index that a filter has: a column, if it isn't the primary key, and the order's id.

    :param is_set: whether the filter is.
    :param also: what else the index says of its entries.
    :param of_few: the column has few values. Asked for one of them, PostgreSQL might go by the
        primary key, where its entries lie in the same order, and walk through all others. Asked for
        a range of pairs, and in the order of pairs, it can't.
    :param repeats: an order may have several entries.
    """

    is_set: str
    table: str
    column: str = ""
    value: str = ""
    also: str = "true"
    of_few: bool = False
    repeats: bool = False

    def entries(self) -> str:
        sought = f"\n   AND {self.column} = {self.value}" if self.column else ""
        return f"\nSELECT order_id\n  FROM {self.table}\n WHERE {self.also}{sought}\n"

    def newest_first(self) -> str:
        """The entries of a page."""
        own = self.entries() + _IN_PAGE + " ORDER BY order_id DESC\n"
        if not self.of_few:
            return own
        pair, value = f"({self.column}, order_id)", self.value
        return either(
            postgresql=f"\nSELECT order_id, {self.column} AS led\n  FROM {self.table}\n"
            f" WHERE {self.also}\n   AND {pair} < ({value}, $1::uuid)\n"
            f"   AND {pair} >= ({value}, $3::uuid)\n"
            f" ORDER BY {self.column} DESC, order_id DESC\n",
            sqlite=own,
        )


# Where several have as many orders in a page, the first one leads.
LEADS = {
    "REFERENCE": Lead("$9 <> ''", "order_details", "reference", "$9", "reference <> ''"),
    "EMAIL": Lead("$10 <> ''", "orders AS asked", "email", "$10", "email <> ''"),
    "PENDING": Lead("$7 = 'PENDING'", "unanswered"),
    "RESERVED": Lead("$7 = 'RESERVED'", "hold"),
    "CUSTOMER": Lead("$6 <> ''", "orders AS asked", "customer_id", "$6"),
    "PRODUCT": Lead("$8 <> ''", "order_line", "product_id", "$8", repeats=True),
    # What was recorded of an order after its end, such as a payment, has its status, too.
    "ENDED": Lead(
        "$7 IN ('REJECTED', 'CANCELLED', 'EXPIRED')",
        "order_history",
        "status",
        "$7",
        ENDED,
        repeats=True,
    ),
    "PAYMENT": Lead("$12 NOT IN ('', 'NONE')", "payment_state", "status", "$12", of_few=True),
    "CHANNEL": Lead("$11 <> ''", "order_details", "channel", "$11", "channel <> ''", of_few=True),
}


def _search_by(name: str) -> str:
    """One index leads, and the other filters ask their own about each of its entries: only what
    fits is looked up among the orders, whose pages lie far apart. (Not by EXISTS, for which
    PostgreSQL might read beforehand all that an index has of a filter.)
    """
    lead = LEADS[name]
    others = "".join(
        f"   AND CASE WHEN {other.is_set} THEN ("
        f"{other.entries()}   AND order_id = found.order_id\n LIMIT 1) IS NOT NULL ELSE true END\n"
        for other in LEADS.values()
        if other is not lead
    )
    leading, by = lead.newest_first(), "found.led DESC, " if lead.of_few else ""
    ordered = either(
        postgresql=f"ORDER BY {by}found.order_id DESC\n LIMIT $2\n", sqlite=_NEWEST_FOUND_FIRST
    )
    if lead.repeats:
        leading = either(
            postgresql=leading.replace("SELECT", "SELECT DISTINCT"),
            sqlite=lead.entries() + _IN_PAGE,
        )
        ordered = _GROUPED + ordered
    looked_up = either(
        postgresql=") AS found\n CROSS JOIN LATERAL ("
        + (_COLUMNS + _OF_FOUND + _FILTERED + _SOUGHT + " LIMIT 1) AS whole\n WHERE true\n"),
        sqlite=") AS found\n CROSS JOIN orders USING (order_id)\n WHERE true"
        + (_FILTERED + _SOUGHT),
    )
    return _LED_BY + leading + looked_up + others + ordered


def _marks(leads: Mapping[str, Lead]) -> str:
    """Of the index of every filter that is set: its newest entry in the page, and the one so many
    entries further down.
    """
    marks = ""
    for name, lead in leads.items():
        entry = "SELECT order_id FROM (" + lead.newest_first() + " LIMIT 1"  # noqa: S608 - constants only
        marks += " UNION ALL\n" if marks else ""
        marks += f"SELECT '{name}' AS lead,\n       (" + entry + ") AS entry)::text AS next,\n"
        marks += "       (" + entry + f" OFFSET $2) AS entry)::text AS far\n WHERE {lead.is_set}\n"
    # Ids hold about the time of placing: a period without length may have entries, but no orders.
    return (
        "\nSELECT lead, next, far\n  FROM (\n"
        + marks
        + ") AS marks\n WHERE $4::timestamptz < $5::timestamptz\n"
    )


class PagingStatements:
    """What `reader.py` asks of the database for a page.

    One text for each index that a filter has; the other filters of a list are checked row by row.
    """

    LIST_ORDERS = _COLUMNS + "  FROM orders\n WHERE true" + _LISTED
    LIST_ORDERS_OF_CUSTOMER = _COLUMNS + "  FROM orders\n WHERE customer_id = $6" + _LISTED
    LIST_ENDED_ORDERS = (_LED_BY + _ENDED + _IN_PAGE) + (
        _looked_up(_FILTERED) + _GROUPED + _NEWEST_FOUND_FIRST
    )
    LIST_ORDERS_OF_REQUESTS = (_LED_BY + _OF_REQUESTS + _WITH_PRODUCT_TOO + _IN_PAGE) + (
        _looked_up(_FILTERED) + _NEWEST_FOUND_FIRST
    )

    HOLD_SO_FAR = _HOLDS_BY_END + " LIMIT 1\nOFFSET $2\n"
    LIST_HOLDS_BY_END = _LED_BY + _HOLDS_BY_END + _HOLDS_LOOKED_UP + _NEXT_END_FIRST

    MARKS = _marks(LEADS)
    MARKS_OF_CUSTOMER = _marks({"CUSTOMER": LEADS["CUSTOMER"]})
    MARKS_OF_ALL = _marks({"ALL": Lead("true", "orders")})
    SEARCH_BY_REFERENCE = _search_by("REFERENCE")
    SEARCH_BY_EMAIL = _search_by("EMAIL")
    SEARCH_BY_PENDING = _search_by("PENDING")
    SEARCH_BY_RESERVED = _search_by("RESERVED")
    SEARCH_BY_CUSTOMER = _search_by("CUSTOMER")
    SEARCH_BY_PRODUCT = _search_by("PRODUCT")
    SEARCH_BY_ENDED = _search_by("ENDED")
    SEARCH_BY_PAYMENT = _search_by("PAYMENT")
    SEARCH_BY_CHANNEL = _search_by("CHANNEL")
    SEARCH_BY_ALL = (
        _COLUMNS + "  FROM orders\n WHERE true" + _IN_PAGE + _FILTERED + _SOUGHT + _NEWEST_FIRST
    )
