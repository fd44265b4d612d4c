"""What can be done with one order: the table of contents of this layer.

Whatever presents Orders to the world calls these. Placing is beside them,
and so are the loops that nobody asks for: hearing Inventory, chasing, ending holds.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from holdfast.orders.application.ordering.change_orders import Command
from holdfast.orders.application.ordering.edit_orders import EditCommand
from holdfast.orders.application.shipping.move_goods import GoodsCommand
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.erasure import Erased, Whom
from holdfast.orders.domain.customers.profile import Profile
from holdfast.orders.domain.figures import DayFigures
from holdfast.orders.domain.ordering.document import Order


@dataclass(frozen=True, slots=True)
class UseCases:
    """The verbs, each as the class of its name documents it."""

    cancel_order: Callable[[str, str, Caller], Awaitable[None]]
    update_order: Callable[
        [str, int, Mapping[str, str], Mapping[str, object], Caller], Awaitable[None]
    ]
    edit_order: Callable[[EditCommand], Awaitable[None]]  # EditOrder, CancelUnits, CancelRest
    preview_edit: Callable[[EditCommand], Awaitable[Order]]
    move_goods: Callable[[GoodsCommand], Awaitable[Order]]  # ShipOrder, OpenReturn and others
    extend_hold: Callable[[str, timedelta, Caller], Awaitable[None]]
    change_order: Callable[[Command], Awaitable[None]]  # ConfirmOrder, RecordPayment
    update_customer: Callable[[str, int, Mapping[str, str]], Awaitable[None]]
    erase_customer: Callable[[Whom, bool, Caller], Awaitable[Erased]]
    export_customer: Callable[[str], AsyncIterator[Profile | Order]]
    count_orders: Callable[[date, date], Awaitable[Sequence[DayFigures]]]
