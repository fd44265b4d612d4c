"""Rules about units: none from nowhere, none lost, none promised twice."""

from collections import Counter
from collections.abc import Iterator

from proof.goods import units_by_product
from proof.history import Call
from proof.run_record import Place, RunRecord, Violation
from proof.snapshot import Movement, StockRequest

BY_ITSELF = ("RECEIPT", "ADJUSTMENT", "QUARANTINE", "UNQUARANTINE")
# What a kind may do to (on hand, reserved, quarantined), as signs, and whether an order causes it.
# Written down here a second time: who shares a mistake cannot find it. What may happen to a book
# that was wrong is not among it: here nothing was ever restored.
SHAPES: dict[str, frozenset[tuple[int, int, int, bool]]] = {
    "RECEIPT": frozenset({(1, 0, 0, False)}),
    "ADJUSTMENT": frozenset({(-1, 0, 0, False)}),
    "RESERVATION": frozenset({(0, 1, 0, True)}),
    "RELEASE": frozenset({(0, -1, 0, True)}),
    "SHIPMENT": frozenset({(-1, -1, 0, True)}),
    "RETURN": frozenset({(1, 0, 0, True), (1, 0, 1, True)}),
    "WRITE_OFF": frozenset({(-1, 0, 0, True), (-1, 0, -1, False)}),
    "QUARANTINE": frozenset({(0, 0, 1, False)}),
    "UNQUARANTINE": frozenset({(0, 0, -1, False)}),
    "TRANSFER_OUT": frozenset({(-1, 0, 0, False)}),
    "TRANSFER_IN": frozenset({(1, 0, 0, False)}),
    "TRANSFER_LOSS": frozenset({(-1, 0, 0, False)}),
}
# Of an order that ships what gave way while it was told: units are found, and leave unpromised.
OF_WHAT_GAVE_WAY = {"ADJUSTMENT": (1, 0, 0, True), "SHIPMENT": (-1, 0, 0, True)}
LEFT_OR_PROMISED = ("CONFIRMED", "PARTIALLY_SHIPPED", "SHIPPED")

Deltas = tuple[int, int]  # of what is on hand, and of what is in quarantine


def is_by_itself(movement: Movement) -> bool:
    """Whether somebody changed stock, and no order did."""
    return movement.kind in (*BY_ITSELF, "WRITE_OFF") and not movement.order_id


def conservation(record: RunRecord) -> Iterator[Violation]:
    """1. For each product: what callers put in and took out is on hand, less what left, is on its
    way to another location or did not come there, and with what came back; what the reservations of
    orders promise is reserved; what callers and returns put aside is in quarantine. Every sample
    taken on the way held likewise.
    """
    for sample in record.samples:
        for text in sample.contradictions:
            yield Violation(1, "sample", text)
    put_in, aside = Counter[str](), Counter[str]()
    for request_id, request in record.snapshot.stock_requests.items():
        on_hand_delta, quarantined_delta = _recorded_deltas(record, request_id)
        put_in[request.product_id] += on_hand_delta
        aside[request.product_id] += quarantined_delta
    put_in.update(_found_again(record))
    for order in record.snapshot.orders.values():
        for item in order.shipped:
            put_in[item.product_id] -= item.units
        for item in order.received:
            put_in[item.product_id] += item.units if item.disposition != "WRITE_OFF" else 0
            aside[item.product_id] += item.units if item.disposition == "QUARANTINE" else 0
    for transfer in record.snapshot.transfers.values():
        for line in transfer.lines:
            put_in[line.product_id] -= line.sent - line.received
    promised = Counter[str]()
    for order_id, reservation in record.snapshot.reservations.items():
        if reservation.state == "HELD":
            promised.update(record.to_hold.get(order_id, {}))
            promised.subtract(reservation.waits)
    on_hand, reserved, quarantined = Counter[str](), Counter[str](), Counter[str]()
    for level in record.snapshot.levels:
        on_hand[level.product_id] += level.on_hand
        reserved[level.product_id] += level.reserved
        quarantined[level.product_id] += level.quarantined
    for product_id in sorted({*put_in, *aside, *promised, *on_hand, *reserved}):
        if on_hand[product_id] != put_in[product_id]:
            text = f"{on_hand[product_id]} on hand, callers put in {put_in[product_id]}"
            yield Violation(1, product_id, text)
        if reserved[product_id] != promised[product_id]:
            text = f"{reserved[product_id]} reserved, promised {promised[product_id]}"
            yield Violation(1, product_id, text)
        if quarantined[product_id] != aside[product_id]:
            text = f"{quarantined[product_id]} in quarantine, put aside {aside[product_id]}"
            yield Violation(1, product_id, text)


def _found_again(record: RunRecord) -> Counter[str]:
    """Units that left although they had been counted as gone: they gave way while the shipment was
    on its way to Inventory.
    """
    found = Counter[str]()
    for movement in record.snapshot.ledger:
        if movement.kind == "ADJUSTMENT" and record.gave_way(movement.order_id):
            found[movement.product_id] += movement.on_hand_delta
    return found


def _deltas(call: Call) -> Deltas:
    """What a call asks for."""
    asked = call.request
    match call.method:
        case "QuarantineStock":
            return 0, asked["quantity"]
        case "ReleaseQuarantine":
            return -asked["quantity"] if asked["write_off"] else 0, -asked["quantity"]
    return int(asked["delta"]), 0


def _recorded_deltas(record: RunRecord, request_id: str) -> Deltas:
    """What a recorded request asked for; of several contents the one that moved something."""
    if request_id in record.set_by:
        return record.set_by[request_id], 0
    calls = record.stock_changes.get(request_id, [])
    told = [call for call in calls if call.outcome == "ok"]
    unknown = [call for call in calls if call.outcome == "info"]
    deltas = [_deltas(call) for call in told or unknown or calls]
    request = record.snapshot.stock_requests[request_id]
    ledger = record.ledgers.get((request.product_id, request.location_id), [])
    if 0 < request.version <= len(ledger):
        movement = ledger[request.version - 1]
        moved = movement.on_hand_delta, movement.quarantined_delta
        if moved in deltas:
            return moved
    return deltas[0] if deltas else (0, 0)


def no_oversell(record: RunRecord) -> Iterator[Violation]:
    """2. No level was ever below zero, or had more promised and put aside than it had, at no
    movement, and no promise took what its product keeps back there; and orders that are promised
    stock, or got it, have no more units than callers can have put in, and got back.
    """
    for movement in record.snapshot.ledger:
        if not _is_covered(*movement[6:8], movement.quarantined_after):
            text = (
                f"movement {movement.movement_id} at {movement.location_id} left "
                f"{movement.on_hand_after} on hand, {movement.reserved_after} reserved, "
                f"{movement.quarantined_after} in quarantine"
            )
            yield Violation(2, movement.product_id, text)
        kept_back = record.kept_back(movement.product_id)
        if movement.kind == "RESERVATION" and _free_after(movement) < kept_back:
            text = f"movement {movement.movement_id} left {_free_after(movement)} free there"
            yield Violation(2, movement.product_id, text)
    for level in record.snapshot.levels:
        if not _is_covered(level.on_hand, level.reserved, level.quarantined):
            yield Violation(2, level.product_id, f"never so: {level}")
    confirmed = Counter[str]()
    supplied = _supplied_max(record)
    supplied.update(_found_again(record))
    for order in record.snapshot.orders.values():
        if order.status in LEFT_OR_PROMISED:
            confirmed.update(record.demands[order.order_id])
            confirmed.subtract(record.waits(order.order_id))
            supplied.update(units_by_product(order.received))
    for product_id, units in sorted(confirmed.items()):
        if units > supplied[product_id]:
            text = f"{units} units confirmed, at most {supplied[product_id]} were ever put in"
            yield Violation(2, product_id, text)


def _is_covered(on_hand: int, reserved: int, quarantined: int) -> bool:
    return min(reserved, quarantined) >= 0 and reserved + quarantined <= on_hand


def _free_after(movement: Movement) -> int:
    return movement.on_hand_after - movement.reserved_after - movement.quarantined_after


def _supplied_max(record: RunRecord) -> Counter[str]:
    """The most that callers can have put in: what was answered, and of the rest what adds; by
    setting a level, what its movement says.
    """
    supplied = Counter[str]()
    for request_id, units in record.set_by.items():
        supplied[record.snapshot.stock_requests[request_id].product_id] += units
    for calls in record.stock_changes.values():
        if calls[0].method == "SetStock":
            continue
        told = [call for call in calls if call.outcome == "ok"]
        unknown = [call for call in calls if call.outcome == "info"]
        if told:
            supplied[told[0].request["product_id"]] += _deltas(told[0])[0]
        elif unknown:
            most = max(unknown, key=_deltas)
            supplied[most.request["product_id"]] += max(0, _deltas(most)[0])
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
            if is_by_itself(movement):
                moved[place, version] = movement
    for request_id, request in record.snapshot.stock_requests.items():
        place = request.product_id, request.location_id
        if _recorded_deltas(record, request_id) == (0, 0):
            continue
        if (place, request.version) not in moved:
            text = f"no movement of its own made version {request.version} of {place}"
            yield Violation(5, request_id, text)
            continue
        movement = moved.pop((place, request.version))
        if (*movement[6:8], movement.quarantined_after) != _units(request):
            text = f"recorded {_units(request)}, the ledger has {movement}"
            yield Violation(5, request_id, text)
    for movement in moved.values():
        yield Violation(5, movement.product_id, f"no request explains {movement}")
    for request_id, calls in record.stock_changes.items():
        yield from _answers_to_a_change(record, request_id, calls)


def _answers_to_a_change(
    record: RunRecord, request_id: str, calls: list[Call]
) -> Iterator[Violation]:
    told = [call for call in calls if call.outcome == "ok"]
    if len({(call.request["product_id"], _place(call), *_contents(call)) for call in told}) > 1:
        yield Violation(5, request_id, "answered for two contents")
    recorded = record.snapshot.stock_requests.get(request_id)
    for call in told:
        assert call.value is not None, "an `ok` has its answer"
        answer = *(call.value[name] for name in ("on_hand", "reserved")), _aside(call)
        if recorded and call.request.get("quantity") != recorded.on_hand and _sets(call):
            yield Violation(5, request_id, f"asked for {call.request}, recorded {recorded}")
        if recorded and answer != _units(recorded):
            yield Violation(5, request_id, f"answered {call.value}, recorded {_units(recorded)}")


def _sets(call: Call) -> bool:
    return call.method == "SetStock"


def _contents(call: Call) -> Deltas:
    return (call.request["quantity"], 0) if _sets(call) else _deltas(call)


def _units(request: StockRequest) -> tuple[int, int, int]:
    return request.on_hand, request.reserved, request.quarantined


def _aside(call: Call) -> int:
    """What a call was told to be in quarantine."""
    return int((call.value or {}).get("quarantined", 0))


def _place(call: Call) -> str:
    return str(call.request.get("location_id", "main"))


def ledger_is_level(record: RunRecord) -> Iterator[Violation]:
    """Part of 10: a level is the sum of its movements, its version their number; each movement
    states the sums up to itself and is of the form that its kind has.
    """
    places = {(level.product_id, level.location_id): level for level in record.snapshot.levels}
    for place in sorted(record.ledgers.keys() - places.keys()):
        yield Violation(10, place[0], f"movements at {place[1]}, where there is no level")
    for place, ledger in record.ledgers.items():
        sums: tuple[int, ...] = (0, 0, 0)
        for movement in ledger:
            deltas = *movement[4:6], movement.quarantined_delta
            sums = tuple(map(sum, zip(sums, deltas, strict=True)))
            if (*movement[6:8], movement.quarantined_after) != sums:
                yield Violation(10, place[0], f"the sums are {sums}: {movement}")
            shape = *map(_sign, deltas), bool(movement.order_id)
            late = OF_WHAT_GAVE_WAY if record.gave_way(movement.order_id) else {}
            if shape not in SHAPES.get(movement.kind, ()) and shape != late.get(movement.kind):
                yield Violation(10, place[0], f"no movement of its kind: {movement}")
    for place, level in places.items():
        ledger = record.ledgers.get(place, [])
        made = (
            sum(movement.on_hand_delta for movement in ledger),
            sum(movement.reserved_delta for movement in ledger),
            len(ledger),
            sum(movement.quarantined_delta for movement in ledger),
        )
        if level[2:] != made:
            yield Violation(10, place[0], f"the movements make {made}: {level}")


def _sign(delta: int) -> int:
    return (delta > 0) - (delta < 0)
