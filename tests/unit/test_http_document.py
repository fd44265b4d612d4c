"""What openapi.json says may be sent is what is read: no client made from it refuses a request."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from openapi_schema_validator import OAS31Validator

from holdfast.chassis.http.binding import CONTROLS, Binding, Rules
from holdfast.chassis.http.flaws import BadHttpRequest, Flaws
from holdfast.chassis.http.json_reading import FLAWED, reader_of
from holdfast.chassis.http.json_values import READERS, short_names
from holdfast.chassis.http.pages import told
from holdfast.chassis.http.router import Route, inside, routes_of
from holdfast.inventory.presentation.http import RULES as OF_INVENTORY
from holdfast.notifier.presentation.http import RULES as OF_NOTIFIER
from holdfast.orders.presentation.http import RULES as OF_ORDERS
from tests.unit.test_http_pages import DOCUMENT, SERVICES

OF_TYPES = {
    "google.protobuf.Timestamp": "2026-11-28T09:30:00Z",
    "google.protobuf.Duration": "10s",
    "google.protobuf.FieldMask": "name",
    "google.type.Date": "2026-11-28",
    "google.type.Money": {"amount": "12.50", "currency": "GBP"},
}
RULES = {
    "InventoryService": OF_INVENTORY,
    "NotifierService": OF_NOTIFIER,
    "OrderService": OF_ORDERS,
}
BODIES = [route for service in SERVICES for route in routes_of(service) if route.body]


def sample(kind: Descriptor) -> Any:
    """JSON with all that a message may have."""
    if kind.full_name in READERS:
        return OF_TYPES[kind.full_name]
    return {field.name: of_field(field) for field in kind.fields}


def of_field(field: FieldDescriptor) -> Any:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return {"colour": "red"}
    if field.message_type is not None:
        one = sample(field.message_type)
    elif field.enum_type is not None:
        one = short_names(field.enum_type)[1]
    else:
        texts = {field.TYPE_STRING: "x", field.TYPE_BOOL: True}
        one = texts.get(field.type, 1)
    return [one] if field.is_repeated else one


def bound(route: Route) -> Binding:
    return Binding(route, RULES.get(route.method.containing_service.name, Rules()))


def sent_by(route: Route) -> Any:
    """A whole body of a route: what its path says is in the path."""
    kind = route.method.input_type
    content = sample(kind if route.body == "*" else inside(kind, route.body))
    return {name: one for name, one in content.items() if name in bound(route).taken}


def in_the_document(route: Route) -> Any:
    """The schema of a route's body."""
    operation = DOCUMENT["paths"][told(route.template)][route.verb.lower()]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]


def flaws_of(route: Route, content: Any) -> Iterator[str]:
    """What a client that is made from the document would not send."""
    operation = DOCUMENT["paths"][told(route.template)][route.verb.lower()]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    whole = schema | {"components": DOCUMENT["components"]}
    return (error.message for error in OAS31Validator(whole).iter_errors(content))


@pytest.mark.parametrize("route", BODIES, ids=lambda route: f"{route.verb} {route.template}")
def test_whatever_is_read_may_be_sent_by_the_document(route: Route) -> None:
    content, flaws = sent_by(route), Flaws()
    kind = bound(route)._body_type

    assert reader_of(kind)(content, "", flaws) is not FLAWED, flaws.found
    assert not list(flaws_of(route, content))


def test_what_the_path_says_is_not_told_of_the_body() -> None:
    for route in BODIES:
        in_path = {path.rpartition(".")[2] for path in route.variables.values()}
        assert not in_path & set(in_the_document(route)["properties"]), route.template


@pytest.mark.parametrize(
    "route", [one for one in BODIES if bound(one).is_patch], ids=lambda route: route.template
)
def test_a_patch_takes_what_the_document_lists_and_tells_where_all_else_stands(
    route: Route,
) -> None:
    listed = in_the_document(route)["properties"]
    in_path = {path.rpartition(".")[2] for path in route.variables.values()}
    segments = ["x"] * len(route.segments)
    headers = {"if-match": '"1"'} if bound(route).version_field else {}
    for name, one in sample(bound(route)._body_type).items():
        if name in in_path | CONTROLS:
            continue
        wrong = []
        try:
            bound(route).bound(segments, b"", headers, json.dumps({name: one}).encode())
        except BadHttpRequest as bad:
            wrong = [flaw.name for flaw in bad.flaws.found]
        assert wrong == ([] if name in listed else [f"/{name}"]), name
