"""Who did it, as people read it: a name, and the credential in brackets."""

import pytest

from holdfast.contracts.inventory.v1 import inventory_pb2 as inventory_pb
from holdfast.contracts.orders.v1 import orders_pb2 as orders_pb
from tests.unit.test_cli_commands import holdfast
from tests.unit.test_cli_edits import basket
from tests.unit.test_client_network import Network, network

__all__ = ["network"]  # a fixture

MOVES = [
    inventory_pb.Movement(product_id="LAMP", actor="scanner-3", credential_id="k-17"),
    inventory_pb.Movement(product_id="LAMP", actor="orders"),
]


def history() -> orders_pb.Order:
    order = basket()
    order.history.add(version=1, actor="scanner-3", credential_id="k-17")
    order.history.add(version=2, actor="orders")
    return order


@pytest.mark.parametrize(
    ("typed", "method", "answer"),
    [
        ("order get o-1", "GetOrderDetails", history()),
        ("stock movements", "ListMovements", inventory_pb.ListMovementsResponse(movements=MOVES)),
    ],
)
def test_a_credential_stands_behind_the_name_and_none_behind_a_service_s(
    network: Network, typed: str, method: str, answer: object
) -> None:
    network.answer(method, answer)  # type: ignore[arg-type]

    shown = holdfast(network, *typed.split()).stdout

    assert "scanner-3 (k-17)" in shown
    assert "orders" in shown
    assert "orders (" not in shown
