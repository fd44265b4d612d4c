"""The pictures in docs/concepts/stock.md are drawn from what the domain does."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from holdfast.inventory.domain.errors import TransferClosed
from holdfast.inventory.domain.stock.levels import StockLevel
from holdfast.inventory.domain.stock.movements import MovementKind, refuse_shape
from holdfast.inventory.domain.transfers.transfer import Transfer, TransferLine, TransferState
from holdfast.orders.application.returns.return_goods import CloseReturn, OpenReturn, ReceiveReturn
from holdfast.orders.application.shipping.move_goods import GoodsCommand, _after
from holdfast.orders.application.shipping.ship_order import ShipOrder, UpdateShipment
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.customer import NOBODY
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.lines import OrderLine
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.domain.ordering.stock import HeldStock
from holdfast.orders.domain.returns.errors import ReturnClosed
from holdfast.orders.domain.returns.returned import (
    AskedReceiptLine,
    AskedReturnLine,
    Disposition,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "concepts" / "stock.md"
BLOCKS = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KIND_ROW = re.compile(r"^\| ([A-Z_]+) \|([^|\n]*)\|([^|\n]*)\|([^|\n]*)\|", re.MULTILINE)

AT, LATER = datetime(2026, 11, 28, tzinfo=UTC), datetime(2026, 11, 29, tzinfo=UTC)
BOB = Caller("bob")
NUMBERS = ("on_hand", "reserved", "quarantined")
SIGNS = {
    frozenset({1}): "+",
    frozenset({-1}): "-",
    frozenset({1, -1}): "+ or -",
    frozenset({0, 1}): "+ or none",
    frozenset({0, -1}): "- or none",
    frozenset({0}): "",
}


def shapes(kind: MovementKind) -> Iterator[tuple[int, ...]]:
    """Every way in which a movement of this kind may change the numbers of a level."""
    for signs in product((-1, 0, 1), repeat=len(NUMBERS)):
        try:
            refuse_shape(kind, *signs)
        except AssertionError:
            continue
        yield signs


def moved(kind: MovementKind) -> dict[str, str]:
    """How a kind moves each number: "" where it never does."""
    columns = zip(*shapes(kind), strict=True)
    return {name: SIGNS[frozenset(signs)] for name, signs in zip(NUMBERS, columns, strict=True)}


def weighs(name: str) -> str:
    """What one more of a number does to what is available."""
    level = StockLevel("LAMP", "main", on_hand=20, reserved=3, quarantined=2, safety_stock=1)
    more = replace(level, **{name: getattr(level, name) + 1})
    return SIGNS[frozenset({more.available - level.available})]


def picture_of_a_level() -> str:
    """Draw which kind moves which number, and what of them is available."""
    counted = (*NUMBERS, "safety_stock")
    lines = ["flowchart LR", *(f'    {name}["{name.replace("_", " ")}"]' for name in counted)]
    for kind in MovementKind:
        moves = [(name, sign) for name, sign in moved(kind).items() if sign]
        lines += [f'    {kind} -->|"{sign}"| {name}' for name, sign in moves]
    lines += [f'    {name} ==>|"{weighs(name)}"| available' for name in counted]
    return "\n".join(lines) + "\n"


def diagram(start: str, steps: Mapping[tuple[str, str], str]) -> str:
    """Draw a life: what begins it, what leads from where to where, and where it ends."""
    states = list(dict.fromkeys(state for step in steps for state in step))
    goes_on = {before for before, after in steps if before != after}
    lines = [
        "stateDiagram-v2",
        f"    [*] --> {states[0]}: {start}",
        *(f"    {before} --> {after}: {verb}" for (before, after), verb in steps.items()),
        *(f"    {state} --> [*]" for state in states if state not in goes_on),
    ]
    return "\n".join(lines) + "\n"


def picture_of_a_transfer() -> str:
    """Each verb is tried on a transfer on its way and on a closed one; a repeat leads nowhere."""
    lines = (TransferLine("LAMP", 5, received=1),)
    sent = Transfer("t-1", "r-1", "berlin", "main", lines, "", None, AT)
    verbs: dict[str, Callable[[Transfer], Transfer]] = {
        "ReceiveTransfer": lambda one: one.received({"LAMP": 2}),
        "CloseTransfer": lambda one: one.closed(LATER),
    }
    steps = dict[tuple[str, str], str]()
    for one in (sent, sent.closed(AT)):
        for verb, act in verbs.items():
            try:
                after = act(one)
            except TransferClosed:
                continue
            if (after.state, after.lines) != (one.state, one.lines):
                steps[one.state, after.state] = verb
    assert {state for step in steps for state in step} == set(TransferState)
    return diagram("CreateTransfer", steps)


class Shop:
    """One confirmed order of two lamps that are held, and what becomes of it."""

    def __init__(self) -> None:
        state = OrderState("o-1", OrderStatus.CONFIRMED, 2, asked=1, answered=1)
        price = Money("GBP", 100)
        known = ((OrderLine("LAMP", 2, price, 1),), Money("GBP", 200), NOBODY, state, ())
        held = (HeldStock("LAMP", "main", 2),)
        self.order = Order("o-1", "c-1", "r-1", *known, AT, AT, stock=held, stock_revision=1)

    def does(self, command: GoodsCommand) -> bool:
        """Whether it changes anything."""
        change = command.decide(self.order.state, self.order, AT)
        if change is None:
            return False
        self.order = _after(self.order, change)
        return True

    def ship(self) -> None:
        assert self.does(ShipOrder("o-1", "s-1", (), "", "", "", "", BOB))

    def open_return(self) -> None:
        lines = (AskedReturnLine(1, 2, ""),)
        assert self.does(OpenReturn("o-1", "return-1", "q-1", lines, BOB))


def picture_of_a_shipment() -> str:
    """A parcel that has left is delivered or not: each kind of update is tried on both."""
    verbs = {
        "UpdateShipment": UpdateShipment("o-1", "s-1", "DHL", "T1", "", None, BOB),
        "UpdateShipment with a time of delivery": UpdateShipment(
            "o-1", "s-1", None, None, None, AT, BOB
        ),
        "UpdateShipment without a time of delivery": UpdateShipment(
            "o-1", "s-1", None, None, None, None, BOB, takes_back_delivery=True
        ),
    }
    steps = dict[tuple[str, str], str]()
    for delivered in (False, True):
        for verb, command in verbs.items():
            shop = Shop()
            shop.ship()
            if delivered:
                shop.does(verbs["UpdateShipment with a time of delivery"])
            before = _where(shop)
            if shop.does(command):
                steps.setdefault((before, _where(shop)), verb)
    return diagram("ShipOrder", steps)


def _where(shop: Shop) -> str:
    (shipment,) = shop.order.shipments
    return "DELIVERED" if shipment.delivered_at else "SHIPPED"


def picture_of_a_return() -> str:
    """Each verb is tried on an open return and on a closed one; a repeat leads nowhere."""
    come = AskedReceiptLine(1, 1, Disposition.RESTOCK, "main")
    verbs: dict[str, ReceiveReturn | CloseReturn] = {
        "ReceiveReturn": ReceiveReturn("o-1", "return-1", "q-2", (come,), BOB),
        "CloseReturn": CloseReturn("o-1", "return-1", BOB),
    }
    steps = dict[tuple[str, str], str]()
    for closed in (False, True):
        for verb, command in verbs.items():
            shop = Shop()
            shop.ship()
            shop.open_return()
            if closed:
                assert shop.does(verbs["CloseReturn"])
            before = "CLOSED" if shop.order.returns[0].closed_at else "OPEN"
            try:
                changes = shop.does(command)
            except ReturnClosed:
                continue
            if changes:
                after = "CLOSED" if shop.order.returns[0].closed_at else "OPEN"
                steps[before, after] = verb
    return diagram("OpenReturn", steps)


PICTURES = [  # in the order of the document
    picture_of_a_level,
    picture_of_a_shipment,
    picture_of_a_return,
    picture_of_a_transfer,
]


@pytest.mark.parametrize("place", range(len(PICTURES)), ids=lambda at: PICTURES[at].__name__)
def test_a_picture_is_what_the_code_does(place: int) -> None:
    right = PICTURES[place]()

    drawn = BLOCKS.findall(DOCUMENT.read_text())

    assert len(drawn) == len(PICTURES)
    assert drawn[place] == right, f"the mermaid block in {DOCUMENT} should be:\n\n{right}"


def test_the_table_of_kinds_is_what_a_movement_may_change() -> None:
    rows = KIND_ROW.findall(DOCUMENT.read_text())
    told = {
        kind: tuple(map(str.strip, moves)) for kind, *moves in rows if kind in set(MovementKind)
    }

    assert told == {kind: tuple(moved(kind).values()) for kind in MovementKind}
