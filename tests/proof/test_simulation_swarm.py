"""The plans that seeds draw, and the clocks and ids of simulated machines."""

from datetime import timedelta
from random import Random

from proof.simulation.clock import EPOCH, SimulatedClock
from proof.simulation.fault_rates import PARTNERS_FAIL
from proof.simulation.loop import SimulatedLoop
from proof.simulation.rabbitmq_faults import RATES
from proof.simulation.swarm import CONSTANTS, KINDS, drawn
from proof.simulation.world import places

SEEDS = range(1, 301)


def test_a_seed_always_draws_the_same_plan() -> None:
    assert drawn(4711) == drawn(4711)


def test_every_fault_is_drawn_by_some_seed_and_missing_in_another() -> None:
    plans = [{*plan.deeds, *plan.rates, *plan.rabbitmq_kinds} for plan in map(drawn, SEEDS)]
    kinds = {*KINDS, *RATES, PARTNERS_FAIL} - {"lost_queues_per_min"}

    assert set[str]().union(*plans) == kinds
    assert not set(kinds).intersection(*plans)


def test_every_topology_is_drawn() -> None:
    drawn_places = {tuple(name for name, _ in places(drawn(seed))) for seed in SEEDS}

    # Embedded; and 1 to 3 instances of each service, with up to 2 Notifiers.
    assert len(drawn_places) == 1 + 3 * 3 * 3


def test_every_value_of_every_constant_is_drawn() -> None:
    seen = [set(values) for values in zip(*(drawn(seed).constants for seed in SEEDS), strict=True)]

    assert seen == [set(values) for values in CONSTANTS.values()]


def test_a_plan_can_do_without_a_kind_of_fault() -> None:
    plan = drawn(7)
    kinds = [*plan.deeds, *plan.rates, *plan.rabbitmq_kinds]

    for kind in kinds:
        smaller = plan.without(kind)
        assert [*smaller.deeds, *smaller.rates, *smaller.rabbitmq_kinds] == [
            one for one in kinds if one != kind
        ]


def test_a_clock_may_be_wrong_and_ids_are_in_its_order() -> None:
    clock = SimulatedClock(SimulatedLoop(Random(1)), Random(1))
    before = clock.new_id()
    clock.wrong_s = 60

    assert clock.now() == EPOCH + timedelta(minutes=1)
    assert clock.new_id() > before
