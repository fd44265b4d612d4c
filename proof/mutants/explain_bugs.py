"""Bugs in what is told of stock and of its past: numbers that nothing makes, and other moments."""

from holdfast.inventory.application.stock.explain_stock import ExplainStock
from holdfast.inventory.infrastructure.ledger import Ledger
from holdfast.inventory.infrastructure.sql import SQL
from proof.mutants.planting import Patch, bug, edited

MANY = (
    "tests/integration/test_explain.py"
    "::test_of_a_level_with_too_many_movements_the_last_ones_are_added_to_what_was_before"
)
CLOCKS = (
    "tests/contract/test_inventory_ledger.py"
    "::test_what_clocks_that_differ_have_written_is_explained_in_the_order_in_which_it_was_made"
)


def asked(statement: str, *changes: tuple[str, str]) -> tuple[Patch, ...]:
    """A statement, edited as each engine has it."""
    return tuple(Patch(*edited(sql, statement, *changes)) for sql in SQL.values())


BUGS = (
    bug(
        "what happened at the very moment is left out",
        "As of the time that a movement bears the level is told as it was before it.",
        *asked("LEVELS_AT", ("moved_at <=", "moved_at <")),
    ),
    bug(
        "a moment in the past has today's numbers",
        "The level is told as it is, beside sums of what it was.",
        edited(ExplainStock, "_explained", ("if found.changed_since:", "if False:")),
    ),
    bug(
        "sums go beyond the moment",
        "What moved after the moment is added up as well.",
        edited(
            Ledger,
            "newest_steps",
            ("level.location_id, newest, limit", "level.location_id, 2**62, limit"),
        ),
    ),
    bug(
        "a moment is sought by time",
        "Where a clock was behind, what it wrote last is taken for what was there before.",
        *asked(
            "LEVELS_AT",
            (
                "ORDER BY product_id DESC, movement_id DESC",
                "ORDER BY moved_at DESC, movement_id DESC",
            ),
        ),
        tests=(CLOCKS,),
        why_tests="clocks of two processes differ, and both move one product, in few runs",
    ),
    bug(
        "holds are told without what was held before",
        "Of an order that gave back some of what it held for long, nothing is told.",
        edited(ExplainStock, "_holds", ("return holds_of(steps, held)", "return found")),
        tests=(MANY,),
        why_tests="no level of a run has a thousand movements",
    ),
)
