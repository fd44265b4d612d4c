"""`stock quarantine` and `stock release`, and where stock tells what is out of sale."""

import json

import pytest

from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from tests.unit.test_cli_commands import FOUR_FIFTY, Code, holdfast
from tests.unit.test_client_network import Network, network

__all__ = ["network"]  # a fixture

LEVEL = pb.StockLevel(
    location_id="shop", on_hand=9, reserved=3, quarantined=2, available=4, version=5
)
QUARANTINE = "stock quarantine MUG 2 --reason wet"
RELEASE = "stock release MUG 2 --reason dry"


def test_units_go_out_of_sale_and_come_back_or_are_gone(network: Network) -> None:
    network.answer("QuarantineStock", pb.QuarantineStockResponse(level=LEVEL))
    network.answer("ReleaseQuarantine", *[pb.ReleaseQuarantineResponse(level=LEVEL)] * 2)

    holdfast(
        network,
        *f"{QUARANTINE} --location shop --reason-code damaged --request-id q-1".split(),
    )
    holdfast(network, *RELEASE.split())
    holdfast(network, *f"{RELEASE} --write-off --location shop --reason-code expired".split())

    (kept,) = network.asked(pb.QuarantineStockRequest)
    back, gone = network.asked(pb.ReleaseQuarantineRequest)
    assert kept == pb.QuarantineStockRequest(
        product_id="MUG",
        quantity=2,
        location_id="shop",
        reason="wet",
        reason_code=pb.STOCK_REASON_DAMAGED,
        request_id="q-1",
    )
    assert (back.quantity, back.location_id, back.reason, back.write_off) == (
        *(2, "main", "dry"),
        False,
    )
    assert (gone.location_id, gone.reason_code, gone.write_off) == (
        *("shop", pb.STOCK_REASON_EXPIRED),
        True,
    )


@pytest.mark.parametrize(
    ("method", "answer", "typed"),
    [
        ("QuarantineStock", pb.QuarantineStockResponse(level=LEVEL), QUARANTINE),
        ("ReleaseQuarantine", pb.ReleaseQuarantineResponse(level=LEVEL), RELEASE),
        ("UpdateStock", pb.UpdateStockResponse(level=LEVEL), "stock set MUG 9"),
    ],
)
def test_a_level_tells_what_is_out_of_sale(
    network: Network,
    method: str,
    answer: pb.QuarantineStockResponse | pb.ReleaseQuarantineResponse | pb.UpdateStockResponse,
    typed: str,
) -> None:
    network.answer(method, answer, answer)

    for_people = holdfast(network, *typed.split()).stdout
    for_programs = holdfast(network, *typed.split(), "-o", "json").stdout

    heading, _, row = for_people.splitlines()
    assert heading.split() == [
        *("location", "on", "hand", "reserved", "quarantined", "available", "version")
    ]
    assert row.split() == ["shop", "9", "3", "2", "4", "5"]
    assert json.loads(for_programs)["quarantined"] == 2


def test_a_product_tells_what_is_out_of_sale_in_total_and_by_location(network: Network) -> None:
    product = pb.Product(product_id="MUG", unit_price=FOUR_FIFTY)
    info = pb.StockInfo(product=product, quarantined=7, levels=[LEVEL])
    network.answer("GetStockInfo", info)

    rows = [line.split() for line in holdfast(network, "stock", "get", "MUG").stdout.splitlines()]

    assert ["quarantined", "7"] in rows
    assert ["shop", "9", "3", "2", "4", "5"] in rows


def test_a_movement_tells_what_went_out_of_sale(network: Network) -> None:
    movement = pb.Movement(
        kind=pb.MOVEMENT_KIND_UNQUARANTINE, quarantined_delta=-2, quarantined_after=1
    )
    network.answer("ListMovements", *[pb.ListMovementsResponse(movements=[movement])] * 2)

    shown = holdfast(network, "stock", "movements").stdout
    (told,) = json.loads(holdfast(network, "stock", "movements", "-o", "json").stdout)

    assert "UNQUARANTINE   +0 = 0    +0 = 0     -2 = 1 " in shown
    assert (told["kind"], told["quarantined_delta"], told["quarantined_after"]) == (
        *("UNQUARANTINE", -2),
        1,
    )


@pytest.mark.parametrize(
    "typed",
    [
        "stock quarantine MUG 2",
        "stock quarantine MUG 0 --reason wet",
        "stock quarantine MUG -1 --reason wet",
        "stock quarantine MUG --reason wet",
        "stock release MUG 2",
        "stock release MUG 1000000000001 --reason dry",
        "stock release MUG 1 --reason dry --reason-code eaten",
    ],
)
def test_what_makes_no_sense_ends_with_2_and_reaches_no_service(
    network: Network, typed: str
) -> None:
    result = holdfast(network, *typed.split())

    assert (result.exit_code, network.requests) == (2, []), result.stderr


@pytest.mark.parametrize(
    ("method", "typed"), [("QuarantineStock", QUARANTINE), ("ReleaseQuarantine", RELEASE)]
)
def test_where_nobody_knows_what_happened_the_request_id_for_a_safe_repeat_is_told(
    network: Network, method: str, typed: str
) -> None:
    network.answer(method, Code.DEADLINE_EXCEEDED)

    result = holdfast(network, *typed.split())

    (request,) = network.requests
    assert result.exit_code == 4
    assert f"--request-id {request.request_id} " in result.stderr  # type: ignore[attr-defined]
