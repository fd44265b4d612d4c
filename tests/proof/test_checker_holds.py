"""Damage to holds and payments, and the promise that it breaks, by the rules about orders."""

from collections.abc import Callable
from typing import Any

import pytest

from proof.rules.feeds import news_told
from proof.rules.orders import books, no_lost_order, no_phantom
from proof.snapshot import Change, Payment
from tests.proof.small_world import START, World

RULES = (no_lost_order, no_phantom, books, news_told)
PAID = Payment(4, "CAPTURED", "pi_1", 250)
REFUNDED = Payment(5, "REFUNDED", "re_1", 100)
CONFIRM = {"order_id": "o-1", "payment_reference": "pi_1"}


def held_and_paid() -> World:
    """A world in which o-1 was held, confirmed by pi_1, paid, and given back a part of it."""
    world = World()
    paid = "CONFIRMED", "PAYMENT_RECORDED"
    steps = ("PENDING", ""), ("RESERVED", ""), ("CONFIRMED", ""), paid, paid
    history = tuple(Change(n, status, START, done) for n, (status, done) in enumerate(steps, 1))
    payments = (PAID, REFUNDED)
    known = {"has_hold": True, "confirmed_by": "pi_1", "payments": payments}
    known["paid"] = "PARTIALLY_REFUNDED"
    world.change_order("o-1", version=5, history=history, **known)
    world.see("c-1", type="holdfast.orders.v1.OrderReserved")
    world.see("u-1", type="holdfast.orders.v1.OrderConfirmed")
    world.keep_feeds()
    told = {"order_id": "o-1", "status": "CONFIRMED"}
    world.call("anna", "ConfirmOrder", CONFIRM, told)
    for one in payments:
        facts = {"kind": one.kind, "reference": one.reference, "amount_minor": one.amount_minor}
        world.call("anna", "RecordPayment", {"order_id": "o-1", **facts}, told)
    return world


def broken(world: World) -> set[int]:
    record = world.record()
    return {violation.invariant for rule in RULES for violation in rule(record)}


def change(**values: Any) -> Callable[[World], None]:
    return lambda world: world.change_order("o-1", **values)


def forget_calls(method: str) -> Callable[[World], None]:
    def damage(world: World) -> None:
        world.calls = [call for call in world.calls if call.method != method]

    return damage


def refuse_another(world: World) -> None:
    another = {"order_id": "o-1", "payment_reference": "pi_2"}
    world.call("bob", "ConfirmOrder", another, "FAILED_PRECONDITION")


def tell_of_another_payment(world: World) -> None:
    facts = {"kind": "CAPTURED", "reference": "pi_9", "amount_minor": 1}
    told = {"order_id": "o-1", "status": "CONFIRMED"}
    world.call("anna", "RecordPayment", {"order_id": "o-1", **facts}, told)


def pay(*facts: tuple[str, str, int]) -> Callable[[World], None]:
    """More payments of o-1, of which somebody was told."""

    def damage(world: World) -> None:
        for kind, reference, minor in facts:
            paid = world.orders["o-1"]
            change = Change(paid.version + 1, paid.status, START, "PAYMENT_RECORDED")
            fact = Payment(change.version, kind, reference, minor)
            news = {"payments": (*paid.payments, fact), "history": (*paid.history, change)}
            world.change_order("o-1", version=change.version, **news)
            asked = {"kind": kind, "reference": reference, "amount_minor": minor}
            told = {"order_id": "o-1", "status": paid.status}
            world.call("anna", "RecordPayment", {"order_id": "o-1", **asked}, told)

    return damage


def pay_what_is_over(world: World) -> None:
    """A payment of an order that is over, of which nobody was told."""
    over = world.orders["o-3"]
    paid = Change(over.version + 1, over.status, START, "PAYMENT_RECORDED")
    fact = Payment(paid.version, "CAPTURED", "pi_3", 1)
    history = (*over.history, paid)
    known = {"payments": (fact,), "paid": "PARTIALLY_PAID"}
    world.change_order("o-3", version=paid.version, history=history, **known)
    facts = {"kind": "CAPTURED", "reference": "pi_3", "amount_minor": 1}
    told = {"order_id": "o-3", "status": over.status}
    world.call("anna", "RecordPayment", {"order_id": "o-3", **facts}, told)


DAMAGES: dict[str, tuple[set[int], Callable[[World], None]]] = {
    "another payment confirmed it": ({3, 4}, change(confirmed_by="pi_2")),
    "it is confirmed by nothing": ({3, 10}, change(confirmed_by=None)),
    "nobody confirmed it": ({4}, forget_calls("ConfirmOrder")),
    "nobody recorded its payments": ({4}, forget_calls("RecordPayment")),
    "a refused reference is forgotten": ({3}, refuse_another),
    "a payment that was told of is not there": ({3}, tell_of_another_payment),
    "it never had the hold that it was reserved by": ({10}, change(has_hold=False)),
    "a payment is not in its history": (
        {3, 10},
        change(payments=(PAID,), paid="PARTIALLY_PAID"),
    ),
    "more is given back than was taken": (
        {3, 10},
        change(payments=(PAID, REFUNDED._replace(amount_minor=251))),
    ),
    "a promise after a direct payment": (set(), pay(("AUTHORIZED", "au_1", 50))),
    "a promise after a direct payment is kept": (
        set(),
        pay(("AUTHORIZED", "au_1", 50), ("CAPTURED", "pi_2", 30), ("VOIDED", "vo_1", 20)),
    ),
    "more is taken than was promised": (
        {10},
        pay(("AUTHORIZED", "au_1", 10), ("CAPTURED", "pi_2", 11)),
    ),
    "more is given up than was left of a promise": (
        {10},
        pay(("AUTHORIZED", "au_1", 10), ("CAPTURED", "pi_2", 5), ("VOIDED", "vo_1", 6)),
    ),
    "given up what was never promised": ({10}, pay(("VOIDED", "vo_1", 1))),
    "a fact is recorded twice": ({10}, pay(("CAPTURED", "pi_1", 250))),
    "it is sought by what its payments don't make it": ({10}, change(paid="PAID")),
    "a late payment is told to nobody": ({12}, pay_what_is_over),
}


def test_an_order_that_was_held_and_paid_breaks_no_promise() -> None:
    assert broken(held_and_paid()) == set()


# What an order of 700 is sought by, and by which facts.
PAID_BY = {
    "NONE": (("AUTHORIZED", "au", 9), ("VOIDED", "vo", 9)),
    "AUTHORIZED": (("AUTHORIZED", "au", 9), ("VOIDED", "vo", 8)),
    "PARTIALLY_PAID": (("CAPTURED", "ca", 699),),
    "PAID": (("CAPTURED", "ca", 700),),
    "OVERPAID": (("CAPTURED", "ca", 701),),
    "PARTIALLY_REFUNDED": (("CAPTURED", "ca", 700), ("REFUNDED", "re", 699)),
    "REFUNDED": (("CAPTURED", "ca", 700), ("REFUNDED", "re", 700)),
}


@pytest.mark.parametrize("status", PAID_BY)
def test_where_payments_stand_follows_from_them(status: str) -> None:
    world = World()
    pay(*PAID_BY[status])(world)

    said = dict[str, list[str]]()
    for told in PAID_BY:
        world.change_order("o-1", paid=told)
        said[told] = [one.text for one in books(world.record())]

    assert said.pop(status) == []
    assert all(f", {status} by " in text for (text,) in said.values())


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_breaks_its_promise_and_no_other(name: str) -> None:
    invariants, damage = DAMAGES[name]
    world = held_and_paid()

    damage(world)

    assert broken(world) == invariants
