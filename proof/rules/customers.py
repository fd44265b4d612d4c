"""Rules about customers: what was told of them is so, and who is forgotten stays forgotten."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from proof.customer_wishes import email_of
from proof.history import Call
from proof.rules.reads import Telling, going_back
from proof.run_record import RunRecord, Violation, precedes

TELLING = ("UpdateCustomer", "GetCustomer", "ListCustomers", "ExportCustomer")


def no_lost_customer(record: RunRecord) -> Iterator[Violation]:
    """Part of 3: whoever was told that a profile was changed finds it so at that version, and a
    version is made by one call; who was erased is, and so are all orders that were there by then.
    """
    made = Counter[tuple[str, int]]()
    for call in record.calls_of("UpdateCustomer"):
        if call.outcome != "ok":
            continue
        customer_id, version = call.request["customer_id"], call.request["version"] + 1
        made[customer_id, version] += version > 1  # a profile may be made again as it is
        now = record.snapshot.profiles.get(customer_id)
        known = call.request["name"], call.request["email"], "", ""
        if now is None or now.version < version or (now.version == version and now.known != known):
            yield Violation(3, customer_id, f"call {call.number} made it {call.request}: {now}")
    for (customer_id, version), calls in made.items():
        if calls > 1:
            yield Violation(3, customer_id, f"version {version} was made by {calls} calls")
    for call in record.calls_of("EraseCustomer"):
        if call.outcome == "ok":
            yield from _erased(record, call)


def _erased(record: RunRecord, erasing: Call) -> Iterator[Violation]:
    """What was there when an erasure began, and is there still."""
    customer_id, email = erasing.request.get("customer_id"), erasing.request.get("email")
    profile = record.snapshot.profiles.get(customer_id) if customer_id else None
    if customer_id and (profile is None or not profile.is_erased or any(profile.known)):
        yield Violation(3, customer_id, f"call {erasing.number} erased it, there is {profile}")
    for call in record.calls_of("CreateOrder"):
        who = call.request["customer_id"]
        if call.value is None or (customer_id != who and email != email_of(who)):
            continue
        order_id = call.value["order_id"]
        if precedes(call, erasing) and order_id in record.snapshot.emails:
            text = f"call {erasing.number} erased it, it has {record.snapshot.emails[order_id]}"
            yield Violation(3, order_id, text)


def no_phantom_customer(record: RunRecord) -> Iterator[Violation]:
    """Part of 4: nobody is known as nobody called them, or erased without a call for it that was
    not refused; an order has no address but its customer's.
    """
    named = defaultdict[str, set[str]](set)
    for call in record.calls_of("UpdateCustomer"):
        if call.outcome != "fail":
            named[call.request["customer_id"]].add(call.request["name"])
    erasings = [call.request for call in record.calls_of("EraseCustomer") if call.outcome != "fail"]
    erased = {asked.get("customer_id") for asked in erasings}
    erased_emails = {asked.get("email") for asked in erasings}
    for customer_id, profile in record.snapshot.profiles.items():
        if any(profile.known) and profile.known[0] not in named[customer_id]:
            yield Violation(4, customer_id, f"nobody called it so: {profile}")
        asked = customer_id in erased or email_of(customer_id) in erased_emails
        if profile.is_erased and not asked:
            yield Violation(4, customer_id, f"nobody erased it: {profile}")
    for order_id, email in record.snapshot.emails.items():
        order = record.snapshot.orders.get(order_id)
        if order is None or email != email_of(order.customer_id):
            yield Violation(4, order_id, f"it has the address {email}: {order}")


def customers_told(record: RunRecord) -> Iterator[Violation]:
    """Part of 11: a profile is told as it was, and later calls tell of no older version; who was
    erased is not told as known any more; a list has everybody who was told before, and an export
    all orders.
    """
    tellings = defaultdict[str, list[Telling]](list)
    gone = {
        call.request["customer_id"]: call
        for call in record.calls_of("EraseCustomer")
        if call.outcome == "ok" and "customer_id" in call.request
    }
    for method in TELLING:
        for call in record.calls_of(method):
            for customer_id, version in (call.value or {}).get("customers", ()):
                now = record.snapshot.profiles.get(customer_id)
                is_so = version <= (now.version if now else 0)
                tellings[customer_id].append(Telling(call, [version] if is_so else []))
                is_known = any((call.value or {}).get("known", ()))
                if is_known and customer_id in gone and precedes(gone[customer_id], call):
                    text = f"call {call.number} told {call.value}, it was erased before"
                    yield Violation(11, customer_id, text)
    for customer_id, told in tellings.items():
        yield from going_back(customer_id, told)
    yield from _left_out(record)


def _left_out(record: RunRecord) -> Iterator[Violation]:
    made = [call for call in record.calls_of("UpdateCustomer") if call.outcome == "ok"]
    for call in record.calls_of("ListCustomers"):
        told = {customer_id for customer_id, _ in (call.value or {}).get("customers", ())}
        for other in made:
            who = other.request["customer_id"]
            if call.outcome == "ok" and who not in told and precedes(other, call):
                yield Violation(11, who, f"call {call.number} listed {sorted(told)}")
    for call in record.calls_of("ExportCustomer"):
        ids = {*(call.value or {}).get("order_ids", ())}
        for order_id in known_before(record, call) if call.outcome == "ok" else ():
            if order_id not in ids:
                yield Violation(11, order_id, f"call {call.number} exported all, but not this one")


def known_before(record: RunRecord, call: Call) -> set[str]:
    """The orders of the customer that a call names which somebody was told of before it began."""
    who = call.request["customer_id"]
    return {
        placing.value["order_id"]
        for placing in record.calls_of("CreateOrder")
        if placing.value and placing.request["customer_id"] == who and precedes(placing, call)
    }
