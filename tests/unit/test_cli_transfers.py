"""`stock transfer`: what it asks for, and what people are told."""

import json

import pytest

from holdfast.chassis.grpc.statuses import refusal
from holdfast.client._times import time_to_wire
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from tests.unit.test_cli_commands import FOUR_FIFTY, Code, holdfast
from tests.unit.test_client_network import Network, network
from tests.unit.test_client_transfers import NOON, sent

__all__ = ["network"]  # a fixture

CREATE = "stock transfer create LAMP=5 MUG=2 --from berlin --to main"
RECEIVE = "stock transfer receive t-1 LAMP=3"


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_units_are_sent_received_and_closed(network: Network) -> None:
    network.answer("CreateTransfer", sent())
    network.answer("ReceiveTransfer", sent(), sent())
    network.answer("CloseTransfer", sent())

    holdfast(
        network,
        *f"{CREATE} --reference n-7 --expected 2026-11-02T12:00 --request-id r-1".split(),
    )
    holdfast(network, *f"{RECEIVE} --request-id p-1".split())
    holdfast(network, *"stock transfer receive t-1".split())
    holdfast(network, *"stock transfer close t-1".split())

    made, came, rest, closed = network.requests
    assert made == pb.CreateTransferRequest(
        origin="berlin",
        target="main",
        lines=[
            pb.TransferUnits(product_id="LAMP", quantity=5),
            pb.TransferUnits(product_id="MUG", quantity=2),
        ],
        reference="n-7",
        expected_time=time_to_wire(NOON),
        request_id="r-1",
    )
    assert came == pb.ReceiveTransferRequest(
        transfer_id="t-1",
        lines=[pb.TransferUnits(product_id="LAMP", quantity=3)],
        request_id="p-1",
    )
    assert isinstance(rest, pb.ReceiveTransferRequest)
    assert not rest.lines
    assert closed == pb.CloseTransferRequest(transfer_id="t-1")


@pytest.mark.parametrize(
    ("method", "typed"),
    [
        ("CreateTransfer", CREATE),
        ("ReceiveTransfer", RECEIVE),
        ("CloseTransfer", "stock transfer close t-1"),
        ("GetTransfer", "stock transfer get t-1"),
    ],
)
def test_a_transfer_is_shown_to_people_and_to_programs(
    network: Network, method: str, typed: str
) -> None:
    network.answer(method, sent(), sent())

    for_people = rows(holdfast(network, *typed.split()).stdout)
    for_programs = json.loads(holdfast(network, *typed.split(), "--output", "json").stdout)

    assert ["transfer", "t-1"] in for_people
    assert ["from", "berlin"] in for_people
    assert ["to", "main"] in for_people
    assert ["state", "closed"] in for_people
    assert ["product", "sent", "received", "missing", "in", "transit"] in for_people
    assert ["LAMP", "5", "3", "1", "1"] in for_people
    assert for_programs["transfer_id"] == "t-1"
    assert for_programs["lines"] == [{"product_id": "LAMP", "sent": 5, "received": 3, "missing": 1}]


def test_transfers_are_listed_by_state(network: Network) -> None:
    network.answer("ListTransfers", *[pb.ListTransfersResponse(transfers=[sent()])] * 2)

    shown = holdfast(network, *"stock transfer list --state in-transit --limit 9".split()).stdout
    (told,) = json.loads(holdfast(network, *"stock transfer list -o json".split()).stdout)

    asked, asked_all = network.asked(pb.ListTransfersRequest)
    assert (asked.state, asked.page_size) == (pb.TRANSFER_STATE_IN_TRANSIT, 9)
    assert asked_all.state == pb.TRANSFER_STATE_UNSPECIFIED
    assert ["t-1", "2026-11-02T12:00:00Z", "berlin", "main", "closed", "1", "1", "note", "7"] in (
        rows(shown)
    )
    assert (told["transfer_id"], told["reference"]) == ("t-1", "note 7")


@pytest.mark.parametrize("in_transit", [0, 4])
def test_a_product_tells_what_is_on_its_way_if_anything_is(
    network: Network, in_transit: int
) -> None:
    product = pb.Product(product_id="MUG", unit_price=FOUR_FIFTY)
    level = pb.StockLevel(location_id="shop", on_hand=9, version=5, in_transit=in_transit)
    network.answer(
        "GetStockInfo", pb.StockInfo(product=product, in_transit=in_transit, levels=[level])
    )

    shown = rows(holdfast(network, "stock", "get", "MUG").stdout)

    assert (["in", "transit", "4"] in shown) == bool(in_transit)
    assert ["shop", "9", "0", "0", "0", "5", *(["4"] if in_transit else [])] in shown


@pytest.mark.parametrize(
    "typed",
    [
        "stock transfer create --from berlin --to main",
        "stock transfer create LAMP=1 --from berlin",
        "stock transfer create LAMP=1 --to main",
        "stock transfer create LAMP=1 --from= --to main",
        "stock transfer create LAMP --from berlin --to main",
        "stock transfer create LAMP=0 --from berlin --to main",
        "stock transfer create LAMP=1@4.50 --from berlin --to main",
        "stock transfer create LAMP=1 LAMP=1 --from berlin --to main",
        "stock transfer create LAMP=1 --from berlin --to main --expected soon",
        "stock transfer receive",
        "stock transfer receive t-1 LAMP=-1",
        "stock transfer close",
        "stock transfer list --state lost",
    ],
)
def test_what_makes_no_sense_ends_with_2_and_reaches_no_service(
    network: Network, typed: str
) -> None:
    result = holdfast(network, *typed.split())

    assert (result.exit_code, network.requests) == (2, []), result.stderr


@pytest.mark.parametrize(
    ("method", "typed"), [("CreateTransfer", CREATE), ("ReceiveTransfer", RECEIVE)]
)
def test_where_nobody_knows_what_happened_the_request_id_for_a_safe_repeat_is_told(
    network: Network, method: str, typed: str
) -> None:
    network.answer(method, Code.DEADLINE_EXCEEDED)

    result = holdfast(network, *typed.split())

    (request,) = network.requests
    assert result.exit_code == 4
    assert f"--request-id {request.request_id} " in result.stderr  # type: ignore[attr-defined]


def test_a_reused_request_id_leads_to_the_transfer_that_it_belongs_to(network: Network) -> None:
    reused = refusal(
        Code.ALREADY_EXISTS, "REQUEST_ID_REUSED", "no", metadata={"transfer_id": "t-1"}
    )
    network.answer("CreateTransfer", reused)

    result = holdfast(network, *CREATE.split())

    assert result.exit_code == 1
    assert "holdfast stock transfer get t-1" in result.stderr
