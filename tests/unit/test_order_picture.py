"""The picture of an order's life in the documentation is drawn from the table of transitions."""

import re
from pathlib import Path

from holdfast.orders.domain.ordering.status import OrderStatus, may_follow

DOCUMENT = Path(__file__).parents[2] / "docs" / "concepts" / "orders.md"
BLOCKS = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def picture() -> str:
    """Draw the state machine: PENDING is the start, and what nothing follows is an end."""
    steps = [
        (before, after)
        for before in OrderStatus
        for after in OrderStatus
        if may_follow(before, after)
    ]
    goes_on = {before for before, _ in steps}
    lines = [
        "stateDiagram-v2",
        f"    [*] --> {OrderStatus.PENDING}",
        *(f"    {before} --> {after}" for before, after in steps),
        *(f"    {status} --> [*]" for status in OrderStatus if status not in goes_on),
    ]
    return "\n".join(lines) + "\n"


def test_the_picture_of_an_orders_life_is_the_table_of_transitions() -> None:
    right = picture()

    drawn = BLOCKS.findall(DOCUMENT.read_text())

    assert drawn == [right], f"the mermaid block in {DOCUMENT} should be:\n\n{right}"
