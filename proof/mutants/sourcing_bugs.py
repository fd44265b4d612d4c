"""Bugs in where stock is and comes from: places that nobody named, or that may give nothing."""

from holdfast.inventory.application.stock.check_availability import CheckAvailability
from holdfast.inventory.domain.locations.location import Location
from holdfast.inventory.domain.stock import finding, sourcing
from holdfast.inventory.domain.stock.levels import StockLevel
from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.inventory.infrastructure.sql import SQL
from holdfast.orders.application.ordering import edit_orders
from holdfast.orders.domain.ordering import edits
from holdfast.orders.infrastructure.ordering.store import StoreWork
from proof.mutants.planting import bug, edited
from proof.mutants.stock_bugs import Patch, hearing

MOVING = "tests/integration/test_moving_goods.py"
ELSEWHERE = f"{MOVING}::test_by_another_sourcing_all_is_held_elsewhere_or_all_stays"
FEWEST = (
    "tests/unit/test_sourcing_properties.py"
    "::test_two_that_have_all_of_it_come_before_the_one_that_has_most"
)
ADVICE = (
    "tests/integration/test_inactive_locations.py"
    "::test_what_is_only_where_nothing_is_promised_is_refused_at_once"
)
PUT_BACK = (
    "tests/integration/test_inactive_locations.py"
    "::test_what_was_put_aside_is_not_put_back_on_sale_where_nothing_is"
)
SWITCHED = (
    "tests/contract/test_location_locks.py"
    "::test_a_location_is_switched_only_after_those_who_move_stock_there"
)


def editing(*changes: tuple[str, str]) -> tuple[Patch, Patch]:
    """What an edit makes of an order, edited, for those who call it by either name."""
    _, name, new = edited(edits, "edited", *changes)
    return (edits, name, new), (edit_orders, name, new)


def checking(*changes: tuple[str, str]) -> Patch:
    """The answer to what could be promised, edited."""
    return edited(CheckAvailability, "__call__", *changes)


BUGS = (
    bug(
        "what is at a place that is not active counts",
        "An order is promised units that nobody may sell.",
        (
            StockLevel,
            "available",
            property(lambda level: level.on_hand - level.reserved - level.quarantined),
        ),
    ),
    bug(
        "goods are received at a place that is not active",
        "Units come where nothing may come.",
        edited(
            StockBook,
            "set_on_hand",
            ("if quantity > level.on_hand and not level.active:", "if False:"),
        ),
    ),
    bug(
        "a pinned order takes from elsewhere",
        "What the named places lack comes from others, as if they were only the nearest.",
        edited(finding, "_ranked", ("if sourcing.strategy is Strategy.PINNED:", "if False:")),
    ),
    bug(
        "an order that must not be split is split",
        "Two places share what is to be sent as one parcel.",
        edited(finding, "_sources", ("may_split=sourcing.may_split", "may_split=True")),
    ),
    bug(
        "an edit by another sourcing leaves all where it is",
        "The order says that it comes from one place, and is held at another one.",
        *hearing(("before is not None and before.sourcing != sourcing", "False")),
    ),
    bug(
        "a refused edit keeps its sourcing",
        "Inventory goes by a wish that the order does not have.",
        *hearing(("by = before.sourcing if before and has else sourcing", "by = sourcing")),
        tests=(ELSEWHERE,),
        why_tests="hardly an edit wants another sourcing, is refused, and is followed by one more",
    ),
    bug(
        "what is asked again forgets its sourcing",
        "A question that was lost is asked again by priority.",
        edited(
            StoreWork,
            "ask_again",
            ("sourcing.get(order.order_id, BY_PRIORITY)", "BY_PRIORITY"),
        ),
    ),
    bug(
        "more units come from anywhere",
        "An order that is edited to more goes by its sourcing only for what it has already.",
        edited(
            StockBook,
            "hold",
            (
                "more, sourcing, self.queues",
                "more, BY_PRIORITY if kept else sourcing, self.queues",
            ),
        ),
    ),
    bug(
        "what moves is held twice",
        "Units are taken where they are to come from, and those before are not given back.",
        edited(
            StockBook,
            "hold",
            ("self.release(given_back, cause)", "self.release(() if moves else given_back, cause)"),
        ),
    ),
    bug(
        "other lines come from anywhere",
        "An edit of the lines forgets where the order's stock is to come from.",
        *editing(("before.sourcing if sourcing is None else sourcing", "sourcing or BY_PRIORITY")),
    ),
    bug(
        "what was aside is on sale where nothing is",
        "Units are put back on sale at a place that is not active.",
        edited(StockBook, "end_quarantine", ("elif not level.active:", "elif False:")),
        tests=(PUT_BACK,),
        why_tests="few units are put aside there, and fewer put back while it is not active",
    ),
    bug(
        "a location of any version is changed",
        "Two who have read the same switch it both, and the second overwrites the first.",
        edited(Location, "revised", ("if expected_version != self.version:", "if False:")),
    ),
    bug(
        "what could be promised is found by priority",
        "The answer is right for other orders than the one that was meant.",
        checking(
            ("find_or_wait(levels, wanted, sourcing, queues)", "find_or_wait(levels, wanted)")
        ),
    ),
    bug(
        "what could be promised counts what is",
        "Nobody who asks first is told that others were promised it.",
        checking(
            (
                "shelves(level for",
                "shelves(type(level)(*level.key[:2], level.on_hand, 0, level.version,"
                " priority=level.priority, active=level.active) for",
            )
        ),
    ),
    bug(
        "what could be promised names any place",
        "A basket may be pinned to a place that is not active.",
        checking(("refuse_inactive(sourcing.location_ids, known)", "assert known is not None")),
    ),
    bug(
        "few places instead of the fewest",
        "The place that has most is taken, then the next, though two others have all of it.",
        edited(sourcing, "_fewest", ("for size in range(2, ", "for size in range(99, ")),
        tests=(FEWEST,),
        why_tests="the checker does not judge whether they are the fewest",
    ),
    bug(
        "the stock check counts places that are not active",
        "An order is recorded that nobody can fill, and rejected only by Inventory.",
        *(
            edited(sql, "STOCK_SUMMARIES", ("CASE WHEN location.active", "CASE WHEN 1=1"))
            for sql in SQL.values()
        ),
        tests=(ADVICE,),
        why_tests="the stock check is advice: Inventory decides",
    ),
    bug(
        "who moves stock does not lock its location",
        "On PostgreSQL a location is made inactive while somebody still promises stock there.",
        edited(SQL["postgresql"], "LOCK_LEVELS", (" FOR SHARE OF location", "")),
        tests=(SWITCHED,),
        why_tests="the simulated database has one writer and no row locks",
    ),
)
