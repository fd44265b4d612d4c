"""OrderService over HTTP/JSON: the methods that gRPC has, behind the same boundary."""

from holdfast.chassis.grpc.rpc_boundary import RpcBoundary
from holdfast.chassis.http.binding import Rules
from holdfast.chassis.http.service import HttpService
from holdfast.chassis.identity.servicer import KeyServicer
from holdfast.chassis.identity.user_servicer import UserServicer
from holdfast.contracts.identity.v1 import keys_pb2, users_pb2
from holdfast.contracts.identity.v1.keys_pb2_grpc import add_KeyServiceServicer_to_server
from holdfast.contracts.identity.v1.users_pb2_grpc import add_UserServiceServicer_to_server
from holdfast.contracts.orders.v1 import orders_pb2
from holdfast.contracts.orders.v1.orders_pb2_grpc import add_OrderServiceServicer_to_server
from holdfast.orders.presentation.ordering.edits_wire import EDITED
from holdfast.orders.presentation.servicer import OrderServicer
from holdfast.orders.presentation.shipping.wire import UPDATED

KEY_RULES = Rules(again=frozenset({"CreateKey", "RotateKey"}))
USER_RULES = Rules(again=frozenset({"SignIn"}))
RULES = Rules(
    merged=frozenset({"customer"}),
    drifting=frozenset({"stock", "queued"}),
    awaited=frozenset(EDITED),
    patched={"UpdateShipment": UPDATED},
)


def key_http_service(servicer: KeyServicer, boundary: RpcBoundary) -> HttpService:
    methods = boundary.methods(add_KeyServiceServicer_to_server, servicer)
    service = keys_pb2.DESCRIPTOR.services_by_name["KeyService"]
    return HttpService(service, methods, KEY_RULES, boundary.require_known, boundary.is_for_anybody)


def user_http_service(servicer: UserServicer, boundary: RpcBoundary) -> HttpService:
    methods = boundary.methods(add_UserServiceServicer_to_server, servicer)
    service = users_pb2.DESCRIPTOR.services_by_name["UserService"]
    return HttpService(
        service, methods, USER_RULES, boundary.require_known, boundary.is_for_anybody
    )


def http_service(servicer: OrderServicer, boundary: RpcBoundary) -> HttpService:
    methods = boundary.methods(add_OrderServiceServicer_to_server, servicer)
    return HttpService(
        orders_pb2.DESCRIPTOR.services_by_name["OrderService"],
        methods,
        RULES,
        boundary.require_known,
        boundary.is_for_anybody,
    )
