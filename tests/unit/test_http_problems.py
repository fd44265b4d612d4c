"""Which HTTP status an error has, and what its problem tells."""

import json

import grpc
import pytest
from google.rpc.status_pb2 import Status

from holdfast.chassis.grpc import statuses
from holdfast.chassis.http.problems import located, problem_of

CODES = grpc.StatusCode


@pytest.mark.parametrize(
    ("code", "reason", "status"),
    [
        (CODES.INVALID_ARGUMENT, "", 400),
        (CODES.INVALID_ARGUMENT, "REQUEST_TOO_LARGE", 413),
        (CODES.UNAUTHENTICATED, "KEY_REVOKED", 401),
        (CODES.PERMISSION_DENIED, "SCOPE_MISSING", 403),
        (CODES.NOT_FOUND, "", 404),
        (CODES.FAILED_PRECONDITION, "SHORT_OF_STOCK", 409),
        (CODES.ABORTED, "STALE_VERSION", 409),
        (CODES.ABORTED, "EDIT_UNDER_WAY", 409),
        (CODES.ALREADY_EXISTS, "REQUEST_ID_REUSED", 422),
        (CODES.ALREADY_EXISTS, "PRODUCT_EXISTS", 409),
        (CODES.RESOURCE_EXHAUSTED, "OVERLOADED", 429),
        (CODES.UNAVAILABLE, "DATABASE_UNAVAILABLE", 503),
        (CODES.CANCELLED, "", 503),
        (CODES.DEADLINE_EXCEEDED, "", 504),
        (CODES.OUT_OF_RANGE, "CURSOR_EXPIRED", 410),
        (CODES.UNIMPLEMENTED, "", 501),
        (CODES.INTERNAL, "INTERNAL", 500),
        (CODES.UNKNOWN, "", 500),
        (CODES.DATA_LOSS, "", 500),
    ],
)
def test_one_status_follows_from_code_and_reason(
    code: grpc.StatusCode, reason: str, status: int
) -> None:
    refused = statuses.refusal(code, reason, "no") if reason else statuses.status(code, "no")

    problem = problem_of(refused)

    assert problem.status == problem.content["status"] == status
    assert problem.content["code"] == code.name
    assert problem.content.get("reason", "") == reason
    assert ("retry-after" in problem.headers) == (status in (429, 503))
    assert ("www-authenticate" in problem.headers) == (status == 401)
    assert json.loads(problem.body()) == problem.content


def test_an_unknown_code_is_our_bug() -> None:
    assert problem_of(Status(code=99)).status == 500


def test_how_long_to_wait_is_rounded_up_to_whole_seconds() -> None:
    later = statuses.retry_later(CODES.UNAVAILABLE, "CONFLICT", "again", 1.2)

    assert problem_of(later).headers["retry-after"] == "2"


def test_all_details_are_told() -> None:
    stale = problem_of(statuses.stale("order", "o-1", 7))
    missing = problem_of(statuses.not_found("product", ["a", "b"]))
    ours = problem_of(
        statuses.refusal(CODES.INTERNAL, "INTERNAL", "no", metadata={"correlation_id": "c-1"})
    )

    assert (stale.content["current_version"], stale.headers["etag"]) == (7, '"7"')
    assert missing.content["missing"] == [
        {"type": "product", "name": "a"}, {"type": "product", "name": "b"},
    ]  # fmt: skip
    assert ours.content["correlation_id"] == "c-1"
    assert "facts" not in ours.content


@pytest.mark.parametrize(
    ("field", "place"),
    [
        ("customer_id", {"pointer": "/customer_id"}),
        ("lines[2].unit_price.nanos", {"pointer": "/lines/2/unit_price/amount"}),
        ("amount.currency_code", {"pointer": "/amount/currency"}),
        ("attributes['gift']", {"pointer": "/attributes/gift"}),
        ("requests[1].attributes['a/b.c]d']", {"pointer": "/requests/1/attributes/a~1b.c]d"}),
        ('attributes["it\'s"]', {"pointer": "/attributes/it's"}),
        ("attributes['\\x00']", {"pointer": "/attributes/\0"}),
        ("attributes['units']", {"pointer": "/attributes/units"}),
        ("request", {"pointer": ""}),
        ("product.name", {"pointer": "/name"}),
        ("product", {"pointer": ""}),
        ("product.product_id", {"parameter": "product_id"}),
        ("product_ids[3]", {"parameter": "product_ids"}),
        ("products", {"pointer": "/products"}),
        ("request_id", {"header": "Idempotency-Key"}),
    ],
)
def test_a_field_is_told_where_it_stood(field: str, place: dict[str, str]) -> None:
    places = {
        "product.product_id": {"parameter": "product_id"},
        "product_ids": {"parameter": "product_ids"},
        "product": {"pointer": ""},
        "request_id": {"header": "Idempotency-Key"},
    }

    assert located(field, places) == place
