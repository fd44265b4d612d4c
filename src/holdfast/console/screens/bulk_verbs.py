"""What can be done with many orders at once: whom it fits, and how it is done with one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from holdfast.client import Holdfast, Order, OrderStatus, PaymentKind
from holdfast.console.forms import Form
from holdfast.console.jobs import Job
from holdfast.console.screens.holdings import can_ship

ORDER_MARK = "{order}"  # in a payment reference stands for the order's own id
BULK_PAYMENTS = (PaymentKind.AUTHORIZED, PaymentKind.CAPTURED)

Typed = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Verb:
    """One of them.

    :param fits: whether it can be done with an order, as far as one can tell by looking.
    :param is_done: whether this very job has done it already: a form that is sent again.
    :param check: what is wrong in its form goes into the form.
    """

    name: str
    scope: str
    fits: Callable[[Order, Typed], bool]
    is_done: Callable[[Order, Job], bool]
    act: Callable[[Holdfast, Order, Job], Awaitable[Order]]
    check: Callable[[Form], object]


def _reference(job: Job, order: Order) -> str:
    return job.typed["reference"].replace(ORDER_MARK, order.order_id)


async def _confirm(client: Holdfast, order: Order, job: Job) -> Order:
    kind = next((one for one in BULK_PAYMENTS if one == job.typed["kind"]), None)
    return await client.orders.confirm(
        order.order_id,
        payment=_reference(job, order),
        kind=kind,
        amount=order.total if kind else None,
    )


async def _cancel(client: Holdfast, order: Order, job: Job) -> Order:
    return await client.orders.cancel(order.order_id, reason=job.typed["reason"])


async def _ship(client: Holdfast, order: Order, job: Job) -> Order:
    return await client.orders.ship(
        order.order_id,
        shipment_id=job.job_id,
        location=job.typed["location"],
        carrier=job.typed["carrier"],
    )


VERBS = {
    one.name: one
    for one in (
        Verb(
            "confirm",
            "orders:write",
            lambda order, _: order.status is OrderStatus.RESERVED,
            lambda order, job: (
                order.status is OrderStatus.CONFIRMED
                and order.payment_reference == _reference(job, order)
            ),
            _confirm,
            lambda form: form.needed("reference"),
        ),
        Verb(
            "cancel",
            "orders:write",
            lambda order, _: not order.status.is_final,
            lambda order, _: order.status is OrderStatus.CANCELLED,
            _cancel,
            lambda _: None,
        ),
        Verb(
            "ship",
            "orders:ship",
            lambda order, typed: can_ship(order, typed.get("location", "")),
            lambda order, job: any(one.shipment_id == job.job_id for one in order.shipments),
            _ship,
            lambda _: None,
        ),
    )
}
