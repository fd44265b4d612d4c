"""Judge a run from outside: do callers' histories, both databases and all events fit together?

The numbers are those of the 15 promises:

 1. conservation            6. agreement of the services    11. reads
 2. no oversell             7. events: all, in order        12. all news told
 3. no lost order           8. one effect per event         13. liveness
 4. no phantom              9. nothing silently parked      14. no growth
 5. idempotency            10. ledger = level, money        15. authorisation

The 15th, that authorisation holds under faults, can't be judged: there is none yet, every caller is
anonymous.
"""

from collections.abc import Callable, Iterator

from proof.rules import (
    agreement,
    customers,
    edits,
    explaining,
    feeds,
    goods,
    messages,
    orders,
    pages,
    places,
    reads,
    resources,
    stock,
    transfers,
    waiting,
)
from proof.run_record import RunRecord, Violation

__all__ = ["INVARIANTS", "RunRecord", "Violation", "check"]

INVARIANTS: dict[int, tuple[Callable[[RunRecord], Iterator[Violation]], ...]] = {
    1: (stock.conservation,),
    2: (stock.no_oversell, waiting.nobody_overtakes),
    3: (
        orders.no_lost_order,
        edits.no_lost_edit,
        goods.no_lost_goods,
        places.no_lost_switch,
        transfers.no_lost_transfer,
        customers.no_lost_customer,
        pages.no_lost_product,
    ),
    4: (
        orders.no_phantom,
        edits.no_phantom_edit,
        goods.no_phantom_goods,
        stock.stock_phantoms,
        places.no_phantom_switch,
        transfers.no_phantom_transfer,
        customers.no_phantom_customer,
        pages.no_phantom_product,
    ),
    5: (
        orders.idempotency,
        goods.goods_idempotency,
        stock.stock_idempotency,
        transfers.transfer_idempotency,
    ),
    6: (agreement.agreement, goods.booked_once, places.held_where_asked, waiting.queues_agree),
    7: (messages.in_order, feeds.feeds, feeds.followers),
    8: (messages.one_effect,),
    9: (messages.nothing_parked,),
    10: (
        orders.books,
        edits.editions,
        goods.goods_books,
        stock.ledger_is_level,
        places.where_inactive,
        waiting.gave_way,
        transfers.transfer_books,
    ),
    11: (
        reads.reads,
        places.places_told,
        places.availability_told,
        explaining.explanations,
        transfers.transfers_told,
        customers.customers_told,
        pages.pages_told,
    ),
    12: (feeds.news_told,),
    13: (messages.liveness, waiting.nothing_idle),
    14: (resources.no_growth,),
}


def check(record: RunRecord) -> list[Violation]:
    """Name everything that breaks a promise, by the promise's number; nothing: all were kept.

    Pure: it reads nothing but the record, and the same record gives the same list.
    """
    return [
        violation
        for number, rules in INVARIANTS.items()
        for rule in rules
        for violation in _numbered(number, rule(record))
    ]


def _numbered(number: int, violations: Iterator[Violation]) -> Iterator[Violation]:
    for violation in violations:
        assert violation.invariant == number, "a rule speaks for its own promise"
        yield violation
