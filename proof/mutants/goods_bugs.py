"""Bugs in shipments and returns: goods booked twice, or never, or out of what is not there."""

from collections import Counter

from holdfast.inventory.application.reservations.hear_orders import HearOrders
from holdfast.inventory.domain.reservations import reservation
from holdfast.inventory.domain.stock import goods as stock_goods
from holdfast.orders.application.ordering import edit_orders
from holdfast.orders.application.shipping import ship_order
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.payments import payment
from holdfast.orders.domain.returns.returned import Return
from holdfast.orders.domain.shipping import goods, shipment, transitions
from holdfast.orders.domain.shipping.paid_first import PaidFirst
from holdfast.orders.infrastructure import events_to_proto
from holdfast.orders.infrastructure.ordering.store import StoreWork
from proof.mutants.planting import bug, edited
from proof.mutants.stock_bugs import hearing

MOVING = "tests/integration/test_moving_goods.py"
BOTH_COUNT = f"{MOVING}::test_a_shipment_is_booked_once_though_two_questions_tell_of_it"
RECEIPT_ONCE = f"{MOVING}::test_a_receipt_is_booked_once_though_two_questions_tell_of_it"
ALL_TOLD = f"{MOVING}::test_every_question_tells_of_all_that_left_since_the_last_answer"
REST_TOLD = f"{MOVING}::test_the_rest_is_cancelled_and_what_left_unheard_is_told"
OWN_COPY = f"{MOVING}::test_what_left_and_is_not_answered_for_does_not_leave_again"
EDITED = f"{MOVING}::test_nothing_leaves_while_an_edit_is_under_way"
LAST_UNIT = f"{MOVING}::test_with_its_last_unit_an_order_is_over"
BELOW = f"{MOVING}::test_an_edit_goes_no_lower_than_what_has_left"
CLOSED = f"{MOVING}::test_what_has_come_counts_though_its_return_is_closed"
ASKED_AGAIN = f"{MOVING}::test_a_question_is_asked_again_with_what_has_left"
ENDS_UP = "tests/unit/test_goods.py::test_what_comes_back_ends_up_where_it_is_said_to"
PAID_FIRST = (
    "tests/integration/test_paid_first.py"
    "::test_units_leave_once_so_much_is_there_as_their_channel_wants"
)
A_SETTING = "a setting of the shop: the simulation's has no such rule"
YET = "a run that shows it needs answers that are late, beside shipments and returns of one order"

_, _, _only_the_newest = edited(shipment, "unanswered", ("in shipments:", "in [*shipments][-1:]:"))
_, _, _whatever_is_under_way = edited(
    transitions, "refuse_shipment", ("state.editions.revision is not None", "False")
)

BUGS = (
    bug(
        "a shipment is booked with every question",
        "What left before the answer to the question before has come leaves stock twice.",
        *hearing(("if one.shipment_id not in booked", "if True")),
        tests=(BOTH_COUNT,),
        why_tests=YET,
    ),
    bug(
        "a receipt is booked and not remembered",
        "What came back comes to stock again with the next question that tells of it.",
        edited(
            HearOrders,
            "_decide",
            (
                "for fact in sorted(told_now)]",
                'for fact in sorted(told_now) if not fact.startswith("\\n")]',
            ),
        ),
        tests=(RECEIPT_ONCE,),
        why_tests=YET,
    ),
    bug(
        "only the newest shipment is told",
        "A shipment whose question was lost is never booked, and its units are on hand for good.",
        (goods, "unanswered", _only_the_newest),
        tests=(ALL_TOLD,),
        why_tests=YET,
    ),
    bug(
        "who cancels the rest forgets what has left",
        "A shipment that Inventory has not heard of is given back with the rest.",
        edited(OrderState, "end_with", ("shipped.sourcing, goods)", "shipped.sourcing, NO_GOODS)")),
        tests=(REST_TOLD,),
        why_tests=YET,
    ),
    bug(
        "what is asked again forgets what has left",
        "The question of a shipment that was lost is asked again without the shipment.",
        edited(StoreWork, "ask_again", ("if order.order_id in whole else", "if False else")),
        tests=(ASKED_AGAIN,),
        why_tests=YET,
    ),
    bug(
        "what is known of stock is not lowered by what has left",
        "Until Inventory answers, units leave again from a place where they are no more.",
        (Order, "to_ship", property(lambda order: order.stock)),
        tests=(OWN_COPY,),
        why_tests=YET,
    ),
    bug(
        "goods leave while an edit is under way",
        "The question of the shipment takes the place of the edit's, which then never ends.",
        (ship_order, "refuse_shipment", _whatever_is_under_way),
        tests=(EDITED,),
        why_tests=YET,
    ),
    bug(
        "an order is not over with its last unit",
        "Inventory can't read what the last shipment tells, and never books it.",
        edited(
            events_to_proto,
            "_write_wanted",
            ("message.over = wanted.over", "message.over = wanted.over and not wanted.shipped"),
        ),
        tests=(LAST_UNIT,),
        why_tests=YET,
    ),
    bug(
        "an edit takes away what has left",
        "A line has fewer units than have left of it.",
        (edit_orders, "refuse_below", lambda _lines, _shipped: None),
        tests=(BELOW,),
        why_tests=YET,
    ),
    bug(
        "what was given back still pays",
        "An order leaves although its customer has all the money back.",
        edited(payment, "_taken", ("if captured > _sum", "if captured >= _sum")),
        tests=(PAID_FIRST,),
        why_tests=A_SETTING,
    ),
    bug(
        "a channel's own rule is not asked",
        "An order leaves unpaid although the shop wants the money of its channel first.",
        edited(
            PaidFirst, "lacking", ("self.by_channel.get(channel,", "self.by_channel.get(OTHERS,")
        ),
        tests=(PAID_FIRST,),
        why_tests=A_SETTING,
    ),
    bug(
        "a closed return counts nothing",
        "What has come back may come back again by another return.",
        (
            Return,
            "claimed",
            property(
                lambda one: Counter(
                    {line.line_no: line.quantity for line in one.lines if not one.closed_at}
                )
            ),
        ),
        tests=(CLOSED,),
        why_tests=YET,
    ),
    bug(
        "what is to be written off is on sale",
        "Broken goods that came back are promised to somebody.",
        *(
            edited(
                module,
                "receive",
                ("if one.disposition is Disposition.WRITE_OFF:", "if False:"),
            )
            for module in (stock_goods, reservation)
        ),
        tests=(ENDS_UP,),
        why_tests=YET,
    ),
)
