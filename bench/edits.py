"""Scenario 12: edits of confirmed orders beside orders that are placed.

Every edit gives an order of three lines a fourth, of another product: Inventory is asked, as it is
for an order. Every order is edited once, so as many as may be needed are placed by batches before
each run, outside of what is measured.

Neither kind is sent with `wait`. CreateOrder answers once the order is durable, and whether it is
CONFIRMED follows; UpdateOrder answers once the edit is durable, and whether it is APPLIED follows.
Neither caller needs to know the outcome to go on, as who pays does in scenario 10, so both have
their next call under way meanwhile: same callers, same promise at the answer, and both rates count
until nothing waits for Inventory. With `wait` on both, what was compared would be the length of two
trips through the broker; with `wait` on edits only, a promise with a weaker one. Latency is that of
the call, up to its answer. What stays unequal is UpdateOrder's: its answer is the whole order, read
after the commit.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from bench.beside import PLACED_VERSION, Kind, beside_create_order
from bench.figures import Result
from bench.generator import Job
from bench.ledger import on_postgresql
from bench.load import BATCH, UNARY_CALLERS, OrdersLost, Run, batches, loaded, place_orders
from bench.scenarios import Bench
from bench.testbed import Testbed
from bench.workload import PRODUCTS, product_id
from holdfast.contracts.orders.v1 import orders_pb2

UPDATE = "/holdfast.orders.v1.OrderService/UpdateOrder"
ROOM = 1.5  # so many times the rate of placing has orders enough; beyond, a run ends early
FLOOR, AIM = 0.6, 0.9


def scenario_12(bench: Bench) -> Result:
    """Edits of confirmed orders, three lines to four, beside CreateOrder, 64 callers."""
    edits = Kind(
        name="edits",
        title="UpdateOrder, three lines to four",
        unit="applied edits/s",
        call="UpdateOrder",
        each="an edit",
        floor=FLOOR,
        aim=AIM,
        prepare=ready,
        run=edit_orders,
    )
    result = Result(12, f"cluster, edits of confirmed orders, {UNARY_CALLERS} callers")
    return beside_create_order(bench, result, edits)


def ready(testbed: Testbed, rate: float, seconds: float) -> Job:
    """Place orders by batches, and return what edits each of them once.

    :param rate: of unary CreateOrder, which tells how many edits there may be.
    """
    needed = -(-int(ROOM * rate * seconds) // BATCH)
    place_orders(testbed, replace(batches(0.0), requests=needed))
    testbed.ledger.wait_until_quiet()
    orders = on_postgresql(testbed.ledger).newest_confirmed(PLACED_VERSION, needed * BATCH)
    dice = Random(1)
    dice.shuffle(orders)  # who edits does not go by the order of placing
    return Job(
        target=testbed.orders,
        method=UPDATE,
        callers=UNARY_CALLERS,
        seconds=seconds,
        requests=len(orders),
        payloads=tuple(edit(*order, dice).hex() for order in orders),
        channels=testbed.channels,
    )


def edit(order_id: str, products: Sequence[str], dice: Random) -> bytes:
    """The UpdateOrderRequest that leaves an order's lines as they are and adds one."""
    request = orders_pb2.UpdateOrderRequest(order_id=order_id, version=PLACED_VERSION)
    request.update_mask.paths.append("lines")
    for line_no, product in enumerate(products, 1):
        request.lines.add(line_no=line_no, product_id=product, quantity=1)
    while (another := product_id(dice.randint(1, PRODUCTS))) in products:
        pass
    request.lines.add(product_id=another, quantity=1)
    return request.SerializeToString()


def edit_orders(testbed: Testbed, job: Job) -> Run:
    """Edit orders and wait until the last edit has its answer; only those that are APPLIED count.

    :raises OrdersLost: an edit that was answered is not, or one is REFUSED.
    """
    before = on_postgresql(testbed.ledger).edit_states()
    outcome, answered_at, meter = loaded(testbed, job)
    after = on_postgresql(testbed.ledger).edit_states()
    applied = after.get("APPLIED", 0) - before.get("APPLIED", 0)
    if applied < outcome.items or sum(after.values()) - sum(before.values()) != applied:
        raise OrdersLost(f"answered {outcome.items}, applied {applied}; {before} became {after}")
    took_s = answered_at - outcome.started
    return Run(outcome, applied, took_s, meter.cpu_ms(applied), meter.cores, meter.others)
