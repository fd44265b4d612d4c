"""Rules about goods: what left and came is asked for, kept, booked once, and never too much."""

from collections import Counter
from collections.abc import Iterable, Iterator

from proof.goods import Receipt, Return, Shipment, units_by_line
from proof.history import Call
from proof.questions import questions_of
from proof.rules.orders import refused_repeats
from proof.run_record import RunRecord, Violation
from proof.snapshot import RECEIPT, Order

RETURNING = ("OpenReturn", "ReceiveReturn", "CloseReturn")


def no_lost_goods(record: RunRecord) -> Iterator[Violation]:
    """Part of 3: whoever was told that goods left, may come back or came finds it so, once and with
    what was asked for; a return that was told to be closed is.
    """
    for method in ("ShipOrder", "UpdateShipment", *RETURNING):
        for call in record.calls_of(method):
            order = record.snapshot.orders.get(call.request["order_id"])
            if call.outcome != "ok" or order is None:
                continue
            if not _is_kept(order, call, is_compared=record.is_compared(order, call)):
                text = f"call {call.number} was told of {call.request}, which is not recorded"
                yield Violation(3, order.order_id, text)


def _is_kept(order: Order, call: Call, *, is_compared: bool) -> bool:
    asked = call.request
    match call.method:
        case "ShipOrder":
            named = [one for one in order.shipments if one.shipment_id == asked["shipment_id"]]
            return len(named) == 1 and _is_as_shipped(named[0], call)
        case "UpdateShipment":
            named = [one for one in order.shipments if one.shipment_id == asked["shipment_id"]]
            delivered = any(one.is_delivered for one in named) or not asked["delivered"]
            return len(named) == 1 and bool(named[0].tracking_number) and delivered
    told = (call.value or {})["return_id"]
    returns = [one for one in order.returns if one.return_id == told]
    if len(returns) != 1:
        return False
    match call.method:
        case "OpenReturn":
            return not is_compared or _is_as_opened(returns[0], call)
        case "ReceiveReturn":
            parcels = [one for to in order.returns for one in to.receipts]
            named_so = [one for one in parcels if one.request_id == asked["request_id"]]
            mine = named_so == [one for one in named_so if one in returns[0].receipts]
            return len(named_so) == 1 and mine and _is_as_received(named_so[0], call)
    return returns[0].is_closed


def _is_as_shipped(shipment: Shipment, call: Call) -> bool:
    """Whether a shipment is what a call asked for; where it left matters if the call says so."""
    asked = call.request
    if not asked["items"]:
        at = asked["location_id"]
        return bool(shipment.items) and (not at or all(i.location_id == at for i in shipment.items))
    wanted = Counter[tuple[int, str]]()
    for line_no, units, location_id in asked["items"]:
        wanted[line_no, location_id or asked["location_id"]] += units
    anywhere = {line_no for line_no, location_id in wanted if not location_id}
    left = Counter[tuple[int, str]]()
    for item in shipment.items:
        left[item.line_no, "" if item.line_no in anywhere else item.location_id] += item.units
    return left == wanted


def _is_as_opened(one: Return, call: Call) -> bool:
    lines = sorted((line_no, units) for line_no, units in call.request["lines"])
    mine = sorted((line_no, units) for line_no, _, units in one.lines)
    return one.request_id == call.request["request_id"] and lines == mine


def _is_as_received(receipt: Receipt, call: Call) -> bool:
    came = sorted((i.line_no, i.units, i.disposition, i.location_id) for i in receipt.items)
    return came == sorted(tuple(line) for line in call.request["lines"])


def no_phantom_goods(record: RunRecord) -> Iterator[Violation]:
    """Part of 4: all that left, may come back or came was asked for, by a call with these contents
    that was not refused; and so was what is known of how it travels, and the end of a return.
    """
    for order in record.snapshot.orders.values():
        for text in _phantoms(record, order):
            yield Violation(4, order.order_id, text)


def _phantoms(record: RunRecord, order: Order) -> Iterator[str]:
    def asked(method: str, **ids: str) -> list[Call]:
        wanted = {"order_id": order.order_id, **ids}.items()
        return [
            call
            for call in record.calls_of(method)
            if call.outcome != "fail" and wanted <= call.request.items()
        ]

    for shipment in order.shipments:
        ids = {"shipment_id": shipment.shipment_id}
        if not any(_is_as_shipped(shipment, call) for call in asked("ShipOrder", **ids)):
            yield f"nobody asked for {shipment}, or was refused"
        updates = asked("UpdateShipment", **ids)
        told = {"", *(call.request["tracking_number"] for call in updates)}
        arrived = any(call.request["delivered"] for call in updates)
        if shipment.tracking_number not in told or shipment.is_delivered > arrived:
            yield f"nobody told so of {shipment}"
    for one in order.returns:
        opened = asked("OpenReturn", request_id=one.request_id)
        if not any(_is_as_opened(one, call) for call in opened):
            yield f"nobody asked for {one}, or was refused"
        if one.is_closed and not asked("CloseReturn", return_id=one.return_id):
            yield f"nobody closed {one}"
        for receipt in one.receipts:
            ids = {"return_id": one.return_id, "request_id": receipt.request_id}
            if not any(_is_as_received(receipt, call) for call in asked("ReceiveReturn", **ids)):
                yield f"nobody received {receipt}, or was refused"


def goods_idempotency(record: RunRecord) -> Iterator[Violation]:
    """Part of 5: a shipment, a return or a receipt is made once per id: all who were told of it
    asked for the same and were told of the same, and a repeat is not refused once its first try was
    answered.
    """
    ids = {"ShipOrder": "shipment_id", "OpenReturn": "request_id", "ReceiveReturn": "request_id"}
    for method, name in ids.items():
        groups: dict[tuple[str, str], list[Call]] = {}
        for call in record.calls_of(method):
            groups.setdefault((call.request["order_id"], call.request[name]), []).append(call)
        for key, calls in groups.items():
            told = [call for call in calls if call.outcome == "ok"]
            order = record.snapshot.orders.get(key[0])
            compared = [
                call
                for call in told
                if order is None or method != "OpenReturn" or record.is_compared(order, call)
            ]
            if any(call.request != compared[0].request for call in compared):
                yield Violation(5, key[0], f"{method} {key[1]} was answered for two contents")
            if len({(call.value or {}).get("return_id") for call in told}) > 1:
                yield Violation(5, key[0], f"{method} {key[1]} was answered with two returns")
            yield from refused_repeats(calls, told, f"{method} {key}")


def booked_once(record: RunRecord) -> Iterator[Violation]:
    """Part of 6: Inventory has booked each shipment and each receipt of every order, once: what its
    ledger has of them is what Orders recorded, product by product and place by place.
    """
    snapshot = record.snapshot
    known = set[tuple[str, str]]()
    for order_id, order in snapshot.orders.items():
        known |= {(order_id, one.shipment_id) for one in order.shipments}
        receipts = [one for to in order.returns for one in to.receipts]
        known |= {(order_id, RECEIPT + one.request_id) for one in receipts}
        booked = Counter[tuple[str, ...]]()
        for m in record.moved.get(order_id, []):
            if m.kind in ("SHIPMENT", "RETURN", "WRITE_OFF"):
                place = m.kind, m.reference, m.product_id, m.location_id
                booked[place] += abs(m.on_hand_delta)
                booked["QUARANTINE", *place[1:]] += m.quarantined_delta
        due = _due_of_goods(order.shipments, receipts)
        if +booked != +due:
            text = (
                f"Inventory has not booked once what left and came: {booked - due}, {due - booked}"
            )
            yield Violation(6, order_id, text)
    for order_id, fact in sorted(known ^ snapshot.booked):
        is_known = (order_id, fact) in known
        text = f"{fact.strip()} is {'not booked' if is_known else 'booked, and Orders has it not'}"
        yield Violation(6, order_id, text)


def _due_of_goods(
    shipments: Iterable[Shipment], receipts: Iterable[Receipt]
) -> Counter[tuple[str, ...]]:
    due = Counter[tuple[str, ...]]()
    for shipment in shipments:
        for item in shipment.items:
            place = shipment.shipment_id, item.product_id, item.location_id
            due["SHIPMENT", *place] += item.units
    for receipt in receipts:
        for item in receipt.items:
            place = receipt.request_id, item.product_id, item.location_id
            due["RETURN", *place] += item.units
            if item.disposition != "RESTOCK":
                due[item.disposition, *place] += item.units
    return due


def goods_books(record: RunRecord) -> Iterator[Violation]:
    """Part of 10: no line has had more leave than it has, or more come back than left; an open
    return counts with all that may come, a closed one with what came; no return got more than was
    to come. The status follows from what left, the history tells of all of it, and each question to
    Inventory was spent on one of these changes. What is pinned or must not be split left so.
    """
    for order in record.snapshot.orders.values():
        for text in (*_too_much(order), *_told(order), *_left_elsewhere(order)):
            yield Violation(10, order.order_id, text)


def _too_much(order: Order) -> Iterator[str]:
    shipped = units_by_line(order.shipped)
    lines = {line.line_no: line for line in order.lines}
    for item in (*order.shipped, *order.received):
        if item.line_no not in lines or lines[item.line_no].product_id != item.product_id:
            yield f"it has no line of {item}"
    for line_no, units in shipped.items():
        if line_no in lines and units > lines[line_no].quantity:
            yield f"{units} units of line {line_no} left, it has {lines[line_no].quantity}"
    claimed = Counter[int]()
    for one in order.returns:
        claimed.update(one.claimed)
        coming = Counter({line_no: units for line_no, _, units in one.lines})
        if not one.lines or one.received - coming:
            yield f"more came than was to come: {one}"
    if claimed - shipped:
        yield f"{claimed} may come back or came, {shipped} left"
    if order.shipped:
        ordered = sum(line.quantity for line in order.lines)
        follows = "SHIPPED" if shipped.total() == ordered else "PARTIALLY_SHIPPED"
    else:
        follows = "" if order.status in ("PARTIALLY_SHIPPED", "SHIPPED") else order.status
    if order.status != follows:
        yield f"it is {order.status}, by what left it is {follows or 'none of these'}"


def _told(order: Order) -> Iterator[str]:
    """What the history has to tell, and the questions that it spent."""
    questions = {question.version: question.revision for question in questions_of(order)}
    if len(questions) != order.asked:
        yield f"it has asked {order.asked}, its history has {len(questions)} questions"
    actions = {now.version: (now.action, now.status) for now in order.history}
    rest = order.rest.ended_version if order.rest else None
    left = [
        version
        for version, (action, status) in actions.items()
        if action == "SHIPPED" or (not action and status in ("PARTIALLY_SHIPPED", "SHIPPED"))
        if version != rest
    ]
    receipts = [one for to in order.returns for one in to.receipts]
    closed = [one for one in order.returns if one.is_closed]
    made = {
        "left": (left, [one.version for one in order.shipments]),
        "opened": (_at(actions, "RETURN_OPENED"), [one.version for one in order.returns]),
        "received": (_at(actions, "RETURN_RECEIVED"), sorted(one.version for one in receipts)),
    }
    for what, (told, recorded) in made.items():
        if told != recorded:
            yield f"its history has {what} at versions {told}, recorded are {recorded}"
    if len(_at(actions, "RETURN_CLOSED")) != len(closed):
        yield f"its history has other ends of returns than {closed}"
    facts: list[Shipment | Receipt] = [*order.shipments, *receipts]
    for fact in facts:
        if not fact.items or fact.revision != questions.get(fact.version):
            yield f"question {questions.get(fact.version)} told of {fact}"


def _at(actions: dict[int, tuple[str, str]], action: str) -> list[int]:
    return [version for version, (done, _) in actions.items() if done == action]


def _left_elsewhere(order: Order) -> Iterator[str]:
    for shipment in order.shipments:
        sourcing = order.edition_at(shipment.version).sourcing
        places = {item.location_id for item in shipment.items}
        if sourcing.strategy == "PINNED" and not places <= {*sourcing.location_ids}:
            yield f"it is pinned to {sourcing.location_ids}, and left {places}"
        if not sourcing.may_split and len(places) > 1:
            yield f"it must not be split, and left {places} at once"
