"""Shipments, returns and quarantine in the client: what is sent, repeated and told."""

from datetime import UTC, datetime
from typing import Any, assert_type

import pytest
from google.type.money_pb2 import Money as WireMoney

from holdfast.chassis.grpc.statuses import refusal
from holdfast.client import (
    AlreadyExists,
    Disposition,
    Holdfast,
    HoldfastSync,
    Money,
    MovementKind,
    Order,
    OrderLine,
    OrderStatus,
    ReceiptLine,
    Refused,
    RequestIdReused,
    Return,
    ReturnLine,
    ReturnReceipt,
    ReturnState,
    Shipment,
    ShipmentItem,
    StockReason,
)
from holdfast.client import _shipping_wire as shipping_wire
from holdfast.client import _wire as wire
from holdfast.client._times import time_to_wire
from holdfast.contracts.inventory.v1 import inventory_pb2 as stock_pb
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from tests.unit.test_cli_commands import Code
from tests.unit.test_client_network import UNAVAILABLE, Network, client, network, order

__all__ = ["client", "network"]  # fixtures

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def returned() -> pb.Return:
    """Two of three lamps came back, in one parcel; one is out of sale, one is gone."""
    found = pb.Return(
        return_id="r-1",
        order_id="o-1",
        state=pb.RETURN_STATE_CLOSED,
        open_time=time_to_wire(NOON),
        close_time=time_to_wire(NOON),
        value=WireMoney(currency_code="GBP", units=16),
    )
    found.lines.add(line_no=1, product_id="LAMP", quantity=3, reason="dark", received=2)
    parcel = found.receipts.add(request_id="q-1", receive_time=time_to_wire(NOON))
    for disposition in (pb.DISPOSITION_QUARANTINE, pb.DISPOSITION_WRITE_OFF):
        parcel.lines.add(
            line_no=1, product_id="LAMP", quantity=1, disposition=disposition, location_id="shop"
        )
    return found


RETURNED = Return(
    return_id="r-1",
    order_id="o-1",
    state=ReturnState.CLOSED,
    lines=(ReturnLine(1, 3, "dark", "LAMP", received=2),),
    receipts=(
        ReturnReceipt(
            "q-1",
            (
                ReceiptLine(1, 1, Disposition.QUARANTINE, "shop", "LAMP"),
                ReceiptLine(1, 1, Disposition.WRITE_OFF, "shop", "LAMP"),
            ),
            NOON,
        ),
    ),
    value=Money("GBP", 1_600),
    open_time=NOON,
    close_time=NOON,
)


async def test_a_shipment_names_units_and_how_they_travel(
    network: Network, client: Holdfast
) -> None:
    network.answer("ShipOrder", order(3))

    await client.orders.ship(
        "o-1",
        [ShipmentItem(1, 2), ShipmentItem(2, 1, "shop", product_id="told only")],
        shipment_id="s-1",
        location="main",
        carrier="DHL",
        tracking_number="T1",
        tracking_url="https://dhl.example/T1",
    )

    assert network.requests == [
        pb.ShipOrderRequest(
            order_id="o-1",
            shipment_id="s-1",
            items=[
                pb.ShipmentItem(line_no=1, quantity=2),
                pb.ShipmentItem(line_no=2, quantity=1, location_id="shop"),
            ],
            location_id="main",
            carrier="DHL",
            tracking_number="T1",
            tracking_url="https://dhl.example/T1",
        )
    ]


async def test_without_units_all_that_is_held_leaves_under_an_id_that_every_try_carries(
    network: Network, client: Holdfast
) -> None:
    network.answer("ShipOrder", UNAVAILABLE, order(3), order(4))

    await client.orders.ship("o-1")
    await client.orders.ship("o-1")

    first, again, other = network.asked(pb.ShipOrderRequest)
    assert first == again
    assert not first.items
    assert len(first.shipment_id) == 32
    assert other.shipment_id != first.shipment_id


async def test_of_a_shipment_only_what_is_given_changes_and_a_repeat_is_harmless(
    network: Network, client: Holdfast
) -> None:
    network.answer("UpdateShipment", UNAVAILABLE, order(3), order(3))

    await client.orders.update_shipment("o-1", "s-1", carrier="", tracking_url="https://x")
    await client.orders.update_shipment("o-1", "s-1", tracking_number="T2", delivered=NOON)

    first, again, arrived = network.asked(pb.UpdateShipmentRequest)
    assert first == again
    assert list(first.update_mask.paths) == ["carrier", "tracking_url"]
    assert first.shipment == pb.Shipment(tracking_url="https://x")
    assert (arrived.order_id, arrived.shipment_id) == ("o-1", "s-1")
    assert list(arrived.update_mask.paths) == ["tracking_number", "deliver_time"]
    assert arrived.shipment == pb.Shipment(tracking_number="T2", deliver_time=time_to_wire(NOON))


async def test_a_return_is_opened_received_and_closed_and_every_try_is_the_same(
    network: Network, client: Holdfast
) -> None:
    for method in ("OpenReturn", "ReceiveReturn", "CloseReturn"):
        network.answer(method, UNAVAILABLE, returned())
    came = [ReceiptLine(1, 1, Disposition.RESTOCK), ReceiptLine(2, 1, Disposition.WRITE_OFF, "bin")]

    opened = await client.orders.open_return("o-1", [ReturnLine(1, 3, "dark", "told only", 9)])
    received = await client.orders.receive_return("r-1", came)
    closed = await client.orders.close_return("r-1")

    assert opened == received == closed == RETURNED
    opening, opening_again = network.asked(pb.OpenReturnRequest)
    receipt, receipt_again = network.asked(pb.ReceiveReturnRequest)
    assert opening == opening_again
    assert opening == pb.OpenReturnRequest(
        order_id="o-1",
        lines=[pb.ReturnLine(line_no=1, quantity=3, reason="dark")],
        request_id=opening.request_id,
    )
    assert receipt == receipt_again
    assert list(receipt.lines) == [
        pb.ReceiptLine(
            line_no=1, quantity=1, disposition=pb.DISPOSITION_RESTOCK, location_id="main"
        ),
        pb.ReceiptLine(
            line_no=2, quantity=1, disposition=pb.DISPOSITION_WRITE_OFF, location_id="bin"
        ),
    ]
    assert len({opening.request_id, receipt.request_id, ""}) == 3
    assert network.asked(pb.CloseReturnRequest) == [pb.CloseReturnRequest(return_id="r-1")] * 2


async def test_a_request_id_of_one_s_own_is_sent_as_it_is(
    network: Network, client: Holdfast
) -> None:
    network.answer("OpenReturn", returned())
    network.answer("ReceiveReturn", returned())

    await client.orders.open_return("o-1", [ReturnLine(1, 1)], request_id="mine")
    await client.orders.receive_return(
        "r-1", [ReceiptLine(1, 1, Disposition.RESTOCK)], request_id="mine too"
    )

    (opening,) = network.asked(pb.OpenReturnRequest)
    (receipt,) = network.asked(pb.ReceiveReturnRequest)
    assert (opening.request_id, receipt.request_id) == ("mine", "mine too")


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (Code.ALREADY_EXISTS, "SHIPMENT_REUSED", AlreadyExists),
        (Code.ALREADY_EXISTS, "REQUEST_ID_REUSED", RequestIdReused),
        (Code.FAILED_PRECONDITION, "OVER_SHIPMENT", Refused),
        (Code.FAILED_PRECONDITION, "NOT_HELD_THERE", Refused),
    ],
)
async def test_a_refusal_says_which_and_is_final(
    network: Network, client: Holdfast, code: Code, reason: str, kind: type[Refused]
) -> None:
    network.answer("ShipOrder", refusal(code, reason, "no"))

    with pytest.raises(kind) as caught:
        await client.orders.ship("o-1")

    assert caught.value.reason == reason
    assert len(network.requests) == 1


def test_an_order_tells_what_left_and_what_comes_back() -> None:
    message = pb.Order(status=pb.ORDER_STATUS_PARTIALLY_SHIPPED, returns=[returned()])
    message.lines.add(product_id="LAMP", quantity=5, line_no=1, shipped=3)
    first = message.shipments.add(
        shipment_id="s-1",
        carrier="DHL",
        tracking_number="T1",
        tracking_url="https://x",
        ship_time=time_to_wire(NOON),
    )
    first.items.add(line_no=1, product_id="LAMP", location_id="main", quantity=3)
    message.shipments.add(shipment_id="s-2", deliver_time=time_to_wire(NOON))

    told = wire.order_from_wire(message)

    assert told.status is OrderStatus.PARTIALLY_SHIPPED
    assert told.lines[0].shipped == 3
    assert told.shipments[0] == Shipment(
        "s-1", (ShipmentItem(1, 3, "main", "LAMP"),), "DHL", "T1", "https://x", NOON
    )
    assert told.shipments[1].deliver_time == NOON
    assert told.returns == (RETURNED,)


def test_a_return_that_is_open_was_not_closed_at_any_time() -> None:
    told = shipping_wire.return_from_wire(pb.Return(state=pb.RETURN_STATE_OPEN))

    assert (told.state, told.close_time) == (ReturnState.OPEN, None)


def test_every_state_and_disposition_of_the_contract_has_a_name_and_a_newer_one_is_unknown() -> (
    None
):
    newer: Any = 99

    def told(state: Any, disposition: Any) -> tuple[ReturnState, Disposition]:
        message = pb.Return(state=state)
        message.receipts.add().lines.add(disposition=disposition)
        found = shipping_wire.return_from_wire(message)
        return found.state, found.receipts[0].lines[0].disposition

    states = [told(number, 1)[0] for number in pb.ReturnState.values()[1:]]
    dispositions = [told(1, number)[1] for number in pb.Disposition.values()[1:]]
    assert states == [one for one in ReturnState if one is not ReturnState.UNKNOWN]
    assert dispositions == [one for one in Disposition if one is not Disposition.UNKNOWN]
    assert told(newer, newer) == (ReturnState.UNKNOWN, Disposition.UNKNOWN)


def test_a_shipped_order_is_final_and_a_partly_shipped_one_is_not() -> None:
    final = {one for one in OrderStatus if one.is_final}

    assert final == {
        OrderStatus.SHIPPED,
        OrderStatus.REJECTED,
        OrderStatus.CANCELLED,
        OrderStatus.EXPIRED,
    }


async def test_an_edit_says_nothing_of_what_left(network: Network, client: Holdfast) -> None:
    network.answer("UpdateOrder", order(3))

    await client.orders.edit("o-1", version=2, lines=[OrderLine("LAMP", 5, line_no=1, shipped=3)])

    (request,) = network.asked(pb.UpdateOrderRequest)
    assert list(request.lines) == [pb.OrderLine(product_id="LAMP", quantity=5, line_no=1)]


async def test_units_go_into_quarantine_and_out_and_every_try_is_the_same(
    network: Network, client: Holdfast
) -> None:
    level = stock_pb.StockLevel(location_id="shop", on_hand=5, quarantined=2, version=4)
    network.answer("QuarantineStock", UNAVAILABLE, stock_pb.QuarantineStockResponse(level=level))
    network.answer("ReleaseQuarantine", UNAVAILABLE, stock_pb.ReleaseQuarantineResponse())

    after = await client.inventory.quarantine(
        "LAMP", 2, reason="wet", reason_code=StockReason.DAMAGED, location_id="shop"
    )
    await client.inventory.release_quarantine("LAMP", 1, reason="dry", write_off=True)

    assert (after.location_id, after.on_hand, after.quarantined, after.version) == ("shop", 5, 2, 4)
    kept, kept_again = network.asked(stock_pb.QuarantineStockRequest)
    freed, freed_again = network.asked(stock_pb.ReleaseQuarantineRequest)
    assert (kept, freed) == (kept_again, freed_again)
    assert kept == stock_pb.QuarantineStockRequest(
        product_id="LAMP",
        quantity=2,
        location_id="shop",
        reason="wet",
        reason_code=stock_pb.STOCK_REASON_DAMAGED,
        request_id=kept.request_id,
    )
    assert freed == stock_pb.ReleaseQuarantineRequest(
        product_id="LAMP",
        quantity=1,
        location_id="main",
        write_off=True,
        reason="dry",
        request_id=freed.request_id,
    )
    assert len({kept.request_id, freed.request_id, ""}) == 3


async def test_released_units_are_back_on_sale_unless_they_are_written_off(
    network: Network, client: Holdfast
) -> None:
    network.answer("ReleaseQuarantine", stock_pb.ReleaseQuarantineResponse())

    await client.inventory.release_quarantine("LAMP", 1, reason="dry", request_id="mine")

    (request,) = network.asked(stock_pb.ReleaseQuarantineRequest)
    assert (request.write_off, request.request_id) == (False, "mine")


def test_stock_tells_what_is_in_quarantine_and_movements_what_went_there() -> None:
    info = wire.stock_info_from_wire(
        stock_pb.StockInfo(quarantined=3, levels=[stock_pb.StockLevel(quarantined=2)])
    )
    movement = wire.movement_from_wire(
        stock_pb.Movement(
            kind=stock_pb.MOVEMENT_KIND_QUARANTINE, quarantined_delta=2, quarantined_after=3
        )
    )

    assert (info.quarantined, info.levels[0].quarantined) == (3, 2)
    assert movement.kind is MovementKind.QUARANTINE
    assert (movement.quarantined_delta, movement.quarantined_after) == (2, 3)


def test_the_sync_face_ships_and_takes_back_too(network: Network) -> None:
    network.answer("ShipOrder", order(3))
    network.answer("CloseReturn", returned())

    with HoldfastSync(network.address, network.address, deadline_s=5.0) as client:
        shipped, closed = client.orders.ship("o-1"), client.orders.close_return("r-1")

    assert_type(shipped, Order)
    assert_type(closed, Return)
    assert (shipped.version, closed) == (3, RETURNED)
