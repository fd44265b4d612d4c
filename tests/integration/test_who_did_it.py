"""Who did it stands in history and ledger: the name and the credential, in both modes."""

from collections.abc import MutableMapping
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from grpc import StatusCode
from structlog.testing import capture_logs

from holdfast.contracts.inventory.v1 import inventory_pb2 as inventory_pb
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.verification import verify
from testbed.keys import KEY
from tests.integration.conftest import (
    CALL_S_MAX,
    RunningHoldfast,
    create,
    eventually,
    line,
    refusal,
)
from tests.integration.let_in import let_in_by_name, named

ALIKE = True


@pytest.fixture(autouse=True)
def _let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    let_in_by_name(monkeypatch)


async def test_an_order_s_history_tells_who_asked_and_by_which_credential(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 9)
    asked = create(line("LAMP"), wait_s=20)
    placed = await holdfast.orders.CreateOrder(asked, metadata=named("shop"), timeout=CALL_S_MAX)
    update = pb.UpdateOrderRequest(
        order_id=placed.order_id,
        version=2,
        customer=pb.Customer(name="Ada"),
        update_mask=FieldMask(paths=["customer.name"]),
    )
    await holdfast.orders.UpdateOrder(update, metadata=named("support"), timeout=CALL_S_MAX)
    cancel = pb.CancelOrderRequest(order_id=placed.order_id)
    await holdfast.orders.CancelOrder(cancel, metadata=named("ada"), timeout=CALL_S_MAX)

    told = [(c.actor, c.credential_id) for c in (await holdfast.order(placed.order_id)).history]
    known = (await holdfast.client.orders.get(placed.order_id)).history

    assert told == [
        ("shop", "key-of-shop"),
        ("inventory", ""),
        ("support", "key-of-support"),
        ("ada", "key-of-ada"),
    ]
    assert [(c.actor, c.credential_id) for c in known] == told


async def test_a_customer_learns_no_names_of_staff(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 9)
    ada = named("ada", customer="c-1")
    asked = create(line("LAMP"), wait_s=20)
    asked.customer_id = "c-1"
    placed = await holdfast.orders.CreateOrder(asked, metadata=ada, timeout=CALL_S_MAX)
    cancel = pb.CancelOrderRequest(order_id=placed.order_id)
    await holdfast.orders.CancelOrder(cancel, metadata=named("anna"), timeout=CALL_S_MAX)

    get = pb.GetOrderDetailsRequest(order_id=placed.order_id)
    order = await holdfast.orders.GetOrderDetails(get, metadata=ada, timeout=CALL_S_MAX)

    told = [(change.actor, change.credential_id) for change in order.history]
    assert told == [("ada", "key-of-ada"), ("inventory", ""), ("shop", "")]


async def test_the_ledger_tells_who_moved_stock_and_a_service_by_its_own_name(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 9)
    await holdfast.place(line("LAMP", 2))
    stock = holdfast.inventory
    counted = inventory_pb.UpdateStockRequest(product_id="LAMP", quantity=7)
    await stock.UpdateStock(counted, metadata=named("scanner-3"), timeout=CALL_S_MAX)
    damp = inventory_pb.QuarantineStockRequest(product_id="LAMP", quantity=1, reason="damp")
    await stock.QuarantineStock(damp, metadata=named("scanner-3"), timeout=CALL_S_MAX)

    def told(moves: list[inventory_pb.Movement]) -> list[tuple[str, str]]:
        return [(move.actor, move.credential_id) for move in moves]

    moves = await eventually(lambda: holdfast.movements("LAMP"), lambda found: len(found) == 4)

    assert told(moves) == [
        ("operator", KEY.split("_")[2]),
        ("orders", ""),
        ("scanner-3", "key-of-scanner-3"),
        ("scanner-3", "key-of-scanner-3"),
    ]


async def test_the_log_tells_who_was_refused_what(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 9)
    order = await holdfast.place(line("LAMP"), customer_id="c-bob")
    request = pb.GetOrderDetailsRequest(order_id=order.order_id)
    with capture_logs() as told:
        call = holdfast.orders.GetOrderDetails(
            request, metadata=named("ada", customer="c-ada"), timeout=CALL_S_MAX
        )
        assert (await refusal(call)).code == StatusCode.NOT_FOUND
        await eventually(lambda: lines_of(told), bool, "a line in the log")

    (refused,) = await lines_of(told)
    assert (
        refused.items()
        >= {
            "code": "NOT_FOUND",
            "by": "ada",
            "credential_id": "key-of-ada",
            "order_id": order.order_id,
        }.items()
    )


async def lines_of(told: list[MutableMapping[str, Any]]) -> list[MutableMapping[str, Any]]:
    return [one for one in told if one.get("method") == "GetOrderDetails"]


@pytest.mark.parametrize(
    ("service", "table", "said"),
    [
        ("orders", "order_history", "does not tell who made its version"),
        ("inventory", "stock_movement", "does not tell who made it"),
    ],
)
async def test_verify_tells_of_changes_that_nobody_made(
    holdfast: RunningHoldfast, service: str, table: str, said: str
) -> None:
    await holdfast.product("LAMP", 9)
    await holdfast.place(line("LAMP"))
    urls = holdfast.databases["orders"], holdfast.databases["inventory"]
    sound = await verify(*urls)

    await holdfast.sql(service, f"UPDATE {table} SET actor = '' WHERE actor = 'operator'")
    found = (await verify(*urls)).contradictions

    assert sound.contradictions == []
    assert [one for one in found if said in one]
