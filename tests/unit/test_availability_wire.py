"""What could be promised to a basket is told in one message, from however many places it comes."""

from holdfast.chassis.grpc.sizes import ANSWER_BYTES_MAX
from holdfast.inventory.domain.stock.finding import Found
from holdfast.inventory.domain.stock.levels import HeldStock
from holdfast.inventory.presentation.availability_wire import availability_message

WIDE = "🛒" * 60  # of four bytes each


def found(products: int, places: int) -> Found:
    """A unit of each product at each place."""
    return Found(
        [
            HeldStock(f"{WIDE}{product:04d}", f"{WIDE}{place:04d}", "", 1)
            for product in range(products)
            for place in range(places)
        ]
    )


def test_what_could_be_promised_is_told_with_its_places() -> None:
    told = availability_message(found(3, 4), {})

    assert (told.available, told.shipments, len(told.stock)) == (True, 4, 12)


def test_many_places_make_no_answer_too_large_to_be_told() -> None:
    told = availability_message(found(2_000, 5), {})

    assert told.ByteSize() <= ANSWER_BYTES_MAX
    assert (told.available, told.shipments) == (True, 5)
