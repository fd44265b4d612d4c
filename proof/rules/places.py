"""Rules about locations: nothing comes where nothing may, and what is told of them was so."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import product
from typing import NamedTuple

from proof.goods import Sourcing
from proof.history import Call, Facts
from proof.lives import Shelf, Switches, shelves, span, told_of
from proof.places import Location
from proof.rules.orders import sourcing_of
from proof.run_record import RunRecord, Violation
from proof.snapshot import Movement, Order

# Kinds that an inactive location has not.
COMING = ("RECEIPT", "RESERVATION", "UNQUARANTINE", "TRANSFER_IN")


def no_lost_switch(record: RunRecord) -> Iterator[Violation]:
    """Part of 3: whoever was told that a location is active or not finds it so at that version, and
    a version is made by one call.
    """
    made = Counter[tuple[str, int]]()
    for call in record.calls_of("UpdateLocation"):
        if call.outcome != "ok":
            continue
        asked, location_id = call.request, call.request["location_id"]
        version = asked["version"] + 1
        made[location_id, version] += 1
        now = record.snapshot.locations.get(location_id)
        is_kept = now is not None and now.version >= version
        if now is None or not is_kept or (now.version == version and now.active != asked["active"]):
            text = f"call {call.number} made it {dict(asked)}, it is {now}"
            yield Violation(3, location_id, text)
    for (location_id, version), calls in made.items():
        if calls > 1:
            yield Violation(3, location_id, f"version {version} was made by {calls} calls")


def no_phantom_switch(record: RunRecord) -> Iterator[Violation]:
    """Part of 4: every version of a location was asked for, by a call that was not refused."""
    for location in record.snapshot.locations.values():
        life = Switches(record, location.location_id)
        for version in range(2, location.version + 1):
            if not life.calls(version):
                text = f"nobody asked for version {version}, or was refused"
                yield Violation(4, location.location_id, text)


def held_where_asked(record: RunRecord) -> Iterator[Violation]:
    """Part of 6: an order that was always pinned was never promised anything elsewhere; one that
    must not be split, was never edited and never had to give way, was promised all at one location.
    What became of it since is no matter.
    """
    for order in record.snapshot.orders.values():
        moved = record.moved.get(order.order_id, ())
        places = {one.location_id for one in moved if one.kind == "RESERVATION"}
        gave_way = record.gave_way(order.order_id)
        for text in _elsewhere(order, places, gave_way=gave_way):
            yield Violation(6, order.order_id, text)


def _elsewhere(order: Order, places: Set[str], *, gave_way: bool) -> Iterator[str]:
    named = {at for sourcing in order.sourcings for at in sourcing.location_ids}
    if all(one.strategy == "PINNED" for one in order.sourcings) and not places <= named:
        yield f"it is pinned to {sorted(named)} and was promised stock at {sorted(places)}"
    if gave_way or order.edits:
        return
    if not order.first.sourcing.may_split and len(places) > 1:
        yield f"it must not be split and was promised stock at {sorted(places)}"


def where_inactive(record: RunRecord) -> Iterator[Violation]:
    """Part of 10: stock is where there is a location. While it is inactive nothing is received
    there, promised there or put back on sale there: neither by the services' own account of since
    when it is, nor by what callers were told, which holds for one that is active again as well.
    """
    locations = record.snapshot.locations
    for location in locations.values():
        if location.active != (location.inactive_after is None):
            yield Violation(10, location.location_id, f"active or not: {location}")
    lives = {location_id: Switches(record, location_id) for location_id in locations}
    for shelf in shelves(record).values():
        for step, movement in enumerate(shelf.movements, 1):
            at = locations.get(movement.location_id)
            if at is None:
                yield Violation(10, movement.location_id, f"it is no location: {movement}")
            elif _comes(record, movement) and (
                _comes_after(at, movement)
                or True not in lives[at.location_id].active(*shelf.life.between(step))
            ):
                yield Violation(10, at.location_id, f"it was inactive by then: {movement}")


def _comes(record: RunRecord, movement: Movement) -> bool:
    """Whether units come, or are promised; of a transfer not those that are given up at once."""
    return movement.kind in COMING and movement.movement_id not in record.given_up


def _comes_after(location: Location, movement: Movement) -> bool:
    return location.inactive_after is not None and movement.movement_id > location.inactive_after


def places_told(record: RunRecord) -> Iterator[Violation]:
    """Part of 11: a location is told as it was at some moment of the call; of a level nothing is
    free while its location is inactive, else what is on hand and neither reserved, put aside nor
    kept back; and all levels of an answer are of one moment.
    """
    lives = {one: Switches(record, one) for one in record.snapshot.locations}
    for location_id, life in lives.items():
        for call, version, active in told_of(record, location_id):
            if version not in life.versions(*span(call)) or active not in life.states(version):
                text = f"call {call.number} told version {version}, active: {active}"
                yield Violation(11, location_id, text)
    of_products = shelves(record)
    for call in record.calls_of("GetStockInfo"):
        told = call.value or {}
        kept_back = record.kept_back(call.request["product_id"])
        for text in _free_told(told, call, lives, kept_back):
            yield Violation(11, call.request["product_id"], text)
        shelf = of_products.get(call.request["product_id"])
        if "levels" in told and shelf and not _is_of_one_moment(told, shelf):
            text = f"call {call.number} told levels of several moments: {told['levels']}"
            yield Violation(11, call.request["product_id"], text)


def _free_told(
    told: Facts, call: Call, lives: Mapping[str, Switches], kept_back: int
) -> Iterator[str]:
    units = {
        level[0]: max(0, level[1] - level[2] - level[3] - kept_back)
        for level in told.get("levels", ())
    }
    for location_id, free in told.get("free", ()):
        life = lives.get(location_id)
        states = life.active(*span(call)) if life else {True, False}
        if free not in {units.get(location_id, 0) if state else 0 for state in states}:
            yield f"call {call.number} told {free} free at {location_id}: {told['levels']}"


def _is_of_one_moment(told: Facts, shelf: Shelf) -> bool:
    versions = {level[0]: level[4] for level in told["levels"] if level[4]}
    steps = sum(versions.values())
    return versions == Counter(one.location_id for one in shelf.movements[:steps])


def availability_told(record: RunRecord) -> Iterator[Violation]:
    """Part of 11: what could be promised to a basket is all of it, from where it may come, or else
    something is missing; and of each product there was a moment of the call at which its levels,
    and what locations were active, give just this answer. It is refused only for a location that
    may have been inactive. Not judged: whether locations are the fewest; and how much could be had
    of what orders may have waited for.
    """
    lives = {one: Switches(record, one) for one in record.snapshot.locations}
    waited = _waited_for(record)
    of_products = {name: its for name, its in shelves(record).items() if name not in waited}
    for call in record.calls_of("CheckAvailability"):
        sourcing, subject = sourcing_of(call.request), f"call {call.number}"
        named = [lives[one].active(*span(call)) for one in sourcing.location_ids if one in lives]
        if call.outcome == "ok" and call.value is not None:
            if not all(True in states for states in named):
                yield Violation(11, subject, f"{sourcing.location_ids} were not all active")
            for text in _answers(call, sourcing, of_products, record.snapshot.locations, lives):
                yield Violation(11, subject, text)
        elif call.code == "FAILED_PRECONDITION" and all(states == {True} for states in named):
            yield Violation(11, subject, f"{call.request} was refused, all of it was active")


def _waited_for(record: RunRecord) -> set[str]:
    """Products that orders may have waited for: by their policy, or because promises gave way."""
    allowed = {name for name, one in record.snapshot.products.items() if one.waits_max}
    ledger = record.snapshot.ledger
    return allowed | {one.product_id for one in ledger if one.movement_id in record.displaced}


class Answer(NamedTuple):
    """What was told of one product of a basket.

    :param stock: units by location; none unless all of the basket could be promised.
    :param missing: what could be promised of a product that is missing; None: it is not.
    """

    wanted: int
    stock: Mapping[str, int]
    missing: int | None
    sourcing: Sourcing


def _answers(
    call: Call,
    sourcing: Sourcing,
    of_products: Mapping[str, Shelf],
    locations: Mapping[str, Location],
    lives: Mapping[str, Switches],
) -> Iterator[str]:
    told = call.value or {}
    wanted = Counter[str]()
    for product_id, units in call.request["lines"]:
        wanted[product_id] += units
    yield from _shape(told, wanted, sourcing)
    rankings = [
        _ranking([locations[one] for one, active in zip(lives, states, strict=True) if active])
        for states in product(*(sorted(life.active(*span(call))) for life in lives.values()))
    ]
    missing = {product_id: free for product_id, _, free in told["missing"]}
    for product_id, units in wanted.items():
        if product_id not in of_products:
            continue
        stock = {at: part for name, at, part in told["stock"] if name == product_id}
        answer = Answer(units, stock, missing.get(product_id), sourcing)
        shelf = of_products[product_id]
        steps = shelf.life.seen(*span(call))
        if steps and not any(
            _explains(answer, shelf.free(step), _preferred(ranking, sourcing))
            for step in steps
            for ranking in rankings
        ):
            yield f"of {units} {product_id} it told {answer[1:]}, never so from {steps} on"


def _shape(told: Facts, wanted: Counter[str], sourcing: Sourcing) -> Iterator[str]:
    """How an answer contradicts itself."""
    found = Counter[str]()
    for product_id, _, units in told["stock"]:
        found[product_id] += units
    for product_id, units in told.get("queued", ()):
        found[product_id] += units
    places = {location_id for _, location_id, _ in told["stock"]}
    if told["available"] and (
        found != wanted or told["missing"] or told["shipments"] != len(places)
    ):
        yield f"of {dict(wanted)} it found {told}"
    if not told["available"] and (found or told["shipments"] or not told["missing"]):
        yield f"something is missing, and it told {told}"
    if not sourcing.may_split and len(places) > 1:
        yield f"it must not be split and is found at {sorted(places)}"
    for product_id, units, free in told["missing"]:
        if units != wanted[product_id] or free >= units:
            yield f"{free} of {units} {product_id} are missing, {wanted[product_id]} are wanted"


def _ranking(locations: Sequence[Location]) -> Sequence[str]:
    by_priority = sorted((location.priority, location.location_id) for location in locations)
    return [location_id for _, location_id in by_priority]


def _preferred(ranking: Sequence[str], sourcing: Sourcing) -> Sequence[str]:
    """The active locations that may be taken from, in order of preference."""
    named = [one for one in sourcing.location_ids if one in ranking]
    if sourcing.strategy == "PINNED":
        return named
    return [*named, *(one for one in ranking if one not in named)]


def _explains(answer: Answer, free: Mapping[str, int], ranking: Sequence[str]) -> bool:
    """Whether the answer is what there was, at a moment with so much free at active locations."""
    units = [free.get(one, 0) for one in ranking]
    may_split = answer.sourcing.may_split
    if answer.stock and may_split and answer.sourcing.strategy != "FEWEST_SHIPMENTS":
        return dict(answer.stock) == _each_in_turn(answer.wanted, units, ranking)
    if answer.stock:
        there = dict(zip(ranking, units, strict=True))
        return all(part <= there.get(at, 0) for at, part in answer.stock.items())
    if answer.missing is None:
        return sum(units) >= answer.wanted
    at_one = () if may_split else units
    return answer.missing in (sum(units), *at_one)


def _each_in_turn(wanted: int, units: Sequence[int], ranking: Sequence[str]) -> Mapping[str, int]:
    """From each location what it has, until it is enough."""
    taken = dict[str, int]()
    for location_id, there in zip(ranking, units, strict=True):
        part = min(there, wanted)
        if part:
            taken[location_id] = part
            wanted -= part
    return taken
