"""Somebody who follows a feed through everything, as a partner does: by cursor, again and again."""

import asyncio
from typing import Any

import grpc

from holdfast.contracts.feeds.v1 import feeds_pb2
from holdfast.contracts.inventory.v1.inventory_pb2_grpc import InventoryServiceStub
from holdfast.contracts.orders.v1.orders_pb2_grpc import OrderServiceStub
from proof.simulation.network import Network, SimulatedChannel

STUBS = {"orders": OrderServiceStub, "inventory": InventoryServiceStub}
PAGE_EVENTS = 7
WAIT_S = 1
PAUSE_S = 0.3
ANSWER_S_MAX = 10.0


class Follower:
    """Reads page after page for as long as it is let; an answer that is lost is asked for again.

    :param got: ids of the events, as they came.
    :param refused: why its cursor was refused; "": it never was.
    """

    def __init__(self, network: Network, service: str) -> None:
        channel: Any = SimulatedChannel(network, service)
        self._read = STUBS[service](channel).ReadEvents
        self._request = feeds_pb2.ReadEventsRequest(page_size=PAGE_EVENTS)
        self._request.wait.FromSeconds(WAIT_S)
        self.got: list[str] = []
        self.refused = ""

    async def follow(self) -> None:
        """Follow until cancelled, or refused."""
        while not self.refused:
            await self._page()

    async def catch_up(self, end: int) -> None:
        """Read until so many events are known, or nothing comes any more."""
        while len(self.got) < end and not self.refused and await self._page():
            continue

    async def _page(self) -> bool:
        """Return whether there was something, or no answer."""
        try:
            answer = await self._read(self._request, timeout=ANSWER_S_MAX)
        except grpc.aio.AioRpcError as error:
            if error.code() in (grpc.StatusCode.OUT_OF_RANGE, grpc.StatusCode.FAILED_PRECONDITION):
                self.refused = error.details() or error.code().name
            await asyncio.sleep(PAUSE_S)
            return True
        self.got += [event.id for event in answer.events]
        self._request.cursor = answer.next_cursor
        return bool(answer.events)
