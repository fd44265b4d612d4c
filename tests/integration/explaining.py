"""What ExplainStock tells, and what plain Python makes of the same movements."""

from collections import defaultdict
from collections.abc import Iterable

from google.protobuf.timestamp_pb2 import Timestamp

from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from tests.integration.conftest import (
    CALL_S_MAX,
    RunningHoldfast,
)

Numbers = tuple[int, int, int]  # on hand, reserved, quarantined


async def explained(
    holdfast: RunningHoldfast,
    product_id: str = "LAMP",
    location_id: str = "",
    as_of: Timestamp | None = None,
    *,
    page_size: int = 0,
) -> list[pb.ExplainedLevel]:
    request = pb.ExplainStockRequest(
        product_id=product_id, location_id=location_id, as_of=as_of, page_size=page_size
    )
    found: list[pb.ExplainedLevel] = []
    while True:
        answer = await holdfast.inventory.ExplainStock(request, timeout=CALL_S_MAX)
        assert answer.product_id == product_id
        found += answer.levels
        request.page_token = answer.next_page_token
        if not request.page_token:
            return found


def numbers(level: pb.StockLevel) -> Numbers:
    return level.on_hand, level.reserved, level.quarantined


def replayed(movements: Iterable[pb.Movement], product_id: str) -> list[pb.ExplainedLevel]:
    """What plain Python makes of all movements up to a moment, oldest first."""
    by_location = defaultdict[str, list[pb.Movement]](list)
    for movement in movements:
        if movement.product_id == product_id:
            by_location[movement.location_id].append(movement)
    found = []
    for location_id, own in sorted(by_location.items()):
        level = pb.ExplainedLevel(earlier=pb.StockLevel(), movements=own[:-21:-1])
        level.level.location_id, level.level.version = location_id, len(own)
        held: dict[str, int] = {}
        changed: dict[str, pb.Movement] = {}
        kinds: dict[int, pb.MovementSum] = {}
        for move in own:
            level.level.on_hand += move.on_hand_delta
            level.level.reserved += move.reserved_delta
            level.level.quarantined += move.quarantined_delta
            one = kinds.setdefault(move.kind, pb.MovementSum(kind=move.kind))
            one.movements += 1
            one.on_hand += move.on_hand_delta
            one.reserved += move.reserved_delta
            one.quarantined += move.quarantined_delta
            if move.reserved_delta:
                held[move.order_id] = held.get(move.order_id, 0) + move.reserved_delta
                changed[move.order_id] = move
        level.level.available = level.level.on_hand - level.level.reserved - level.level.quarantined
        level.sums.extend(kinds[kind] for kind in sorted(kinds))
        for order_id, last in sorted(changed.items(), key=lambda item: -item[1].movement_id):
            if held[order_id]:
                level.hold_orders += 1
                level.hold_units += held[order_id]
                level.holds.add(
                    order_id=order_id, quantity=held[order_id], change_time=last.create_time
                )
        del level.holds[100:]
        found.append(level)
    return found


async def agrees_with_a_replay(holdfast: RunningHoldfast, product_id: str) -> None:
    """At every moment at which anything moved, and now."""
    movements = await holdfast.movements()
    assert movements
    for at in {move.create_time.ToNanoseconds(): move.create_time for move in movements}.values():
        until = [
            move for move in movements if move.create_time.ToNanoseconds() <= at.ToNanoseconds()
        ]
        assert await explained(holdfast, product_id, as_of=at) == replayed(until, product_id)
    assert await explained(holdfast, product_id) == replayed(movements, product_id)
