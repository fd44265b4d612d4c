"""The questions that an order asked Inventory, as its history shows them: what it wanted, when."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from proof.goods import Item, Sourcing
from proof.snapshot import Edition, Order, Part

LEFT, CAME = "left: ", "came: "  # before the name of a fact, in place of the product
ENDS = ("CANCELLED", "EXPIRED")  # nothing more is wanted
SHIPPING = ("PARTIALLY_SHIPPED", "SHIPPED")


class Question(NamedTuple):
    """What an order wanted to hold from then on.

    :param version: the order's with it.
    :param wanted: units per product; none: the order is over.
    :param edit: the edition that its answer decides.
    """

    revision: int
    version: int
    wanted: Counter[str]
    sourcing: Sourcing
    edit: Edition | None = None


def questions_of(order: Order) -> list[Question]:
    """All questions of an order: by placing it, and by whatever changed what it wants since."""
    found = [Question(1, 1, order.first.demand, order.first.sourcing)]
    for now in order.history[1:]:
        ends = not now.action and now.status in ENDS
        ships = not now.action and now.status in SHIPPING
        if not (ends or ships or now.action in ("EDIT_ASKED", "SHIPPED", "RETURN_RECEIVED")):
            continue
        asked = [
            one
            for one in order.questions
            if now.action == "EDIT_ASKED" and one.asked_version == now.version
        ]
        edit = asked[0] if asked else None
        edition = edit or order.edition_at(now.version)
        wanted = Counter[str]() if ends else order.to_hold(edition, now.version)
        found.append(Question(len(found) + 1, now.version, wanted, edition.sourcing, edit))
    return found


def facts_of(order: Order) -> Iterator[tuple[int, Part]]:
    """What left and what came, with the revision of the question that first told of it."""
    for shipment in order.shipments:
        for part in _summed(LEFT, shipment.shipment_id, shipment.items):
            yield shipment.revision, part
    for one in order.returns:
        for receipt in one.receipts:
            for part in _summed(CAME, receipt.request_id, receipt.items):
                yield receipt.revision, part


def _summed(what: str, name: str, items: tuple[Item, ...]) -> Iterator[Part]:
    units = Counter[tuple[str, str]]()
    for item in items:
        units[fact_name(what, name, item.product_id, item.disposition), item.location_id] += (
            item.units
        )
    for key, quantity in units.items():
        yield Part(*key, quantity)


def fact_name(what: str, name: str, product_id: str, disposition: str = "") -> str:
    """A shipment or a receipt, and the product that it is of, in place of a product."""
    return f"{what}{name} {disposition} {product_id}"
