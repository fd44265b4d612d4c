"""Bugs in edits: counted too early, twice, half, or though refused; and what they do to stock."""

from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.orders.application.ordering import edit_orders, hear_inventory
from holdfast.orders.domain.ordering import edits
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.infrastructure.ordering.sql import SQL
from holdfast.orders.infrastructure.ordering.store import StoreWork
from proof.mutants.planting import bug, edited

EDITS = "tests/integration/test_edits.py"
OWN_UNITS = f"{EDITS}::test_hold_of_ones_own_an_order_edits_within_the_units_that_it_holds"
PRICE_ONLY = f"{EDITS}::test_a_price_only_edit_counts_at_once_and_moves_no_stock"

BUGS = (
    bug(
        "an edit asks under the revision before",
        "Inventory takes the question for one that it has answered.",
        edited(OrderState, "edit", ("self.wants(self.asked + 1,", "self.wants(self.asked,")),
    ),
    bug(
        "an edit counts before it is answered",
        "Other lines count at once, whatever they want of stock.",
        edited(OrderState, "edit", ("before.wants_as(after)", "True")),
    ),
    bug(
        "a refused edit counts",
        "The order has lines that nothing is held for.",
        edited(OrderState, "_ending_edit", ("state is EditState.APPLIED", "True")),
    ),
    bug(
        "what ends keeps its edit under way",
        "A cancelled order still waits for what becomes of its edit.",
        edited(OrderState, "become", ("if status.is_final and", "if False and")),
        tests=(f"{EDITS}::test_a_cancelled_order_drops_its_edit_whenever_the_answer_comes",),
        why_tests="orders are seldom cancelled before their edit is answered",
    ),
    bug(
        "any answer ends an edit",
        "An answer to an older question decides the edit that is under way.",
        edited(
            hear_inventory,
            "_settle",
            ("answer.revision != state.editions.revision", "state.editions.revision is None"),
        ),
        edited(OrderState, "settle_edit", ("answer.revision == self.editions.revision", "True")),
        tests=(f"{EDITS}::test_only_the_answer_to_its_own_question_ends_an_edit",),
        why_tests="an older answer has to be late, and to overtake the one to the edit",
    ),
    bug(
        "an edit of what was read before",
        "Two callers edit what both have read, and the second overwrites the first.",
        edited(OrderState, "refuse_edit", ("expected_version != self.version", "False")),
    ),
    bug(
        "an edit keeps the old total",
        "The lines are others, and the order costs what it did.",
        *(
            edited(sql, "UPDATE_EDITIONS", ("= coalesce(", "= orders.total_minor + 0 * coalesce("))
            for sql in SQL.values()
        ),
    ),
    bug(
        "the number of a removed line is given again",
        "What was said of the old line is now said of another one.",
        edited(edits, "_lines", ("line_no_max += not line_no", "line_no_max = len(lines) + 1")),
        tests=(f"{EDITS}::test_the_number_of_a_removed_line_is_never_given_again",),
        why_tests="the checker knows lines by what they are of, and hardly one caller sees both",
    ),
    bug(
        "fewer units are held as before",
        "An edit to less gives nothing back.",
        edited(
            StockBook,
            "_given_back",
            ("units - wanted.get(product_id, 0)", "0 if product_id in wanted else units"),
        ),
    ),
    bug(
        "an edited order is nobody's news",
        "Nobody is told that the order is another one.",
        edited(StoreWork, "_tell", ("is not None", "is not None and change.action != 'EDITED'")),
    ),
    bug(
        "an edit is asked for again with the lines that count",
        "Inventory answers to something that was never wanted.",
        *(
            edited(sql, "WANTED_LINES", ("ELSE edition_newest", "ELSE orders.edition"))
            for sql in SQL.values()
        ),
    ),
    bug(
        "what an order holds is not its own",
        "An edit competes with its own order for the last units.",
        edited(
            StockBook,
            "hold",
            ("units - kept.get(name, 0)", "units"),
        ),
        tests=(OWN_UNITS,),
        why_tests="it is refused for want of stock, which anybody may be",
    ),
    bug(
        "a price touches stock",
        "Inventory is asked for what it holds already.",
        edited(OrderState, "edit", ("before.wants_as(after)", "False")),
        tests=(PRICE_ONLY,),
        why_tests="it only costs time",
    ),
    bug(
        "an edited order is paid as before",
        "The payment status follows from what the order cost before the edit.",
        (edit_orders, "with_payments", lambda change, _payments: change),
        tests=(PRICE_ONLY,),
        why_tests="no simulated caller seeks orders by their payment status",
    ),
)
