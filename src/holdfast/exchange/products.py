"""Products and their prices as files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from holdfast.client import (
    Backorder,
    BackorderMode,
    Holdfast,
    HoldfastError,
    Money,
    NotFound,
    Product,
)
from holdfast.exchange.kinds import (
    DoneBefore,
    Entry,
    Outcome,
    Plan,
    Problem,
    Records,
    alike,
    each_alone,
    one_by_one,
)
from holdfast.exchange.line_index import LineIndex
from holdfast.exchange.superseded import note_lines, only_the_last
from holdfast.exchange.values import LineProblem, ValueOptions, Values, id_in
from holdfast.importing.flaws import quoted
from holdfast.importing.tables import Shape

# What the services allow; tests hold them against these numbers.
NAME_CHARACTERS_MAX = 500
DESCRIPTION_CHARACTERS_MAX = 10_000
UNITS_MAX = 1_000_000_000_000
PRODUCTS = Shape(
    names=(
        *("product_id", "name", "description", "unit_price", "currency", "active"),
        *("backorder_mode", "backorder_units_max", "backorder_expected_date", "safety_stock"),
    ),
    required=("product_id",),
)
PRICES = Shape(
    names=("product_id", "unit_price", "currency"), required=("product_id", "unit_price")
)


@dataclass(frozen=True, slots=True)
class ProductLine:
    """What a line says of a product; None: nothing.

    :param currency: what the line itself says that the price is in; empty: nothing.
    :param has_expected_date: whether an `expected_date` of None means that there is none.
    """

    product_id: str
    name: str | None
    description: str | None
    unit_price: Money | None
    currency: str
    active: bool | None
    backorder_mode: BackorderMode | None
    backorder_units_max: int | None
    expected_date: date | None
    has_expected_date: bool
    safety_stock: int | None

    def backorder(self, now: Backorder) -> Backorder:
        """The policy with what the line says of it."""
        mode = self.backorder_mode or now.mode
        units = now.units_max if self.backorder_units_max is None else self.backorder_units_max
        return Backorder(
            mode,
            units if mode is BackorderMode.LIMITED else 0,
            self.expected_date if self.has_expected_date else now.expected_date,
        )


class Products:
    """Products: made, or changed in what the file says of them."""

    name: ClassVar[str] = "products"
    shape: ClassVar[Shape] = PRODUCTS
    columns: ClassVar[Mapping[str, str]] = {
        "unit_price.currency_code": "currency",
        "backorder.mode": "backorder_mode",
        "backorder.units_max": "backorder_units_max",
        "backorder.expected_date": "backorder_expected_date",
    }
    makes_new = True

    def __init__(self, client: Holdfast) -> None:
        self._client = client

    def look_over(self, records: Records, index: LineIndex) -> Iterator[int]:
        """Every line counts: it may say what another one does not."""
        return iter(())

    def entries(
        self, records: Records, options: ValueOptions, index: LineIndex
    ) -> Iterator[Entry[ProductLine]]:
        """What the lines say."""
        return one_by_one(records, options, read_product)

    def key(self, item: ProductLine) -> str:
        """Its id."""
        return item.product_id

    async def plan(self, items: Sequence[ProductLine]) -> Sequence[Plan[ProductLine]]:
        """Compare with the products that are there."""
        infos = await self._client.inventory.get_stock_batch([one.product_id for one in items])
        plans = []
        for item, info in zip(items, infos, strict=True):
            match info:
                case NotFound():
                    plans.append(self._new(item, info))
                case HoldfastError():
                    raise info
                case _:
                    plans.append(_changed(item, info.product))
        return plans

    def _new(self, item: ProductLine, error: NotFound) -> Plan[ProductLine]:
        if not self.makes_new:
            return Plan(item, problem=error)
        if item.unit_price is None:
            told = "is missing; the product is new, and needs a price"
            return Plan(item, problem=LineProblem([("unit_price", told)]))
        return Plan(item, Outcome.CREATED)

    async def carry_out(
        self, plans: Sequence[Plan[ProductLine]]
    ) -> Sequence[Problem | DoneBefore | None]:
        """Make or change each."""
        return await each_alone(plans, self._carry_out)

    async def _carry_out(self, plan: Plan[ProductLine]) -> None:
        item, there = plan.item, plan.there
        if isinstance(there, Product):
            await self._client.inventory.update_product(
                item.product_id,
                version=there.version,
                **_differences(item, there),  # type: ignore[arg-type] # by the names of its fields
            )
            return
        assert item.unit_price is not None
        await self._client.inventory.create_product(
            item.product_id,
            unit_price=item.unit_price,
            name=item.name or "",
            description=item.description or "",
            active=item.active is not False,
            backorder=item.backorder(Backorder()),
            safety_stock=item.safety_stock or 0,
        )


class Prices(Products):
    """Prices of products that are there."""

    name: ClassVar[str] = "prices"
    shape: ClassVar[Shape] = PRICES
    makes_new = False

    def look_over(self, records: Records, index: LineIndex) -> Iterator[int]:
        """Find the last line of each product."""
        return note_lines(records, index, lambda cells: id_in(cells.get("product_id")))

    def entries(
        self, records: Records, options: ValueOptions, index: LineIndex
    ) -> Iterator[Entry[ProductLine]]:
        """What the lines say; of a product that stands there twice the last."""
        prices = one_by_one(records, options, _read_price)
        return only_the_last(prices, index, self.key)


def read_product(values: Values) -> ProductLine:
    """A line of a file of products."""
    line = ProductLine(
        product_id=values.code("product_id"),
        name=values.text("name", characters_max=NAME_CHARACTERS_MAX),
        description=values.text("description", characters_max=DESCRIPTION_CHARACTERS_MAX),
        unit_price=values.money("unit_price"),
        currency=values.currency(),
        active=values.flag("active"),
        backorder_mode=values.choice("backorder_mode", BackorderMode),
        backorder_units_max=values.whole("backorder_units_max", lowest=0, highest=UNITS_MAX - 1),
        expected_date=values.day("backorder_expected_date"),
        has_expected_date=values.has("backorder_expected_date"),
        safety_stock=values.whole("safety_stock", lowest=0, highest=UNITS_MAX),
    )
    is_limited = line.backorder_mode is BackorderMode.LIMITED
    if is_limited and not line.backorder_units_max:
        values.add("backorder_units_max", "must be 1 or more, since backorder_mode is LIMITED")
    if line.backorder_mode and not is_limited and line.backorder_units_max:
        values.add("backorder_units_max", "must be 0 or empty: only LIMITED has it")
    return line


def _read_price(values: Values) -> ProductLine:
    line = read_product(values)
    values.require("unit_price")
    return line


def _changed(item: ProductLine, there: Product) -> Plan[ProductLine]:
    """What is to become of a product that is there."""
    mine, own = item.unit_price, there.unit_price.currency
    if item.currency not in ("", own) and not mine:
        told = (
            f"is {quoted(item.currency)}, but {item.product_id} is sold in {own}, and no price "
            "stands beside it: write one, or empty the cell"
        )
        return Plan(item, problem=LineProblem([("currency", told)]))
    if mine and mine.currency != own and not item.currency:
        told = (
            f"is {mine}, but {item.product_id} is sold in {own}: give --currency {own}, or name "
            "the currency in a column if it is to change"
        )
        return Plan(item, problem=LineProblem([("unit_price", told)]))
    is_same = not _differences(item, there)
    return Plan(item, Outcome.UNCHANGED if is_same else Outcome.CHANGED, there=there)


def _differences(item: ProductLine, there: Product) -> dict[str, object]:
    """What the line says otherwise than it is, by the names of the product's fields."""
    said: dict[str, object | None] = {
        "name": item.name,
        "description": item.description,
        "unit_price": item.unit_price,
        "active": item.active,
        "backorder": item.backorder(there.backorder),
        "safety_stock": item.safety_stock,
    }
    return {
        name: value
        for name, value in said.items()
        if value is not None and not alike(value, getattr(there, name))
    }
