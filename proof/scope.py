"""All that can happen to a few orders, explored whole over the real rules of both services.

Orders tells Inventory, under a rising revision, all that an order wants of stock, with what has
left and what came back, and Inventory answers with all that it holds. The network here is a *set*
of every message ever sent: each may be delivered at any moment, in any order and any number of
times. From every state two ends are tried as well: all messages are delivered until nothing changes
any more; and all messages are lost, and Orders asks again what it has no answer to, the newest
question of an order only. In every state units must be conserved and no more promised than there
is; in every end both services must agree and no order may be stuck.

`python -m proof.scope` explores every scope and says how many states each has.
"""

import sys
import time
from collections import deque

from holdfast.orders.domain.ordering.sourcing import BY_PRIORITY, Sourcing, Strategy
from proof.scope_promises import judge_end, judge_moment
from proof.scope_queue import served, stock_acts
from proof.scope_steps import acts, deliver, without_answers
from proof.scope_world import Scope, Violated, World

ROUNDS_MAX = 60  # of delivering everything, until nothing changes

# The largest come last: most of what is wrong shows in a small one, and is found there at once.
SCOPES = {
    "two orders for the last unit": Scope((1, 1), {"main": 1}),
    "two orders over two locations": Scope((2, 2), {"main": 1, "annex": 2}),
    "an order that can't be filled": Scope((3,), {"main": 1, "annex": 1}),
    "an order that is edited and edited again": Scope(
        (1,), {"main": 1, "annex": 1}, edits=(1, 2, 3), edits_max=3
    ),
    "two orders, edited, for two units": Scope((1, 1), {"main": 2}, expires=False, edits=(2,)),
    "three orders for two units": Scope((1, 2, 1), {"main": 2}, expires=False),
}

TWO_PLACES = {"main": 2, "annex": 1}  # an order for two is held in both
FROM_MAIN = Sourcing(Strategy.PINNED, ("main",))
GOODS = {
    "an order that leaves in parts": Scope((2,), TWO_PLACES, expires=False, shipments_max=2),
    "an order that leaves and comes back": Scope(
        (1,), {"main": 1, "annex": 0}, shipments_max=1, receipts_max=1, returned_to="annex"
    ),
    "an order that comes back in parts": Scope(
        (2,), TWO_PLACES, expires=False, shipments_max=2, receipts_max=2
    ),
    "shipments and edits": Scope(
        (2,), TWO_PLACES, expires=False, edits=(1, 3), edits_max=2, shipments_max=2
    ),
    "shipments and edits that move what is held": Scope(
        (2,),
        TWO_PLACES,
        expires=False,
        edits=(2, 3),
        edits_max=2,
        sourcings=(BY_PRIORITY, FROM_MAIN),
        shipments_max=2,
    ),
    "shipments, a receipt and an edit": Scope(
        (2,), TWO_PLACES, expires=False, edits=(1, 3), shipments_max=2, receipts_max=1
    ),
    "what comes back is promised to another": Scope(
        (1, 1), {"main": 1, "annex": 0}, expires=False, shipments_max=1, receipts_max=1
    ),
}
QUEUES = {
    "an order that waits for a receipt": Scope((2,), {"main": 1}, waits_max=1, supply=1),
    "more wait than may": Scope(
        (1, 2), {"main": 0}, expires=False, cancels=(0,), waits_max=2, supply=1
    ),
    "a promised unit is lost while it leaves": Scope(
        (2,), {"main": 2}, expires=False, shipments_max=2, supply=1, losses_max=1
    ),
    "what waits is to come from elsewhere": Scope(
        (1,),
        {"annex": 1, "main": 0},
        expires=False,
        edits=(1,),
        edits_max=2,
        sourcings=(BY_PRIORITY, FROM_MAIN),
        waits_max=1,
    ),
    "what is held moves beside a queue": Scope(
        (2, 2),
        TWO_PLACES,
        expires=False,
        edits=(2,),
        cancels=(),
        sourcings=(BY_PRIORITY, FROM_MAIN),
        waits_max=3,
    ),
    "what waits leaves in parts": Scope(
        (2,), {"main": 1}, expires=False, edits=(1, 3), shipments_max=2, waits_max=1, supply=1
    ),
    "one waits, one is edited, a receipt comes": Scope(
        (1, 2), {"main": 1}, expires=False, edits=(1,), cancels=(0,), waits_max=2, supply=1
    ),
    "two wait, a unit is lost": Scope(
        (1, 1), {"main": 1}, expires=False, cancels=(0,), waits_max=1, losses_max=1, supply=1
    ),
}
LONG_QUEUES = {
    "two orders wait, one is edited": Scope(
        (1, 2), {"main": 1}, expires=False, edits=(1, 2), waits_max=2, supply=1
    ),
    "two orders wait, a receipt comes, a unit is lost": Scope(
        (1, 1), {"main": 1}, waits_max=2, supply=1, losses_max=1
    ),
    "two orders for four wait": Scope((1, 2), {"main": 0}, expires=False, waits_max=2, supply=2),
}
LONG = {
    "shipments and edits of two orders": Scope(
        (2, 1), TWO_PLACES, expires=False, edits=(1, 2), shipments_max=1
    ),
    "three shipments and two edits": Scope(
        (3,), {"main": 2, "annex": 2}, expires=False, edits=(1, 2, 4), edits_max=2, shipments_max=3
    ),
    "shipments, receipts and an edit": Scope(
        (2,), TWO_PLACES, expires=False, edits=(1, 3), shipments_max=2, receipts_max=2
    ),
    "shipments, receipts and edits of two orders": Scope(
        (2, 1),
        TWO_PLACES,
        expires=False,
        edits=(2,),
        cancels=(0,),
        shipments_max=1,
        receipts_max=1,
    ),
}


def explore(scope: Scope) -> int:
    """Visit every state; how many there are.

    :raises Violated: a promise is broken.
    """
    start = scope.start()
    seen, waiting, ended = {start}, deque([start]), set[World]()
    while waiting:
        world = waiting.popleft()
        judge_moment(world, scope)
        for begun in (world, without_answers(world)):
            if begun not in ended:  # many worlds are the same without their messages
                ended.add(begun)
                judge_end(_delivered(begun), scope)
        steps = [deliver(world, message) for message in world.network]
        for after in (*steps, *acts(world, scope), *stock_acts(world, scope)):
            if after is not world and after not in seen:
                seen.add(after)
                waiting.append(after)
    return len(seen)


def _delivered(world: World) -> World:
    """Everything is delivered, also what is sent meanwhile, and the queue is served, until nothing
    changes any more.
    """
    for _ in range(ROUNDS_MAX):
        before = world
        for message in sorted(world.network, key=lambda one: one.turn):
            world = deliver(world, message)
        if world.queue.is_due:
            world = served(world)
        if world == before:
            return world
    raise Violated("repeats go on having effects", world)


def main() -> int:
    """Explore every scope; 0 if no promise is broken."""
    total = 0
    for name, scope in (SCOPES | GOODS | QUEUES | LONG | LONG_QUEUES).items():
        began = time.monotonic()
        states = explore(scope)
        total += states
        took = f"{time.monotonic() - began:.1f} s"
        print(f"{name}: {states:,} states in {took}, every promise kept, answers lost or not")
    print(f"{total:,} states in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
