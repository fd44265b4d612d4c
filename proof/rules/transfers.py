"""Rules about transfers: units leave once and come once, and are in transit in between."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from proof.history import Call, Facts
from proof.rules.orders import refused_repeats
from proof.rules.reads import Telling, going_back
from proof.run_record import Place, RunRecord, Violation
from proof.snapshot import Movement
from proof.transfers import Transfer, TransferReceipt

CHANGING = ("CreateTransfer", "ReceiveTransfer", "CloseTransfer")
Units = Mapping[str, int]  # by product


def no_lost_transfer(record: RunRecord) -> Iterator[Violation]:
    """Part of 3: whoever was told that units were sent or came finds it so, once and with what was
    asked for; a transfer that was told to be closed is.
    """
    for method in CHANGING:
        for call in record.calls_of(method):
            if call.outcome == "ok" and not _is_kept(record.snapshot.transfers, call):
                text = f"call {call.number} was told of {call.request}, which is not recorded"
                yield Violation(3, _told_id(call), text)


def _is_kept(transfers: Mapping[str, Transfer], call: Call) -> bool:
    one = transfers.get(_told_id(call))
    if one is None:
        return False
    match call.method:
        case "CreateTransfer":
            return _is_as_sent(one, call)
        case "ReceiveTransfer":
            return any(_is_as_received(receipt, call) for receipt in one.receipts)
    return one.is_closed


def _told_id(call: Call) -> str:
    return str((call.value or {})["transfer_id"])


def _units(asked: Facts) -> Units:
    return dict(asked["units"])


def _is_as_sent(one: Transfer, call: Call) -> bool:
    asked = call.request
    made_of = one.request_id, one.origin, one.target, one.sent
    return made_of == (asked["request_id"], asked["origin"], asked["target"], _units(asked))


def _is_as_received(receipt: TransferReceipt, call: Call) -> bool:
    """Whether a receipt is what a call asked for; no units are all that was still to come."""
    asked = _units(call.request)
    if receipt.request_id != call.request["request_id"] or receipt.is_rest == bool(asked):
        return False
    return dict(receipt.units) == asked if asked else bool(receipt.units)


def no_phantom_transfer(record: RunRecord) -> Iterator[Violation]:
    """Part of 4: what was sent, came or was closed was asked for, with these contents, by a call
    that was not refused.
    """

    def asked(method: str, **ids: str) -> list[Call]:
        calls = (call for call in record.calls_of(method) if call.outcome != "fail")
        return [call for call in calls if ids.items() <= call.request.items()]

    for one in record.snapshot.transfers.values():
        mine = {"transfer_id": one.transfer_id}
        if not any(_is_as_sent(one, call) for call in asked("CreateTransfer")):
            yield Violation(4, one.transfer_id, f"nobody sent {one}, or was refused")
        if one.is_closed and not asked("CloseTransfer", **mine):
            yield Violation(4, one.transfer_id, f"nobody closed {one}, or was refused")
        for receipt in one.receipts:
            if not any(_is_as_received(receipt, call) for call in asked("ReceiveTransfer", **mine)):
                text = f"nobody received {receipt}, or was refused"
                yield Violation(4, one.transfer_id, text)


def transfer_idempotency(record: RunRecord) -> Iterator[Violation]:
    """Part of 5: under a request id there is one transfer, and one receipt of it; all who were told
    of it asked for the same and were told of the same, and a repeat is not refused once its first
    try was answered.
    """
    made = Counter(one.request_id for one in record.snapshot.transfers.values())
    for request_id, times in made.items():
        if times > 1:
            yield Violation(5, request_id, f"{times} transfers were made under it")
    for method in CHANGING:
        groups = defaultdict[tuple[str, str], list[Call]](list)
        for call in record.calls_of(method):
            asked = call.request
            groups[asked.get("transfer_id", ""), asked.get("request_id", "")].append(call)
        for key, calls in groups.items():
            subject = " ".join(filter(None, key))
            told = [call for call in calls if call.outcome == "ok"]
            if any(call.request != told[0].request for call in told):
                yield Violation(5, subject, f"{method} was answered for two contents")
            if len({_told_id(call) for call in told}) > 1:
                yield Violation(5, subject, f"{method} was answered with two transfers")
            yield from refused_repeats(calls, told, f"{method} {subject}")


def transfer_books(record: RunRecord) -> Iterator[Violation]:
    """Part of 10: of each line what came is what its receipts say, and never more than was sent;
    what had not come when it was closed is missing, and nothing is before. The ledger has all of it
    once, where it left and where it came; a unit that is missing comes and is lost at once.
    """
    moved = defaultdict[str, Counter[tuple[str, ...]]](Counter)
    for movement in record.transferred:
        units = abs(movement.on_hand_delta)
        place = movement.kind, movement.product_id, movement.location_id
        moved[movement.reference][place] += units
    transfers = record.snapshot.transfers
    for transfer_id in sorted(moved.keys() - transfers.keys()):
        yield Violation(10, transfer_id, "units moved for a transfer that is not there")
    for transfer_id, one in transfers.items():
        for text in _wrong_lines(one):
            yield Violation(10, transfer_id, text)
        due = _due_of(one)
        if +moved[transfer_id] != +due:
            text = f"its ledger has {moved[transfer_id] - due} too much, {due - moved[transfer_id]}"
            yield Violation(10, transfer_id, f"{text} too little")
    for ledger in record.ledgers.values():
        for at, movement in enumerate(ledger):
            if movement.kind == "TRANSFER_LOSS" and not _is_lost_by(ledger[at - 1], movement):
                text = f"lost without having come: {movement}"
                yield Violation(10, movement.reference, text)


def _wrong_lines(one: Transfer) -> Iterator[str]:
    came = Counter[str]()
    for receipt in one.receipts:
        came.update(dict(receipt.units))
    if not one.lines or came.keys() - one.sent.keys():
        yield f"other products came than left: {one}"
    for line in one.lines:
        missing = line.sent - line.received if one.is_closed else 0
        if line.received != came[line.product_id] or not 0 <= line.received <= line.sent:
            yield f"{came[line.product_id]} units came by its receipts: {line}"
        if line.missing != missing:
            yield f"{missing} units have to be missing: {line}"


def _due_of(one: Transfer) -> Counter[tuple[str, ...]]:
    due = Counter[tuple[str, ...]]()
    for line in one.lines:
        due["TRANSFER_OUT", line.product_id, one.origin] += line.sent
        due["TRANSFER_IN", line.product_id, one.target] += line.received + line.missing
        due["TRANSFER_LOSS", line.product_id, one.target] += line.missing
    return due


def _is_lost_by(before: Movement, loss: Movement) -> bool:
    """Whether units that did not come stand in a ledger as they have to: right before the loss."""
    came = before.kind, before.reference, before.on_hand_delta
    return came == ("TRANSFER_IN", loss.reference, -loss.on_hand_delta)


def transfers_told(record: RunRecord) -> Iterator[Violation]:
    """Part of 11: a transfer was at some moment as it is told, and later calls tell nothing older;
    so it is with what is told to be in transit to a location.
    """
    lives = _lives(record)
    tellings = defaultdict[str, list[Telling]](list)
    for method in (*CHANGING, "GetTransfer"):
        for call in record.calls_of(method):
            if call.outcome == "ok" and call.value is not None:
                transfer_id = _told_id(call)
                told = call.value["closed"], _sorted(call.value["units"])
                life = lives.get(transfer_id, [])
                at = [moment for moment, then in enumerate(life) if then == told]
                tellings[transfer_id].append(Telling(call, at))
            elif call.code == "NOT_FOUND":
                yield Violation(11, str(call.request), f"call {call.number} did not find it")
    for transfer_id, calls in tellings.items():
        yield from going_back(transfer_id, calls)
    yield from _coming_told(record)


def _sorted(units: Sequence[Sequence[object]]) -> list[tuple[object, ...]]:
    return sorted(tuple(line) for line in units)


def _lives(record: RunRecord) -> Mapping[str, list[object]]:
    """What each transfer was, one state after the other: whether it is closed, and its lines."""
    came = defaultdict[str, list[Movement]](list)
    for movement in record.transferred:
        if movement.kind == "TRANSFER_IN" and movement.movement_id not in record.given_up:
            came[movement.reference].append(movement)
    lives = dict[str, list[object]]()
    for transfer_id, one in record.snapshot.transfers.items():
        received = Counter[str]()
        states: list[object] = [(False, _lines(one, received))]
        for movement in came[transfer_id]:
            received[movement.product_id] += movement.on_hand_delta
            states.append((False, _lines(one, received)))
        if one.is_closed:
            states.append((True, _sorted(one.lines)))
        lives[transfer_id] = states
    return lives


def _lines(one: Transfer, received: Counter[str]) -> list[tuple[object, ...]]:
    """The lines while nothing is missing yet, as callers are told of them."""
    return _sorted([(name, sent, received[name], 0) for name, sent in one.sent.items()])


def _coming_told(record: RunRecord) -> Iterator[Violation]:
    """What was told to be in transit, by product and location; what is not named is none."""
    lives = _coming(record)
    tellings = defaultdict[Place, list[Telling]](list)
    for call in record.calls_of("GetStockInfo"):
        if call.outcome == "ok" and "coming" in (call.value or {}):
            product_id, told = call.request["product_id"], dict((call.value or {})["coming"])
            places = {place for place in lives if place[0] == product_id}
            for place in places | {(product_id, location_id) for location_id in told}:
                life, units = lives.get(place, [0]), told.get(place[1], 0)
                at = [moment for moment, then in enumerate(life) if then == units]
                tellings[place].append(Telling(call, at))
    for (product_id, _), calls in sorted(tellings.items()):
        yield from going_back(product_id, calls)


def _coming(record: RunRecord) -> Mapping[Place, list[int]]:
    """Units in transit by product and the location that they come to, one number after the other:
    what left less what came, or was given up.
    """
    lives = defaultdict[Place, list[int]](lambda: [0])
    for movement in record.transferred:
        one = record.snapshot.transfers.get(movement.reference)
        if one is not None and movement.kind in ("TRANSFER_OUT", "TRANSFER_IN"):
            life = lives[movement.product_id, one.target]
            life.append(life[-1] - movement.on_hand_delta)
    return lives
