"""The rule about explanations of stock: each number is what is told to make it, at one moment."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from proof.history import Call, Facts
from proof.run_record import RunRecord, Violation
from proof.snapshot import Movement

# Of a level; written down here a second time.
LOOKED_AT, HOLDS, LAST = 1_000, 100, 20


def explanations(record: RunRecord) -> Iterator[Violation]:
    """Part of 11: what is explained of a product is what its ledger was at one movement, which is
    not later than the moment that was asked for, nor older than what the caller knew to be of then.
    """
    by_product = defaultdict[str, dict[str, list[Movement]]](dict)
    for (product_id, location_id), ledger in record.ledgers.items():
        by_product[product_id][location_id] = ledger
    for call in record.calls_of("ExplainStock"):
        product_id = call.request["product_id"]
        if call.outcome == "ok" and call.value is not None:
            for text in _wrong(call, call.value["explained"], by_product[product_id]):
                yield Violation(11, product_id, f"call {call.number} {text}")


def _wrong(
    call: Call, told: Sequence[Facts], ledgers: Mapping[str, Sequence[Movement]]
) -> Iterator[str]:
    newest = max((level["movements"][0] for level in told), default=0)
    if newest < call.request.get("movement_id", 0):
        yield f"was told what was up to {newest}, it had asked for {call.request}"
    for movement in (one for ledger in ledgers.values() for one in ledger):
        if movement.movement_id == newest and movement.moved_at_us > _as_of(call, movement):
            yield f"was told of {movement}, it had asked for {call.request}"
    made = {
        location_id: _explained([one for one in ledger if one.movement_id <= newest])
        for location_id, ledger in ledgers.items()
        if ledger[0].movement_id <= newest
    }
    levels = {level["location_id"]: level for level in told}
    for location_id in sorted(made.keys() | levels.keys()):
        level, then = levels.get(location_id, {}), made.get(location_id, {})
        for name in sorted(then.keys() | level.keys() - {"location_id", "moved_at_us"}):
            if level.get(name) != then.get(name) and not _is_not_known(call, name, level, then):
                yield (
                    f"was told {level.get(name)} as {name} at {location_id}, it was "
                    f"{then.get(name)} after movement {newest}"
                )


def _as_of(call: Call, movement: Movement) -> int:
    return int(call.request.get("as_of_us", movement.moved_at_us))


def _is_not_known(call: Call, name: str, level: Facts, then: Facts) -> bool:
    """Whether nothing is promised: the version of a busy level in the past."""
    long_ago = "as_of_us" in call.request and then.get("version", 0) > LOOKED_AT
    return name == "version" and long_ago and level.get(name) == 0


def _explained(ledger: Sequence[Movement]) -> Facts:
    """What a level's movements, oldest first, make of it."""
    summed = ledger[-LOOKED_AT:]
    sums = defaultdict[str, list[Movement]](list)
    held, changed = Counter[str](), dict[str, None]()
    for movement in ledger:
        if movement.reserved_delta:
            held[movement.order_id] += movement.reserved_delta
    for movement in reversed(summed):
        sums[movement.kind].append(movement)
        if movement.reserved_delta:
            changed.setdefault(movement.order_id)
    holds = [[order_id, held[order_id]] for order_id in changed if held[order_id]]
    return {
        "units": _summed(ledger),
        "version": len(ledger),
        "earlier": _summed(ledger[:-LOOKED_AT]),
        "sums": sorted([kind, len(of_it), *_summed(of_it)] for kind, of_it in sums.items()),
        "holds": holds[:HOLDS],
        "held": [len(holds), sum(units for _, units in holds)],
        "movements": [one.movement_id for one in reversed(ledger[-LAST:])],
    }


def _summed(movements: Sequence[Movement]) -> list[int]:
    """Change of what is on hand, reserved and in quarantine."""
    return [
        sum(one.on_hand_delta for one in movements),
        sum(one.reserved_delta for one in movements),
        sum(one.quarantined_delta for one in movements),
    ]
