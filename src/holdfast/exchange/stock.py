"""Stock on hand as files: counts, by product and location."""

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from holdfast.client import (
    Holdfast,
    HoldfastError,
    Location,
    NotFound,
    RequestIdReused,
    StockInfo,
    StockLevel,
    StockReason,
    StockRequest,
)
from holdfast.exchange.kinds import (
    DoneBefore,
    Entry,
    Outcome,
    Plan,
    Problem,
    Records,
    one_by_one,
)
from holdfast.exchange.line_index import LineIndex
from holdfast.exchange.products import UNITS_MAX
from holdfast.exchange.superseded import note_lines, only_the_last
from holdfast.exchange.values import LineProblem, ValueOptions, Values, as_text, id_in
from holdfast.importing.tables import Cell, Shape

MAIN = "main"
# What the services allow; tests hold them against these numbers.
LOCATION_CHARACTERS_MAX = 64
REASON_CHARACTERS_MAX = 500
STOCK = Shape(
    names=("product_id", "location_id", "on_hand", "reason", "reason_code"),
    required=("product_id", "on_hand"),
    told=("reserved", "quarantined", "available", "in_transit"),
)


@dataclass(frozen=True, slots=True)
class Count:
    """How many units of a product are at a location, as a line says it."""

    line: int
    product_id: str
    location_id: str
    on_hand: int
    reason: str
    reason_code: StockReason | None


class Stock:
    """Stock: what is on hand is set to what the file says; what is so already is left alone.

    :param run: names this import: the same line of it has the same request id for ever.
    :param displace: below what orders were promised, the youngest promises wait for stock.
    """

    name: ClassVar[str] = "stock"
    shape: ClassVar[Shape] = STOCK
    columns: ClassVar[Mapping[str, str]] = {"quantity": "on_hand"}

    def __init__(self, client: Holdfast, run: str, *, displace: bool = False) -> None:
        self._client, self._run, self._displace = client, run, displace
        self._locations: dict[str, Location] = {}

    def look_over(self, records: Records, index: LineIndex) -> Iterator[int]:
        """Find the last line of each level."""
        return note_lines(records, index, _level_in)

    def entries(
        self, records: Records, options: ValueOptions, index: LineIndex
    ) -> Iterator[Entry[Count]]:
        """What the lines say; of a level that stands there twice the last."""
        counts = one_by_one(records, options, _read)
        return only_the_last(counts, index, lambda one: _level(one.product_id, one.location_id))

    def key(self, item: Count) -> tuple[str, str]:
        """Its level."""
        return item.product_id, item.location_id

    async def plan(self, items: Sequence[Count]) -> Sequence[Plan[Count]]:
        """Compare with the levels that are there."""
        if not self._locations:
            found = self._client.inventory.list_locations()
            self._locations = {_folded(one.location_id): one async for one in found}
        product_ids = list(dict.fromkeys(one.product_id for one in items))
        infos = await self._client.inventory.get_stock_batch(product_ids)
        by_product = dict(zip(product_ids, infos, strict=True))
        return [self._planned(one, by_product[one.product_id]) for one in items]

    def _planned(self, item: Count, info: StockInfo | HoldfastError) -> Plan[Count]:
        if isinstance(info, NotFound):
            return Plan(item, problem=info)
        if isinstance(info, HoldfastError):
            raise info
        location = self._locations.get(_folded(item.location_id))
        if location is None:
            told = f"is {item.location_id!r}, and there is no such location: holdfast location list"
            return Plan(item, problem=LineProblem([("location_id", told)]))
        if location.location_id != item.location_id:
            told = f"is {item.location_id!r}, which is written {location.location_id!r} here"
            return Plan(item, problem=LineProblem([("location_id", f"{told}: write it so")]))
        level = next((one for one in info.levels if one.location_id == item.location_id), None)
        on_hand = level.on_hand if level else 0
        if item.on_hand == on_hand:  # of nothing there is no level
            return Plan(item, Outcome.UNCHANGED)
        if item.on_hand > on_hand and not location.active:
            told = f"is {item.location_id!r}, which is not active: nothing is received there"
            return Plan(item, problem=LineProblem([("location_id", told)]))
        kept = level.reserved + level.quarantined if level else 0
        if item.on_hand < kept and not self._displace:
            told = (
                f"is {item.on_hand:,}, below the {kept:,} that are promised to orders or in "
                "quarantine there: count again, or give --displace"
            )
            return Plan(item, problem=LineProblem([("on_hand", told)]))
        return Plan(item, Outcome.CHANGED if level else Outcome.CREATED, there=level)

    async def carry_out(
        self, plans: Sequence[Plan[Count]]
    ) -> Sequence[Problem | DoneBefore | None]:
        """Set them by one call."""
        answers = await self._client.inventory.set_stock_batch(
            [self._request(plan.item) for plan in plans]
        )
        return [_became(plan, answer) for plan, answer in zip(plans, answers, strict=True)]

    def _request(self, item: Count) -> StockRequest:
        told = f"{self._run} {item.line} {item.product_id} {item.location_id}"
        return StockRequest(
            item.product_id,
            item.on_hand,
            location_id=item.location_id,
            reason=item.reason,
            reason_code=item.reason_code,
            request_id=f"import-{hashlib.sha256(told.encode()).hexdigest()[:32]}",
            displace=self._displace,
        )


def _folded(location_id: str) -> str:
    """Locations are the same whatever the case of their letters."""
    return unicodedata.normalize("NFC", location_id.casefold())


def _level(product_id: str, location_id: str) -> str:
    return f"{product_id}\n{_folded(location_id)}"


def _level_in(cells: Mapping[str, Cell]) -> str:
    """The level that a line is about; empty: it can't be told."""
    product_id, typed = id_in(cells.get("product_id")), cells.get("location_id")
    location_id = id_in(typed) if as_text(typed).strip(" ") else MAIN
    return _level(product_id, location_id) if product_id and location_id else ""


def _became(
    plan: Plan[Count], answer: StockLevel | HoldfastError
) -> HoldfastError | DoneBefore | None:
    if isinstance(answer, RequestIdReused):  # it was asked for with --displace, or without
        return DoneBefore()
    if isinstance(answer, HoldfastError):
        return answer
    # A level that was not newer when it was set than it is now was set by an earlier request.
    there = plan.there
    is_old = isinstance(there, StockLevel) and answer.version <= there.version
    return DoneBefore() if is_old else None


def _read(values: Values) -> Count:
    on_hand = values.whole("on_hand", lowest=0, highest=UNITS_MAX)
    values.require("on_hand")
    location_id = values.optional_code("location_id", characters_max=LOCATION_CHARACTERS_MAX)
    if location_id == "":
        values.warn("location_id", f"is empty, and taken for {MAIN}: write it down")
    return Count(
        line=values.line,
        product_id=values.code("product_id"),
        location_id=location_id or MAIN,
        on_hand=on_hand or 0,
        reason=values.text("reason", characters_max=REASON_CHARACTERS_MAX) or "",
        reason_code=values.choice("reason_code", StockReason),
    )
