"""What a dry run allows is what the services allow: the same limits, and the same columns."""

from holdfast.chassis.grpc import sourcing
from holdfast.cli import imports as command
from holdfast.exchange import customers, exports, orders, products, stock
from holdfast.exchange.files import KINDS
from holdfast.inventory.domain.stock.queues import UNLIMITED
from holdfast.inventory.domain.stock.refusals import ON_HAND_MAX
from holdfast.inventory.presentation import wire as of_inventory
from holdfast.orders.domain.ordering import lines as basket
from holdfast.orders.presentation.ordering import details_wire
from holdfast.orders.presentation.ordering import wire as of_orders


def test_limits_are_those_of_the_services() -> None:
    assert products.NAME_CHARACTERS_MAX == of_inventory.NAME_CHARACTERS_MAX
    assert products.DESCRIPTION_CHARACTERS_MAX == of_inventory.DESCRIPTION_CHARACTERS_MAX
    assert products.UNITS_MAX == ON_HAND_MAX == UNLIMITED
    assert stock.REASON_CHARACTERS_MAX == of_inventory.REASON_CHARACTERS_MAX
    assert stock.LOCATION_CHARACTERS_MAX == sourcing.LOCATION_CHARACTERS_MAX
    assert customers.CONTACT_CHARACTERS_MAX == of_orders.CUSTOMER_CHARACTERS_MAX
    assert orders.NOTE_CHARACTERS_MAX == details_wire.NOTE_CHARACTERS_MAX
    assert (orders.LINES_MAX, orders.QUANTITY_MAX) == (
        basket.LINES_MAX,
        basket.QUANTITY_MAX,
    )


def test_every_column_of_an_export_means_something_to_an_import() -> None:
    shapes = {
        "products": products.PRODUCTS,
        "prices": products.PRICES,
        "stock": stock.STOCK,
        "customers": customers.CUSTOMERS,
        "orders": orders.ORDERS,
    }
    assert set(shapes) == set(KINDS)
    for kind, shape in shapes.items():
        assert set(exports.COLUMNS[kind]) <= {*shape.names, *shape.told}
        assert set(shape.required) <= set(exports.COLUMNS[kind])


def test_the_help_of_a_command_names_every_column() -> None:
    for kind, shape in (("products", products.PRODUCTS), ("orders", orders.ORDERS)):
        assert [name for name in shape.names if name not in command._HELP[kind]] == []
