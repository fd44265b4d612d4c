"""InventoryService over HTTP/JSON: the methods that gRPC has, behind the same boundary."""

from holdfast.chassis.grpc.rpc_boundary import RpcBoundary
from holdfast.chassis.http.binding import Rules
from holdfast.chassis.http.service import HttpService
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.inventory.v1.inventory_pb2_grpc import (
    add_InventoryServiceServicer_to_server,
)
from holdfast.inventory.presentation import locations_wire
from holdfast.inventory.presentation.servicer import InventoryServicer
from holdfast.inventory.presentation.wire import PRODUCT_FIELDS

RULES = Rules(
    keyed=frozenset({"AdjustStock"}),
    patched={"UpdateProduct": PRODUCT_FIELDS, "UpdateLocation": locations_wire.FIELDS},
)


def http_service(servicer: InventoryServicer, boundary: RpcBoundary) -> HttpService:
    methods = boundary.methods(add_InventoryServiceServicer_to_server, servicer)
    service = inventory_pb2.DESCRIPTOR.services_by_name["InventoryService"]
    return HttpService(service, methods, RULES, boundary.require_known, boundary.is_for_anybody)
