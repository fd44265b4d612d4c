"""Back-orders in Inventory's messages: a product's policy, and the pages of its queue."""

from dataclasses import dataclass
from datetime import date, timedelta

from google.type.date_pb2 import Date

from holdfast.chassis import times
from holdfast.chassis.grpc import pages
from holdfast.chassis.validation import UUID_FORM, Violations
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.inventory.application.ports import QueuePlace, QueueRow
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.stock.queues import UNLIMITED

LIMIT_MAX = UNLIMITED - 1
MICROSECOND = timedelta(microseconds=1)
CURSOR_FORM = f"[0-9]{{1,17}} {UUID_FORM}"


def read_backorder(message: pb.Backorder, violations: Violations) -> tuple[int, date | None]:
    """Read how many units may be waited for, and when more is expected."""
    at = "product.backorder"
    if message.mode not in pb.BackorderMode.values():
        violations.add(f"{at}.mode", f"{message.mode} is none; there are NONE, LIMITED, UNLIMITED")
    limited = message.mode == pb.BACKORDER_MODE_LIMITED
    if limited:
        violations.within(f"{at}.units_max", message.units_max, lowest=1, highest=LIMIT_MAX)
    elif message.units_max:
        violations.add(f"{at}.units_max", "must be 0: only LIMITED has it")
    unlimited = message.mode == pb.BACKORDER_MODE_UNLIMITED
    units = UNLIMITED if unlimited else message.units_max if limited else 0
    return max(0, units), _read_date(message, f"{at}.expected_date", violations)


def _read_date(message: pb.Backorder, at: str, violations: Violations) -> date | None:
    if not message.HasField("expected_date"):
        return None
    there = message.expected_date
    try:
        return date(there.year, there.month, there.day)
    except ValueError:
        violations.add(at, f"{there.year}-{there.month}-{there.day} is no day")
        return None


def write_backorder(message: pb.Backorder, product: Product) -> None:
    """Write a product's policy in place."""
    if product.backorder_max == UNLIMITED:
        message.mode = pb.BACKORDER_MODE_UNLIMITED
    elif product.backorder_max:
        message.mode = pb.BACKORDER_MODE_LIMITED
        message.units_max = product.backorder_max
    else:
        message.mode = pb.BACKORDER_MODE_NONE
    write_expected(message, product)


def write_expected(
    message: pb.Backorder | pb.AwaitedStock | pb.UnavailableStock | pb.ListBackordersResponse,
    product: Product,
) -> None:
    """Write when more of a product is expected, if it says so."""
    if day := product.expected_on:
        message.expected_date.CopyFrom(Date(year=day.year, month=day.month, day=day.day))


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Which page of which queue is asked for."""

    product_id: str
    filter_text: str
    cursor: str
    size: int


def read_queue_page(request: pb.ListBackordersRequest, violations: Violations) -> QueuePage:
    product_id = violations.id("product_id", request.product_id)
    filter_text = f"backorders {product_id!r}"
    cursor = pages.read_token(violations, request.page_token, filter_text, cursor_form=CURSOR_FORM)
    return QueuePage(
        product_id, filter_text, cursor, pages.page_size(violations, request.page_size)
    )


def place_of(cursor: str) -> QueuePlace | None:
    """Read a place in a queue from a cursor; none: before all."""
    if not cursor:
        return None
    micros, order_id = cursor.split(" ")
    return times.EPOCH + int(micros) * MICROSECOND, order_id


def cursor_of(row: QueueRow) -> str:
    return f"{(row.since - times.EPOCH) // MICROSECOND} {row.order_id}"


@dataclass(slots=True)
class QueueMessages:
    """Writes rows of a queue one after the other, each with its position.

    :param places, units: how many are before the first of them.
    """

    places: int
    units: int

    def __call__(self, row: QueueRow) -> pb.BackorderedUnits:
        self.places += 1
        message = pb.BackorderedUnits(
            position=self.places,
            order_id=row.order_id,
            quantity=row.quantity,
            units_ahead=self.units,
        )
        times.write(message.since_time, row.since)
        self.units += row.quantity
        return message
