"""The first row to columns: which is which, whatever it is called and however it is separated."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from holdfast.chassis.identifiers import is_unseen, named
from holdfast.importing.flaws import UnreadableText
from holdfast.importing.rows import BOM, BadRow, Lines, rows

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_NAMES_TOLD_MAX = 30

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


def squeezed(name: str) -> str:
    return "".join(name.casefold().split()).replace("_", "").replace("-", "")


_MEANING = {squeezed(alias): what for what, names in _ALIASES.items() for alias in names.split()}
_NEEDED = _ALIASES.keys() - set(OPTIONAL)


def read_header(lines: Lines) -> Columns:
    """Take the header, and a line such as `sep=;` that Excel may have put before it.

    :raises UnreadableText: a column lacks, is there twice or has no name, or there is no header.
    """
    text, declared = _first(lines), None
    text = text.strip('"') if text.casefold().startswith('"sep=') else text
    if text.casefold().startswith("sep=") and len(text) == len("sep=") + 1:
        declared = text[-1]
        if declared not in SEPARATORS:
            raise UnreadableText(
                f"line {lines.number}: it is separated by {named(declared)}, which is not read "
                f"here: separate the columns by {_listed(SEPARATORS.values())}"
            )
        text = _first(lines)
    candidates = [declared] if declared else list(SEPARATORS)
    found = [(separator, _names(text, separator)) for separator in candidates]
    separator, names = max(found, key=lambda one: (_known(one[1]), len(one[1])))
    if not names or (not _known(names) and text.count('"') % 2):
        raise UnreadableText(f"line {lines.number}, the header, has a quote that is not closed")
    return _columns(lines.number, separator, names)


def _first(lines: Lines) -> str:
    while (text := lines.next()) is not None:
        if text.strip():
            return text
    raise UnreadableText("there is nothing in it but blank lines")


def _names(text: str, separator: str) -> list[str]:
    """The names of the columns, were it the separator; none if the quotes say it is not."""
    (row,) = rows(Lines([text]), separator)
    if isinstance(row, BadRow) and '"' in text:
        return []
    names = [name.strip() for name in row.cells]
    while names and not names[-1]:  # separators at the end, as spreadsheets leave them
        names.pop()
    return names


def _known(names: Sequence[str]) -> int:
    return len({_MEANING.get(squeezed(name)) for name in names} - {None})


def _columns(line: int, separator: str, names: Sequence[str]) -> Columns:
    where = f"line {line}, the header"
    for index, name in enumerate(names, 1):
        for character in name:
            if is_unseen(character):
                raise UnreadableText(f"{where}: column {index} has {named(character)}: remove it")
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
    told = (
        f"found {_listed(names[:_NAMES_TOLD_MAX]) or 'none'} (separated by {SEPARATORS[separator]})"
    )
    missing = [meaning for meaning in _ALIASES if meaning in _NEEDED and meaning not in at]
    if missing:
        raise UnreadableText(
            f"{where}: it must name the columns; it lacks {_listed(map(_sought, missing))}; {told}"
        )
    if "" in names:
        raise UnreadableText(
            f"{where}: column {names.index('') + 1} has no name: name it or remove it; {told}"
        )
    return Columns(line, separator, tuple(names), at)


def _sought(meaning: str) -> str:
    data_set = next(name for name in DATA_SET if _MEANING[squeezed(name)] == meaning)
    return f"{meaning} (or {data_set})"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
