"""Rules about what is added, changed and listed: as it was told, and nothing left out."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from proof.history import Call
from proof.rules.customers import known_before
from proof.rules.reads import Telling, going_back
from proof.run_record import RunRecord, Violation, precedes


def no_lost_product(record: RunRecord) -> Iterator[Violation]:
    """Part of 3: what somebody was told to have made is there, and a product has each version that
    somebody was told to have made, by one call.
    """
    for method, what, kept in (
        ("CreateProduct", "product_id", record.snapshot.products),
        ("CreateLocation", "location_id", record.snapshot.locations),
    ):
        for call in record.calls_of(method):
            if call.outcome == "ok" and call.request[what] not in kept:
                yield Violation(3, call.request[what], f"call {call.number} made it, it is gone")
    made = Counter[tuple[str, int]]()
    for call in record.calls_of("UpdateProduct"):
        if call.outcome == "ok":
            product_id, version = call.request["product_id"], call.request["version"] + 1
            made[product_id, version] += 1
            now = record.snapshot.products.get(product_id)
            if now is None or now.version < version:
                yield Violation(3, product_id, f"call {call.number} made {version}, it is {now}")
    for (product_id, version), calls in made.items():
        if calls > 1:
            yield Violation(3, product_id, f"version {version} was made by {calls} calls")


def no_phantom_product(record: RunRecord) -> Iterator[Violation]:
    """Part of 4: every version of a product was asked for, by a call that was not refused."""
    asked = {
        (call.request["product_id"], call.request["version"] + 1)
        for call in record.calls_of("UpdateProduct")
        if call.outcome != "fail"
    }
    for product_id, product in record.snapshot.products.items():
        for version in range(2, product.version + 1):
            if (product_id, version) not in asked:
                yield Violation(
                    4, product_id, f"nobody asked for version {version}, or was refused"
                )


def pages_told(record: RunRecord) -> Iterator[Violation]:
    """Part of 11: what a page tells is or was so, and what was told before is on it, unless it is
    full; of a product's movements it tells some that follow each other, the newest first.
    """
    yield from _products_told(record)
    for call in record.calls_of("ListOrders"):
        if call.value and call.value["is_whole"]:
            for order_id in known_before(record, call) - {one[0] for one in call.value["orders"]}:
                yield Violation(11, order_id, f"call {call.number} left it out: {call.value}")
    for call in record.calls_of("SearchOrders"):
        wanted = call.request["order_id_prefix"]
        if call.value is not None and [one[0] for one in call.value["orders"]] != [wanted]:
            yield Violation(11, wanted, f"call {call.number} found {call.value}")
    for call in record.calls_of("ListMovements"):
        yield from _movements_told(record, call)
    for call in record.calls_of("ListTransfers"):
        yield from _transfers_told(record, call)


def _products_told(record: RunRecord) -> Iterator[Violation]:
    tellings = defaultdict[str, list[Telling]](list)
    made = [call for call in record.calls_of("CreateProduct") if call.outcome == "ok"]
    for method in ("UpdateProduct", "ListProducts"):
        for call in record.calls_of(method):
            if call.value is None:
                continue
            told = dict(call.value["products"])
            for product_id, version in told.items():
                now = record.snapshot.products.get(product_id)
                is_so = now is not None and 0 < version <= now.version
                tellings[product_id].append(Telling(call, [version] if is_so else []))
            for other in made if method == "ListProducts" else ():
                product_id = other.request["product_id"]
                if product_id not in told and precedes(other, call):
                    yield Violation(11, product_id, f"call {call.number} left it out: {told}")
    for product_id, its in tellings.items():
        yield from going_back(product_id, its)


def _movements_told(record: RunRecord, call: Call) -> Iterator[Violation]:
    told = [tuple(one) for one in (call.value or {}).get("movements", ())]
    product_id = call.request["product_id"]
    known = [
        (one.movement_id, one.location_id, one.on_hand_delta, one.reserved_delta)
        for one in record.by_product.get(product_id, ())
    ]
    if told:
        at = known.index(told[0]) + 1 if told[0] in known else 0
        due = known[max(0, at - len(told)) : at]
        if told != due[::-1]:
            text = f"call {call.number} told {told}, the ledger has {due[::-1]}"
            yield Violation(11, product_id, text)


def _transfers_told(record: RunRecord, call: Call) -> Iterator[Violation]:
    if call.value is None:
        return
    told = dict(call.value["transfers"])
    for transfer_id, is_closed in told.items():
        one = record.snapshot.transfers.get(transfer_id)
        if one is None or (is_closed and not one.is_closed):
            yield Violation(11, transfer_id, f"call {call.number} told of it, it is {one}")
    if call.value["is_whole"]:
        for other in record.calls_of("CreateTransfer"):
            transfer_id = (other.value or {}).get("transfer_id", "")
            if transfer_id and transfer_id not in told and precedes(other, call):
                yield Violation(11, transfer_id, f"call {call.number} left it out: {told}")
