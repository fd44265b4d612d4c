"""The real system as the model's machine drives it: the use cases of both services on two real
databases. Messages move when they are told to: in order, twice, in any order, or after all old ones
came again; and questions and answers may be lost, and are asked for again then.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any

from holdfast.chassis.database.seam import Database
from holdfast.chassis.messaging.broker import Event, Subscription
from holdfast.chassis.messaging.inbox import InboxReceiver
from holdfast.inventory.application.locations.create_location import CreateLocation
from holdfast.inventory.application.locations.update_location import UpdateLocation
from holdfast.inventory.application.ports import StockInfo
from holdfast.inventory.application.stock.change_stock import StockChange
from holdfast.inventory.application.transfers.close_transfer import CloseTransfer
from holdfast.inventory.application.transfers.create_transfer import AskedTransfer, CreateTransfer
from holdfast.inventory.application.transfers.receive_transfer import ReceiveTransfer
from holdfast.inventory.domain.errors import InventoryError
from holdfast.inventory.domain.locations.location import Location
from holdfast.inventory.domain.reservations.reservation import Reservation
from holdfast.orders.application.ordering.cancel_order import CancelOrder
from holdfast.orders.application.ordering.edit_orders import CancelRest
from holdfast.orders.application.ordering.end_holds import EndHolds
from holdfast.orders.application.ordering.extend_hold import ExtendHold
from holdfast.orders.application.ordering.place_orders import PlaceOrder
from holdfast.orders.application.shipping.move_goods import GoodsCommand
from holdfast.orders.domain.errors import OrdersError
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.shipping.errors import ShippedInPart
from holdfast.verification import verify
from tests.contract.conftest import START, spoken
from tests.integration.two_services import (
    ANNA,
    BOB,
    INVENTORY_TO_ORDERS,
    ORDERS_TO_INVENTORY,
    TwoServices,
)

ROUNDS_MAX = 60
LATE_S = 100  # past the moment in which an answer is asked for again
AGAIN_MAX = 8
NEWS = "ReservationChanged"  # nobody asked for it, so that nobody would ask again


Post = tuple[Database, Subscription, InboxReceiver[Any]]


class Way(StrEnum):
    """How messages travel."""

    PLAIN = "plain"
    DOUBLED = "doubled"
    SHUFFLED = "shuffled"
    REPEATED = "repeated"  # and old ones come again, as if they had been forgotten
    LOST = "lost"  # the first of them


class System:
    """Both services; what is asked of them is answered by the name of the refusal, or None."""

    def __init__(self, shop: TwoServices, chance: random.Random) -> None:
        self.shop, self.chance = shop, chance
        self.heard: list[tuple[InboxReceiver[Any], Event]] = []
        self.create_transfer = CreateTransfer(shop.stock.begin, shop.clock, shop.clock.new_id)
        self.receive_transfer = ReceiveTransfer(shop.stock.begin, shop.clock, shop.clock.new_id)
        self.close_transfer = CloseTransfer(shop.stock.begin, shop.clock)
        self.cancel_order = CancelOrder(shop.begin, shop.clock)
        self.extend_hold = ExtendHold(shop.begin, shop.clock)

    # Messages.

    async def settle(self, way: Way) -> None:
        """Let all that is under way arrive, and whoever waits be served, until nothing moves."""
        there: Post = self.shop.orders, ORDERS_TO_INVENTORY, self.shop.inventory_receiver
        back: Post = self.shop.inventory, INVENTORY_TO_ORDERS, self.shop.orders_receiver
        loses = self.chance.choice([there, back])
        for _ in range(ROUNDS_MAX):
            moved = False
            for post in (there, back):
                is_kept = way is Way.LOST and post is not loses
                moved |= await self._carry(post, Way.PLAIN if is_kept else way)
            if way is Way.LOST:
                way = Way.PLAIN
                self.shop.clock.advance(LATE_S)
                moved |= bool(await self.shop.chase())
            if not moved and not await self.shop.serve_backorders():
                return
        raise AssertionError("it comes to rest")

    async def _carry(self, post: Post, way: Way) -> bool:
        sender, subscription, receiver = post
        told = await self.shop.waiting(sender)
        if not told:
            return False
        await self.shop.forget_told(sender)
        meant = [event for event in told if event.type in subscription.types]
        if way is Way.LOST:
            meant = [event for event in meant if event.type.endswith(NEWS)]
        for batch in self._batches(meant, way):
            await receiver.receive(batch)
        if way is Way.REPEATED:
            await self._repeat()
        self.heard += [(receiver, event) for event in meant]
        return True

    async def turn_questions(self) -> None:
        """Let what Orders has asked last be the first that Inventory hears."""
        told = await self.shop.waiting(self.shop.orders)
        await self.shop.forget_told(self.shop.orders)
        meant = [event for event in told if event.type in ORDERS_TO_INVENTORY.types]
        await self.shop.inventory_receiver.receive(meant[::-1])
        self.heard += [(self.shop.inventory_receiver, event) for event in meant]

    def _batches(self, events: list[Event], way: Way) -> list[list[Event]]:
        if way is Way.DOUBLED:
            return [events, events + events]
        if way is Way.SHUFFLED:
            some = events + events[:1]
            self.chance.shuffle(some)
            return [[event] for event in some]
        return [events] if events else []

    async def _repeat(self) -> None:
        """Old messages again: some as they were, some under another id."""
        for receiver, event in self.chance.sample(self.heard, min(AGAIN_MAX, len(self.heard))):
            forgotten = event._replace(event_id=self.shop.clock.new_id())
            await receiver.receive([self.chance.choice([event, forgotten])])

    # Inventory.

    async def change_stock(self, change: StockChange) -> str | None:
        (outcome,) = await self.shop.change_stock([change])
        return type(outcome).__name__ if isinstance(outcome, InventoryError) else None

    async def create_location(self, name: str, priority: int) -> None:
        await CreateLocation(self.shop.stock.begin)(Location(name, priority=priority))

    async def switch_location(self, name: str, *, active: bool) -> None:
        known = await self.shop.stock.locations_named([name])
        (location,) = known.values()
        details = {"active": active}
        await UpdateLocation(self.shop.stock.begin)(name, location.version, details)

    async def send(
        self, request_id: str, origin: str, target: str, units: Counter[str]
    ) -> tuple[str | None, str]:
        """The refusal, and the transfer's id."""
        transfer_id = self.shop.clock.new_id()
        asked = AskedTransfer(transfer_id, origin, target, units, "", None, request_id, BOB)
        try:
            return None, (await self.create_transfer(asked)).transfer_id
        except InventoryError as error:
            return type(error).__name__, ""

    async def receive(self, transfer_id: str, units: Counter[str], request_id: str) -> str | None:
        return await refusal(self.receive_transfer(transfer_id, units, request_id, BOB))

    async def close(self, transfer_id: str) -> str | None:
        return await refusal(self.close_transfer(transfer_id, BOB))

    # Orders.

    async def place(self, request: PlaceOrder) -> tuple[str | None, str]:
        """The refusal, and the order's id."""
        (outcome,) = await self.shop.place_orders([request])
        if isinstance(outcome, OrderState):
            return None, outcome.order_id
        return type(outcome).__name__, ""

    async def cancel(self, order_id: str) -> str | None:
        """As the servicer does it: of what has left in part the rest."""
        try:
            await self.cancel_order(order_id, "changed my mind", ANNA)
        except ShippedInPart as partly:
            rest = CancelRest(order_id, partly.version, ANNA, "enough")
            return name_of(await self.shop.edit_orders([rest]))
        except OrdersError as error:
            return type(error).__name__
        return None

    async def extend(self, order_id: str) -> str | None:
        return await refusal(self.extend_hold(order_id, timedelta(hours=24), ANNA))

    async def expire(self, order_id: str) -> None:
        """Let the hold of an order be over, and end it."""
        engine = self.shop.orders
        over = START - timedelta(days=1)
        async with engine.begin() as work:
            for table in ("hold", "orders"):
                text = f"UPDATE {table} SET expires_at = $1 WHERE order_id = $2"
                await work.execute(spoken(engine, text), over, order_id)
        await EndHolds(self.shop.begin, self.shop.reader, self.shop.clock)()

    async def move_goods(self, command: GoodsCommand) -> str | None:
        return name_of(await self.shop.move_goods([command]))

    # What there is.

    async def stock_info(self, products: Sequence[str]) -> dict[str, StockInfo]:
        return await self.shop.stock.stock_info(products)

    async def reservations(self, order_ids: Sequence[str]) -> dict[str, Reservation]:
        async with self.shop.stock.begin() as work:
            return await work.reservations(order_ids)

    async def contradictions(self) -> list[str]:
        return (await verify(*self.shop.urls)).contradictions

    async def parked(self) -> int:
        """How many messages were not understood."""
        count = 0
        for database in (self.shop.orders, self.shop.inventory):
            async with database.read() as reading:
                count += len(await reading.fetch("SELECT 1 FROM dead_letter"))
        return count


async def refusal(verb: Awaitable[object]) -> str | None:
    try:
        await verb
    except (InventoryError, OrdersError) as error:
        return type(error).__name__
    return None


def name_of(outcomes: Sequence[object]) -> str | None:
    """The name of the refusal; None: it was done."""
    return type(outcomes[0]).__name__ if isinstance(outcomes[0], OrdersError) else None
