"""Where stock is: every location has one spelling, in both modes."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from grpc import StatusCode

from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from tests.integration.conftest import CALL_S_MAX, Refusal, RunningHoldfast, refusal
from tests.integration.test_inventory_api import adjust, adjusting, set_level, setting
from tests.integration.test_shipments import confirmed, ship, shipping

ALIKE = True
UNKNOWN, MISSPELT = "atlantis", "MAIN"


async def created(holdfast: RunningHoldfast, location_id: str, **details: Any) -> pb.Location:
    location = pb.Location(location_id=location_id, **details)
    return await holdfast.inventory.CreateLocation(
        pb.CreateLocationRequest(location=location), timeout=CALL_S_MAX
    )


async def test_a_location_has_one_spelling(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", {"main": 9, "Straße-É": 1})
    before = await holdfast.everything()

    for other, known in (("Main", "main"), ("MAIN", "main"), ("STRASSE-é", "Straße-É")):
        setting_there, adjusting_there = setting(5), adjusting(5)
        setting_there.location_id = adjusting_there.location_id = other
        batch = pb.BatchUpdateStockRequest(requests=[setting_there])
        moves = pb.ListMovementsRequest(location_id=other)
        answer = await holdfast.inventory.BatchUpdateStock(batch, timeout=CALL_S_MAX)
        for found in (
            await refusal(set_level(holdfast, setting_there)),
            await refusal(adjust(holdfast, adjusting_there)),
            await refusal(holdfast.inventory.ListMovements(moves, timeout=CALL_S_MAX)),
            await refusal(created(holdfast, other)),
            Refusal.of(answer.results[0].error),
        ):
            assert (found.code, found.reason) == (
                StatusCode.FAILED_PRECONDITION,
                "LOCATION_SPELLED_OTHERWISE",
            )
            assert found.facts == {"location_id": known}
            assert known in found.message

    assert await holdfast.everything() == before


async def test_of_two_spellings_at_once_one_is_kept(holdfast: RunningHoldfast) -> None:
    at_once = await asyncio.gather(
        *(created(holdfast, name) for name in ("Attic", "attic", "ATTIC") * 2),
        return_exceptions=True,
    )

    kept = {one.location_id for one in at_once if isinstance(one, pb.Location)}
    assert len(kept) == 1
    assert sum(isinstance(one, pb.Location) for one in at_once) == 2  # one, and its repeat
    listed = await holdfast.inventory.ListLocations(pb.ListLocationsRequest(), timeout=CALL_S_MAX)
    assert {one.location_id for one in listed.locations} == {"main", *kept}


def stock_calls(location_id: str) -> Iterator[Message]:
    """All that can be done with stock at a place."""
    level: Any = {"product_id": "LAMP", "location_id": location_id}
    units = level | {"quantity": 1, "reason": "odd"}
    yield pb.UpdateStockRequest(**level, quantity=1)
    yield pb.AdjustStockRequest(**level, delta=1, reason="odd")
    yield pb.QuarantineStockRequest(**units)
    yield pb.ReleaseQuarantineRequest(**units)
    yield pb.ReleaseQuarantineRequest(**units, write_off=True)


async def refused(holdfast: RunningHoldfast, request: Message) -> Refusal:
    call = getattr(holdfast.inventory, type(request).__name__.removesuffix("Request"))
    return await refusal(call(request, timeout=CALL_S_MAX))


def names_the_place(found: Refusal, location_id: str) -> bool:
    """Whether a refusal says which place is none, or how it is written."""
    if location_id == UNKNOWN:
        return (found.code, found.missing) == (StatusCode.NOT_FOUND, [("location", UNKNOWN)])
    if found.code is not StatusCode.FAILED_PRECONDITION:
        return False
    named = found.reason, found.facts
    return named == ("LOCATION_SPELLED_OTHERWISE", {"location_id": "main"})


@pytest.mark.parametrize("location_id", [UNKNOWN, MISSPELT])
async def test_no_stock_is_at_a_place_that_is_none_or_written_otherwise(
    holdfast: RunningHoldfast, location_id: str
) -> None:
    await holdfast.product("LAMP", 9)
    aside = pb.QuarantineStockRequest(product_id="LAMP", quantity=2, reason="odd")
    await holdfast.inventory.QuarantineStock(aside, timeout=CALL_S_MAX)
    one = pb.UpdateStockRequest(product_id="LAMP", location_id=location_id, quantity=1)
    before = await holdfast.everything()

    batch = pb.BatchUpdateStockRequest(requests=[one])
    answer = await holdfast.inventory.BatchUpdateStock(batch, timeout=CALL_S_MAX)
    alone = [await refused(holdfast, request) for request in stock_calls(location_id)]

    for found in (Refusal.of(answer.results[0].error), *alone):
        assert names_the_place(found, location_id), found
    assert await holdfast.everything() == before


@pytest.mark.parametrize("location_id", [UNKNOWN, MISSPELT])
async def test_no_place_is_changed_by_the_name_of_none_or_written_otherwise(
    holdfast: RunningHoldfast, location_id: str
) -> None:
    request = pb.UpdateLocationRequest(
        location=pb.Location(location_id=location_id, name="ours", version=1),
        update_mask=FieldMask(paths=["name"]),
    )

    found = await refused(holdfast, request)

    listed = await holdfast.inventory.ListLocations(pb.ListLocationsRequest(), timeout=CALL_S_MAX)
    assert [(one.location_id, one.name, one.version) for one in listed.locations] == [
        ("main", "", 1)
    ]
    assert names_the_place(found, location_id), found


async def test_nothing_leaves_from_a_place_that_is_none(holdfast: RunningHoldfast) -> None:
    order = await confirmed(holdfast)
    before = await holdfast.everything()

    all_there = await refusal(ship(holdfast, shipping(order, at=UNKNOWN)))
    one_there = await refusal(ship(holdfast, shipping(order, (1, 1, ""), at=UNKNOWN)))

    for found, reason in ((all_there, "NOTHING_TO_SHIP"), (one_there, "NOT_HELD_THERE")):
        assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, reason)
        assert UNKNOWN in found.message
    held = {"held:main": "2", "held:shop": "1"}
    assert one_there.facts == {"product_id": "LAMP", "wanted": "1"} | held
    assert await holdfast.everything() == before
