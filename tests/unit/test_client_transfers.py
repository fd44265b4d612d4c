"""Transfers in the client: what is sent, repeated, refused before it is sent, and told."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, assert_type

import pytest
from google.rpc.error_details_pb2 import PreconditionFailure

from holdfast.chassis.grpc.statuses import refusal
from holdfast.client import (
    Holdfast,
    HoldfastSync,
    InvalidRequest,
    Refused,
    RequestIdReused,
    Transfer,
    TransferLine,
    TransferState,
    Unmet,
)
from holdfast.client import _transfer_wire as transfer_wire
from holdfast.client import _wire as wire
from holdfast.client._times import time_to_wire
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from tests.unit.test_cli_commands import Code
from tests.unit.test_client_network import NOWHERE, UNAVAILABLE, Network, client, network

__all__ = ["client", "network"]  # fixtures

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def sent() -> pb.Transfer:
    """Of five lamps three came and one was missing at the end."""
    found = pb.Transfer(
        transfer_id="t-1",
        origin="berlin",
        target="main",
        state=pb.TRANSFER_STATE_CLOSED,
        reference="note 7",
        create_time=time_to_wire(NOON),
        close_time=time_to_wire(NOON),
        expected_time=time_to_wire(NOON),
    )
    found.lines.add(product_id="LAMP", sent=5, received=3, missing=1)
    return found


SENT = Transfer(
    "t-1",
    "berlin",
    "main",
    TransferState.CLOSED,
    (TransferLine("LAMP", 5, 3, 1),),
    "note 7",
    NOON,
    NOON,
    NOON,
)


async def test_a_transfer_is_made_received_and_closed_and_every_try_is_the_same(
    network: Network, client: Holdfast
) -> None:
    for method in ("CreateTransfer", "ReceiveTransfer", "CloseTransfer", "GetTransfer"):
        network.answer(method, UNAVAILABLE, sent())

    made = await client.inventory.create_transfer(
        {"LAMP": 5, "MUG": 2},
        origin="berlin",
        target="main",
        reference="note 7",
        expected_time=NOON,
    )
    received = await client.inventory.receive_transfer("t-1", {"LAMP": 3})
    closed = await client.inventory.close_transfer("t-1")
    read = await client.inventory.transfer("t-1")

    assert made == received == closed == read == SENT
    assert SENT.lines[0].in_transit == 1
    creating, creating_again = network.asked(pb.CreateTransferRequest)
    receipt, receipt_again = network.asked(pb.ReceiveTransferRequest)
    assert (creating, receipt) == (creating_again, receipt_again)
    assert creating == pb.CreateTransferRequest(
        origin="berlin",
        target="main",
        lines=[
            pb.TransferUnits(product_id="LAMP", quantity=5),
            pb.TransferUnits(product_id="MUG", quantity=2),
        ],
        reference="note 7",
        expected_time=time_to_wire(NOON),
        request_id=creating.request_id,
    )
    assert receipt == pb.ReceiveTransferRequest(
        transfer_id="t-1",
        lines=[pb.TransferUnits(product_id="LAMP", quantity=3)],
        request_id=receipt.request_id,
    )
    assert len({creating.request_id, receipt.request_id, ""}) == 3
    assert (
        network.asked(pb.CloseTransferRequest) == [pb.CloseTransferRequest(transfer_id="t-1")] * 2
    )
    assert network.asked(pb.GetTransferRequest) == [pb.GetTransferRequest(transfer_id="t-1")] * 2


async def test_without_units_all_that_is_still_to_come_is_received(
    network: Network, client: Holdfast
) -> None:
    network.answer("ReceiveTransfer", sent())

    await client.inventory.receive_transfer("t-1", request_id="mine")

    (request,) = network.asked(pb.ReceiveTransferRequest)
    assert request == pb.ReceiveTransferRequest(transfer_id="t-1", request_id="mine")


async def test_transfers_are_listed_page_by_page_in_one_state(
    network: Network, client: Holdfast
) -> None:
    first = pb.ListTransfersResponse(transfers=[sent()], next_page_token="more")
    network.answer("ListTransfers", first, pb.ListTransfersResponse(transfers=[sent()]))

    listed = client.inventory.list_transfers(state=TransferState.IN_TRANSIT, page_size=1)

    assert [one async for one in listed] == [SENT, SENT]
    assert network.requests == [
        pb.ListTransfersRequest(state=pb.TRANSFER_STATE_IN_TRANSIT, page_size=1),
        pb.ListTransfersRequest(state=pb.TRANSFER_STATE_IN_TRANSIT, page_size=1, page_token="more"),
    ]


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (Code.ALREADY_EXISTS, "REQUEST_ID_REUSED", RequestIdReused),
        (Code.FAILED_PRECONDITION, "NOT_FREE", Refused),
        (Code.FAILED_PRECONDITION, "LOCATION_INACTIVE", Refused),
    ],
)
async def test_a_refusal_says_which_and_is_final(
    network: Network, client: Holdfast, code: Code, reason: str, kind: type[Refused]
) -> None:
    network.answer("CreateTransfer", refusal(code, reason, "no"))

    with pytest.raises(kind) as caught:
        await client.inventory.create_transfer({"LAMP": 1}, origin="berlin", target="main")

    assert caught.value.reason == reason
    assert len(network.requests) == 1


async def test_a_refusal_tells_of_each_product(network: Network, client: Holdfast) -> None:
    unmet = PreconditionFailure()
    for product_id in ("LAMP", "SHADE"):
        unmet.violations.add(type="NOT_FREE", subject=product_id, description=f"{product_id}: 0")
    told = refusal(Code.FAILED_PRECONDITION, "NOT_FREE", "no", details=[unmet])
    network.answer("CreateTransfer", told)

    with pytest.raises(Refused) as caught:
        await client.inventory.create_transfer({"LAMP": 1}, origin="berlin", target="main")

    assert caught.value.unmet == (Unmet("LAMP", "LAMP: 0"), Unmet("SHADE", "SHADE: 0"))


async def test_a_page_is_told_with_the_next_one_s_token(network: Network, client: Holdfast) -> None:
    network.answer("ListTransfers", pb.ListTransfersResponse(transfers=[sent()]))
    network.answer("ListMovements", pb.ListMovementsResponse(next_page_token="more"))
    network.answer("ListBackorders", pb.ListBackordersResponse(next_page_token="more"))
    inventory = client.inventory

    assert await inventory.transfer_page("t", state=TransferState.CLOSED) == ([SENT], "")
    assert await inventory.movement_page(location_id="main", page_size=5_000) == ([], "more")
    assert await inventory.backorder_page("LAMP", "t", page_size=2) == ([], "more")

    assert network.requests == [
        pb.ListTransfersRequest(state=pb.TRANSFER_STATE_CLOSED, page_token="t", page_size=100),
        pb.ListMovementsRequest(location_id="main", page_size=1_000),
        pb.ListBackordersRequest(product_id="LAMP", page_token="t", page_size=2),
    ]
    for page in (inventory.transfer_page, inventory.movement_page):
        with pytest.raises(InvalidRequest):
            await page(page_size=0)


def test_a_transfer_that_is_open_was_not_closed_at_any_time() -> None:
    told = transfer_wire.transfer_from_wire(pb.Transfer(state=pb.TRANSFER_STATE_IN_TRANSIT))

    assert (told.state, told.close_time, told.expected_time) == (
        *(TransferState.IN_TRANSIT, None),
        None,
    )


def test_every_state_of_the_contract_has_a_name_and_a_newer_one_is_unknown() -> None:
    newer: Any = 99

    def told(number: Any) -> TransferState:
        return transfer_wire.transfer_from_wire(pb.Transfer(state=number)).state

    states = [told(number) for number in pb.TransferState.values()[1:]]
    assert states == [one for one in TransferState if one is not TransferState.UNKNOWN]
    assert told(newer) is TransferState.UNKNOWN


def test_stock_tells_what_is_on_its_way() -> None:
    info = wire.stock_info_from_wire(
        pb.StockInfo(in_transit=7, levels=[pb.StockLevel(in_transit=4)])
    )

    assert (info.in_transit, info.levels[0].in_transit) == (7, 4)


def test_the_sync_face_sends_and_lists_too(network: Network) -> None:
    network.answer("CreateTransfer", sent())
    network.answer("ListTransfers", pb.ListTransfersResponse(transfers=[sent()]))

    with HoldfastSync(network.address, network.address, deadline_s=5.0) as client:
        made = client.inventory.create_transfer({"LAMP": 5}, origin="berlin", target="main")
        listed = list(client.inventory.list_transfers())

    assert_type(made, Transfer)
    assert (made, listed) == (SENT, [SENT])


NO_TEXTS: list[Any] = ["lamp \ud83d", b"t-1", 5, None]
BAD_UNITS: list[Any] = [0, -1, 1.0, "1", None, True, 10**12 + 1]
Call = Callable[[HoldfastSync, Any], object]


def create(holdfast: HoldfastSync, **given: Any) -> object:
    usual: dict[str, Any] = {"units": {"LAMP": 1}, "origin": "berlin", "target": "main"}
    return holdfast.inventory.create_transfer(**{**usual, **given})


REFUSED: dict[str, tuple[str, list[Any], Call]] = {
    "units": ("units", [{}, [("LAMP", 1)], None, "LAMP=1"], lambda h, bad: create(h, units=bad)),
    "quantity": ("units[LAMP]", BAD_UNITS, lambda h, bad: create(h, units={"LAMP": bad})),
    "product": ("units", [b"LAMP", 5, None], lambda h, bad: create(h, units={bad: 1})),
    "origin": ("origin", NO_TEXTS, lambda h, bad: create(h, origin=bad)),
    "target": ("target", NO_TEXTS, lambda h, bad: create(h, target=bad)),
    "reference": ("reference", NO_TEXTS, lambda h, bad: create(h, reference=bad)),
    "time": (
        "expected_time",
        ["now", 5, datetime.fromisoformat("2026-11-02T12:00:00")],
        lambda h, bad: create(h, expected_time=bad),
    ),
    "request id": ("request_id", ["", b"r", 5], lambda h, bad: create(h, request_id=bad)),
    "received units": (
        "units[LAMP]",
        BAD_UNITS,
        lambda h, bad: h.inventory.receive_transfer("t-1", {"LAMP": bad}),
    ),
    "nothing received": (
        "units",
        [{}, [], "LAMP=1"],
        lambda h, bad: h.inventory.receive_transfer("t-1", bad),
    ),
    "received transfer": (
        "transfer_id",
        NO_TEXTS,
        lambda h, bad: h.inventory.receive_transfer(bad),
    ),
    "closed transfer": ("transfer_id", NO_TEXTS, lambda h, bad: h.inventory.close_transfer(bad)),
    "transfer": ("transfer_id", NO_TEXTS, lambda h, bad: h.inventory.transfer(bad)),
    "state": (
        "state",
        ["IN_TRANSIT", TransferState.UNKNOWN, 1],
        lambda h, bad: h.inventory.list_transfers(state=bad),
    ),
}
CASES = [
    pytest.param(field, bad, call, id=f"{name}: {ascii(bad)[:30]}")
    for name, (field, values, call) in REFUSED.items()
    for bad in values
]


@pytest.fixture(scope="module")
def nobody() -> Iterator[HoldfastSync]:
    with HoldfastSync(NOWHERE, NOWHERE, deadline_s=0.5, retry_s=0) as client:
        yield client


@pytest.mark.parametrize(("field", "bad", "call"), CASES)
def test_a_wrong_value_is_an_invalid_request_that_names_its_field(
    nobody: HoldfastSync, field: str, bad: Any, call: Call
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        call(nobody, bad)

    assert [violation.field for violation in caught.value.violations] == [field]
