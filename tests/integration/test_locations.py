"""Where stock is: every location has one spelling, in both modes."""

import asyncio
from typing import Any

from grpc import StatusCode

from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from tests.integration.conftest import CALL_S_MAX, Refusal, RunningHoldfast, refusal
from tests.integration.test_inventory_api import adjust, adjusting, set_level, setting


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
