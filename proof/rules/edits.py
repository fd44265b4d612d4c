"""Rules about edits: each was asked for, none is half made, and none counts that should not."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from proof.goods import units_by_line
from proof.history import Call
from proof.questions import questions_of
from proof.rules.orders import EDITING, sourcing_of
from proof.run_record import RunRecord, Violation
from proof.snapshot import Edition, Line, Order, goods_minor

NEW = 10**9  # beyond all numbers of lines
SIGNS = {"DISCOUNT": -1, "TAX_INCLUDED": 0}  # of a charge; all others are added


def no_lost_edit(record: RunRecord) -> Iterator[Violation]:
    """Part of 3: whoever was told that an edit is made or asked for finds its edition."""
    for call in _edits(record):
        order = record.snapshot.orders.get(call.request["order_id"])
        if call.outcome != "ok" or order is None:
            continue
        made = any(_is_of(edit, order, call) for edit in order.edits)
        if not made and not _changes_nothing(order, call):
            yield Violation(3, order.order_id, f"call {call.number} was told of {call.request}")


def no_phantom_edit(record: RunRecord) -> Iterator[Violation]:
    """Part of 4: every edition was asked for, by a call for these contents that was not refused."""
    calls = defaultdict[str, list[Call]](list)
    for call in _edits(record):
        calls[call.request["order_id"]].append(call)
    for order in record.snapshot.orders.values():
        for edit in order.edits:
            asked = [call for call in calls[order.order_id] if _is_of(edit, order, call)]
            if edit == order.rest and is_of_rest(edit, order):
                asked += record.cancellings.get(order.order_id, [])
            if all(call.outcome == "fail" for call in asked):
                text = f"nobody asked for edition {edit.number}, or was refused: {edit.lines}"
                yield Violation(4, order.order_id, text)


def _edits(record: RunRecord) -> list[Call]:
    return [call for method in EDITING for call in record.calls_of(method)]


def _is_of(edit: Edition, order: Order, call: Call) -> bool:
    """Whether a call asked for this edition: at the version that it knew, or at the next one, if
    its order was PENDING until then.
    """
    version = call.request["version"]
    if edit.asked_version not in (version + 1, version + 2):
        return False
    before = order.edition_at(edit.asked_version - 1)
    given = [one.lines for one in (order.first, *order.edits) if one.number < edit.number]
    highest = max((line.line_no for lines in given for line in lines), default=0)
    return _is_made(before, edit, call, highest)


def is_of_rest(edit: Edition, order: Order) -> bool:
    """Whether an edition is what had left, and nothing else is new in it."""
    version = edit.asked_version
    before, left = order.edition_at(version - 1), units_by_line(order.shipped_at(version))
    lines = [line._replace(quantity=left[line.line_no]) for line in before.lines]
    return [line for line in lines if line.quantity] == list(edit.lines)


def _changes_nothing(order: Order, call: Call) -> bool:
    version = call.request["version"]
    now = [order.edition_at(at) for at in (version, version + 1)]
    return any(_is_made(one, one, call, NEW) for one in now)


def _is_made(before: Edition, edit: Edition, call: Call, highest: int) -> bool:
    """Whether an edition is the one before it, as the call wants it.

    :param highest: of the numbers that lines of the order had until then.
    """
    known, lines = before.lines, edit.lines
    wanted = sourcing_of(call.request) if "sourcing" in call.request else before.sourcing
    if edit.sourcing != wanted:
        return False
    if call.method == "CancelUnits":
        off = dict(call.request["units"])
        left = [line._replace(quantity=line.quantity - off.get(line.line_no, 0)) for line in known]
        return [line for line in left if line.quantity] == list(lines)
    charges = call.request.get("charges")
    charged = sum(SIGNS.get(kind, 1) * minor for kind, _, minor in charges or ())
    # The known lines keep their numbers and their order, the new ones come after them.
    asked = sorted(call.request["lines"], key=lambda one: one[0] or NEW)
    return (charges is None or charged == edit.charged_minor) and [
        _line(one, before, now, highest) for one, now in zip(asked, lines, strict=False)
    ] == [*lines, *asked[len(lines) :]]


def _line(asked: Sequence[Any], before: Edition, now: Line, highest: int) -> Line:
    """The line that is asked for; what nobody named is as it was, or else as it is."""
    line_no, product_id, quantity, minor = asked
    was = [line for line in before.lines if line.line_no == line_no]
    price = minor or (was[0].unit_price_minor if was else now.unit_price_minor)
    is_new = not line_no and now.line_no > highest
    return Line(product_id, quantity, price, now.line_no if is_new else line_no)


OVER = ("CANCELLED", "EXPIRED", "SHIPPED")


def editions(record: RunRecord) -> Iterator[Violation]:
    """Part of 10: editions have no gap; the last that was applied counts, and its total is that of
    its lines and charges; questions rise, and none is used again; the history tells of each, and
    none is under way in an order that is over.
    """
    for order in record.snapshot.orders.values():
        for text in _books(order):
            yield Violation(10, order.order_id, text)


def _books(order: Order) -> Iterator[str]:
    numbers = [edit.number for edit in order.edits]
    if numbers != list(range(2, order.edition_newest + 1)):
        yield f"its newest edition is {order.edition_newest}, it has {numbers}"
    applied = [edit.number for edit in order.edits if edit.state == "APPLIED"]
    if order.edition != max([1, *applied]):
        yield f"edition {order.edition} counts, applied are {applied}"
    open_ = [edit.revision for edit in order.edits if edit.state == "ASKED"]
    if open_ != ([] if order.edit_revision is None else [order.edit_revision]):
        yield f"edits by questions {open_} are under way, it waits for {order.edit_revision}"
    if open_ and order.status in OVER:
        yield f"it is {order.status}, and its edit by question {open_[0]} is under way"
    revisions = [edit.revision for edit in order.questions]
    asked = [question.revision for question in questions_of(order) if question.edit]
    if revisions != asked:
        yield f"its edits were decided by questions {revisions}, its history has them as {asked}"
    told = sorted((c.version, c.action) for c in order.history if c.action.startswith("EDIT"))
    if told != sorted(_told(order)):
        yield f"its history tells of {told}, its edits make {sorted(_told(order))}"
    for edit in order.edits:
        if not edit.lines or edit.total_minor != goods_minor(edit.lines) + edit.charged_minor:
            yield f"edition {edit.number} totals {edit.total_minor}, it has {edit.lines}"
        if bool(edit.missing) != (edit.state == "REFUSED"):
            yield f"edition {edit.number} is {edit.state} and lacks {edit.missing}"
        ended_by = {change.version: change.status for change in order.history}
        if edit.state == "DROPPED" and ended_by.get(edit.ended_version or 0) not in OVER:
            yield f"edition {edit.number} was dropped by version {edit.ended_version}"


def _told(order: Order) -> Iterator[tuple[int, str]]:
    """What the history has to tell of edits."""
    for edit in order.edits:
        if edit.revision:
            yield edit.asked_version, "EDIT_ASKED"
        if edit.state in ("APPLIED", "REFUSED") and edit != order.rest:
            action = "EDITED" if edit.state == "APPLIED" else "EDIT_REFUSED"
            yield edit.ended_version or 0, action
