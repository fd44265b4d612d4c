"""Transfers in both modes: units leave once, come once, and what does not come is in the ledger."""

import asyncio
from datetime import UTC, datetime

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.contracts.orders.v1 import orders_pb2
from holdfast.verification import verify
from tests.integration.conftest import CALL_S_MAX, RunningHoldfast, create, line, refusal


async def sound(holdfast: RunningHoldfast) -> None:
    report = await verify(holdfast.databases["orders"], holdfast.databases["inventory"])
    assert report.ok, report.contradictions


def sending(
    units: dict[str, int], request_id: str = "t-1", origin: str = "shop", target: str = "main"
) -> pb.CreateTransferRequest:
    lines = [pb.TransferUnits(product_id=name, quantity=n) for name, n in units.items()]
    return pb.CreateTransferRequest(
        origin=origin, target=target, lines=lines, request_id=request_id, reference="note 7"
    )


async def send(
    holdfast: RunningHoldfast,
    units: dict[str, int],
    request_id: str = "t-1",
    origin: str = "shop",
    target: str = "main",
) -> pb.Transfer:
    request = sending(units, request_id, origin, target)
    return await holdfast.inventory.CreateTransfer(request, timeout=CALL_S_MAX)


async def receive(
    holdfast: RunningHoldfast, transfer_id: str, units: dict[str, int], request_id: str = "p-1"
) -> pb.Transfer:
    lines = [pb.TransferUnits(product_id=name, quantity=n) for name, n in units.items()]
    request = pb.ReceiveTransferRequest(transfer_id=transfer_id, lines=lines, request_id=request_id)
    return await holdfast.inventory.ReceiveTransfer(request, timeout=CALL_S_MAX)


async def close(holdfast: RunningHoldfast, transfer_id: str) -> pb.Transfer:
    request = pb.CloseTransferRequest(transfer_id=transfer_id)
    return await holdfast.inventory.CloseTransfer(request, timeout=CALL_S_MAX)


async def get(holdfast: RunningHoldfast, transfer_id: str) -> pb.Transfer:
    request = pb.GetTransferRequest(transfer_id=transfer_id)
    return await holdfast.inventory.GetTransfer(request, timeout=CALL_S_MAX)


async def listed(
    holdfast: RunningHoldfast, state: pb.TransferState.ValueType, size: int = 2
) -> list[str]:
    """The ids of all transfers in this state, newest first, page by page."""
    request = pb.ListTransfersRequest(state=state, page_size=size)
    found: list[str] = []
    while True:
        page = await holdfast.inventory.ListTransfers(request, timeout=CALL_S_MAX)
        assert len(page.transfers) <= size
        found += [one.transfer_id for one in page.transfers]
        request.page_token = page.next_page_token
        if not request.page_token:
            return found


async def activity(holdfast: RunningHoldfast, location_id: str, *, active: bool) -> None:
    location = pb.Location(location_id=location_id, version=1, active=active)
    request = pb.UpdateLocationRequest(location=location, update_mask=FieldMask(paths=["active"]))
    await holdfast.inventory.UpdateLocation(request, timeout=CALL_S_MAX)


async def levels(holdfast: RunningHoldfast, product_id: str) -> dict[str, tuple[int, int, int]]:
    """On hand, available and in transit, by location."""
    info = await holdfast.stock(product_id)
    assert info.in_transit == sum(level.in_transit for level in info.levels)
    return {one.location_id: (one.on_hand, one.available, one.in_transit) for one in info.levels}


def units_of(transfer: pb.Transfer) -> list[tuple[str, int, int, int]]:
    return [(one.product_id, one.sent, one.received, one.missing) for one in transfer.lines]


async def everything(holdfast: RunningHoldfast) -> tuple[object, ...]:
    request = pb.ListTransfersRequest(page_size=1_000)
    transfers = await holdfast.inventory.ListTransfers(request, timeout=CALL_S_MAX)
    return *(await holdfast.everything()), list(transfers.transfers)


async def shop(holdfast: RunningHoldfast) -> None:
    """Five lamps and three mugs at the shop, and nothing at main."""
    await holdfast.product("LAMP", {"shop": 5})
    await holdfast.product("MUG")
    await holdfast.set_stock("MUG", 3, "shop")


async def test_units_leave_at_once_and_are_in_transit_until_they_come_or_are_missing(
    holdfast: RunningHoldfast,
) -> None:
    await shop(holdfast)
    expected = datetime(2031, 3, 2, 9, tzinfo=UTC)
    request = sending({"MUG": 2, "LAMP": 4})
    request.expected_time.FromDatetime(expected)

    sent = await holdfast.inventory.CreateTransfer(request, timeout=CALL_S_MAX)
    on_the_way = await levels(holdfast, "LAMP")
    await receive(holdfast, sent.transfer_id, {"LAMP": 1}, "p-1")
    in_part = await receive(holdfast, sent.transfer_id, {"LAMP": 2, "MUG": 2}, "p-2")
    between = await levels(holdfast, "LAMP")
    ended = await close(holdfast, sent.transfer_id)

    assert (sent.origin, sent.target, sent.reference) == ("shop", "main", "note 7")
    assert sent.state == pb.TRANSFER_STATE_IN_TRANSIT
    assert sent.expected_time.ToDatetime(UTC) == expected
    assert not sent.HasField("close_time")
    assert on_the_way == {"main": (0, 0, 4), "shop": (1, 1, 0)}
    assert units_of(in_part) == [("LAMP", 4, 3, 0), ("MUG", 2, 2, 0)]
    assert between == {"main": (3, 3, 1), "shop": (1, 1, 0)}
    assert ended.state == pb.TRANSFER_STATE_CLOSED
    assert units_of(ended) == [("LAMP", 4, 3, 1), ("MUG", 2, 2, 0)]
    assert await levels(holdfast, "LAMP") == {"main": (3, 3, 0), "shop": (1, 1, 0)}
    assert await get(holdfast, sent.transfer_id) == ended
    assert ended.HasField("close_time")
    await sound(holdfast)


async def test_the_ledger_tells_the_way_of_every_unit(holdfast: RunningHoldfast) -> None:
    await shop(holdfast)

    sent = await send(holdfast, {"LAMP": 4})
    await receive(holdfast, sent.transfer_id, {"LAMP": 3})
    await close(holdfast, sent.transfer_id)

    _, *moves = await holdfast.movements("LAMP")
    assert [(one.kind, one.location_id, one.on_hand_delta, one.on_hand_after) for one in moves] == [
        (pb.MOVEMENT_KIND_TRANSFER_OUT, "shop", -4, 1),
        (pb.MOVEMENT_KIND_TRANSFER_IN, "main", 3, 3),
        (pb.MOVEMENT_KIND_TRANSFER_IN, "main", 1, 4),
        (pb.MOVEMENT_KIND_TRANSFER_LOSS, "main", -1, 3),
    ]
    assert {(one.reference, one.reason) for one in moves} == {(sent.transfer_id, "note 7")}
    assert moves[-1].reason_code == pb.STOCK_REASON_LOST
    await sound(holdfast)


async def test_what_is_repeated_is_done_once(holdfast: RunningHoldfast) -> None:
    await shop(holdfast)

    at_once = await asyncio.gather(*(send(holdfast, {"LAMP": 3}) for _ in range(8)))
    transfer_id = at_once[0].transfer_id
    parts = await asyncio.gather(*(receive(holdfast, transfer_id, {"LAMP": 1}) for _ in range(8)))
    ended = await asyncio.gather(*(close(holdfast, transfer_id) for _ in range(8)))
    before = await everything(holdfast)
    late = [
        await send(holdfast, {"LAMP": 3}),
        await receive(holdfast, transfer_id, {"LAMP": 1}),
        await close(holdfast, transfer_id),
    ]

    assert {one.transfer_id for one in at_once} == {transfer_id}
    assert all(units_of(one) == [("LAMP", 3, 1, 0)] for one in parts)
    assert all(one == ended[0] for one in (*ended, *late))
    assert units_of(ended[0]) == [("LAMP", 3, 1, 2)]
    assert await levels(holdfast, "LAMP") == {"main": (1, 1, 0), "shop": (2, 2, 0)}
    assert await everything(holdfast) == before
    await sound(holdfast)


async def test_a_repeat_is_known_where_its_units_or_its_place_are_no_longer_there(
    holdfast: RunningHoldfast,
) -> None:
    await shop(holdfast)
    await holdfast.location("attic")

    all_of_it = await send(holdfast, {"LAMP": 5}, target="attic")
    received = await receive(holdfast, all_of_it.transfer_id, {})
    await activity(holdfast, "attic", active=False)

    assert await send(holdfast, {"LAMP": 5}, target="attic") == received
    assert await receive(holdfast, all_of_it.transfer_id, {}) == received


async def test_all_that_is_still_to_come_is_received_without_naming_it(
    holdfast: RunningHoldfast,
) -> None:
    await shop(holdfast)
    sent = await send(holdfast, {"LAMP": 4, "MUG": 1})
    await receive(holdfast, sent.transfer_id, {"LAMP": 1}, "p-1")

    rest = await receive(holdfast, sent.transfer_id, {}, "p-2")
    again = await receive(holdfast, sent.transfer_id, {}, "p-2")
    as_named = await refusal(receive(holdfast, sent.transfer_id, {"LAMP": 3, "MUG": 1}, "p-2"))
    nothing = await refusal(receive(holdfast, sent.transfer_id, {}, "p-3"))

    assert units_of(rest) == [("LAMP", 4, 4, 0), ("MUG", 1, 1, 0)]
    assert again == rest
    assert rest.state == pb.TRANSFER_STATE_IN_TRANSIT
    assert as_named.reason == "REQUEST_ID_REUSED"
    assert nothing.reason == "NOTHING_TO_RECEIVE"
    await sound(holdfast)


async def test_without_a_request_id_a_repeat_is_one_more(holdfast: RunningHoldfast) -> None:
    await shop(holdfast)

    first, second = [await send(holdfast, {"LAMP": 2}, "") for _ in range(2)]
    for _ in range(2):
        await receive(holdfast, first.transfer_id, {"LAMP": 1}, "")

    assert first.transfer_id < second.transfer_id
    assert await levels(holdfast, "LAMP") == {"main": (2, 2, 2), "shop": (1, 1, 0)}
    await sound(holdfast)


async def test_of_two_who_send_the_last_units_one_does(holdfast: RunningHoldfast) -> None:
    await shop(holdfast)
    await holdfast.location("attic")

    # Each names the products in another order, and goes another way.
    answers = await asyncio.gather(
        send(holdfast, {"LAMP": 5, "MUG": 2}, "t-1"),
        send(holdfast, {"MUG": 2, "LAMP": 5}, "t-2", target="attic"),
        return_exceptions=True,
    )

    (sent,) = [one for one in answers if isinstance(one, pb.Transfer)]
    coming = {"attic": (0, 0, 0), "main": (0, 0, 0), sent.target: (0, 0, 5), "shop": (0, 0, 0)}
    seen = await levels(holdfast, "LAMP")
    assert seen == {place: coming[place] for place in seen}
    assert seen[sent.target] == (0, 0, 5)
    assert await listed(holdfast, pb.TRANSFER_STATE_UNSPECIFIED) == [sent.transfer_id]
    await sound(holdfast)


async def test_of_parts_that_come_at_once_each_counts(holdfast: RunningHoldfast) -> None:
    await shop(holdfast)
    sent = await send(holdfast, {"LAMP": 4, "MUG": 1})
    parts = [{"LAMP": 1}, {"LAMP": 2}, {"MUG": 1}, {"LAMP": 1}]

    await asyncio.gather(
        *(
            receive(holdfast, sent.transfer_id, units, f"p-{number}")
            for number, units in enumerate(parts)
        )
    )

    came = await get(holdfast, sent.transfer_id)
    assert units_of(came) == [("LAMP", 4, 4, 0), ("MUG", 1, 1, 0)]
    assert await levels(holdfast, "LAMP") == {"main": (4, 4, 0), "shop": (1, 1, 0)}
    await sound(holdfast)


async def test_opposite_transfers_at_once_wait_for_each_other_in_one_order(
    holdfast: RunningHoldfast,
) -> None:
    for name in ("LAMP", "MUG"):
        await holdfast.product(name)
        await holdfast.set_stock(name, 50)
    await holdfast.location("shop")
    for name in ("LAMP", "MUG"):
        await holdfast.set_stock(name, 50, "shop")
    ways = [("shop", "main"), ("main", "shop")] * 6

    async def through(number: int, origin: str, target: str) -> None:
        sent = await send(holdfast, {"MUG": 2, "LAMP": 3}, f"t-{number}", origin, target)
        await receive(holdfast, sent.transfer_id, {"MUG": 1, "LAMP": 3})
        await close(holdfast, sent.transfer_id)

    await asyncio.gather(*(through(number, *way) for number, way in enumerate(ways)))

    assert await levels(holdfast, "LAMP") == {"main": (50, 50, 0), "shop": (50, 50, 0)}
    assert await levels(holdfast, "MUG") == {"main": (44, 44, 0), "shop": (44, 44, 0)}
    await sound(holdfast)


async def test_orders_and_transfers_race_for_the_last_units_and_none_is_given_twice(
    holdfast: RunningHoldfast,
) -> None:
    await shop(holdfast)

    orders = [create(line("LAMP", 1), request_id=f"o-{n}", wait_s=20) for n in range(6)]
    answers = await asyncio.gather(
        *(holdfast.create(order) for order in orders[:3]),
        *(send(holdfast, {"LAMP": 1}, f"t-{n}") for n in range(6)),
        *(holdfast.create(order) for order in orders[3:]),
        return_exceptions=True,
    )
    settled = await holdfast.settled()

    sent = sum(isinstance(one, pb.Transfer) for one in answers)
    held = sum(one.status == orders_pb2.ORDER_STATUS_CONFIRMED for one in settled)
    info = await holdfast.stock("LAMP")
    assert sent + held == 5
    assert (info.on_hand, info.reserved, info.available, info.in_transit) == (held, held, 0, sent)
    await sound(holdfast)


async def test_transfers_are_listed_newest_first_by_state(holdfast: RunningHoldfast) -> None:
    await shop(holdfast)
    sent = [await send(holdfast, {"LAMP": 1, "MUG": 1}, f"t-{n}") for n in range(3)]
    sent += [await send(holdfast, {"LAMP": 1}, f"t-{n}") for n in range(3, 5)]
    ids = [one.transfer_id for one in sent][::-1]
    for one in ids[1:3]:
        await close(holdfast, one)

    assert await listed(holdfast, pb.TRANSFER_STATE_UNSPECIFIED) == ids
    assert await listed(holdfast, pb.TRANSFER_STATE_IN_TRANSIT) == [ids[0], *ids[3:]]
    assert await listed(holdfast, pb.TRANSFER_STATE_CLOSED) == ids[1:3]
    page = await holdfast.inventory.ListTransfers(
        pb.ListTransfersRequest(page_size=1), timeout=CALL_S_MAX
    )
    other_filter = pb.ListTransfersRequest(
        state=pb.TRANSFER_STATE_CLOSED, page_token=page.next_page_token
    )
    found = await refusal(holdfast.inventory.ListTransfers(other_filter, timeout=CALL_S_MAX))
    assert found.fields == ["page_token"]


@pytest.mark.parametrize("view", [pb.STOCK_INFO_VIEW_FULL, pb.STOCK_INFO_VIEW_BASIC])
async def test_units_in_transit_are_nobodys_to_promise(
    holdfast: RunningHoldfast, view: pb.StockInfoView.ValueType
) -> None:
    await shop(holdfast)
    await send(holdfast, {"LAMP": 5})

    request = pb.BatchGetStockInfoRequest(product_ids=["LAMP"], view=view)
    answer = await holdfast.inventory.BatchGetStockInfo(request, timeout=CALL_S_MAX)
    order = await refusal(holdfast.place(line("LAMP", 1)))

    info = answer.results[0].info
    assert (info.on_hand, info.available) == (0, 0)
    assert info.in_transit == (5 if view == pb.STOCK_INFO_VIEW_FULL else 0)
    assert order.reason == "SHORT_OF_STOCK"
