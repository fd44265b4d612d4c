"""Bugs in holds and payments: who ends a hold, who confirms, and what is kept of a payment."""

from holdfast.orders.application.ordering.confirm_order import ConfirmOrder
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.payments import payment
from holdfast.orders.infrastructure.ordering.sql import SQL
from proof.mutants.planting import bug, edited

TOO_LATE = "tests/integration/test_holds.py::test_a_payment_that_comes_too_late_is_refused_and_kept"
HOLDS = "tests/unit/test_holds.py"
LATE_BY_THE_CLOCK = (
    f"{HOLDS}::test_a_confirmation_wins_while_the_order_is_reserved_however_late_it_is"
)
EXCEEDS = "tests/unit/test_payments.py::test_nothing_exceeds_what_it_is_taken_of"

OUTLIVES = "tests/integration/test_holds.py::test_an_extended_hold_outlives_its_first_end"

BUGS = (
    bug(
        "an order with a hold is confirmed by its stock",
        "Who waits for a payment gets the goods without one.",
        edited(OrderState, "settle", ("self.expires_at is None", "True")),
    ),
    bug(
        "the clock refuses a confirmation",
        "Somebody has paid, the units are still held, and the order is refused all the same.",
        edited(
            OrderState,
            "confirm",
            ("case OrderStatus.RESERVED:", "case OrderStatus.RESERVED if at < self.expires_at:"),
        ),
        tests=(LATE_BY_THE_CLOCK,),
        why_tests="it is refused with a true reason, only for nothing",
    ),
    bug(
        "a payment that came too late is forgotten",
        "The reference of a refused confirmation is not kept, and nobody can give it back.",
        edited(ConfirmOrder, "decide", ("Decision(paid, refusal)", "Decision(None, refusal)")),
    ),
    bug(
        "any reference confirms again",
        "A second payment is told that it has confirmed the order, which the first one did.",
        edited(OrderState, "confirm", ("self.confirmed_by != reference", "False")),
    ),
    bug(
        "a hold stays when it is over",
        "The hold of a confirmed order is not taken away.",
        edited(
            OrderState,
            "become",
            ("ends_hold = self.expires_at is not None and", "ends_hold = False and"),
        ),
    ),
    bug(
        "an extension is told and not kept",
        "The hold ends when it would have ended without it.",
        edited(OrderState, "extend_hold", ("expires_at=until", "confirmed_by=None")),
        tests=(OUTLIVES,),
        why_tests="what a simulated caller is told does not name the end of a hold",
    ),
    bug(
        "more is given back than was taken",
        "A refund is not held against what was captured.",
        edited(
            payment,
            "_left_for",
            (
                "return _sum(known, PaymentKind.CAPTURED) - _sum(known, PaymentKind.REFUNDED)",
                "return None",
            ),
        ),
    ),
    bug(
        "a payment is counted twice",
        "A fact that is told again is recorded again, under another reference.",
        edited(payment, "is_news", ("            return False\n", "            break\n")),
        tests=("tests/unit/test_payments.py",),
        why_tests="the table's key refuses the second one, and the caller is told of a conflict",
    ),
    bug(
        "a payment wipes what was missing",
        "Whatever changes of a rejected order, it no longer says what it was short of.",
        *(
            edited(
                sql,
                "UPDATE_STATES",
                (", orders.shortages)", ", '[]')"),
            )
            for sql in SQL.values()
        ),
    ),
)
