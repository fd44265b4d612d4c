"""Write what is told of HTTP/JSON and of events, or tell with --check whether it is up to date.

That is openapi.json and asyncapi.json in src/holdfast/contracts, and the table of paths in
docs/http.md.
"""

import json
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import ServiceDescriptor
from google.rpc import status_pb2

from holdfast.chassis.http.binding import Rules
from holdfast.chassis.http.pages import told
from holdfast.chassis.http.router import routes_of
from holdfast.chassis.http.service import HttpService
from holdfast.contracts.identity.v1 import keys_pb2, users_pb2
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.notifier.v1 import notifier_pb2
from holdfast.contracts.orders.v1 import events_pb2, orders_pb2
from holdfast.inventory.presentation.feed_events import EVENTS as INVENTORY_EVENTS
from holdfast.inventory.presentation.http import RULES as INVENTORY_RULES
from holdfast.notifier.presentation.http import RULES as NOTIFIER_RULES
from holdfast.orders.presentation.feed_events import EVENTS as ORDERS_EVENTS
from holdfast.orders.presentation.http import KEY_RULES, USER_RULES
from holdfast.orders.presentation.http import RULES as ORDERS_RULES
from proto import asyncapi, openapi
from proto.comments import as_prose, comments_of, first_sentence

ROOT = Path(__file__).parent.parent
CONTRACTS = ROOT / "src" / "holdfast" / "contracts"
OPENAPI, ASYNCAPI = CONTRACTS / "openapi.json", CONTRACTS / "asyncapi.json"
PAGE = ROOT / "docs" / "http.md"
BEGIN, END = "<!-- paths: made by proto/describe.py -->\n", "<!-- end of paths -->\n"


async def unasked(_method: str, _context: Any) -> None:
    """Nobody calls what is only described."""


def described(service: ServiceDescriptor, rules: Rules) -> HttpService:
    """A service whose methods are not there."""
    return HttpService(service, {}, rules, unasked, lambda _method: False)


SERVICES = (
    described(orders_pb2.DESCRIPTOR.services_by_name["OrderService"], ORDERS_RULES),
    described(keys_pb2.DESCRIPTOR.services_by_name["KeyService"], KEY_RULES),
    described(users_pb2.DESCRIPTOR.services_by_name["UserService"], USER_RULES),
    described(inventory_pb2.DESCRIPTOR.services_by_name["InventoryService"], INVENTORY_RULES),
    described(notifier_pb2.DESCRIPTOR.services_by_name["NotifierService"], NOTIFIER_RULES),
)
EVENTS = {"orders": ORDERS_EVENTS, "inventory": INVENTORY_EVENTS}
REPEATS = {"orders": (events_pb2.StockAskedAgain.DESCRIPTOR,)}


def main() -> int:
    includes = (ROOT / "proto", Path(status_pb2.__file__).parents[2])
    comments = comments_of(sorted((ROOT / "proto").rglob("*.proto")), includes)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    events = [event for kinds in EVENTS.values() for event in kinds]
    wanted = {
        OPENAPI: as_text(openapi.document(SERVICES, events, comments, version)),
        ASYNCAPI: as_text(asyncapi.document(EVENTS, REPEATS, comments, version)),
        PAGE: with_table(PAGE.read_text(), comments),
    }
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.relative_to(ROOT)} differs from proto/; run: make proto", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path])
    return 0


def as_text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def with_table(page: str, comments: dict[str, str]) -> str:
    """Return the page with the table of all paths in its place."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = ["", "| Path | | RPC | |", "| --- | --- | --- | --- |"]
    for service in SERVICES:
        for route in routes_of(service.descriptor):
            summary = first_sentence(as_prose(comments[route.method.full_name]))
            path = f"`{told(route.template)}`"
            rows.append(f"| {path} | {route.verb} | {route.method.name} | {summary} |")
    return before + BEGIN + "\n".join(rows) + "\n\n" + END + after


if __name__ == "__main__":
    sys.exit(main())
