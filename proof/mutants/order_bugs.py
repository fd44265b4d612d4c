"""Bugs in Orders: orders doubled, lost, overwritten, left waiting, or told wrongly."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import grpc
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from holdfast.chassis.database.seam import Conflict, DatabaseUnavailable
from holdfast.chassis.grpc import rpc_boundary, statuses
from holdfast.chassis.messaging import tables
from holdfast.contracts.orders.v1 import events_pb2
from holdfast.orders.application.ordering import place_orders
from holdfast.orders.application.ordering.chase_orders import ChaseOrders
from holdfast.orders.application.ordering.hear_inventory import HearInventory
from holdfast.orders.application.ordering.place_orders import PlaceOrders
from holdfast.orders.domain.caller import OrderRef
from holdfast.orders.domain.events import OrderEvent, OrderRejected
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering import new_order, status
from holdfast.orders.domain.ordering.lines import OrderLine
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.infrastructure import events_to_proto
from holdfast.orders.infrastructure.events_to_proto import EventCodec
from holdfast.orders.infrastructure.ordering.reader import Reader
from holdfast.orders.infrastructure.ordering.sql import SQL
from holdfast.orders.infrastructure.ordering.store import Store, StoreWork
from holdfast.orders.presentation.servicer import OrderServicer
from proof.mutants.planting import bug, edited, knowing, original

SAGA = "tests/integration/test_saga.py"
ASKED_AGAIN = f"{SAGA}::test_an_answer_that_was_lost_comes_again_when_it_is_asked_for"

_statements = original(tables, "statements")
_place = original(PlaceOrders, "_place")
_named = original(Reader, "named")
_status = original(rpc_boundary, "chassis_status")
_chase = original(ChaseOrders, "__call__")
_message = original(events_to_proto, "_message")
_hear_inventory = original(HearInventory, "__call__")

_BY_KEY = ' ORDER BY request_id COLLATE "C", new.customer_id COLLATE "C"\n'
_recording: set["asyncio.Task[None]"] = set()


def without_the_key_of_requests(texts: str, engine: str) -> list[str]:
    return [
        text.replace("UNIQUE (request_id, customer_id)", "CHECK (1 = 1)")
        for text in _statements(texts, engine)
    ]


async def look_first(self: Any, commands: Sequence[Any], earlier: Sequence[Any]) -> Any:
    """Ask whether the requests are known; if not, they are new."""
    recorded = await self._reader.find_requests({command.key for command in commands})
    new = [command for command in commands if command.key not in recorded]
    outcomes = iter(await _place(self, new, earlier) if new else [])
    return [
        place_orders._repeat(command, recorded[command.key])
        if command.key in recorded
        else next(outcomes)
        for command in commands
    ]


async def reply_at_once(self: Any, commands: Sequence[Any], earlier: Sequence[Any]) -> Any:
    orders, refused = await self._check_stock(commands)
    recorded = await self._reader.find_requests({command.key for command in commands})
    new = [one.order for key, one in orders.items() if key not in recorded]

    async def record() -> None:
        try:
            await self._record(new)
        except (Conflict, DatabaseUnavailable):
            return

    if new:
        task = asyncio.get_running_loop().create_task(record())
        _recording.add(task)
        task.add_done_callback(_recording.discard)
    return [
        place_orders._repeat(command, recorded[command.key])
        if command.key in recorded
        else refused.get(index) or place_orders._outcome(command, orders.get(command.key))
        for index, command in enumerate(commands)
    ]


def any_contents(command: Any, recorded: Any) -> Any:
    return recorded.state


async def settle_what_was_read_before(self: Any, heard: Sequence[Any]) -> None:
    """Read the orders in one transaction, overwrite them in the next, whatever their version."""
    async with self._begin() as work:
        before = await work.lock_states({one.answer.order_id for one in heard})
    async with self._begin() as work:
        now = await work.lock_states(before)
    states = {key: state._replace(version=now[key].version) for key, state in before.items()}
    await _hear_inventory(
        HearInventory(knowing(self._begin, lock_states=states), self._clock), heard
    )


settle_whatever_it_is = edited(
    OrderState,
    "settle",
    ("self.status is not OrderStatus.PENDING or answer.revision != self.asked", "False"),
)


def total_in_floats(lines: Sequence[OrderLine]) -> Money:
    total = sum(line.quantity * (line.unit_price.minor / 100) for line in lines)
    return Money(lines[0].unit_price.currency, int(total * 100))


def rejected_as_updated(event: OrderEvent, order_id: str) -> Message:
    if isinstance(event, OrderRejected):
        return events_pb2.OrderUpdated(order_id=order_id)
    return cast("Message", _message(event, order_id))


async def ask_nobody(self: Any, orders: Sequence[OrderState], at: datetime) -> None:
    ids = [order.order_id for order in orders]
    await self._transaction.execute(self._sql.MARK_ASKED, ids, at)


class _MachineClock:
    """The clock of the machine, whatever clock the service was given."""

    def now(self) -> datetime:
        return datetime.now(UTC)


async def chase_by_the_machine_s_clock(self: Any) -> int:
    self._clock = _MachineClock()
    return int(await _chase(self))


async def named_from_memory(self: Any, refs: Sequence[OrderRef]) -> Any:
    known: dict[OrderRef, Any] = self.__dict__.setdefault("_known", {})
    missing = [ref for ref in refs if ref not in known]
    known |= {
        ref: found for ref, found in zip(missing, await _named(self, missing), strict=True) if found
    }
    return [known.get(ref) for ref in refs]


def commit_is_refused(error: Exception) -> Status | None:
    if isinstance(error, DatabaseUnavailable):
        code = grpc.StatusCode.FAILED_PRECONDITION
        return statuses.refusal(code, "DATABASE_UNAVAILABLE", "it was not done")
    found: Status | None = _status(error)
    return found


def shown_to_be(now: OrderStatus) -> dict[OrderStatus, frozenset[OrderStatus]]:
    """The table of transitions, by which an end is none: it may be confirmed after all."""
    return {**status._NEXT, now: frozenset((OrderStatus.CONFIRMED, OrderStatus.REJECTED))}


BUGS = (
    bug(
        "same request_id race",
        "Requests are looked up before they are recorded; two at once are two orders.",
        (PlaceOrders, "_place", look_first),
        (tables, "statements", without_the_key_of_requests),
    ),
    bug(
        "a batch with a repeat in it loses the rest",
        "Where one order's key is taken all are undone, and what was new is never recorded.",
        edited(Store, "record_orders", ("while new:", "for _ in range(1):")),
    ),
    bug(
        "orders are inserted as they come",
        "Two batches of the same requests in another order each wait for the other.",
        edited(SQL["postgresql"], "INSERT_ORDERS", (_BY_KEY, "")),
        tests=(
            "tests/contract/test_orders_store.py::"
            "test_of_two_batches_with_the_same_requests_at_once_each_request_is_recorded_once",
        ),
        why_tests="the simulation has no row locks",
    ),
    bug(
        "reply before commit",
        "The caller is told that the order is accepted while it is being recorded.",
        (PlaceOrders, "_place", reply_at_once),
    ),
    bug(
        "other contents, same order",
        "A request id used again for something else gets the first order.",
        (place_orders, "_repeat", any_contents),
    ),
    bug(
        "stale version overwrite",
        "Answers are held against orders as they were, and written over them as they are.",
        (HearInventory, "__call__", settle_what_was_read_before),
    ),
    bug(
        "a late answer settles what has ended",
        "An answer is taken whatever became of its order meanwhile; the domain refuses.",
        settle_whatever_it_is,
    ),
    bug(
        "a late answer revives a cancelled order",
        "An answer is taken whatever became of its order meanwhile, and nothing refuses.",
        settle_whatever_it_is,
        (status, "_NEXT", shown_to_be(OrderStatus.CANCELLED)),
    ),
    bug(
        "float money",
        "Totals are summed in floats and cut.",
        (new_order, "total_of", total_in_floats),
    ),
    bug(
        "an ending is not told",
        "What became of a rejected order stands in its history alone: nobody hears of it.",
        edited(StoreWork, "_tell", ("is not None", "is not None and change.status != 'REJECTED'")),
    ),
    bug(
        "an ending is told twice",
        "What became of a rejected order is told again under another id.",
        edited(
            StoreWork,
            "_tell",
            ("in changes\n", "in (*changes, *(c for c in changes if c.status == 'REJECTED'))\n"),
        ),
    ),
    bug(
        "an ending is told as something else",
        "Who follows is told that an order was changed; it was rejected.",
        (events_to_proto, "_message", rejected_as_updated),
    ),
    bug(
        "late answers are not asked for",
        "An order whose question or answer was lost waits until it expires.",
        (StoreWork, "ask_again", ask_nobody),
        tests=(ASKED_AGAIN,),
        why_tests="questions and answers are lost so seldom that many seeds show nothing",
    ),
    bug(
        "asked again under the same id",
        "The question comes again under the event id that Inventory has seen.",
        edited(
            EventCodec,
            "encode",
            (
                "self._new_id(),",
                "order_id if isinstance(event, OrderPlaced | StockAskedAgain) else self._new_id(),",
            ),
        ),
        tests=(ASKED_AGAIN,),
        why_tests="questions and answers are lost so seldom that many seeds show nothing",
    ),
    bug(
        "process-clock expiry",
        "Orders expire by the machine's clock, not by the one that stamped them.",
        (ChaseOrders, "__call__", chase_by_the_machine_s_clock),
        tests=("tests/integration/test_saga.py",),
        why_tests="every order may expire; that it should not yet is for a test with a clock",
    ),
    bug(
        "expired at the first look",
        "Whoever looks at a pending order lets it expire, whatever its age.",
        edited(ChaseOrders, "__call__", ("placed_before=at - self._expire", "placed_before=at")),
        tests=("tests/integration/test_saga.py",),
        why_tests="every order may expire; that it should not yet is for a test with a clock",
    ),
    bug(
        "reads from memory",
        "An order that was read once is shown so for ever.",
        (Reader, "named", named_from_memory),
    ),
    bug(
        "a lost commit is told as refused",
        "Without a reply to COMMIT the caller is told that nothing was done.",
        (rpc_boundary, "chassis_status", commit_is_refused),
    ),
    bug(
        "cancelled without a word",
        "An order is cancelled, and Inventory not told.",
        edited(OrderState, "cancel", ("reason, event)", "reason, event)._replace(event=None)")),
    ),
    bug(
        "a page that looked long enough is the last",
        "Of orders that are rare no page tells: those that are full of others end the list.",
        edited(OrderServicer, "_page", ("page.cursor or looked_to", "page.cursor")),
        tests=("tests/integration/test_filters.py",),
        why_tests="no run has thousands of orders of which few fit",
    ),
)
