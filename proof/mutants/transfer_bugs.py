"""Bugs in transfers: units that are at both ends, or at none."""

from holdfast.inventory.application.transfers import (
    close_transfer,
    create_transfer,
    receive_transfer,
)
from holdfast.inventory.application.transfers.create_transfer import CreateTransfer
from holdfast.inventory.application.transfers.receive_transfer import ReceiveTransfer
from holdfast.inventory.domain.transfers.transfer import Transfer
from holdfast.inventory.infrastructure.sql import SQL
from proof.mutants.planting import bug, edited

AT_ONCE = "tests/integration/test_transfers.py::test_of_parts_that_come_at_once_each_counts"

BUGS = (
    bug(
        "a repeat of a transfer sends again",
        "Who asks again because an answer was lost has sent twice as many units.",
        edited(
            CreateTransfer,
            "__call__",
            ("return before", "wanted = before"),
            ("add_transfer(wanted)", "add_transfer(wanted) if before is None else None"),
        ),
    ),
    bug(
        "a repeat of a receipt comes again",
        "Who asks again because an answer was lost has received what never came.",
        edited(
            ReceiveTransfer,
            "__call__",
            ("return _received_before(before)", "units = known.units"),
            ("receipt, book.at)", "receipt, book.at) if known is None else None"),
        ),
    ),
    bug(
        "who closes forgets the missing",
        "What has not come stays in transit for good, of a transfer that has ended.",
        edited(Transfer, "closed", ("missing=line.missing + line.coming", "missing=line.missing")),
    ),
    bug(
        "units are at both ends",
        "What is sent stays on hand at the origin, and comes to the target.",
        edited(
            create_transfer,
            "send",
            ("book.move(level.key, MovementKind.TRANSFER_OUT, cause, on_hand_delta=-units)", ""),
        ),
    ),
    bug(
        "what is missing is on sale",
        "What has not come when a transfer is closed is on hand at the target.",
        edited(
            close_transfer,
            "lose",
            ("book.move(level.key, MovementKind.TRANSFER_LOSS, lost, on_hand_delta=-units)", ""),
        ),
    ),
    bug(
        "what is promised leaves",
        "Units that orders hold go to another location; only the movement's own rule refuses.",
        edited(create_transfer, "send", ('refuse_taken(level, units, "leave")', "")),
    ),
    bug(
        "units come back where they left",
        "What is received is on hand at the origin again.",
        edited(
            ReceiveTransfer,
            "__call__",
            (
                "named(after.target, await work.locations({after.target}))",
                "named(after.origin, await work.locations({after.origin}))",
            ),
        ),
    ),
    bug(
        "what is sent comes where nothing may",
        "Units are received at a location that was made inactive while they were on their way.",
        edited(receive_transfer, "take_in", ("if not level.active:", "if False:")),
    ),
    bug(
        "what has come is told to be in transit",
        "Units are on hand and on their way there.",
        *(
            edited(sql, "STOCK_INFO", ("sum(sent - received - missing)", "sum(sent)"))
            for sql in SQL.values()
        ),
        tests=(
            "tests/integration/test_transfers.py"
            "::test_units_leave_at_once_and_are_in_transit_until_they_come_or_are_missing",
        ),
        why_tests="stock is seldom asked for while a part of a transfer has come",
    ),
    bug(
        "a transfer is not locked",
        "On PostgreSQL two receipts at once read the same transfer, and one of them is forgotten.",
        edited(SQL["postgresql"], "LOCK_TRANSFER", ("FOR UPDATE", "")),
        tests=(AT_ONCE,),
        why_tests="the simulated database has one writer and no row locks",
    ),
)
