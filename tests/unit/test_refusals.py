"""What a refusal tells has room in gRPC's trailers, whatever it is about."""

from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from holdfast.chassis.grpc.statuses import bad_request
from holdfast.chassis.validation import Violations
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.domain.shipping.errors import NotHeldThere
from holdfast.orders.presentation.ordering.details_wire import read_details
from holdfast.orders.presentation.statuses import translate

TRAILERS_BYTES_MAX = 8 * 1024


def in_trailers(told: Status) -> int:
    """How many bytes a status takes there: whole in base64, and its message percent-encoded."""
    return told.ByteSize() * 4 // 3 + 3 * len(told.message.encode())


def test_of_many_places_that_hold_units_as_many_are_told_as_have_room() -> None:
    held = {f"shop-{number:03}".ljust(64, "🛒"): 1 for number in range(300)}

    told = translate(NotHeldThere("LAMP", "main", wanted=2, held=held))

    assert told is not None
    assert in_trailers(told) < TRAILERS_BYTES_MAX
    info = ErrorInfo()
    assert told.details[0].Unpack(info)
    assert info.metadata["wanted"] == "2"
    assert info.metadata[f"held:{min(held)}"] == "1"


def test_a_key_of_any_length_is_refused_in_words_that_reach_who_asked() -> None:
    violations = Violations()
    read_details(pb.CreateOrderRequest(attributes={"🛒" * 5_000: "yes"}), violations)

    told = bad_request(violations.refusal().violations)

    assert in_trailers(told) < TRAILERS_BYTES_MAX
    assert "has 5000 characters" in str(told.details[0])
