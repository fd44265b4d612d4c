"""Who had to wait for an answer is looked at again before they get it."""

import asyncio
from typing import Any

import pytest

from holdfast.chassis.clock import SystemClock
from holdfast.chassis.grpc import rpc_boundary
from holdfast.chassis.grpc.admission import Admission
from holdfast.chassis.grpc.rpc_boundary import RpcBoundary
from holdfast.chassis.http.context import Aborted, HttpContext
from holdfast.chassis.identity.refusals import Unauthenticated
from holdfast.chassis.process.ports import CallerLimits
from holdfast.contracts.feeds.v1.feeds_pb2 import ReadEventsRequest
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.contracts.orders.v1.orders_pb2_grpc import add_OrderServiceServicer_to_server

WAITED_S = 0.1


class Revoked:
    """A gate that nobody gets through a second time."""

    async def admit(self, method: str, context: Any) -> None:
        pass

    def is_for_anybody(self, method: str) -> bool:
        return False

    def require_still(self) -> None:
        raise Unauthenticated("KEY_REVOKED", "it was revoked meanwhile")


async def answered(method: str, request: object, takes_s: float) -> object:
    class Orders:
        async def answer(self, _request: Any, _context: Any) -> pb.CreateOrderResponse:
            await asyncio.sleep(takes_s)
            return pb.CreateOrderResponse(order_id="o-1")

        def __getattr__(self, _name: str) -> Any:
            return self.answer

    boundary = RpcBoundary(lambda _error: None, SystemClock(), Admission(CallerLimits()), Revoked())
    methods = boundary.methods(add_OrderServiceServicer_to_server, Orders())
    return await methods[method](request, HttpContext({}, "ipv4:127.0.0.1:4711", None))


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc_boundary, "WAITED_S", WAITED_S, raising=False)


async def test_who_was_revoked_while_they_waited_for_events_reads_none() -> None:
    with pytest.raises(Aborted, match="revoked meanwhile"):
        await answered("ReadEvents", ReadEventsRequest(), WAITED_S * 2)


async def test_who_had_not_to_wait_is_answered() -> None:
    assert await answered("ReadEvents", ReadEventsRequest(), 0.0)


async def test_what_is_done_is_told_however_long_it_took() -> None:
    asked = pb.CreateOrderRequest()
    asked.wait.seconds = 10

    assert await answered("CreateOrder", asked, WAITED_S * 2)
