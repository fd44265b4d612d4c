"""What an order holds, in parts: sums and differences, without any stock."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from holdfast.inventory.domain.stock.levels import HeldStock, LevelKey, Short
from holdfast.inventory.domain.stock.sourcing import SourcingReason


def first_of(held: Iterable[HeldStock], units: int) -> list[HeldStock]:
    """So many units of what is held, the first ones."""
    parts = []
    for part in held:
        taken = min(part.quantity, units)
        if taken > 0:
            parts.append(part._replace(quantity=taken))
            units -= taken
    return parts


def with_kept(short: Short, kept: Mapping[str, int]) -> Short:
    """The same, where units count that the order has and keeps."""
    return Short(
        tuple(
            replace(
                one,
                wanted=one.wanted + kept.get(one.product_id, 0),
                available=one.available + kept.get(one.product_id, 0),
            )
            for one in short.shortages
        )
    )


def differences(
    held: Iterable[HeldStock], found: Iterable[HeldStock]
) -> tuple[list[HeldStock], list[HeldStock]]:
    """What of the one is not in the other: what is given back, and what is taken."""
    before, after = _by_key(held), _by_key(found)
    back = [
        part._replace(quantity=less)
        for key, part in sorted(before.items())
        if (less := part.quantity - (after[key].quantity if key in after else 0)) > 0
    ]
    taken = [
        part._replace(quantity=more)
        for key, part in sorted(after.items())
        if (more := part.quantity - (before[key].quantity if key in before else 0)) > 0
    ]
    return back, taken


def _by_key(parts: Iterable[HeldStock]) -> dict[LevelKey, HeldStock]:
    return {part.key: part for part in parts}


def sum_of(
    held: Iterable[HeldStock], given_back: Iterable[HeldStock], taken: Iterable[HeldStock]
) -> tuple[HeldStock, ...]:
    """What is held in the end, sorted; each part for the reason that it was taken for first."""
    units, reasons = Counter[LevelKey](), dict[LevelKey, SourcingReason]()
    for parts, sign in ((held, 1), (given_back, -1), (taken, 1)):
        for part in parts:
            units[part.key] += sign * part.quantity
            reasons.setdefault(part.key, part.reason)
    return tuple(
        HeldStock(*key, quantity, reasons[key])
        for key, quantity in sorted(units.items())
        if quantity
    )


def without(parts: dict[LevelKey, HeldStock], key: LevelKey, units: int) -> None:
    """Take units off a part, which goes with its last one."""
    part = parts.pop(key)
    if part.quantity > units:
        parts[key] = part._replace(quantity=part.quantity - units)
