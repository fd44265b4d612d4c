"""Where stock is: every location has one spelling, in both modes."""

import asyncio

from grpc import StatusCode

from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from tests.integration.conftest import CALL_S_MAX, Refusal, RunningHoldfast, refusal
from tests.integration.test_inventory_api import adjust, adjusting, set_level, setting


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
    products = [await holdfast.product(f"LAMP-{number}") for number in range(6)]
    requests = [setting(5, product_id) for product_id in products]
    for number, request in enumerate(requests):
        request.location_id = "Annex" if number % 2 else "annex"

    in_one_batch = await holdfast.inventory.BatchUpdateStock(
        pb.BatchUpdateStockRequest(requests=requests[:2]), timeout=CALL_S_MAX
    )
    for request in requests:
        request.location_id = request.location_id.replace("nnex", "TTIC")
    at_once = await asyncio.gather(
        *(set_level(holdfast, request) for request in requests), return_exceptions=True
    )

    assert [result.HasField("error") for result in in_one_batch.results] == [False, True]
    kept = {level.location_id for level in at_once if isinstance(level, pb.StockLevel)}
    assert len(kept) == 1
    assert sum(isinstance(level, pb.StockLevel) for level in at_once) == 3
