"""OrderService over HTTP/JSON: the methods that gRPC has, behind the same boundary."""

from holdfast.chassis.grpc.rpc_boundary import RpcBoundary
from holdfast.chassis.http.binding import Rules
from holdfast.chassis.http.service import HttpService
from holdfast.contracts.orders.v1 import orders_pb2
from holdfast.contracts.orders.v1.orders_pb2_grpc import add_OrderServiceServicer_to_server
from holdfast.orders.presentation.servicer import OrderServicer

RULES = Rules(merged=frozenset({"customer"}), drifting=frozenset({"stock", "queued"}))


def http_service(servicer: OrderServicer, boundary: RpcBoundary) -> HttpService:
    methods = boundary.methods(add_OrderServiceServicer_to_server, servicer)
    return HttpService(
        orders_pb2.DESCRIPTOR.services_by_name["OrderService"],
        methods,
        RULES,
        boundary.require_known,
    )
