"""Bugs in where stock is and comes from: places that nobody named, or that may give nothing."""

from holdfast.inventory.domain.stock import finding
from holdfast.inventory.domain.stock.levels import StockLevel
from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.orders.infrastructure.ordering.store import StoreWork
from proof.mutants.planting import bug, edited
from proof.mutants.stock_bugs import hearing

MOVING = "tests/integration/test_moving_goods.py"
PROMISES_NOTHING = f"{MOVING}::test_a_location_that_is_not_active_promises_nothing"
RECEIVES_NOTHING = f"{MOVING}::test_a_location_that_is_not_active_receives_nothing"
NO_OTHER = f"{MOVING}::test_what_its_places_cant_fill_comes_from_no_other"
ELSEWHERE = f"{MOVING}::test_by_another_sourcing_all_is_held_elsewhere_or_all_stays"
ASKED_AGAIN = f"{MOVING}::test_a_question_is_asked_again_with_its_sourcing"
YET = "a run that shows it needs several places, and orders that say which"

BUGS = (
    bug(
        "what is at a place that is not active counts",
        "An order is promised units that nobody may sell.",
        (
            StockLevel,
            "available",
            property(lambda level: level.on_hand - level.reserved - level.quarantined),
        ),
        tests=(PROMISES_NOTHING,),
        why_tests=YET,
    ),
    bug(
        "goods are received at a place that is not active",
        "Units come where nothing may come.",
        edited(
            StockBook,
            "set_on_hand",
            ("if quantity > level.on_hand and not level.active:", "if False:"),
        ),
        tests=(RECEIVES_NOTHING,),
        why_tests=YET,
    ),
    bug(
        "a pinned order takes from elsewhere",
        "What the named places lack comes from others, as if they were only the nearest.",
        edited(finding, "_ranked", ("if sourcing.strategy is Strategy.PINNED:", "if False:")),
        tests=(NO_OTHER,),
        why_tests=YET,
    ),
    bug(
        "an order that must not be split is split",
        "Two places share what is to be sent as one parcel.",
        edited(finding, "_sources", ("may_split=sourcing.may_split", "may_split=True")),
        tests=(NO_OTHER,),
        why_tests=YET,
    ),
    bug(
        "an edit by another sourcing leaves all where it is",
        "The order says that it comes from one place, and is held at another one.",
        *hearing(("before is not None and before.sourcing != sourcing", "False")),
        tests=(ELSEWHERE,),
        why_tests=YET,
    ),
    bug(
        "a refused edit keeps its sourcing",
        "Inventory goes by a wish that the order does not have.",
        *hearing(("by = before.sourcing if before and held else sourcing", "by = sourcing")),
        tests=(ELSEWHERE,),
        why_tests=YET,
    ),
    bug(
        "what is asked again forgets its sourcing",
        "A question that was lost is asked again by priority.",
        edited(
            StoreWork,
            "ask_again",
            ("sourcing.get(order.order_id, BY_PRIORITY)", "BY_PRIORITY"),
        ),
        tests=(ASKED_AGAIN,),
        why_tests=YET,
    ),
)
