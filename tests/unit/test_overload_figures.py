"""What counts as overload: that too much waits already, and not that one caller asks too much."""

from typing import Any

import pytest

from holdfast.chassis.batcher import Overloaded
from holdfast.chassis.clock import SystemClock
from holdfast.chassis.grpc.admission import Admission, TooMuch
from holdfast.chassis.grpc.rpc_boundary import RpcBoundary
from holdfast.chassis.http.context import Aborted, HttpContext
from holdfast.chassis.identity.gate import OpenGate
from holdfast.chassis.metrics import REGISTRY
from holdfast.chassis.process.ports import CallerLimits
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.contracts.orders.v1.orders_pb2_grpc import add_OrderServiceServicer_to_server
from holdfast.orders.domain.errors import OutboxTooLong
from holdfast.orders.presentation.statuses import translate

METHOD = "holdfast.orders.v1.OrderService/ListOrders"


def counted() -> float:
    return REGISTRY.get_sample_value("holdfast_overload_refusals_total", {"method": METHOD}) or 0.0


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (Overloaded(), 1),
        (OutboxTooLong(), 1),
        (TooMuch("TOO_MANY_GUESSES", "too many tried this name", 9.0), 0),
        (TooMuch("TOO_MANY_REQUESTS", "more calls than one may", 1.0), 0),
    ],
    ids=lambda one: getattr(one, "reason", type(one).__name__),
)
async def test_only_what_waits_already_is_overload(error: Exception, counts: int) -> None:
    class Orders:
        async def refuse(self, _request: Any, _context: Any) -> None:
            raise error

        def __getattr__(self, _name: str) -> Any:
            return self.refuse

    boundary = RpcBoundary(translate, SystemClock(), Admission(CallerLimits()), OpenGate())
    methods = boundary.methods(add_OrderServiceServicer_to_server, Orders())
    before = counted()

    with pytest.raises(Aborted):
        await methods["ListOrders"](
            pb.ListOrdersRequest(), HttpContext({}, "ipv4:127.0.0.1:1", None)
        )

    assert counted() - before == counts
