"""A key that was made a moment ago: the console waits until it is nobody's no more."""

import grpc

from holdfast.chassis.grpc.statuses import refusal
from holdfast.client import Holdfast
from holdfast.console.sessions import _until_known
from holdfast.contracts.inventory.v1 import inventory_pb2
from tests.unit.test_client_network import NOWHERE, Network, network

__all__ = ["network"]  # a fixture


async def test_a_new_key_is_waited_for_and_a_service_that_is_away_is_not(network: Network) -> None:
    unknown = refusal(grpc.StatusCode.UNAUTHENTICATED, "KEY_UNKNOWN", "no such key")
    network.answer("ListProducts", unknown, unknown, inventory_pb2.ListProductsResponse())

    async with Holdfast(
        network.address, network.address, notifier=NOWHERE, key="hf_live_x", retry_s=0.0
    ) as client:
        await _until_known(client)

    assert len(network.asked(inventory_pb2.ListProductsRequest)) == 3
