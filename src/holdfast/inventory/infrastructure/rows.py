"""Rows of the ledger, as movements."""

from holdfast.chassis.database.seam import Row, instant
from holdfast.inventory.domain.stock.levels import NO_LOT
from holdfast.inventory.domain.stock.movements import Movement, MovementKind, ReasonCode


def movement_of(row: Row) -> Movement:
    return Movement(
        product_id=row["product_id"],
        location_id=row["location_id"],
        lot_id=row["lot_id"] or NO_LOT,
        kind=MovementKind(row["kind"]),
        on_hand_delta=row["on_hand_delta"],
        reserved_delta=row["reserved_delta"],
        on_hand_after=row["on_hand_after"],
        reserved_after=row["reserved_after"],
        order_id=row["order_id"],
        reason=row["reason"],
        reference=row["reference"],
        actor=row["actor"],
        at=instant(row["moved_at"]),
        reason_code=ReasonCode(row["reason_code"] or ""),
        quarantined_delta=row["quarantined_delta"] or 0,
        quarantined_after=row["quarantined_after"] or 0,
        credential_id=row["credential_id"] or "",
    )
