"""The message Sourcing, which both services read and write, as plain values."""

from typing import NamedTuple

from holdfast.chassis.validation import Violations
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb

NAMED_MAX = 100  # locations in one
LOCATION_CHARACTERS_MAX = 64

_PREFIX = "SOURCING_STRATEGY_"
_WITH_LOCATIONS = (pb.SOURCING_STRATEGY_NEAREST, pb.SOURCING_STRATEGY_PINNED)


class PlainSourcing(NamedTuple):
    """Where stock is to come from: a strategy's name, locations for it, whether they share, and
    whether what is not there is refused rather than waited for.
    """

    strategy: str
    location_ids: tuple[str, ...]
    may_split: bool
    in_stock_only: bool


def read(message: pb.Sourcing, violations: Violations, at: str) -> PlainSourcing | None:
    """Read a Sourcing with all its violations; None: by priority, which is the same as none."""
    may_split = message.may_split if message.HasField("may_split") else True
    strategy = message.strategy or pb.SOURCING_STRATEGY_PRIORITY
    if strategy not in pb.SourcingStrategy.values():
        known = ", ".join(name.removeprefix(_PREFIX) for name in pb.SourcingStrategy.keys()[1:])
        violations.add(f"{at}.strategy", f"{strategy} is no strategy; there are {known}")
        return None
    named = tuple(message.location_ids)
    name = pb.SourcingStrategy.Name(strategy).removeprefix(_PREFIX)
    if strategy in _WITH_LOCATIONS:
        violations.size(f"{at}.location_ids", len(named), highest=NAMED_MAX)
        for index, location_id in enumerate(named[:NAMED_MAX]):
            violations.id(
                f"{at}.location_ids[{index}]",
                location_id,
                characters_max=LOCATION_CHARACTERS_MAX,
            )
        if len({*named}) < len(named):
            violations.add(f"{at}.location_ids", "name a location twice")
    elif named:
        violations.add(f"{at}.location_ids", f"must be empty: {name} takes none")
    if name == "PRIORITY" and may_split and not message.in_stock_only:
        return None
    return PlainSourcing(name, named, may_split, message.in_stock_only)


def write(
    message: pb.Sourcing,
    strategy: str,
    location_ids: tuple[str, ...],
    may_split: bool,
    in_stock_only: bool,
) -> None:
    """Write a Sourcing in place."""
    message.strategy = pb.SourcingStrategy.Value(f"{_PREFIX}{strategy}")
    message.location_ids.extend(location_ids)
    message.may_split = may_split
    message.in_stock_only = in_stock_only
