"""Bugs in whose an order is, and in who did what."""

from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.orders.infrastructure.ordering import store
from holdfast.orders.infrastructure.ordering.reader import Reader
from holdfast.orders.infrastructure.ordering.sql import SQL
from holdfast.orders.presentation.customers import servicer as customers
from holdfast.orders.presentation.ordering import lists_wire, wire
from holdfast.orders.presentation.servicer import OrderServicer
from proof.mutants.planting import bug, edited

OBJECTS = "tests/integration/test_objects.py"
LISTS = "tests/integration/test_objects_lists.py"
BY_ID = f"{OBJECTS}::test_an_order_of_another_customer_is_as_one_that_is_not_there"
WHO = "tests/integration/test_who_did_it.py"
NO_NAMES = "the simulation compares what was done, and everybody in it is one caller"
NO_RULE = "no scene of the simulation has customers of its own"
THEIRS = ("(owner = '' OR customer_id = owner)", "(owner = '' OR owner <> '')")
WHOEVER = ("caller_of(context)", 'caller_of(context)._replace(customer_id="")')

BUGS = (
    bug(
        "reading forgets whose an order is",
        "Who knows an order's id reads it.",
        *(edited(SQL[engine], "FIND_NAMED_DETAILS", THEIRS) for engine in SQL),
        tests=(BY_ID,),
        why_tests=NO_RULE,
    ),
    bug(
        "locking forgets whose an order is",
        "Who knows an order's id cancels it, and reads NOT_FOUND.",
        *(edited(SQL[engine], "LOCK_NAMED_STATES", THEIRS) for engine in SQL),
        tests=(BY_ID,),
        why_tests=NO_RULE,
    ),
    bug(
        "editing forgets whose an order is",
        "An edit of somebody else's order is refused by its version, which tells that it is there.",
        *(edited(SQL[engine], "FIND_NAMED_EDITABLE", THEIRS) for engine in SQL),
        tests=(BY_ID,),
        why_tests=NO_RULE,
    ),
    bug(
        "a watcher is not asked whose order it is",
        "Who knows an order's id follows it.",
        edited(
            OrderServicer,
            "WatchOrder",
            ("_ref(request.order_id, context)", "OrderRef(request.order_id)"),
        ),
        tests=(BY_ID,),
        why_tests=NO_RULE,
    ),
    bug(
        "a return tells of another's order",
        "A return of somebody else's is refused by its order's id, which nobody was told.",
        *(edited(SQL[engine], "ORDERS_OF_NAMED_RETURNS", THEIRS) for engine in SQL),
        tests=(f"{OBJECTS}::test_a_return_of_another_customer_is_as_one_that_is_not_there",),
        why_tests=NO_RULE,
    ),
    bug(
        "a profile is anybody's",
        "Who knows a customer's id reads who it is, and erases it.",
        edited(
            customers,
            "refuse_strangers",
            ('not in ("", customer_id)', 'not in ("", caller.customer_id)'),
        ),
        tests=(f"{OBJECTS}::test_another_customer_is_as_one_that_is_not_there",),
        why_tests=NO_RULE,
    ),
    bug(
        "a list has everybody's orders",
        "Who asks for no customer's orders gets all.",
        edited(OrderServicer, "ListOrders", WHOEVER),
        tests=(f"{LISTS}::test_a_list_has_one_s_own_orders_whatever_is_asked_for",),
        why_tests=NO_RULE,
    ),
    bug(
        "a search has everybody's orders",
        "Who knows an e-mail address finds what was ordered with it.",
        edited(OrderServicer, "SearchOrders", WHOEVER),
        tests=(f"{LISTS}::test_a_search_finds_one_s_own_orders_by_whatever_it_is",),
        why_tests=NO_RULE,
    ),
    bug(
        "the owner of a list is not asked for",
        "A list is made for a customer, and the database is asked for everybody's.",
        edited(
            Reader,
            "_newest",
            (
                "start, end, wanted.owner or wanted.customer_id",
                "start, end, wanted.customer_id",
            ),
        ),
        tests=(f"{LISTS}::test_a_list_has_one_s_own_orders_whatever_is_asked_for",),
        why_tests=NO_RULE,
    ),
    bug(
        "a page token is good for everybody",
        "A token that was made for one customer goes on for another.",
        edited(
            lists_wire,
            "_page_of",
            ("{kind} {wanted!r}", "{kind} {replace(wanted, owner=str(), customer_id=str())!r}"),
        ),
        tests=(f"{LISTS}::test_a_page_token_of_another_customer_is_refused",),
        why_tests=NO_RULE,
    ),
    bug(
        "an order is whoever's the request says",
        "A customer places orders for others, and a request id of theirs is theirs.",
        edited(wire, "read_customer_id", ("return caller.customer_id", "return text")),
        tests=(f"{LISTS}::test_a_request_id_of_another_customer_is_a_new_one",),
        why_tests=NO_RULE,
    ),
    bug(
        "who changed an order is lost",
        "The history has changes that nobody made.",
        edited(store, "_who", ("change.caller.name", '""')),
        tests=(f"{WHO}::test_an_order_s_history_tells_who_asked_and_by_which_credential",),
        why_tests=NO_NAMES,
    ),
    bug(
        "who moved stock is lost",
        "The ledger has movements that nobody made.",
        edited(StockBook, "move", ("caller.name,", '"",')),
        tests=(f"{WHO}::test_the_ledger_tells_who_moved_stock_and_a_service_by_its_own_name",),
        why_tests=NO_NAMES,
    ),
)
