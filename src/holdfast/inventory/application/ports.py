"""The ports of Inventory: what its use cases need; `infrastructure/store.py` fills them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.events import InventoryEvent
from holdfast.inventory.domain.locations.location import Location
from holdfast.inventory.domain.reservations.reservation import Reservation
from holdfast.inventory.domain.stock.explaining import Coming, Step
from holdfast.inventory.domain.stock.levels import StockLevel
from holdfast.inventory.domain.stock.movements import Movement
from holdfast.inventory.domain.stock.queues import ProductQueue
from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.inventory.domain.transfers.transfer import Receipt, Transfer, TransferState

MOVEMENT_ID_MAX = 2**63 - 1


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """Return the time in UTC."""


class Going(NamedTuple):
    """Units that go from a place: so many, or all but so many."""

    units: int = 0
    down_to: int | None = None


class QueueRow(NamedTuple):
    """Units that an order waits for, as the queue of their product has it."""

    order_id: str
    quantity: int
    since: datetime

    @property
    def place(self) -> "QueuePlace":
        return self.since, self.order_id


QueuePlace = tuple[datetime, str]  # since, order id: the queue's order


class ToServe(NamedTuple):
    """A product whose queue is to be served.

    :param ticket: rises whenever something becomes free.
    :param free: units that are free now, about.
    """

    product_id: str
    ticket: int
    free: int


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """A stock change that was done under a request id, and the level right after it."""

    request_id: str
    request_hash: str
    level: StockLevel


class Work(Protocol):
    """One open transaction: a clean end of the `begin` block commits it, else nothing remains.

    Every method that asks the database, and the end of the block, also raises
    :raises Conflict: another transaction got in the way; nothing was written: do the block again.
    :raises DatabaseUnavailable: it is out of reach. From a method: nothing was written. From the
        end of the block: whether it was is unknown; a repeat must be harmless.
    """

    async def first_seen(self, event_ids: Sequence[str]) -> set[str]:
        """Return which events were never handled before; remember them with this transaction."""

    async def reservations(self, order_ids: Collection[str]) -> dict[str, Reservation]:
        """Return these orders' reservations by order id, locked until the transaction ends."""

    async def booked_facts(self, order_ids: Collection[str]) -> dict[str, set[str]]:
        """Return the names of the shipments and receipts that were booked, by order, of orders
        whose reservations are locked.
        """

    async def book_facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """Keep that shipments and receipts were booked: (order id, name).

        :raises KeyTaken: one of them was booked before.
        """

    async def lock_levels(self, product_ids: Collection[str]) -> list[StockLevel]:
        """Return all levels of these products, locked until the transaction ends; their locations
        stay as they are until then, too.

        Everyone locks by product, and each product's `main` level first, its gate: whoever has it
        is alone with the product, also with levels that are made meanwhile. So no deadlock arises.
        """

    async def youngest_promises(
        self, product_id: str, location_id: str, going: Going | None
    ) -> list[str]:
        """Return the orders whose promises there would have to give way, the newest promise first;
        without `going`: all that were promised units there. Nothing is locked.
        """

    async def refuse_new_promises(
        self, product_id: str, location_id: str, going: Going | None, known: Collection[str]
    ) -> None:
        """Let pass when nobody else would have to give way there than the orders that are known.

        :raises Conflict: somebody was promised units there meanwhile.
        """

    async def queue(
        self, product_id: str, *, after: QueuePlace | None, limit: int
    ) -> list[QueueRow]:
        """Return at most `limit` rows of a product's queue, in its order, beyond a place in it."""

    async def ticket(self, product_id: str) -> int:
        """Return the newest ticket of a product's queue; 0: it never had one."""

    async def served(self, product_id: str, ticket: int) -> None:
        """Keep that the product's queue was served as far as what was free then goes, unless
        something became free since the ticket was read.
        """

    async def existing_products(self, product_ids: Collection[str]) -> set[str]:
        """Return which of these products exist."""

    async def locations(self, location_ids: Collection[str]) -> dict[str, Location]:
        """Return the locations there are of these names, whatever their letters' case, by what
        `folded` makes of their ids. They stay as they are until the end of the transaction.
        """

    async def lock_location(self, location_id: str) -> Location | None:
        """Return the location, locked until the end of the transaction against everybody who moves
        stock there or changes it; None if there is none of this very id.
        """

    async def count_locations(self) -> int:
        """How many locations there are."""

    async def add_location(self, location: Location) -> None:
        """Insert the location.

        :raises KeyTaken: there is one of this id, perhaps in other letters' case.
        """

    async def save_location(self, location: Location) -> None:
        """Write the details of a location that is locked. One that is not active any more keeps
        which movement was the newest then.
        """

    async def save_book(self, book: StockBook) -> None:
        """Write the changed levels and the movements, how many units of each product are waited
        for, and which queues are to be served.

        :raises Conflict: a level has another version than when it was locked.
        """

    async def save_reservations(
        self, changed: Sequence[Reservation], known: Mapping[str, Reservation], at: datetime
    ) -> None:
        """Write reservations as they are now, and their places in the queues.

        :param known: the reservations as they were locked, by order id; the others are new.
        :raises Conflict: one has another version than when it was locked, or is there already.
        """

    async def recorded_changes(self, request_ids: Collection[str]) -> dict[str, RecordedChange]:
        """Return the stock changes done before under these request ids."""

    async def record_changes(self, changes: Sequence[RecordedChange], at: datetime) -> None:
        """Keep stock changes under their request ids, for ever."""

    async def requested_transfer(self, request_id: str) -> Transfer | None:
        """Return the transfer that was made under this request id."""

    async def lock_transfer(self, transfer_id: str) -> Transfer | None:
        """Return the transfer, locked until the end of the transaction. It is locked before any
        level is, by everyone, so no circle of waiting arises.
        """

    async def add_transfer(self, transfer: Transfer) -> None:
        """Insert the transfer.

        :raises KeyTaken: there is one of its request id.
        """

    async def save_transfer(self, transfer: Transfer) -> None:
        """Write what has come and what is missing, and whether it is closed."""

    async def receipt(self, transfer_id: str, request_id: str) -> Receipt | None:
        """Return what was received under this request id, of a transfer that is locked."""

    async def add_receipt(self, transfer_id: str, receipt: Receipt, at: datetime) -> None:
        """Keep what was received, for ever."""

    async def lock_product(self, product_id: str) -> Product | None:
        """Return the product, locked until the end of the transaction, or None if there is none."""

    async def add_product(self, product: Product, at: datetime) -> bool:
        """Insert the product; False if its id is taken."""

    async def save_product(self, product: Product, at: datetime) -> None:
        """Write the product's details, and its policy of back-orders at its gate."""

    async def announce(self, told: Sequence[tuple[InventoryEvent, Caller]], at: datetime) -> None:
        """Publish the events, in order, with their causers, if and only if all commits."""


Begin = Callable[[], AbstractAsyncContextManager[Work]]


@dataclass(frozen=True, slots=True)
class StockInfo:
    """A product with its levels, by location, and its queue.

    :param coming: units in transit by the location that they come to; each of them has a level,
        of version 0 where nothing ever was.
    """

    product: Product
    levels: tuple[StockLevel, ...]
    queue: ProductQueue = field(default_factory=ProductQueue)
    coming: Mapping[str, int] = field(default_factory=dict)

    @property
    def on_hand(self) -> int:
        return sum(level.on_hand for level in self.levels)

    @property
    def reserved(self) -> int:
        return sum(level.reserved for level in self.levels)

    @property
    def available(self) -> int:
        """Units free to promise: what is waited for already is not."""
        return max(0, sum(level.available for level in self.levels) - self.queue.units)

    @property
    def quarantined(self) -> int:
        return sum(level.quarantined for level in self.levels)


class StockSummary(NamedTuple):
    """What a stock check needs of a product: its price, and its stock over all locations."""

    product_id: str
    currency: str
    price_minor: int
    active: bool
    version: int
    on_hand: int
    reserved: int
    available: int
    quarantined: int
    queue: ProductQueue


@dataclass(frozen=True, slots=True)
class MovementFilter:
    """Which movements to list; empty or None: all."""

    product_id: str = ""
    location_id: str = ""
    order_id: str = ""
    created_from: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordedMovement:
    """A movement with its place in the ledger."""

    movement_id: int
    movement: Movement


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """Which products to list; all that is given must fit.

    :param id_prefix: what their ids begin with.
    :param active: None: whether they are sold or not.
    :param available_max: at most so many units are free to promise of what was in stock once;
        None: whatever there is.
    :param waited_for: None: whether orders wait for them or not.
    """

    id_prefix: str = ""
    active: bool | None = None
    available_max: int | None = None
    waited_for: bool | None = None


class LevelAt(NamedTuple):
    """A level as it is now, and where it was at a moment.

    :param newest: its newest movement up to the moment.
    :param changed_since: whether it moved after that.
    """

    level: StockLevel
    newest: int
    changed_since: bool


class LedgerReader(Protocol):
    """Questions about a level's past. Movements never change, and those of a product commit in the
    order of their ids: what is asked about those up to `newest` is of the moment of `levels_at`,
    whenever it is asked. Times come from the clocks of those who wrote, which may differ a little:
    up to a moment is up to the product's newest movement that is not later.
    """

    async def levels_at(
        self, product_id: str, location_id: str, at: datetime | None, *, after: str, limit: int
    ) -> list[LevelAt]:
        """Return at most `limit` levels beyond location `after`, by location id, that had a
        movement up to the moment. All are of one moment of the database.

        :param location_id: only there; empty: everywhere.
        :param at: None: now.
        """

    async def newest_steps(self, level: StockLevel, newest: int, *, limit: int) -> list[Step]:
        """Return at most `limit` movements of the level up to `newest`, newest first."""

    async def movements(self, movement_ids: Collection[int]) -> list[RecordedMovement]:
        """Return these movements, newest first."""

    async def reserved_before(
        self, level: StockLevel, order_ids: Collection[str], movement_id: int
    ) -> dict[str, int]:
        """Return what these orders held of the level before a movement, by order."""

    async def coming(
        self, product_id: str, location_id: str, *, after: str, transfers_max: int
    ) -> dict[str, Coming]:
        """Return what is on its way now to locations beyond `after`, as in `levels_at`, by id."""


class StockReader(Protocol):
    """Questions about committed stock; each answer is one moment of the database."""

    async def locations(self, *, after: tuple[int, str], limit: int) -> list[Location]:
        """Return at most `limit` locations beyond this priority and id, by priority and id."""

    async def locations_named(self, location_ids: Collection[str]) -> dict[str, Location]:
        """Return the locations there are of these names, whatever their letters' case, by what
        `folded` makes of their ids.
        """

    async def stock_info(self, product_ids: Collection[str]) -> dict[str, StockInfo]:
        """Return products with their levels, by product id; unknown products are left out."""

    async def stock_summaries(self, product_ids: Collection[str]) -> dict[str, StockSummary]:
        """Return products in short, by product id; unknown products are left out."""

    async def to_serve(self) -> ToServe | None:
        """Return a product whose queue is to be served; None: there is none."""

    async def backorders(
        self, product_id: str, *, after: QueuePlace | None, limit: int
    ) -> list[QueueRow]:
        """Return at most `limit` rows of a product's queue, in its order, beyond a place in it."""

    async def queue_until(self, product_id: str, place: QueuePlace) -> tuple[int, int]:
        """How many rows the queue has up to a place in it, and how many units they wait for."""

    async def transfer(self, transfer_id: str) -> Transfer | None:
        """Return the transfer of this id."""

    async def transfers(
        self, state: TransferState | None, *, before: str, limit: int
    ) -> list[Transfer]:
        """Return at most `limit` transfers with ids below `before`, newest first.

        :param state: None: whatever it is.
        """

    async def products(self, wanted: ProductFilter, *, after: str, limit: int) -> list[Product]:
        """Return at most `limit` products with ids above `after`, by id."""

    async def movements(
        self, wanted: MovementFilter, *, before: int = MOVEMENT_ID_MAX, limit: int
    ) -> list[RecordedMovement]:
        """Return at most `limit` movements with ids below `before`, newest first."""
