"""NotifierService over HTTP/JSON: the methods that gRPC has, behind the same boundary."""

from holdfast.chassis.grpc.rpc_boundary import RpcBoundary
from holdfast.chassis.http.binding import Rules
from holdfast.chassis.http.service import HttpService
from holdfast.contracts.notifier.v1 import notifier_pb2
from holdfast.contracts.notifier.v1.notifier_pb2_grpc import add_NotifierServiceServicer_to_server
from holdfast.notifier.presentation.servicer import NotifierServicer
from holdfast.notifier.presentation.wire import FIELDS

RULES = Rules(
    again=frozenset({"RotateWebhookSecret", "TestWebhook", "ReplayWebhook", "Redeliver"}),
    drifting=frozenset({"failing_since", "catching_up"}),
    patched={"UpdateWebhook": FIELDS},
)


def http_service(servicer: NotifierServicer, boundary: RpcBoundary) -> HttpService:
    methods = boundary.methods(add_NotifierServiceServicer_to_server, servicer)
    service = notifier_pb2.DESCRIPTOR.services_by_name["NotifierService"]
    return HttpService(service, methods, RULES, boundary.require_known, boundary.is_for_anybody)
