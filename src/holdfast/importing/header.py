"""The header of a file of orders: which column is which, whatever it is called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.importing.flaws import UnreadableText
from holdfast.importing.heading import listed, read_heading, squeezed
from holdfast.importing.rows import BOM, Lines

# Letter case, spaces, "_" and "-" in a column's name count for nothing.
_ALIASES: Mapping[str, str] = {
    "order": "order order_id order_no order_number invoice invoice_id invoice_no invoice_number",
    "product": "product product_id product_code sku stock_code item item_id item_code",
    "description": "description name product_name item_name",
    "quantity": "quantity qty",
    "date": "date time order_date invoice_date created created_at create_time",
    "price": "price unit_price",
    "customer": "customer customer_id customer_no customer_number",
    "currency": "currency currency_code",
}
OPTIONAL = ("description", "currency")
DATA_SET = "InvoiceNo StockCode Description Quantity InvoiceDate UnitPrice CustomerID".split()


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns of a file stand.

    :param at: index by meaning (order, product, description, quantity, date, price, customer,
        currency); the optional ones only if they are there.
    """

    line: int
    separator: str
    names: tuple[str, ...]
    at: Mapping[str, int]

    @property
    def width(self) -> int:
        return len(self.names)

    def left_out(self) -> list[str]:
        """The names of the columns that nothing is read of."""
        used = set(self.at.values())
        return [name for index, name in enumerate(self.names) if index not in used]

    def is_data_sets(self) -> bool:
        """Whether all columns of the UCI Online Retail data set are there."""
        return {squeezed(name) for name in DATA_SET} <= {squeezed(name) for name in self.names}

    def told(self, meaning: str) -> str:
        """A column as it is told to people, by number and name."""
        index = self.at[meaning]
        return f"column {index + 1} ({self.names[index]})"

    def repeated_in(self, cells: Sequence[str]) -> bool:
        """Whether these cells are the header once more."""
        again = [squeezed(cell.replace(BOM, "").strip('"')) for cell in cells]
        while len(again) > self.width and not again[-1]:
            again.pop()
        return again == [squeezed(name) for name in self.names]

    def is_another_header(self, cells: Sequence[str]) -> bool:
        """Whether these cells name all columns that are needed, in another order."""
        known = {_MEANING.get(squeezed(cell.replace(BOM, ""))) for cell in cells}
        return known >= _NEEDED and not self.repeated_in(cells)


_MEANING = {squeezed(alias): what for what, names in _ALIASES.items() for alias in names.split()}
_NEEDED = _ALIASES.keys() - set(OPTIONAL)


def read_header(lines: Lines) -> Columns:
    """Take the header of a file of orders.

    :raises UnreadableText: a column lacks, is there twice or has no name, or there is no header.
    """
    heading = read_heading(lines, _known)
    names, where = heading.names, heading.where
    at: dict[str, int] = {}
    for index, name in enumerate(names):
        meaning = _MEANING.get(squeezed(name))
        if meaning in at:
            raise UnreadableText(
                f"{where}: columns {at[meaning] + 1} ({names[at[meaning]]}) and {index + 1} "
                f"({name}) both name the {meaning}: rename or remove one"
            )
        if meaning:
            at[meaning] = index
    missing = [meaning for meaning in _ALIASES if meaning in _NEEDED and meaning not in at]
    if missing:
        raise UnreadableText(
            f"{where}: it must name the columns; it lacks {listed(map(_sought, missing))}; "
            f"{heading.told}"
        )
    heading.require_names()
    return Columns(heading.line, heading.separator, names, at)


def _known(names: Sequence[str]) -> int:
    return len({_MEANING.get(squeezed(name)) for name in names} - {None})


def _sought(meaning: str) -> str:
    data_set = next(name for name in DATA_SET if _MEANING[squeezed(name)] == meaning)
    return f"{meaning} (or {data_set})"
