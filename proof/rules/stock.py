"""Rules about units: none from nowhere, none lost, none promised twice."""

from collections import Counter
from collections.abc import Iterator, Mapping

from proof.history import Call
from proof.run_record import Place, RunRecord, Violation
from proof.snapshot import Movement


def conservation(record: RunRecord) -> Iterator[Violation]:
    """1. For each product: what callers put in and took out is on hand, and what the reservations
    of orders promise is reserved. Every sample taken on the way held likewise.
    """
    for sample in record.samples:
        for text in sample.contradictions:
            yield Violation(1, "sample", text)
    put_in = Counter[str]()
    for request_id, request in record.snapshot.stock_requests.items():
        put_in[request.product_id] += _recorded_delta(record, request_id)
    promised = Counter[str]()
    for order_id, reservation in record.snapshot.reservations.items():
        if reservation.state == "HELD":
            promised.update(record.demands.get(order_id, {}))
    on_hand, reserved = Counter[str](), Counter[str]()
    for level in record.snapshot.levels:
        on_hand[level.product_id] += level.on_hand
        reserved[level.product_id] += level.reserved
    for product_id in sorted({*put_in, *promised, *on_hand, *reserved}):
        if on_hand[product_id] != put_in[product_id]:
            text = f"{on_hand[product_id]} on hand, callers put in {put_in[product_id]}"
            yield Violation(1, product_id, text)
        if reserved[product_id] != promised[product_id]:
            text = f"{reserved[product_id]} reserved, promised {promised[product_id]}"
            yield Violation(1, product_id, text)


def _recorded_delta(record: RunRecord, request_id: str) -> int:
    """What a recorded request asked for; of several contents the one that moved something."""
    calls = record.stock_changes.get(request_id, [])
    told = [call for call in calls if call.outcome == "ok"]
    unknown = [call for call in calls if call.outcome == "info"]
    deltas = [int(call.request["delta"]) for call in told or unknown or calls]
    request = record.snapshot.stock_requests[request_id]
    ledger = record.ledgers.get((request.product_id, request.location_id), [])
    if 0 < request.version <= len(ledger):
        moved = ledger[request.version - 1].on_hand_delta
        if moved in deltas:
            return moved
    return deltas[0] if deltas else 0


def no_oversell(record: RunRecord) -> Iterator[Violation]:
    """2. No level was ever below zero or promised more than it had, at no movement; and CONFIRMED
    orders hold no more units than callers can have put in.
    """
    for movement in record.snapshot.ledger:
        if not 0 <= movement.reserved_after <= movement.on_hand_after:
            text = (
                f"movement {movement.movement_id} at {movement.location_id} left "
                f"{movement.on_hand_after} on hand, {movement.reserved_after} reserved"
            )
            yield Violation(2, movement.product_id, text)
    for level in record.snapshot.levels:
        if not 0 <= level.reserved <= level.on_hand:
            text = f"{level.on_hand} on hand at {level.location_id}, {level.reserved} reserved"
            yield Violation(2, level.product_id, text)
    confirmed = Counter[str]()
    for order in record.snapshot.orders.values():
        if order.status == "CONFIRMED":
            confirmed.update(record.demands[order.order_id])
    supplied = _supplied_max(record.stock_changes)
    for product_id, units in sorted(confirmed.items()):
        if units > supplied[product_id]:
            text = f"{units} units confirmed, at most {supplied[product_id]} were ever put in"
            yield Violation(2, product_id, text)


def _supplied_max(stock_changes: Mapping[str, list[Call]]) -> Counter[str]:
    """The most that callers can have put in: what was answered, and of the rest what adds."""
    supplied = Counter[str]()
    for calls in stock_changes.values():
        told = [call for call in calls if call.outcome == "ok"]
        unknown = [call for call in calls if call.outcome == "info"]
        if told:
            supplied[told[0].request["product_id"]] += told[0].request["delta"]
        elif unknown:
            most = max(unknown, key=lambda call: int(call.request["delta"]))
            supplied[most.request["product_id"]] += max(0, most.request["delta"])
    return supplied


def stock_phantoms(record: RunRecord) -> Iterator[Violation]:
    """Part of 4: no change of stock that nobody asked for, none whose every call was refused."""
    for request_id, request in record.snapshot.stock_requests.items():
        calls = record.stock_changes.get(request_id, [])
        if not any(call.request["product_id"] == request.product_id for call in calls):
            text = f"{request.product_id} was changed under a request that nobody made"
            yield Violation(4, request_id, text)
        elif all(call.outcome == "fail" for call in calls):
            yield Violation(4, request_id, "every call was refused, the stock changed")


def stock_idempotency(record: RunRecord) -> Iterator[Violation]:
    """Part of 5: a change of stock happens once per request id: one record, one movement unless it
    changes nothing, one answer; other contents under its id are refused.
    """
    moved = dict[tuple[Place, int], Movement]()
    for place, ledger in record.ledgers.items():
        for version, movement in enumerate(ledger, 1):
            if movement.kind in ("RECEIPT", "ADJUSTMENT"):
                moved[place, version] = movement
    for request_id, request in record.snapshot.stock_requests.items():
        delta = _recorded_delta(record, request_id)
        place = request.product_id, request.location_id
        if delta == 0:
            continue
        if (place, request.version) not in moved:
            text = f"no movement of its own made version {request.version} of {place}"
            yield Violation(5, request_id, text)
            continue
        movement = moved.pop((place, request.version))
        if (movement.on_hand_after, movement.reserved_after) != (request.on_hand, request.reserved):
            text = f"recorded {request.on_hand}/{request.reserved}, the ledger has {movement}"
            yield Violation(5, request_id, text)
    for movement in moved.values():
        yield Violation(5, movement.product_id, f"no request explains {movement}")
    for request_id, calls in record.stock_changes.items():
        yield from _answers_to_a_change(record, request_id, calls)


def _answers_to_a_change(
    record: RunRecord, request_id: str, calls: list[Call]
) -> Iterator[Violation]:
    told = [call for call in calls if call.outcome == "ok"]
    if len({(call.request["product_id"], call.request["delta"]) for call in told}) > 1:
        yield Violation(5, request_id, "answered for two contents")
    recorded = record.snapshot.stock_requests.get(request_id)
    for call in told:
        assert call.value is not None, "an `ok` has its answer"
        answer = call.value["on_hand"], call.value["reserved"]
        if recorded and answer != (recorded.on_hand, recorded.reserved):
            text = f"answered {call.value}, recorded {recorded.on_hand}/{recorded.reserved}"
            yield Violation(5, request_id, text)


def ledger_is_level(record: RunRecord) -> Iterator[Violation]:
    """Part of 10: a level is the sum of its movements, its version their number; each movement
    states the sums up to itself and is of the form that its kind has.
    """
    places = {(level.product_id, level.location_id): level for level in record.snapshot.levels}
    for place in sorted(record.ledgers.keys() - places.keys()):
        yield Violation(10, place[0], f"movements at {place[1]}, where there is no level")
    for place, ledger in record.ledgers.items():
        on_hand = reserved = 0
        for movement in ledger:
            on_hand += movement.on_hand_delta
            reserved += movement.reserved_delta
            if (movement.on_hand_after, movement.reserved_after) != (on_hand, reserved):
                yield Violation(10, place[0], f"the sums are {on_hand}/{reserved}: {movement}")
            if not _is_well_formed(movement):
                yield Violation(10, place[0], f"no movement of its kind: {movement}")
    for place, level in places.items():
        ledger = record.ledgers.get(place, [])
        sums = (
            sum(movement.on_hand_delta for movement in ledger),
            sum(movement.reserved_delta for movement in ledger),
            len(ledger),
        )
        if (level.on_hand, level.reserved, level.version) != sums:
            yield Violation(10, place[0], f"the movements make {sums}: {level}")


def _is_well_formed(movement: Movement) -> bool:
    on_hand, reserved = movement.on_hand_delta, movement.reserved_delta
    match movement.kind:
        case "RECEIPT":
            return on_hand > 0 and reserved == 0 and not movement.order_id
        case "ADJUSTMENT":
            return on_hand < 0 and reserved == 0 and not movement.order_id
        case "RESERVATION":
            return on_hand == 0 and reserved > 0 and bool(movement.order_id)
        case "RELEASE":
            return on_hand == 0 and reserved < 0 and bool(movement.order_id)
    return False
