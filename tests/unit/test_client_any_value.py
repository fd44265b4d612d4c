"""Whatever is given to a method of the client, or put into a value of its, is no error of Python.

Methods, parameters and fields are found by reflection, so that a new one is tried too. Nobody
listens where they go: what is sent all the same comes back as Unavailable.
"""

import inspect
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest

from holdfast.client import (
    Address,
    Backorder,
    BackorderMode,
    Charge,
    ChargeKind,
    Customer,
    Details,
    Disposition,
    HoldfastError,
    HoldfastSync,
    InvalidRequest,
    LocationAddress,
    Money,
    OrderLine,
    OrderRequest,
    OrderStatus,
    PaymentKind,
    PaymentStatus,
    ReceiptLine,
    ReturnLine,
    ShipmentItem,
    Sourcing,
    SourcingStrategy,
    StockRequest,
    Tls,
)
from tests.unit.test_client_network import NOWHERE

PARTS = ("orders", "inventory", "customers", "keys", "users", "events", "webhooks", "mails")
BAD: dict[str, Any] = {
    "nothing": None,
    "a number": 5,
    "a number of 40 bits": 2**40,
    "no number": float("nan"),
    "a text": "LAMP",
    "an object": object(),
    "a list of objects": [object()],
    "a mapping of objects": {object(): object()},
    "half a character": "\ud83d",
}
GBP = Money("GBP", 450)
LINES = [OrderLine("LAMP", 1)]
# What is needed, by the names of parameters; every other one is a text.
NEEDED: dict[str, Any] = {
    **{"version": 1, "delta": 1, "quantity": 1, "hold_s": 1.0, "units": {"LAMP": 1}},
    **{"lines": LINES, "product_ids": ["LAMP"], "grants": ["viewer"], "unit_price": GBP},
    **{"first_day": date(2026, 11, 1), "last_day": date(2026, 11, 2)},
    **{"kind": PaymentKind.CAPTURED, "amount": GBP},
}
LINES_OF = {
    "open_return": [ReturnLine(1, 1)],
    "receive_return": [ReceiptLine(1, 1, Disposition.RESTOCK)],
}
REQUESTS = {
    "create_batch": [OrderRequest("c-1", LINES)],
    "set_stock_batch": [StockRequest("LAMP", 1)],
}


def _methods() -> Iterator[tuple[str, Any]]:
    with HoldfastSync(NOWHERE, NOWHERE) as client:
        for part in PARTS:
            for name in vars(getattr(client, part)):
                yield f"{part}.{name}", getattr(getattr(client, part), name)


METHODS = {
    name: inspect.signature(method).parameters for name, method in sorted(dict(_methods()).items())
}
PARAMETERS = [(method, name) for method, found in METHODS.items() for name in found]
VALUES: list[Any] = [
    *(Customer("Ada"), Details(), Address(), LocationAddress(), OrderLine("LAMP", 1, GBP), GBP),
    *(Charge(ChargeKind.TAX, GBP), Sourcing(SourcingStrategy.PINNED, locations=("main",))),
    *(Backorder(BackorderMode.LIMITED, 5), OrderRequest("c-1", LINES), StockRequest("LAMP", 1)),
    *(ReturnLine(1, 1), ReceiptLine(1, 1, Disposition.RESTOCK), ShipmentItem(1, 1), Tls()),
]
FIELDS = [(value, one.name) for value in VALUES for one in fields(value)]


def _ask(client: HoldfastSync, method: str, **given: Any) -> object:
    part, name = method.split(".")
    needed = {
        one.name: NEEDED.get(one.name, "x")
        for one in METHODS[method].values()
        if one.default is one.empty
    }
    special = {"lines": LINES_OF.get(name, LINES), "requests": REQUESTS.get(name)}
    told = {**needed, **{key: value for key, value in special.items() if key in needed}, **given}
    if method == "events.follow":
        told = {"patience_s": 0, **told}
    answer = getattr(getattr(client, part), name)(**told)
    return list(answer) if isinstance(answer, Iterator) else answer


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize(("method", "name"), PARAMETERS, ids=map(".".join, PARAMETERS))
def test_any_value_of_any_parameter_is_sent_or_refused(
    nobody: HoldfastSync, method: str, name: str, bad: Any
) -> None:
    if method == "events.follow" and name == "patience_s" and bad is None:
        return  # it would wait for ever, as it promises
    try:
        answer = _ask(nobody, method, **{name: bad})
    except HoldfastError as error:
        is_refused = isinstance(error, InvalidRequest)
    else:
        assert isinstance(answer, list), answer
        assert all(isinstance(one, HoldfastError) for one in answer)
        is_refused = all(isinstance(one, InvalidRequest) for one in answer)
    takes_a_list = "Sequence" in str(METHODS[method][name].annotation)
    assert is_refused or not (type(bad) is object or (isinstance(bad, str) and takes_a_list))


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize(
    ("value", "name"), FIELDS, ids=[f"{type(value).__name__}.{name}" for value, name in FIELDS]
)
def test_any_value_of_any_field_is_sent_or_refused(
    nobody: HoldfastSync, value: Any, name: str, bad: Any
) -> None:
    odd = replace(value, **{name: bad})

    with pytest.raises(HoldfastError):
        _send(nobody, odd)


def _send(client: HoldfastSync, value: Any) -> None:
    match value:
        case Customer():
            client.orders.create("c-1", LINES, customer=value)
        case Details():
            client.orders.create("c-1", LINES, details=value)
        case Address():
            client.orders.create("c-1", LINES, details=Details(ship_to=value))
        case LocationAddress():
            client.inventory.create_location("shop", address=value)
        case OrderLine():
            client.orders.edit("o-1", version=1, lines=[value])
        case Money():
            client.inventory.create_product("LAMP", unit_price=value)
        case Charge():
            client.orders.create("c-1", LINES, charges=[value])
        case Sourcing():
            client.orders.create("c-1", LINES, sourcing=value)
        case Backorder():
            client.inventory.update_product("LAMP", version=1, backorder=value)
        case OrderRequest():
            _raise(client.orders.create_batch([value]))
        case StockRequest():
            _raise(client.inventory.set_stock_batch([value]))
        case ReturnLine():
            client.orders.open_return("o-1", [value])
        case ReceiptLine():
            client.orders.receive_return("r-1", [value])
        case ShipmentItem():
            client.orders.ship("o-1", [value])
        case _:
            with HoldfastSync(NOWHERE, NOWHERE, retry_s=0, tls=value) as by_tls:
                by_tls.orders.get("o-1")


def _raise(outcomes: Any) -> None:
    (outcome,) = outcomes
    raise outcome


@pytest.mark.parametrize("status", [OrderStatus.UNKNOWN, PaymentStatus.UNKNOWN])
def test_a_status_that_is_only_told_cannot_be_asked_for(nobody: HoldfastSync, status: Any) -> None:
    asked = {"payment_status" if isinstance(status, PaymentStatus) else "status": status}

    with pytest.raises(InvalidRequest, match="status"):
        nobody.orders.search(**asked)
