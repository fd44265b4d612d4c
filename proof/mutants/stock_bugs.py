"""Bugs in Inventory: how units are promised twice, lost, or made of nothing."""

from collections.abc import Sequence
from typing import Any

from holdfast.chassis.messaging import tables
from holdfast.inventory.application.reservations import hear_orders
from holdfast.inventory.application.reservations.hear_orders import HearOrders
from holdfast.inventory.application.stock import change_stock
from holdfast.inventory.application.stock.change_stock import ChangeStock, StockChange
from holdfast.inventory.domain.reservations import reservation
from holdfast.inventory.domain.stock import finding
from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.inventory.infrastructure.sql import SQL
from holdfast.inventory.infrastructure.store import StoreWork
from proof.mutants.planting import bug, edited, knowing, original

STORE = "tests/contract/test_inventory_store.py"
LEDGER = "tests/contract/test_inventory_ledger.py"
GUARDED = f"{STORE}::test_what_was_decided_on_another_version_is_never_written"
LAST_UNITS = f"{STORE}::test_two_who_reserve_the_last_units_at_once_never_get_more_than_there_are"
REPEATED_AT_ONCE = (
    "tests/integration/test_two_batches.py"
    "::test_a_repeat_of_a_stock_change_is_not_refused_for_what_its_first_try_did"
)
ASKED_TWICE = (
    "tests/integration/test_use_cases.py"
    "::test_asking_again_gets_the_same_answer_and_no_second_reservation"
)

_POSTGRES = SQL["postgresql"]
_statements = original(tables, "statements")
_hear_orders = original(HearOrders, "__call__")
_change_stock = original(ChangeStock, "__call__")

CHECKS = (
    "on_hand >= 0",
    "reserved >= 0",
    "reserved + quarantined <= on_hand",
    "on_hand_after >= 0",
    "reserved_after BETWEEN 0 AND on_hand_after",
)

Patch = tuple[Any, str, object]


def without_checks(texts: str, engine: str) -> list[str]:
    found: list[str] = _statements(texts, engine)
    for check in CHECKS:
        found = [text.replace(f"CHECK ({check})", "CHECK (1 = 1)") for text in found]
    return found


def hearing(*changes: tuple[str, str]) -> tuple[Patch, Patch]:
    """The decision about a question, edited, for those who call it by either name."""
    _, name, new = edited(reservation, "hear", *changes)
    return (reservation, name, new), (hear_orders, name, new)


def unguarded(statement: str, guard: str) -> tuple[Patch, ...]:
    """A statement that writes whatever the version is that it finds, on both engines."""
    return tuple(edited(sql, statement, (f"{guard} =", "0 <=")) for sql in SQL.values())


OVERPROMISED: tuple[Patch, ...] = (
    edited(finding, "find", ("if shortages:", "if False:")),
    edited(finding, "_taken", ("min(_free(level, own), wanted)", "wanted")),
)
UNCHECKED = edited(
    StockBook,
    "move",
    ("assert reserved >= 0", "assert True or reserved >= 0"),
    ("assert reserved + quarantined <= level.on_hand", "assert True or reserved"),
)
RELEASED_TWICE = hearing(("book.release(held, cause)", "book.release(held + held, cause)"))
LEVELS_UNGUARDED = unguarded("UPDATE_LEVELS", "stock_level.version")


async def decide_on_what_was_read_before(self: Any, questions: Sequence[Any]) -> None:
    """Read in one transaction, decide and write in the next."""
    async with self._begin() as work:
        known = await work.reservations({question.wanted.order_id for question in questions})
        levels = await work.lock_levels(hear_orders._products_touched(questions, known))
    await _hear_orders(HearOrders(knowing(self._begin, lock_levels=levels), self._clock), questions)


async def change_what_was_read_before(self: Any, changes: Sequence[StockChange]) -> Any:
    async with self._begin() as work:
        levels = await work.lock_levels({change.product_id for change in changes})
    change = ChangeStock(knowing(self._begin, lock_levels=levels), self._clock)
    return await _change_stock(change, changes)


async def know_changes_from_before_the_locks(self: Any, changes: Sequence[StockChange]) -> Any:
    async with self._begin() as work:
        known = await work.recorded_changes({one.request_id for one in changes if one.request_id})
    change = ChangeStock(knowing(self._begin, recorded_changes=known), self._clock)
    return await _change_stock(change, changes)


def lock_all_but_gates() -> str:
    of_main, of_others = (
        ("WHERE", f"WHERE location_id {which} 'main' AND") for which in ("=", "<>")
    )
    *_, gates = edited(
        _POSTGRES, "LOCK_LEVELS", of_main, ("FOR UPDATE OF stock_level FOR SHARE OF location", "")
    )
    *_, others = edited(_POSTGRES, "LOCK_LEVELS", of_others)
    return f"SELECT * FROM ({gates}) AS gate UNION ALL SELECT * FROM ({others}) AS other"


BUGS = (
    bug(
        "no CHECK",
        "The tables let a level go below zero and promise more than there is.",
        (tables, "statements", without_checks),
        tests=(f"{LEDGER}::test_the_tables_refuse_to_oversell_whatever_the_program_does",),
        why_tests="the domain's own rule keeps the levels right; see the next two",
    ),
    bug(
        "no rule",
        "The domain promises whatever it is asked for; only the tables refuse.",
        *OVERPROMISED,
        UNCHECKED,
    ),
    bug(
        "no rule and no CHECK",
        "Neither the domain nor the tables keep from promising more than there is.",
        *OVERPROMISED,
        UNCHECKED,
        (tables, "statements", without_checks),
    ),
    bug(
        "read-modify-write of stock",
        "Levels are read in one transaction and written in the next, whatever their version.",
        (HearOrders, "__call__", decide_on_what_was_read_before),
        *LEVELS_UNGUARDED,
    ),
    bug(
        "read-modify-write of a stock change",
        "A change of stock reads the level in one transaction and overwrites it in the next.",
        (ChangeStock, "__call__", change_what_was_read_before),
        *LEVELS_UNGUARDED,
    ),
    bug(
        "repeats of stock changes are looked for before the locks",
        "A repeat is refused for what its first try did, while it waited.",
        (ChangeStock, "__call__", know_changes_from_before_the_locks),
        tests=(REPEATED_AT_ONCE,),
        why_tests="on PostgreSQL alone, and two batches at once are rare",
    ),
    bug(
        "a level is written without its version",
        "A level is overwritten, whatever became of it since it was read.",
        *LEVELS_UNGUARDED,
        tests=(GUARDED,),
        why_tests="whoever writes a level has locked it; see the two before",
    ),
    bug(
        "a reservation is written without its version",
        "A reservation is overwritten, whatever became of it since it was read.",
        *unguarded("UPDATE_RESERVATIONS", "reservation.version"),
        tests=(GUARDED,),
        why_tests="whoever writes a reservation has locked it",
    ),
    bug(
        "expiry without release",
        "What an order held stays reserved for it when it expires.",
        *hearing(
            (
                "    if wanted.over or (",
                '    if held and cause.reason == "order expired":\n'
                "        return Reservation(*decided, before.state, held)\n"
                "    if wanted.over or (",
            )
        ),
    ),
    bug(
        "release twice",
        "A release gives the stock back twice; the domain refuses, if nobody else holds some.",
        *RELEASED_TWICE,
    ),
    bug(
        "release twice, undefended",
        "A release gives the stock back twice, and nothing refuses.",
        *RELEASED_TWICE,
        UNCHECKED,
        (tables, "statements", without_checks),
    ),
    bug(
        "release in words only",
        "A reservation becomes OVER, and its units stay reserved.",
        *hearing(("book.release(held, cause)", "pass")),
    ),
    bug(
        "no tombstone",
        "A cancellation that overtakes its order is forgotten, and the order reserved later.",
        edited(
            HearOrders,
            "_decide",
            (
                "changed(now, known)",
                '[one for one in changed(now, known) if (one.version, one.state) != (1, "OVER")]',
            ),
        ),
    ),
    bug(
        "part of an order",
        "What there is of an order is reserved, and the order confirmed.",
        edited(
            finding,
            "find",
            (
                "    if shortages:\n        return Short(shortages)\n",
                "    for short in shortages:\n"
                "        wanted = {**wanted, short.product_id: short.available}\n",
            ),
        ),
    ),
    bug(
        "answer only once",
        "Asked again about an order, Inventory is silent: it has answered.",
        edited(
            HearOrders,
            "_decide",
            ("if wanted.revision == after.revision:", "if after is not before:"),
        ),
        tests=(ASKED_TWICE,),
        why_tests="questions and answers are lost so seldom that many seeds show nothing",
    ),
    bug(
        "units are kept back at the gate alone",
        "What is kept back of a product at other locations than main is promised.",
        edited(StockBook, "__post_init__", ("level.safety_stock = gate.safety_stock", "pass")),
    ),
    bug(
        "a gate is not told of other levels",
        "What was at other locations alone and is sold out is on no list of what is low.",
        (StockBook, "come_elsewhere", property(lambda _: [])),
        tests=("tests/contract/test_product_lists.py",),
        why_tests="what is low is asked for by people alone",
    ),
    bug(
        "a stock change twice",
        "A repeated change of stock is done again.",
        edited(
            change_stock._Batch,
            "apply",
            ("before = self.known.get(change.request_id)", "before = None"),
            (
                "if change.request_id:",
                "if change.request_id and change.request_id not in self.known:",
            ),
        ),
    ),
    bug(
        "a release without a movement",
        "The ledger has no line for what is given back.",
        edited(
            StoreWork,
            "save_book",
            (
                "_write_movements(book.movements)",
                '_write_movements([m for m in book.movements if m.kind != "RELEASE"])',
            ),
        ),
    ),
    bug(
        "the last answer of a batch is forgotten",
        "Of several answers in a transaction the last is not told.",
        edited(StoreWork, "announce", ("in told]", "in told[: max(1, len(told) - 1)]]")),
    ),
    bug(
        "levels are not locked",
        "On PostgreSQL two who reserve at once read the same levels.",
        edited(_POSTGRES, "LOCK_LEVELS", ("FOR UPDATE OF stock_level FOR SHARE OF location", "")),
        tests=(LAST_UNITS,),
        why_tests="the simulated database has one writer and no row locks",
    ),
    bug(
        "the gate is not locked",
        "On PostgreSQL the `main` level of a product is read without a lock, the others with it.",
        (_POSTGRES, "LOCK_LEVELS", lock_all_but_gates()),
        tests=(LAST_UNITS,),
        why_tests="the simulated database has one writer and no row locks",
    ),
)
