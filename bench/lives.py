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
is the answer, which is the whole order, or the whole return.
"""

from dataclasses import replace
from random import Random

from bench.beside import PLACED_VERSION, Kind, beside_create_order
from bench.figures import Result
from bench.generator import Job
from bench.ledger import on_postgresql, units_booked
from bench.load import BATCH, UNARY_CALLERS, OrdersLost, Run, batches, loaded, place_orders
from bench.scenarios import Bench
from bench.steps import STEPS, UNITS
from bench.testbed import Testbed

FLOOR, AIM = 0.6, 1.0


def scenario_15(bench: Bench) -> Result:
    """Whole lives: two shipments and a return, a call a step, beside CreateOrder, 64 callers."""
    lives = Kind(
        name="lives",
        title="two shipments and a return, five steps",
        unit="settled steps/s",
        call="a step",
        each="a step",
        floor=FLOOR,
        aim=AIM,
        prepare=ready_to_live,
        run=see_through,
    )
    result = Result(15, f"cluster, whole lives, {UNARY_CALLERS} callers")
    return beside_create_order(bench, result, lives)


def ready_to_live(testbed: Testbed, rate: float, seconds: float) -> Job:
    """Place orders by batches, and return what sees each of them through.

    :param rate: of unary CreateOrder: that many steps are taken in so many seconds, at the same
        rate.
    """
    needed = -(-int(rate * seconds) // (len(STEPS) * BATCH))
    place_orders(testbed, replace(batches(0.0), requests=needed, quantity=UNITS))
    testbed.ledger.wait_until_quiet()
    found = on_postgresql(testbed.ledger).newest_confirmed(PLACED_VERSION, needed * BATCH)
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
    ledger = on_postgresql(testbed.ledger)
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
