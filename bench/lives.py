"""Scenario 15: whole lives of orders beside orders that are placed.

A life is five steps, a call each: half of the order's units leave, then the other half; a return of
the half that left first is opened, received and closed. The orders, of three lines with two units
each, are placed by batches before each run, outside of what is measured, and everything begun ends:
as many orders as unary CreateOrder would take calls for, whatever the time they need.

The load generator draws whose step is next (`bench/steps.py`): the steps of one order come in order
with other orders' between them, and all kinds of steps come at the same time. What follows
OpenReturn needs the return's id, which is in its answer; so it is the generator that reads it, and
not a look at the database between passes of one kind each, which would be another load. No caller
waits for another: there are four times as many lives under way as callers. Only at the end, when
nothing new begins, fewer are left than callers, and the rate is a little lower for it.

Neither kind is sent with `wait`. CreateOrder answers once the order is durable, and whether it is
CONFIRMED follows; a shipment and a receipt are durable at the answer, and Inventory books them
shortly after. Both rates count until nothing waits for Inventory. OpenReturn and CloseReturn, two
steps of five, ask it nothing: they are one transaction of Orders and its events. What stays unequal
is the answer, which is the whole order, or the whole return, read after the commit.
"""

from dataclasses import replace
from random import Random

from bench.figures import Figure, Result, figure
from bench.generator import Job
from bench.ledger import PostgresLedger, units_booked
from bench.load import BATCH, UNARY_CALLERS, OrdersLost, Run, batches, loaded, place_orders, unary
from bench.progress import say
from bench.scenarios import (
    WARM_UP_S,
    Bench,
    cost,
    milliseconds,
    rate_of,
    settled,
    told_cpu,
    with_costs,
)
from bench.steps import STEPS, UNITS
from bench.testbed import Testbed

VERSION = 2  # of an order that was placed without a hold and is CONFIRMED
FLOOR, AIM = 0.6, 1.0


def scenario_15(bench: Bench) -> Result:
    """Whole lives: two shipments and a return, a call a step, beside CreateOrder, 64 callers."""
    seconds = bench.options.seconds
    runs: dict[str, list[Run]] = {"plain": [], "lives": []}
    with bench.servers.cluster() as testbed:
        say("warming up")
        plain = place_orders(testbed, unary(WARM_UP_S))
        see_through(testbed, ready_to_live(testbed, plain.rate, WARM_UP_S))
        for number in range(1, bench.options.rounds + 1):
            bench.look_at_baseline()
            say(f"round {number} of {bench.options.rounds}: plain")
            bench.servers.settle_down()
            plain = place_orders(testbed, unary(seconds))
            say(f"  {plain.rate:,.0f} settled orders/s; {told_cpu([plain])}")
            say(f"round {number} of {bench.options.rounds}: lives")
            job = ready_to_live(testbed, plain.rate, seconds)
            bench.servers.settle_down()
            lives = see_through(testbed, job)
            say(f"  {lives.rate:,.0f} settled steps/s; {told_cpu([lives])}")
            runs["plain"].append(plain)
            runs["lives"].append(lives)
    result = Result(15, f"cluster, whole lives, {UNARY_CALLERS} callers")
    result.figures = _figures(bench, **runs)
    return with_costs(result, runs)


def _figures(bench: Bench, plain: list[Run], lives: list[Run]) -> list[Figure]:
    of_plain = {"ratio_of": "CreateOrder"}
    an_order = cost("CreateOrder", plain, bench)
    return [
        figure(
            "two shipments and a return, five steps",
            [run.rate for run in lives],
            "settled steps/s",
            to=rate_of(plain),
            floor=FLOOR,
            aim=AIM,
            **of_plain,
        ),
        settled("CreateOrder", plain),
        figure(
            "a step, all processes",
            [sum(run.cpu_ms.values()) for run in lives],
            "CPU ms a step",
            to=an_order.value,
            **of_plain,
        ),
        an_order,
        *(
            milliseconds(name, share, [run.outcome.latencies_ms for run in some])
            for name, some in (("a step", lives), ("CreateOrder", plain))
            for share in ("p50", "p99")
        ),
    ]


def ready_to_live(testbed: Testbed, rate: float, seconds: float) -> Job:
    """Place orders by batches, and return what sees each of them through.

    :param rate: of unary CreateOrder: that many steps are taken in so many seconds, at the same
        rate.
    """
    needed = -(-int(rate * seconds) // (len(STEPS) * BATCH))
    place_orders(testbed, replace(batches(0.0), requests=needed, quantity=UNITS))
    testbed.ledger.wait_until_quiet()
    found = _ledger(testbed).newest_confirmed(VERSION, needed * BATCH)
    order_ids = sorted(order_id for order_id, _ in found)
    Random(1).shuffle(order_ids)  # whose life begins does not go by the order of placing
    return Job(
        target=testbed.orders,
        method="",
        callers=UNARY_CALLERS,
        lives=tuple(order_ids),
        channels=testbed.channels,
    )


def see_through(testbed: Testbed, job: Job) -> Run:
    """See orders through all steps and wait until Inventory has booked the last; only steps that
    are on record and booked count.

    :raises OrdersLost: a step that was answered is not on record, or units that left or came back
        are not booked.
    """
    ledger = _ledger(testbed)
    before, shipped_before = ledger.steps(), _shipped(testbed)
    outcome, booked_at, meter = loaded(testbed, job)
    after, shipped = ledger.steps(), _shipped(testbed) - shipped_before
    steps = sum(after.values()) - sum(before.values())
    whole = not outcome.errors
    if steps < outcome.items or (whole and (steps, shipped) != (outcome.items, len(job.lives))):
        raise OrdersLost(
            f"answered {outcome.items} steps, {shipped} orders SHIPPED; {before} became {after}"
        )
    told, booked = ledger.units_told(), units_booked(testbed.urls["inventory"])
    if told != booked:
        raise OrdersLost(f"Orders has {told} on record, Inventory has booked {booked}")
    took_s = booked_at - outcome.started
    return Run(outcome, steps, took_s, meter.cpu_ms(steps), meter.cores, meter.others)


def _shipped(testbed: Testbed) -> int:
    return testbed.ledger.statuses().get("SHIPPED", 0)


def _ledger(testbed: Testbed) -> PostgresLedger:
    assert isinstance(testbed.ledger, PostgresLedger), "a cluster is on PostgreSQL"
    return testbed.ledger
