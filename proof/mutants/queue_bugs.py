"""Bugs in back-orders: who waits is overtaken, forgotten, or stands in no queue."""

from holdfast.inventory.application.reservations import hear_orders, serve_backorders
from holdfast.inventory.application.reservations.serve_backorders import ServeBackorders
from holdfast.inventory.application.stock import displacement
from holdfast.inventory.domain.reservations import reservation
from holdfast.inventory.domain.stock import finding, queues, stock
from holdfast.inventory.domain.stock.queues import ProductQueue
from holdfast.inventory.infrastructure.sql import SQL
from holdfast.inventory.infrastructure.store import StoreWork
from holdfast.orders.infrastructure.ordering.store import StoreWork as OrdersWork
from proof.mutants.planting import bug, edited
from proof.mutants.stock_bugs import Patch, hearing

SERVING = "tests/integration/test_serving_queues.py"
FIRST = f"{SERVING}::test_who_asked_first_is_served_first_whoever_was_heard_first"
MEANWHILE = f"{SERVING}::test_units_that_come_while_a_queue_is_served_are_not_forgotten"
BETWEEN = f"{SERVING}::test_who_asked_before_and_is_heard_between_two_pages_is_not_overtaken"
OWED = f"{SERVING}::test_nobody_is_promised_what_the_queue_is_owed"
YOUNGEST = f"{SERVING}::test_the_youngest_promises_give_way_to_what_is_missing_and_no_other"
LESS = f"{SERVING}::test_who_wants_less_gives_up_what_waits_before_what_is_held"
OVER = f"{SERVING}::test_who_is_over_leaves_the_queue_of_every_product"
CAP = f"{SERVING}::test_no_more_wait_than_may_with_those_who_wait_already"
PLACE = f"{SERVING}::test_an_edit_that_adds_keeps_the_place_of_what_waits"
ASKED_FIRST = (
    "tests/contract/test_orders_waiting.py"
    "::test_asking_again_asks_the_newest_question_under_a_new_event_id"
)
ELSEWHERE = f"{SERVING}::test_who_lost_all_and_must_not_be_split_gets_the_rest_from_elsewhere"
WHATEVER = f"{SERVING}::test_whatever_brings_a_unit_gives_it_to_who_waits"
# The first line of a page, and what says too early that there is no more to do.
PAGE = "    product_id, limit = due.product_id, page.rows"
SAID = """    async with self._begin() as early:
        await early.served(product_id, due.ticket)
"""
LUCK = "which seed shows it depends on who asks for the few scarce products, and when"
PAGES = "a run that shows it needs somebody who asked before to be heard between two pages"


def statement(name: str, *changes: tuple[str, str]) -> tuple[Patch, ...]:
    """A statement, edited on both engines."""
    return tuple(edited(sql, name, *changes) for sql in SQL.values())


_, _, _held_first = edited(
    queues,
    "kept_in_queue",
    ("left[part.product_id] = left.get(part.product_id, 0) - part.quantity", "pass"),
)
_, _, _same_version = edited(
    reservation, "serve", ("version=before.version + 1", "version=before.version")
)
_, _, _gone = edited(
    reservation, "displace", ("queued=joined(before.queued + waiting)", "queued=before.queued")
)

BUGS = (
    bug(
        "what the queue is owed is promised to others",
        "New orders take the units that others wait for.",
        edited(finding, "_promisable", ("if name not in queues:", "if True:")),
        tests=(OWED,),
        why_tests=LUCK,
    ),
    bug(
        "a queue is served by the orders' ids",
        "Who asked first, and was made by a process whose clock ran ahead, is served last.",
        *statement("QUEUE", ("ORDER BY since, order_id", "ORDER BY order_id")),
        tests=(FIRST,),
        why_tests="ids rise with time, so that both orders are mostly the same",
    ),
    bug(
        "a queue counts as served for the next ticket, too",
        "What becomes free next wakes nobody, and stays free.",
        edited(
            ServeBackorders, "_serve", ("product_id, due.ticket)", "product_id, due.ticket + 1)")
        ),
        tests=(MEANWHILE,),
        why_tests=LUCK,
    ),
    bug(
        "who is heard between two pages is overtaken",
        "Serving goes on behind the place of who asked before.",
        edited(ServeBackorders, "_serve", ("await work.ticket(product_id) != due.ticket", "False")),
        tests=(BETWEEN,),
        why_tests=PAGES,
    ),
    bug(
        "a queue is said to be served before it is",
        "Killed in between, what is free stays free, and who waits for it waits for ever.",
        edited(ServeBackorders, "_serve", (f"{PAGE}\n", f"{PAGE}\n{SAID}")),
    ),
    bug(
        "what becomes free wakes no queue",
        "Nobody who waits is ever served.",
        (stock.StockBook, "to_serve", property(lambda _: [])),
    ),
    bug(
        "the oldest promises give way first",
        "Who has waited longest for a parcel loses it.",
        *statement(
            "YOUNGEST_PROMISES",
            ("newest DESC ROWS", "newest ROWS"),
            ("\nORDER BY newest DESC", "\nORDER BY newest"),
        ),
        tests=(YOUNGEST,),
        why_tests=LUCK,
    ),
    bug(
        "what gave way does not wait",
        "An order loses units, and nobody brings it others.",
        (displacement, "displace", _gone),
    ),
    bug(
        "an edit takes from what is held before what waits",
        "Who wants less gives units back and goes on waiting for others.",
        (stock, "kept_in_queue", _held_first),
        tests=(LESS,),
        why_tests=LUCK,
    ),
    bug(
        "an edit loses its place in the queue",
        "What waited since the order was placed waits since the edit.",
        (stock, "kept_in_queue", lambda *_: ()),
        tests=(PLACE,),
        why_tests="who comes instead asked later, and nobody knows who should have come",
    ),
    bug(
        "who is over goes on counting at the gate",
        "The queue is owed units that nobody waits for, and they are never sold.",
        *hearing(("book.requeue(queued, ())", "pass")),
        tests=(OVER,),
        why_tests=LUCK,
    ),
    bug(
        "what waits is not counted at the gate",
        "New orders take the units that others wait for, and more wait than may.",
        edited(StoreWork, "save_book", ("list(book.queued.items())", "[]")),
    ),
    bug(
        "the gate of what only waits is not locked",
        "The end of an order that holds nothing of a product counts from a queue that nobody read.",
        edited(
            hear_orders,
            "_products_touched",
            ("products.update(one.product_id for one in before.queued)", "pass"),
        ),
        tests=(OVER,),
        why_tests=LUCK,
    ),
    bug(
        "the limit is compared without who waits already",
        "As often as anybody asks, so many more may wait.",
        (ProductQueue, "room", property(lambda queue: queue.units_max)),
        tests=(CAP,),
        why_tests=LUCK,
    ),
    bug(
        "who is served is told under the version before",
        "Orders takes the news for old, and never ships what came.",
        (serve_backorders, "serve", _same_version),
    ),
    bug(
        "a question that is asked again has the time of asking again",
        "An order whose question was lost is served after all who asked after it.",
        edited(OrdersWork, "ask_again", ("since.get(order.order_id)", "None")),
        tests=(ASKED_FIRST,),
        why_tests="a run that shows it needs a lost question of a scarce product",
    ),
    bug(
        "who lost all that it must not be split from waits for ever",
        "What it may have from elsewhere now stays free, as nothing of that product moved.",
        edited(reservation, "_look_elsewhere", ("if not held and", "if held and")),
        tests=(ELSEWHERE,),
        why_tests="a run that shows it needs two scarce products and orders that are not split",
    ),
    bug(
        "a lower safety stock wakes nobody",
        "What may be promised from now on stays free, as nothing of that product moved.",
        *(
            edited(sql, "WAKE_QUEUE_OF", ("AND queued > 0", "AND queued < 0"))
            for sql in SQL.values()
        ),
        tests=(WHATEVER,),
        why_tests="no run changes what is kept back",
    ),
)
