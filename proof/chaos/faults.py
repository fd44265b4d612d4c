"""Every kind of fault that a campaign may draw from, by its name."""

from collections.abc import Collection, Mapping
from random import Random

from proof.chaos import broker_faults, database_faults, service_faults, wire_faults
from proof.chaos.fault import Fault
from proof.chaos.testbed import Testbed

KINDS: Mapping[str, type[Fault]] = {
    kind.name: kind
    for family in (service_faults, broker_faults, database_faults, wire_faults)
    for kind in family.KINDS
}


def impossible(testbed: Testbed) -> dict[str, str]:
    """The kinds that can't be made on this machine, each with the reason."""
    reasons = {name: kind.why_impossible(testbed) for name, kind in KINDS.items()}
    return {name: reason for name, reason in reasons.items() if reason}


def draw(testbed: Testbed, chance: Random, kinds: Collection[str] | None = None) -> Fault:
    """Choose a kind that can be made here, and let it choose its target and how long it lasts.

    :param kinds: of these; of all, if None.
    """
    possible = sorted((KINDS.keys() if kinds is None else set(kinds)) - impossible(testbed).keys())
    return KINDS[chance.choice(possible)](testbed, chance)
