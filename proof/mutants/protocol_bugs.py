"""Bugs in how the two services agree: questions under rising revisions, answers with a sequence.

What some of them break shows only when a message is lost for good, and of that a simulated run has
little; `proof/scope.py` visits every way in which a few orders' messages can go.
"""

from holdfast.inventory.application.reservations import hear_orders
from holdfast.orders.application.ordering.hear_inventory import HearInventory
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.infrastructure.ordering.sql import SQL
from proof.mutants.planting import bug, edited
from proof.mutants.stock_bugs import hearing

SCOPE = "tests/proof/test_scope.py::test_every_promise_holds_in_every_state"
SETTLES = (
    "tests/unit/test_order.py"
    "::test_an_answer_settles_only_the_question_that_a_pending_order_waits_for"
)
LOST_CANCELLATION = (
    "tests/integration/test_saga.py"
    "::test_the_stock_of_a_cancelled_order_comes_back_though_the_cancellation_was_lost"
)
SELDOM = "messages are lost for good so seldom that many seeds show nothing"

BUGS = (
    bug(
        "no revision check",
        "Inventory decides every question that it hears, also again, also older ones.",
        *hearing(("before and wanted.revision <= before.revision", "False")),
        edited(hear_orders, "_products_touched", ("wanted.revision > before.revision", "True")),
    ),
    bug(
        "a revision is used again",
        "Who ends an order asks under the revision of the question before.",
        edited(OrderState, "_nothing_more", ("self.asked + 1", "self.asked")),
    ),
    bug(
        "any answer settles",
        "A pending order is settled by the answer to a question that is not its newest.",
        edited(OrderState, "settle", (" or answer.revision != self.asked", "")),
        tests=(SETTLES,),
        why_tests="as long as no order can be edited, a pending one has asked only once",
    ),
    bug(
        "any answer is news",
        "What is known of an order's stock is replaced by whatever is heard last.",
        edited(HearInventory, "__call__", ("answer.sequence > state.stock_sequence", "True")),
        edited(OrderState, "hear", ("answer.sequence > self.stock_sequence", "True")),
        *(edited(sql, "UPDATE_STOCK", ("orders.stock_sequence <", "0 <")) for sql in SQL.values()),
    ),
    bug(
        "any answer ends the waiting",
        "An order whose older question is answered waits no longer for its newest.",
        edited(
            OrderState,
            "hear",
            ("answered = max(self.answered, answer.revision)", "answered = self.asked"),
        ),
        tests=(SCOPE,),
        why_tests=SELDOM,
    ),
    bug(
        "only pending orders are asked about again",
        "An end whose question was lost is asked for by nobody, and its stock stays reserved.",
        *(
            edited(sql, "CLAIM_LATE", ("answered < asked", "status = 'PENDING'"))
            for sql in SQL.values()
        ),
        tests=(LOST_CANCELLATION,),
        why_tests=SELDOM,
    ),
)
