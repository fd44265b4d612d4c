"""What a service says about a failed call becomes a class with facts."""

import copy
import pickle

import grpc
import pytest
from google.rpc.error_details_pb2 import PreconditionFailure
from google.rpc.status_pb2 import Status

from holdfast.chassis.grpc.statuses import (
    bad_request,
    not_found,
    refusal,
    request_too_large,
    retry_later,
    stale,
    status,
)
from holdfast.client import (
    AlreadyExists,
    DeadlineExceeded,
    EditUnderWay,
    Holdfast,
    HoldfastError,
    IllegalTransition,
    InternalError,
    InvalidRequest,
    NotFound,
    NothingLeft,
    Overloaded,
    PermissionDenied,
    Refused,
    RequestIdReused,
    RequestTooLarge,
    Resource,
    Shortage,
    ShortOfStock,
    StaleVersion,
    Unauthenticated,
    Unavailable,
    Unmet,
    Violation,
)
from holdfast.client._errors import Failure
from tests.unit.test_client_network import Network, client, network

__all__ = ["client", "network"]  # fixtures

Code = grpc.StatusCode


async def error_of(network: Network, client: Holdfast, answer: Status) -> HoldfastError:
    network.answer("UpdateOrder", answer)
    with pytest.raises(HoldfastError) as caught:
        await client.orders.update("o-1", version=1, name="Ada")
    return caught.value


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (Code.INVALID_ARGUMENT, "", InvalidRequest),
        (Code.INVALID_ARGUMENT, "REQUEST_TOO_LARGE", RequestTooLarge),
        (Code.NOT_FOUND, "", NotFound),
        (Code.ALREADY_EXISTS, "PRODUCT_EXISTS", AlreadyExists),
        (Code.ALREADY_EXISTS, "REQUEST_ID_REUSED", RequestIdReused),
        (Code.FAILED_PRECONDITION, "SHORT_OF_STOCK", ShortOfStock),
        (Code.FAILED_PRECONDITION, "ILLEGAL_TRANSITION", IllegalTransition),
        (Code.FAILED_PRECONDITION, "BELOW_RESERVED", Refused),
        (Code.FAILED_PRECONDITION, "NOTHING_LEFT", NothingLeft),
        (Code.ABORTED, "STALE_VERSION", StaleVersion),
        (Code.ABORTED, "EDIT_UNDER_WAY", EditUnderWay),
        (Code.RESOURCE_EXHAUSTED, "OVERLOADED", Overloaded),
        (Code.UNAVAILABLE, "DRAINING", Unavailable),
        (Code.CANCELLED, "", Unavailable),
        (Code.DEADLINE_EXCEEDED, "", DeadlineExceeded),
        (Code.UNAUTHENTICATED, "", Unauthenticated),
        (Code.PERMISSION_DENIED, "", PermissionDenied),
        (Code.INTERNAL, "", InternalError),
        (Code.UNKNOWN, "", InternalError),
        (Code.UNIMPLEMENTED, "", HoldfastError),
    ],
)
async def test_every_status_has_its_class(
    network: Network,
    client: Holdfast,
    code: grpc.StatusCode,
    reason: str,
    expected: type[HoldfastError],
) -> None:
    error = await error_of(network, client, refusal(code, reason, "in plain words"))

    assert type(error) is expected
    assert error.code == code.name
    assert error.reason == reason
    assert str(error) == error.message == "in plain words"


async def test_an_invalid_request_names_every_violation(network: Network, client: Holdfast) -> None:
    answer = bad_request([("version", "must be 1 or more"), ("customer.email", "has no @")])

    error = await error_of(network, client, answer)

    assert isinstance(error, InvalidRequest)
    assert error.violations == (
        Violation("version", "must be 1 or more"),
        Violation("customer.email", "has no @"),
    )


async def test_what_is_not_found_is_named(network: Network, client: Holdfast) -> None:
    error = await error_of(network, client, not_found("product", ["GONE", "LOST"]))

    assert isinstance(error, NotFound)
    assert error.resources == (Resource("product", "GONE"), Resource("product", "LOST"))


async def test_shortages_come_from_the_facts_and_not_from_the_prose(
    network: Network, client: Holdfast
) -> None:
    violation = PreconditionFailure.Violation(
        type="SHORT_OF_STOCK", subject="LAMP-RED", description="words that may change"
    )
    answer = refusal(
        Code.FAILED_PRECONDITION,
        "SHORT_OF_STOCK",
        "short of stock",
        metadata={
            "wanted:MUG:BLUE": "1",
            "wanted:LAMP-RED": "5",
            "available:MUG:BLUE": "0",
            "available:LAMP-RED": "2",
        },
        details=[PreconditionFailure(violations=[violation])],
    )

    error = await error_of(network, client, answer)

    assert isinstance(error, ShortOfStock)
    assert error.shortages == (Shortage("LAMP-RED", 5, 2), Shortage("MUG:BLUE", 1, 0))


async def test_a_stale_version_tells_the_current_one(network: Network, client: Holdfast) -> None:
    error = await error_of(network, client, stale("order", "o-1", current_version=7))

    assert isinstance(error, StaleVersion)
    assert error.current_version == 7


async def test_an_unavailable_service_tells_when_to_come_back(
    network: Network, client: Holdfast
) -> None:
    answer = retry_later(Code.UNAVAILABLE, "DRAINING", "going down", retry_after_s=1.5)

    error = await error_of(network, client, answer)

    assert isinstance(error, Unavailable)
    assert error.retry_after_s == 1.5


async def test_a_bug_of_ours_has_a_correlation_id(network: Network, client: Holdfast) -> None:
    answer = refusal(Code.INTERNAL, "INTERNAL", "a bug", metadata={"correlation_id": "4711"})

    error = await error_of(network, client, answer)

    assert isinstance(error, InternalError)
    assert error.correlation_id == "4711"


async def test_a_service_of_another_kind_is_recognised(network: Network, client: Holdfast) -> None:
    network.answer("UpdateOrder", Code.UNIMPLEMENTED)

    with pytest.raises(HoldfastError, match=r"Orders at .* is the address right\?"):
        await client.orders.update("o-1", version=1, name="Ada")


async def test_details_of_a_kind_we_do_not_know_are_passed_over(
    network: Network, client: Holdfast
) -> None:
    answer = status(Code.NOT_FOUND, "gone")
    answer.details.add(type_url="type.googleapis.com/some.Other", value=b"\xff")

    error = await error_of(network, client, answer)

    assert isinstance(error, NotFound)
    assert error.resources == ()


def test_every_error_is_drawn_in_the_tree() -> None:
    from holdfast import client as surface
    from holdfast.client import _errors

    errors = [
        name
        for name in surface.__all__
        if isinstance(kind := getattr(surface, name), type) and issubclass(kind, HoldfastError)
    ]

    drawn = {line.strip("│├└─ ").split(" ")[0] for line in (_errors.__doc__ or "").splitlines()}
    assert set(errors) <= drawn


def _kinds(root: type[HoldfastError]) -> set[type[HoldfastError]]:
    return {root}.union(*(_kinds(kind) for kind in root.__subclasses__()))


@pytest.mark.parametrize("kind", sorted(_kinds(HoldfastError), key=str))
def test_an_error_keeps_all_its_facts_on_the_way_between_processes(
    kind: type[HoldfastError],
) -> None:
    details = {
        **{"bytes": "5", "bytes_max": "4", "order_ids": "o-1,o-2", "order_id": "o-9"},
        **{"product_id": "LAMP", "location_id": "main", "current_version": "7"},
        **{"correlation_id": "4711", "wanted:LAMP": "5", "available:LAMP": "2"},
    }
    error = kind(
        Failure(
            code="CODE",
            message="in plain words",
            reason="REASON",
            details=details,
            violations=(Violation("version", "must be 1 or more"),),
            resources=(Resource("product", "GONE"),),
            unmet=(Unmet("LAMP", "is short"),),
            retry_after_s=1.5,
        )
    )
    error.add_note("while the week's orders were read")

    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is kind
        assert (str(again), vars(again)) == (str(error), vars(error))


async def test_a_reused_request_id_names_what_it_belongs_to(
    network: Network, client: Holdfast
) -> None:
    facts = {"order_id": "o-9"}
    answer = refusal(Code.ALREADY_EXISTS, "REQUEST_ID_REUSED", "look", metadata=facts)

    error = await error_of(network, client, answer)

    assert isinstance(error, RequestIdReused)
    assert (error.order_id, error.product_id, error.location_id) == ("o-9", "", "")


async def test_a_request_too_large_is_a_kind_of_invalid_request_and_never_repeated(
    network: Network, client: Holdfast
) -> None:
    network.answer("GetOrderDetails", request_too_large(5, 4, "too large"))

    with pytest.raises(RequestTooLarge) as caught:
        await client.orders.get("o-1")

    assert isinstance(caught.value, InvalidRequest)
    assert (caught.value.bytes, caught.value.bytes_max) == (5, 4)
    assert [violation.field for violation in caught.value.violations] == ["request"]
    assert len(network.requests) == 1
