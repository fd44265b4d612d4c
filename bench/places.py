"""Scenario 14: orders over ten locations by the fewest shipments, beside one location.

Each product is at three of ten locations, and at no other: an order of three products finds its
stock at one, two or three of them. The others of the ten have none of it, and are looked at all the
same. Both kinds of orders go by batches, each on services of their own.
"""

import asyncio

import uvloop
from google.protobuf.field_mask_pb2 import FieldMask
from grpc import aio

from bench.figures import Result, figure
from bench.load import Run, batches, place_orders
from bench.progress import say
from bench.scenarios import WARM_UP_S, Bench, cost, rate_of, settled, told_cpu, with_costs
from bench.testbed import CALL_S_MAX, Testbed
from bench.workload import ON_HAND, PRODUCTS, product_id
from holdfast.contracts.inventory.v1 import inventory_pb2, inventory_pb2_grpc
from testbed.keys import keyed

LOCATIONS = 10
SPREAD = 3  # locations of each product
BATCH_MAX = 1_000
FLOOR, AIM = 0.7, 0.9


def scenario_14(bench: Bench) -> Result:
    """Orders over ten locations, FEWEST_SHIPMENTS, by batches, beside one location."""
    seconds = bench.options.seconds
    runs: dict[str, list[Run]] = {"one": [], "ten": []}
    for kind, found in runs.items():
        with bench.servers.cluster() as testbed:
            if kind == "ten":
                uvloop.run(_spread(testbed))
            say(f"warming up, {kind}")
            place_orders(testbed, batches(WARM_UP_S, fewest=kind == "ten"))
            for number in range(1, bench.options.rounds + 1):
                bench.look_at_baseline()
                say(f"round {number} of {bench.options.rounds}: {kind}")
                bench.servers.settle_down()
                run = place_orders(testbed, batches(seconds, fewest=kind == "ten"))
                say(f"  {run.rate:,.0f} settled orders/s; {told_cpu([run])}")
                found.append(run)
    result = Result(14, "cluster, ten locations, FEWEST_SHIPMENTS, batches")
    result.figures = [
        figure(
            "FEWEST_SHIPMENTS over ten locations",
            [run.rate for run in runs["ten"]],
            "settled orders/s",
            to=rate_of(runs["one"]),
            floor=FLOOR,
            aim=AIM,
            ratio_of="one location",
        ),
        settled("one location", runs["one"]),
        cost("FEWEST_SHIPMENTS over ten locations", runs["ten"], bench),
        cost("one location", runs["one"], bench),
    ]
    return with_costs(result, runs)


async def _spread(testbed: Testbed) -> None:
    """Put every product at three of ten locations; `main` gives nothing any more."""
    async with keyed(aio.insecure_channel(testbed.inventory)) as channel:
        stub = inventory_pb2_grpc.InventoryServiceStub(channel)
        for number in range(LOCATIONS):
            request = inventory_pb2.CreateLocationRequest(
                location=inventory_pb2.Location(location_id=_location(number), priority=number)
            )
            await stub.CreateLocation(request, timeout=CALL_S_MAX)
        supply = [
            inventory_pb2.UpdateStockRequest(
                product_id=product_id(number),
                location_id=_location((number * (step + 1) + step) % LOCATIONS),
                quantity=ON_HAND,
            )
            for number in range(1, PRODUCTS + 1)
            for step in range(SPREAD)
        ]
        batches_ = [supply[at : at + BATCH_MAX] for at in range(0, len(supply), BATCH_MAX)]
        await asyncio.gather(
            *(
                stub.BatchUpdateStock(
                    inventory_pb2.BatchUpdateStockRequest(requests=some), timeout=CALL_S_MAX
                )
                for some in batches_
            )
        )
        main = inventory_pb2.Location(location_id="main", version=1, active=False)
        await stub.UpdateLocation(
            inventory_pb2.UpdateLocationRequest(
                location=main, update_mask=FieldMask(paths=["active"])
            ),
            timeout=CALL_S_MAX,
        )


def _location(number: int) -> str:
    return f"place-{number:02d}"
