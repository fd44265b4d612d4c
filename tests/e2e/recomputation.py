"""A second opinion on a replay: the file read anew, and the stock computed from scratch.

Nothing here comes from the product but its client: who shares a mistake cannot find it.
"""

import csv
import gzip
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pytest

from holdfast.client import Money, Order, OrderLine, OrderStatus, ReturnState
from tests.e2e.callers import HOLDING, World, promised
from tests.e2e.recomputed_returns import ExpectedReturns, Invoice, expected_returns

ROOT = Path(__file__).parents[2]
REAL_FILE = "online-retail-2010-12_2011-05.csv.gz"
WHERE_FROM = (
    "set HOLDFAST_DATA to the folder of {file}; the full data set is number 352 of the UCI Machine "
    "Learning Repository, https://archive.ics.uci.edu/dataset/352/online+retail"
)
NO_PRODUCTS = ("POST", "DOT", "C2", "M", "S", "D", "B", "BANK CHARGES", "AMAZONFEE", "CRUK")

FILLED = (*HOLDING, OrderStatus.SHIPPED)

Line = tuple[str, int, int]  # product, units, price of one in pence


@dataclass(frozen=True)
class Expected:
    """What a file must become."""

    invoices: dict[str, list[Line]]
    customers: dict[str, str]
    line_count: int  # without the header
    order_line_count: int
    all_invoices: list[Invoice]  # cancellations too, in the order of the file

    @property
    def cancellations(self) -> list[Invoice]:
        return [one for one in self.all_invoices if one.is_cancellation]

    def returns(self, world: World) -> ExpectedReturns:
        """What must come back, if the orders of this world are filled."""
        return expected_returns(
            self.all_invoices,
            {number_of(order) for order in world.orders.values() if order.status in FILLED},
        )

    @property
    def demand(self) -> Counter[str]:
        units: Counter[str] = Counter()
        for lines in self.invoices.values():
            for product, quantity, _ in lines:
                units[product] += quantity
        return units

    def opening_stock(self) -> Counter[str]:
        """Four units of five that will be asked for, rounded down."""
        return Counter({product: units * 4 // 5 for product, units in self.demand.items()})


def real_file() -> Path:
    """The real invoices; without them the test is skipped, and says where they are to be had."""
    folder = Path(os.environ.get("HOLDFAST_DATA") or ROOT.parent / "shared" / "data")
    path = folder / REAL_FILE
    if not path.exists():
        pytest.skip(f"{path} is not there: {WHERE_FROM.format(file=REAL_FILE)}")
    return path


def first_invoices(path: Path, target: Path, *, invoices: int) -> None:
    """Copy the lines of the first invoices of a file, returns among them."""
    seen: set[str] = set()
    with _opened(path) as lines, target.open("w", encoding="utf-8") as copy:
        copy.write(next(lines))
        for line in lines:
            seen.add(line.split(",")[0])
            if len(seen) > invoices:
                return
            copy.write(line)


def expected_of(path: Path) -> Expected:
    """Read a file whose lines are all sound."""
    invoices: dict[str, list[Line]] = defaultdict(list)
    every: dict[str, Invoice] = {}
    count = used = 0
    with _opened(path) as lines:
        for row in csv.DictReader(lines):
            count += 1
            number, line = row["InvoiceNo"], _line(row)
            if line is None:
                continue
            customer = row["CustomerID"].removesuffix(".0")
            invoice = every.setdefault(number, Invoice(number, customer, row["InvoiceDate"]))
            invoice.lines.append((line[0], abs(line[1])))
            if not invoice.is_cancellation:
                used += 1
                invoices[number].append(line)
    customers = {number: every[number].customer or "guest" for number in invoices}
    return Expected(dict(invoices), customers, count, used, list(every.values()))


def _line(row: dict[str, str]) -> Line | None:
    """What an invoice sells or, with units below 0, a cancellation takes back."""
    code, quantity = row["StockCode"].strip(), int(row["Quantity"])
    pence = (Decimal(row["UnitPrice"]) * 100).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
    is_product = code.upper() not in NO_PRODUCTS and not code.upper().startswith("GIFT_")
    is_sale = quantity > 0 and pence > 0
    if not is_product or not (is_sale or row["InvoiceNo"].startswith("C")):
        return None
    return code, quantity, int(pence)


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[str]]:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8", newline="") as zipped:
            yield iter(zipped)
    else:
        with path.open(encoding="utf-8", newline="") as plain:
            yield iter(plain)


def contradictions(expected: Expected, world: World) -> list[str]:
    """Everything in which the world is not what the file must have made of it."""
    found = []
    returns = expected.returns(world)
    for order in world.orders.values():
        number = number_of(order)
        if order.status not in (OrderStatus.CONFIRMED, OrderStatus.REJECTED, OrderStatus.SHIPPED):
            found.append(f"invoice {number} is {order.status}")
        if (order.status is OrderStatus.SHIPPED) != (number in returns.shipped):
            found.append(f"invoice {number} is {order.status}, returned: {returns.units}")
        if expected.customers.get(number) != order.customer_id:
            found.append(f"invoice {number} is of customer {order.customer_id}")
        if expected.invoices.get(number) != [_as_line(line) for line in order.lines]:
            found.append(f"the lines of invoice {number} are not those of its order")
        if bool(order.shortages) != (order.status is OrderStatus.REJECTED):
            found.append(f"invoice {number} is {order.status}, short of {order.shortages}")
    if len({order.request_id for order in world.orders.values()}) < len(world.orders):
        found.append("an invoice became two orders")
    found += _return_contradictions(returns, world)
    return found + _stock_contradictions(expected, world)


def number_of(order: Order) -> str:
    return order.request_id.removeprefix("invoice-")


def _return_contradictions(expected: ExpectedReturns, world: World) -> list[str]:
    seen: dict[tuple[str, str], Counter[int]] = {}
    for order in world.orders.values():
        for one in order.returns:
            receipts = {receipt.request_id for receipt in one.receipts}
            names = [name.removeprefix("return-") for name in receipts]
            key = number_of(order), ", ".join(names)
            if key in seen or one.state is not ReturnState.CLOSED:
                return [f"{key} is returned twice, or still open"]
            seen[key] = Counter()
            for line in (line for receipt in one.receipts for line in receipt.lines):
                seen[key][line.line_no] += line.quantity
    keys = sorted(seen.keys() | expected.units.keys())
    return [
        f"of invoice {key[0]} came back by {key[1]} {seen.get(key)}, not {expected.units.get(key)}"
        for key in keys
        if seen.get(key) != expected.units.get(key)
    ]


def places_of(order: Order) -> Counter[str]:
    """Units of a whole order by the location where they are held, or that they left from."""
    units: Counter[str] = Counter()
    for shipment in order.shipments:
        for item in shipment.items:
            units[item.location_id] += item.quantity
    for held in order.stock:
        units[held.location_id] += held.quantity
    return units


def level_contradictions(expected: Expected, world: World, locations: Sequence[str]) -> list[str]:
    """Levels that are not what was dealt out evenly, less what is away.

    :param world: with all of its orders whole.
    """
    on_hand: Counter[tuple[str, str]] = Counter()
    reserved: Counter[tuple[str, str]] = Counter()
    for product_id, units in expected.opening_stock().items():
        for number, location in enumerate(locations):
            on_hand[product_id, location] += len(range(number, units, len(locations)))
    for order in world.orders.values():
        for item in (item for one in order.shipments for item in one.items):
            on_hand[item.product_id, item.location_id] -= item.quantity
        receipts = (receipt for one in order.returns for receipt in one.receipts)
        for came in (came for receipt in receipts for came in receipt.lines):
            on_hand[came.product_id, came.location_id] += came.quantity
        for held in order.stock:
            reserved[held.product_id, held.location_id] += held.quantity
    levels = {
        (product_id, level.location_id): (level.on_hand, level.reserved)
        for product_id, info in world.stock.items()
        for level in info.levels
    }
    wanted = {place: (units, reserved[place]) for place, units in on_hand.items()}
    return [
        f"{place} has {levels.get(place)} (on hand, reserved), not {wanted.get(place)}"
        for place in sorted(wanted.keys() | levels.keys())
        if levels.get(place, (0, 0)) != wanted.get(place)
    ]


def still_away(orders: Iterable[Order]) -> Counter[str]:
    """Units by product that left and did not come back."""
    units: Counter[str] = Counter()
    for order in orders:
        for line in order.lines:
            units[line.product_id] += line.shipped
        for one in order.returns:
            for came in one.lines:
                units[came.product_id] -= came.received
    return units


def _as_line(line: OrderLine) -> Line:
    assert isinstance(line.unit_price, Money)
    assert line.unit_price.currency == "GBP"
    return line.product_id, line.quantity, line.unit_price.minor


def _stock_contradictions(expected: Expected, world: World) -> list[str]:
    opening, reserved = expected.opening_stock(), promised(world.orders.values())
    away = still_away(world.orders.values())
    found = [f"product {one} is not there" for one in opening.keys() - world.stock.keys()]
    found += [f"product {one} is in no invoice" for one in world.stock.keys() - opening.keys()]
    for product_id, info in world.stock.items():
        seen = (info.on_hand, info.reserved, info.available)
        wanted = (opening[product_id] - away[product_id], reserved[product_id])
        if seen != (*wanted, wanted[0] - wanted[1]) or info.available < 0:
            found.append(f"{product_id} is {seen} (on hand, reserved, available), not {wanted}")
    return found
