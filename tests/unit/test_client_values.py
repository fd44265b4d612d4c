"""Values cross the wire without loss: money, times, orders, stock."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from google.protobuf.duration_pb2 import Duration
from google.type.money_pb2 import Money as WireMoney
from hypothesis import given
from hypothesis import strategies as st

from holdfast import client
from holdfast.chassis.money import DIGITS
from holdfast.client import (
    Customer,
    EditState,
    Money,
    Movement,
    MovementKind,
    Order,
    OrderChange,
    OrderLine,
    OrderRequest,
    OrderStatus,
    Product,
    Shortage,
    StockInfo,
    StockLevel,
    StockRequest,
    _money,
    _requests,
    _stock_requests,
)
from holdfast.client import _money_wire as money_wire
from holdfast.client import _wire as wire
from holdfast.client._times import time_to_wire
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2

NOON = datetime(2026, 11, 2, 12, 0, 0, 123_000, tzinfo=UTC)
FOUR_FIFTY = WireMoney(currency_code="GBP", units=4, nanos=500_000_000)
currencies = st.sampled_from(["GBP", "EUR", "JPY", "KWD", "BHD", "CLF"])


@given(currency=currencies, minor=st.integers(-(10**17), 10**17))
def test_money_survives_the_wire_and_the_page(currency: str, minor: int) -> None:
    money = Money(currency, minor)

    assert money_wire.money_from_wire(money_wire.money_to_wire(money)) == money
    assert Money.parse(money.amount, currency) == money


@pytest.mark.parametrize(
    ("amount", "currency", "minor", "text"),
    [
        ("12.50", "GBP", 1250, "12.50 GBP"),
        ("12.5", "GBP", 1250, "12.50 GBP"),
        ("12.5000", "GBP", 1250, "12.50 GBP"),
        ("0.05", "GBP", 5, "0.05 GBP"),
        ("-0.05", "GBP", -5, "-0.05 GBP"),
        ("12", "JPY", 12, "12 JPY"),
        ("1.234", "KWD", 1234, "1.234 KWD"),
    ],
)
def test_money_is_read_and_written_in_its_currency(
    amount: str, currency: str, minor: int, text: str
) -> None:
    money = Money.parse(amount, currency)

    assert money == Money(currency, minor)
    assert str(money) == text


@pytest.mark.parametrize("amount", ["", "1,50", "1.505", ".5", "1e3", "NaN", "١٢", "--1", "1 2"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match=r"amount|finer"):
        Money.parse(amount, "GBP")


@pytest.mark.parametrize("currency", ["pounds", "gbp", "XYZ", "", None])
def test_a_currency_is_one_in_use(currency: str) -> None:
    with pytest.raises(ValueError, match="currency in use"):
        Money.parse("1", currency)


def test_the_client_knows_the_currencies_of_the_services() -> None:
    assert _money.DECIMALS == DIGITS


def test_an_amount_that_is_too_large_is_called_so() -> None:
    for amount in ("92233720368547758.08", "1" + "0" * 50):
        with pytest.raises(ValueError, match=r"too large: at most 92233720368547758\.07 GBP"):
            Money.parse(amount, "GBP")
    assert Money.parse("1234567890.00", "GBP") == Money("GBP", 123_456_789_000)
    assert Money.parse("92233720368547758.07", "GBP").minor == 2**63 - 1


def test_money_on_the_wire_has_units_and_nanos_of_one_sign() -> None:
    assert money_wire.money_to_wire(Money("GBP", -150)) == WireMoney(
        currency_code="GBP", units=-1, nanos=-500_000_000
    )


def test_money_finer_than_its_currency_is_never_rounded() -> None:
    with pytest.raises(ValueError, match="finer"):
        money_wire.money_from_wire(WireMoney(currency_code="JPY", units=1, nanos=500_000_000))


@pytest.mark.parametrize(
    ("price", "units", "nanos"),
    [
        ("705", 705, 0),
        ("12.505", 12, 505_000_000),
        ("0.000000001", 0, 1),
        ("-0.5", 0, -500_000_000),
    ],
)
def test_a_decimal_price_crosses_exactly_and_names_no_currency(
    price: str, units: int, nanos: int
) -> None:
    assert money_wire.price_to_wire(Decimal(price)) == WireMoney(units=units, nanos=nanos)


@pytest.mark.parametrize(
    "price",
    [
        "NaN",
        "sNaN",
        "Infinity",
        "1E+1000000",
        "1000000000000000000",
        "0.0000000001",
        "1E-1000000",
        "1.00000000000000000000000000000000000001",
    ],
)
def test_a_decimal_that_is_no_price_is_refused(price: str) -> None:
    with pytest.raises(ValueError, match="is no price"):
        money_wire.price_to_wire(Decimal(price))


def test_an_order_request_crosses_whole() -> None:
    request = OrderRequest(
        customer_id="c-17",
        lines=[OrderLine("LAMP-RED", 2), OrderLine("MUG", 1, Money("GBP", 450))],
        customer=Customer(name="Ada", email="ada@example.com", phone="1", address="London"),
        request_id="r-1",
    )

    message = _requests.create_order(request, wait_s=1.5)

    assert message == orders_pb2.CreateOrderRequest(
        request_id="r-1",
        customer_id="c-17",
        lines=[
            orders_pb2.OrderLine(product_id="LAMP-RED", quantity=2),
            orders_pb2.OrderLine(product_id="MUG", quantity=1, unit_price=FOUR_FIFTY),
        ],
        customer=orders_pb2.Customer(
            name="Ada", email="ada@example.com", phone="1", address="London"
        ),
        wait=Duration(seconds=1, nanos=500_000_000),
    )


def test_not_waiting_leaves_wait_unset_as_batches_demand() -> None:
    message = _requests.create_order(OrderRequest("c-17", [OrderLine("MUG", 1)]))

    assert not message.HasField("wait")
    assert not message.HasField("customer")


def test_an_order_crosses_whole() -> None:
    noon = time_to_wire(NOON)
    message = orders_pb2.Order(
        order_id="o-1",
        request_id="r-1",
        customer_id="c-17",
        status=orders_pb2.ORDER_STATUS_REJECTED,
        lines=[orders_pb2.OrderLine(product_id="MUG", quantity=3, unit_price=FOUR_FIFTY)],
        total=WireMoney(currency_code="GBP", units=13, nanos=500_000_000),
        customer=orders_pb2.Customer(name="Ada"),
        shortages=[orders_pb2.Shortage(product_id="MUG", wanted=3, available=1)],
        version=2,
        create_time=noon,
        update_time=noon,
        history=[
            orders_pb2.OrderChange(
                version=2,
                status=orders_pb2.ORDER_STATUS_REJECTED,
                change_time=noon,
                reason="short",
                actor="inventory",
            )
        ],
    )

    assert wire.order_from_wire(message) == Order(
        order_id="o-1",
        request_id="r-1",
        customer_id="c-17",
        status=OrderStatus.REJECTED,
        lines=(OrderLine("MUG", 3, Money("GBP", 450)),),
        total=Money("GBP", 1350),
        customer=Customer(name="Ada"),
        shortages=(Shortage("MUG", 3, 1),),
        version=2,
        create_time=NOON,
        update_time=NOON,
        history=(OrderChange(2, OrderStatus.REJECTED, NOON, "short", "inventory"),),
    )


def test_stock_crosses_whole() -> None:
    message = inventory_pb2.StockInfo(
        product=inventory_pb2.Product(
            product_id="MUG",
            name="Mug",
            description="Holds tea",
            unit_price=FOUR_FIFTY,
            active=True,
            version=1,
        ),
        on_hand=5,
        reserved=2,
        available=3,
        levels=[
            inventory_pb2.StockLevel(
                location_id="main", on_hand=5, reserved=2, available=3, version=9
            )
        ],
    )

    assert wire.stock_info_from_wire(message) == StockInfo(
        product=Product("MUG", "Mug", "Holds tea", Money("GBP", 450), True, 1),
        on_hand=5,
        reserved=2,
        available=3,
        levels=(StockLevel("main", 5, 2, 3, 9),),
    )


def test_a_movement_crosses_whole() -> None:
    message = inventory_pb2.Movement(
        movement_id=7,
        product_id="MUG",
        location_id="main",
        kind=inventory_pb2.MOVEMENT_KIND_RESERVATION,
        reserved_delta=2,
        on_hand_after=5,
        reserved_after=2,
        order_id="o-1",
        actor="orders",
        create_time=time_to_wire(NOON),
    )

    assert wire.movement_from_wire(message) == Movement(
        movement_id=7,
        product_id="MUG",
        location_id="main",
        kind=MovementKind.RESERVATION,
        on_hand_delta=0,
        reserved_delta=2,
        on_hand_after=5,
        reserved_after=2,
        order_id="o-1",
        reason="",
        reference="",
        actor="orders",
        create_time=NOON,
    )


def test_version_nought_is_not_the_same_as_any_version() -> None:
    unseen = _stock_requests.update_stock(StockRequest("MUG", 5, expected_version=0))
    whatever = _stock_requests.update_stock(StockRequest("MUG", 5))

    assert unseen.HasField("expected_version")
    assert not whatever.HasField("expected_version")


def test_a_status_of_a_newer_service_is_unknown_and_no_failure() -> None:
    assert wire.status_from_wire(99) is OrderStatus.UNKNOWN


def test_every_status_and_kind_of_the_contract_has_a_name() -> None:
    for number in orders_pb2.OrderStatus.values()[1:]:
        assert wire.status_from_wire(number) is not OrderStatus.UNKNOWN
    for kind in inventory_pb2.MovementKind.values()[1:]:
        movement = wire.movement_from_wire(inventory_pb2.Movement(kind=kind))
        assert movement.kind is not MovementKind.UNKNOWN
    for state in orders_pb2.EditState.values()[1:]:
        edited = wire.order_from_wire(orders_pb2.Order(edit=orders_pb2.OrderEdit(state=state)))
        assert edited.edit is not None
        assert edited.edit.state is not EditState.UNKNOWN


def test_the_public_surface_is_sorted_and_private_modules_hold_the_rest() -> None:
    assert client.__all__ == sorted(client.__all__)
    assert all(hasattr(client, name) for name in client.__all__)
