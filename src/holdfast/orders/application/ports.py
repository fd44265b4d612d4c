"""The ports of Orders: what its use cases need from the outside. `infrastructure/` fills them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, NamedTuple, Protocol

from holdfast.orders.domain.caller import OrderRef
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.customers.erasure import Erasure
from holdfast.orders.domain.customers.profile import Profile
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.details import Details
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.edits import Edit
from holdfast.orders.domain.ordering.new_order import NewOrder
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.domain.ordering.stock import StockAnswer
from holdfast.orders.domain.payments.payment import Payment, PaymentStatus

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Where the time and new ids come from."""

    def now(self) -> datetime:
        """Return the time in UTC."""

    def new_id(self) -> str:
        """Return a UUIDv7."""


class ProductStock(NamedTuple):
    """What Inventory says of a product: price, whether it is sold, units free to promise then.

    :param decimals: how many the product's currency has.
    :param backorder_room: units that may be promised beside those, and waited for.
    """

    unit_price: Money
    decimals: int
    active: bool
    available: int
    backorder_room: int = 0

    def promisable(self, *, may_wait: bool) -> int:
        """Units that may be promised, to be waited for or not."""
        return self.available + (self.backorder_room if may_wait else 0)


class StockAdvice(NamedTuple):
    """What Inventory says of products and locations; unknown ones are left out.

    :param locations: whether each is active; also those of which only the letters' case differs.
    """

    products: Mapping[str, ProductStock]
    locations: Mapping[str, bool]


NO_ADVICE = StockAdvice({}, {})


class StockCheck(Protocol):
    """Inventory, asked before an order is recorded: advice, on which no correctness may depend."""

    async def ask(
        self, product_ids: Collection[str], location_ids: Collection[str] = ()
    ) -> StockAdvice:
        """Return what Inventory knows of these products and locations, at least one.

        :raises InventoryUnavailable: no answer came in time.
        """


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """An order recorded earlier under a customer's request id."""

    request_hash: str
    state: OrderState


class StockNews(NamedTuple):
    """What was heard of an order's stock, and where the order stands now that it was heard."""

    state: OrderState
    answer: StockAnswer


class KnownPayments(NamedTuple):
    """What is known of an order's payments, in the order of recording, and what it costs.

    :param edited_total: what it costs with the edit under way; None: there is none.
    """

    payments: tuple[Payment, ...]
    total: Money
    edited_total: Money | None


class Editable(NamedTuple):
    """An order as it was read to be edited.

    :param line_no_max: the highest that any of its editions has.
    """

    order: Order
    line_no_max: int


class KnownDetails(NamedTuple):
    """What is known of an order beside its lines."""

    customer: Customer
    details: Details


RequestKey = tuple[str, str]  # customer id, request id
ReturnRef = tuple[str, str]  # return id, and the customer whose it must be: "" is anybody


class CustomerRows(Protocol):
    """What one open transaction does about customers."""

    async def lock(self, customer_id: str, at: datetime) -> Profile:
        """Return the profile, locked until the end of the transaction; where there is none, one of
        version 0, which nobody else can make meanwhile.
        """

    async def lock_with_email(self, email: str) -> list[Profile]:
        """Return all profiles with exactly this e-mail address, locked as by `lock`."""

    async def save(self, profiles: Sequence[Profile]) -> None:
        """Write profiles that are locked."""

    async def has_orders(self, customer_id: str) -> bool:
        """Whether the customer ever placed an order."""

    async def lock_orders(
        self, customer_ids: Sequence[str], *, email: str = ""
    ) -> dict[str, OrderStatus]:
        """Lock all orders of these customers, and all whose contact information has exactly this
        e-mail address unless it is empty; return where they stand, by order id.
        """

    async def empty_orders(self, order_ids: Sequence[str], at: datetime) -> int:
        """Take contact information, notes, attributes, addresses and reasons of cancellations out
        of orders that are locked, and mark them as erased; return how many were not yet, or had
        any again.
        """

    async def add_erasure(self, erasure: Erasure) -> None:
        """Record that something was erased in this transaction."""

    async def refuse_erased(self, order_id: str) -> None:
        """Let pass an order whose state is locked, unless it was erased.

        :raises CustomerErased: so it was.
        """


class RecordOrders(Protocol):
    """A transaction of its own."""

    async def __call__(self, orders: Sequence[NewOrder]) -> dict[RequestKey, RecordedRequest]:
        """Record the orders with their history and an OrderPlaced event each. Those without contact
        information take that of the customer's profile.

        Orders whose (customer, request id) is taken are left out; who took each comes back.

        :raises Conflict: another transaction got in the way; nothing was written: do it again.
        :raises DatabaseUnavailable: whether it was written is unknown; a repeat must be harmless.
        """


class Work(Protocol):
    """One open transaction: a clean end of the `begin` block commits it, else nothing remains.

    Every method that asks the database, and the end of the block, also raises
    :raises Conflict: another transaction got in the way; nothing was written: do the block again.
    :raises DatabaseUnavailable: it is out of reach. From a method: nothing was written. From the
        end of the block: whether it was is unknown; a repeat must be harmless.
    """

    @property
    def customers(self) -> CustomerRows:
        """What it does about customers."""

    async def first_seen(self, event_ids: Sequence[str]) -> set[str]:
        """Return which events were never handled before; remember them with this transaction."""

    async def lock_states(self, order_ids: Collection[str]) -> dict[str, OrderState]:
        """Return where these orders stand, by order id, locked until the end of the transaction.

        Of orders that the service itself knows of; who is named by a caller: see `lock_named`.
        """

    async def lock_named(self, refs: Collection[OrderRef]) -> dict[OrderRef, OrderState]:
        """Do the same for orders that callers name; what is not theirs is left out, and not
        locked.
        """

    async def whole_orders(self, order_ids: Collection[str]) -> dict[str, Order]:
        """Return orders whose states are locked, with all that is known of them, by order id."""

    async def database_now(self, here: datetime) -> datetime:
        """Return the time by the database's clock, which ends holds; an engine without one has
        that of `here`, this process.
        """

    async def payments(self, order_ids: Collection[str]) -> dict[str, KnownPayments]:
        """Return what is known of the payments of orders whose states are locked, by order id."""

    async def claim_ended_holds(self, here: datetime, *, limit: int) -> list[OrderState]:
        """Return orders whose hold has ended, the longest over first, locked; those locked by
        others are left out.

        :param here: see `database_now`.
        """

    async def known_of(self, order_id: str) -> KnownDetails:
        """Return what is known beside the lines of an order whose state is locked."""

    async def record(self, changes: Sequence[OrderChange], news: Sequence[StockNews] = ()) -> None:
        """Write changes of locked orders, of one order in their order: order, history, event,
        question. What was heard of their stock is kept, and who has the answer to the newest
        question waits no longer.
        """

    async def claim_late(
        self, at: datetime, *, asked_before: datetime, limit: int
    ) -> list[OrderState]:
        """Return orders whose newest question has no answer, to ask it again, locked; those locked
        by others are left out.

        :param asked_before: only orders that Inventory was last asked about before then, and
            longer ago than it had been waited for until then. What is as far ahead of `at` as
            this is behind it was dated by a wrong clock, and counts too.
        """

    async def claim_expired(self, *, placed_before: datetime, limit: int) -> list[OrderState]:
        """Return PENDING orders placed before then, locked; those locked by others are left out."""

    async def ask_again(self, orders: Sequence[OrderState], at: datetime) -> None:
        """Publish StockAskedAgain for these orders, and remember when. Each tells when its order
        asked that question first, exactly.
        """


Begin = Callable[[], AbstractAsyncContextManager[Work]]


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders to list; empty or None: all.

    :param owner: nobody else's are so much as looked at, whatever else is asked for: how long it
        takes tells nothing of them.
    """

    owner: str = ""
    customer_id: str = ""
    status: OrderStatus | None = None
    product_id: str = ""
    created_from: datetime | None = None
    created_before: datetime | None = None
    request_ids: tuple[str, ...] = ()  # orders of any customer under one of these
    order_id_prefix: str = ""
    reference: str = ""
    email: str = ""
    channel: str = ""
    payment_status: PaymentStatus | None = None
    to_ship: bool = False  # only those of which something can leave now
    location_id: str = ""  # only those for which something is held there
    by_hold_end: bool = False  # only those with a hold, the one that ends next first

    PLACE_BY_HOLD_END: ClassVar[str] = r"[0-9]{1,17} [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

    def place_of(self, order: Order) -> str:
        """Where an order stands in the list: its id, after when its hold ends if that leads."""
        ends_at = order.state.expires_at
        if not self.by_hold_end or ends_at is None:
            return order.order_id
        return self.place_of_hold(ends_at, order.order_id)

    @staticmethod
    def place_of_hold(ends_at: datetime, order_id: str) -> str:
        return f"{(ends_at - EPOCH) // timedelta(microseconds=1)} {order_id}"


class Listed(NamedTuple):
    """What was found in a list, and how far was looked.

    :param looked_to: a place: what stands up to it is told or doesn't fit. "": to the end.
    """

    orders: list[Order]
    looked_to: str


class OrderReader(Protocol):
    """Questions about committed orders.

    :raises DatabaseUnavailable: every method, when it is out of reach.
    """

    async def details(self, order_ids: Sequence[str]) -> Sequence[Order | None]:
        """Return orders with their histories, one for each id and in their order; None: no such.

        Of orders that the service itself knows of; who is named by a caller: see `named`.
        """

    async def named(self, refs: Sequence[OrderRef]) -> Sequence[Order | None]:
        """Do the same for orders that callers name; None: no such, or not theirs."""

    async def editable(self, refs: Collection[OrderRef]) -> dict[OrderRef, Editable]:
        """Return orders as they were named, without history; those that there are."""

    async def orders_of_returns(self, returns: Collection[ReturnRef]) -> dict[ReturnRef, str]:
        """Return the ids of the orders that returns are of, by the returns that there are."""

    async def edits(self, order_id: str, after_version: int) -> list[Edit]:
        """Return the order's edits that were asked for or ended by a later version, oldest
        first.
        """

    async def any_hold_ended(self, here: datetime) -> bool:
        """Whether a hold has ended by the database's clock and still stands; `here`: see
        `Work.database_now`.
        """

    async def database_now(self, here: datetime) -> datetime:
        """Return the time by the database's clock; see `Work.database_now`."""

    async def find_requests(
        self, keys: Collection[RequestKey]
    ) -> dict[RequestKey, RecordedRequest]:
        """Return the orders recorded under these request ids."""

    async def orders(self, wanted: OrderFilter, *, before: str, limit: int) -> Listed:
        """Return at most `limit` orders that follow a place in the list ("": from its beginning),
        newest first unless the filter says otherwise, without history.

        Fewer, or none, where it would have to look through many that don't fit: however many
        orders there are, it looks at some thousands. The list goes on at `looked_to`.
        """


class CustomerReader(Protocol):
    """Questions about committed profiles.

    :raises DatabaseUnavailable: every method, when it is out of reach.
    """

    async def profile(self, customer_id: str) -> Profile | None:
        """Return a customer's profile, of version 0 for one who has only orders; None: no such
        customer.
        """

    async def profiles(
        self, email: str, *, after: str, limit: int, owner: str = ""
    ) -> list[Profile]:
        """Return at most `limit` profiles with ids above `after`, by id; only those with this
        e-mail address, and only this customer's, unless they are empty.
        """

    async def profiles_named(
        self, begins: str, email: str, *, after: tuple[str, str], limit: int
    ) -> list[Profile]:
        """Return at most `limit` profiles whose folded name begins so, by that name and id, beyond
        one of them; only those with this e-mail address, unless it is empty.
        """


class ChangeSignals(Protocol):
    """Wake-up calls when an order changes in this process; hints only."""

    @property
    def is_closed(self) -> bool:
        """Whether the process stops: nobody should wait for more."""

    async def wait(self, name: str, *, timeout_s: float) -> None:
        """Return when the order of this id changed here, or after `timeout_s`."""


class Backlog(Protocol):
    """The events that wait for the broker."""

    def is_too_long(self) -> bool:
        """Whether new orders should be refused until it has drained."""

    def is_stuck(self) -> bool:
        """Whether the oldest has waited for seconds: the broker does not take them."""
