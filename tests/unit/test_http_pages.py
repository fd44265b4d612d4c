"""What is told of HTTP/JSON: its OpenAPI document, the page for it, and vendored files."""

import hashlib
import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

from holdfast.chassis.http.answers import MAKES, Answers, place_of_made
from holdfast.chassis.http.binding import Rules
from holdfast.chassis.http.pages import POLICY, Pages, told
from holdfast.chassis.http.router import routes_of
from holdfast.contracts.identity.v1 import keys_pb2, users_pb2
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.notifier.v1 import notifier_pb2
from holdfast.contracts.orders.v1 import orders_pb2

STATIC = Path(str(files("holdfast.chassis.http") / "static"))
DOCUMENT = json.loads((files("holdfast.contracts") / "openapi.json").read_text())
SERVICES = [
    service
    for file in (orders_pb2, inventory_pb2, keys_pb2, users_pb2, notifier_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    if service.name not in ("KeyIntakeService", "KeyOfferService")  # services ask, over gRPC
]


def test_the_document_is_valid_openapi() -> None:
    errors = list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors())

    assert not errors


def test_the_document_has_every_path_with_words_for_it() -> None:
    operations = {}
    for route in (route for service in SERVICES for route in routes_of(service)):
        operation = DOCUMENT["paths"][told(route.template)][route.verb.lower()]
        name = operation["operationId"].rstrip("0123456789")
        told_as = route.method.name.replace("StreamEvents", "ReadEvents")  # it has one path with it
        assert name in (told_as, "Inventory" + told_as)
        assert operation["summary"]
        operations[operation["operationId"]] = operation

    assert len(operations) == sum(len(verbs) for verbs in DOCUMENT["paths"].values())
    assert operations["AdjustStock"]["parameters"][2]["required"], "its Idempotency-Key"


def test_whatever_is_made_is_told_with_its_place() -> None:
    answers = {
        "CreateOrder": orders_pb2.CreateOrderResponse(order_id="x"),
        "CreateProduct": inventory_pb2.Product(product_id="x"),
        "CreateLocation": inventory_pb2.Location(location_id="x"),
        "CreateTransfer": inventory_pb2.Transfer(transfer_id="x"),
        "CreateUser": users_pb2.User(name="x"),
        "CreateWebhook": notifier_pb2.WebhookSecret(
            webhook=notifier_pb2.Webhook(webhook_id="x"), secret="whsec_"
        ),
    }
    told_of = set()
    for routes in map(routes_of, SERVICES):
        for route in routes:
            place = place_of_made(route, routes) if route.verb == "POST" else ""
            if not place or not route.method.name.startswith(MAKES):
                continue
            made, how = answers[route.method.name], Answers(route, Rules(), place)
            answer = how.of(made, query=b"", if_none_match="", wait_s=None, trailing={})
            assert answer.headers["location"] == f"{route.template}/x"
            told_of.add(route.method.name)

    assert told_of == answers.keys()


def test_whatever_header_an_answer_may_have_is_described() -> None:
    paths = DOCUMENT["paths"]
    headers = {
        (path, verb, status): set(answer.get("headers", ()))
        for path, verbs in paths.items()
        for verb, operation in verbs.items()
        for status, answer in operation["responses"].items()
    }

    assert headers["/v1/orders", "get", "200"] == {"Link"}
    assert headers["/v1/orders", "post", "201"] == {"Location", "Preference-Applied"}
    assert headers["/v1/products", "post", "200"] == {"ETag", "Idempotent-Replayed"}
    failed = {"ETag", "Retry-After", "WWW-Authenticate"}
    assert headers["/v1/products/{product_id}", "patch", "default"] == failed
    assert set().union(*headers.values()) == DOCUMENT["components"]["headers"].keys()


def test_every_field_that_may_be_sent_is_described() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        if name != "Problem":
            assert schema["description"], name
        for field, value in schema.get("properties", {}).items():
            assert name == "Problem" or "$ref" in value or value.get("description"), (name, field)


def test_a_service_tells_only_of_its_own_paths() -> None:
    here = [route.template for route in routes_of(SERVICES[0])]
    page = Pages(here).find(["openapi.json"], {})

    assert page is not None
    paths = json.loads(page.body)["paths"]
    assert set(paths) == {told(template) for template in here}
    assert "/v1/orders" in paths
    assert "/v1/products" not in paths


def test_pages_are_known_by_their_contents() -> None:
    pages = Pages([])
    page = pages.find(["docs"], {})
    assert page is not None

    known = pages.find(["docs"], {"if-none-match": page.headers["etag"]})

    assert (page.status, page.headers["content-security-policy"]) == (200, POLICY)
    assert known is not None
    assert (known.status, known.body) == (304, b"")
    assert "unsafe" not in POLICY


def test_vendored_files_are_what_was_published() -> None:
    listed = dict(
        re.findall(
            r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", (STATIC / "VENDORED.md").read_text(), re.M
        )
    )
    ours = {"VENDORED.md", "docs.html", "docs.js"}

    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in STATIC.iterdir()
        if path.name not in ours
    }
    assert found == listed


class _Inline(HTMLParser):
    """Finds scripts and styles that stand in the page itself, which the policy forbids."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)
        self.found += [name for name in names if name == "style" or name.startswith("on")]
        for name in ("src", "href"):
            if (names.get(name) or "/").startswith(("http", "//")):
                self.found.append(str(names[name]))


def test_the_page_has_nothing_inline_and_nothing_from_elsewhere() -> None:
    page = _Inline()
    page.feed((STATIC / "docs.html").read_text())

    assert not page.found
    page.feed("<p onclick='x()'><script>1</script><script src='https://cdn.example/a.js'></script>")
    assert page.found == ["onclick", "script", "https://cdn.example/a.js"]
