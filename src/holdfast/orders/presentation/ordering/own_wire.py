"""What customers may say and are told: nobody else's name, and none of the shop's terms."""

from collections.abc import Sequence

from holdfast.chassis.identity import principal
from holdfast.chassis.validation import Violations
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.ordering.lines import LINES_MAX

SHOP = Caller("shop")  # whoever of it that was


def read_customer_id(text: str, caller: Caller, violations: Violations, at: str) -> str:
    """Return whose an order is to be: a customer's is their own, whatever the request says."""
    if not caller.customer_id:
        return violations.id(f"{at}customer_id", text)
    refuse_others(text, caller, violations, at)
    return caller.customer_id


def as_told(by: Caller) -> Caller:
    """Return who did something as whoever calls may know it: a customer learns no names of staff,
    who are those that came with credentials.
    """
    reader = principal.current.get(None)
    if reader is None or not reader.customer_id or not by.credential_id or by.name == reader.name:
        return by
    return SHOP


def refuse_others(text: str, caller: Caller, violations: Violations, at: str = "") -> None:
    """A customer names nobody else."""
    if caller.customer_id and text not in ("", caller.customer_id):
        violations.add(f"{at}customer_id", "must be your own, or empty")


def refuse_terms(
    lines: Sequence[pb.OrderLine],
    caller: Caller,
    violations: Violations,
    at: str = "",
    *,
    charges: bool,
) -> None:
    """A customer names no price, and neither charges nor discounts: those are the shop's.

    :param charges: whether the request names any, or takes any away.
    """
    if not caller.customer_id:
        return
    for index, line in enumerate(lines[:LINES_MAX]):
        if line.HasField("unit_price"):
            violations.add(
                f"{at}lines[{index}].unit_price", "must not be set: prices are the shop's"
            )
    if charges:
        violations.add(f"{at}charges", "must not be set: charges are the shop's")
