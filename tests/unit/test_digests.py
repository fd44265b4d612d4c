"""Digests of requests are kept for ever: after any upgrade a repeat must still be known as one.

Should one of these fail, the form of a digest has changed, and every repeat of an older request
would be told REQUEST_ID_REUSED. Give the new form another prefix and compare both.
"""

import pytest

from holdfast.inventory.application.stock.change_stock import (
    AdjustOnHand,
    SetOnHand,
    StockChange,
    digest_of,
)
from holdfast.inventory.domain.caller import Caller as StockCaller
from holdfast.orders.application.ordering.place_orders import AskedLine, PlaceOrder
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.money import Amount, Money
from holdfast.orders.domain.ordering.sourcing import Sourcing, Strategy

PLAIN = (AskedLine("LAMP", 2, None),)
PRICED = (
    AskedLine("LAMP", 2, Money("GBP", 1_250)),
    AskedLine("CAFÉ", 1, Amount(705_000_000_000)),
    AskedLine("LAMP", 1, None),
)
ADA = Customer("Ada", "ada@example.org", "+44 1", "1 Mill Lane\nLeeds")


def asked(lines: tuple[AskedLine, ...], customer: Customer, caller: str = "web") -> PlaceOrder:
    return PlaceOrder("r-1", "c-1", lines, customer, Caller(caller))


@pytest.mark.parametrize(
    ("order", "digest"),
    [
        (
            asked(PLAIN, Customer()),
            "v1:4feae7e343b86d0e8b51de71b5ca72ce0642d1929f84a56d19e17d2a47c17d08",
        ),
        (
            asked(PRICED, Customer(phone="+44 1")),
            "v1:afd37d7f2a44b6b697278980d632433dd62e4f6be7eb5527cc0f4849faf5a48b",
        ),
        (asked(PRICED, ADA), "v1:c15c619e74f619534a29c32614312db654e71ede2a1f9545ad470fb7735a6977"),
    ],
)
def test_the_digest_of_an_order_stays_what_it_was(order: PlaceOrder, digest: str) -> None:
    assert order.digest() == digest


@pytest.mark.parametrize(
    ("change", "digest"),
    [
        (
            SetOnHand("LAMP", "main", 0, None, "", "r", StockCaller("web")),
            "v1:5cd54950327e1ec26b7795b7225bf3d0c793c335ce388da9a628eede707301a7",
        ),
        (
            SetOnHand("LAMP", "main", 5, 0, "count", "r", StockCaller("web")),
            "v1:3bf7e2dd115682c87f02b0211576a0441271ba22998942c921480672f2157b30",
        ),
        (
            AdjustOnHand("LAMP", "main", -3, "broke", "", "r", StockCaller("web")),
            "v1:b73ecb932ceebdf24984df244cf2c9086e4f6c232514eb43a3e552f124d4a146",
        ),
        (
            AdjustOnHand("CAFÉ", "é", 3, "in", "D7", "r", StockCaller("web")),
            "v1:776a1990544247980753a251bc0bbf1642ab1705a16a1c6804b2d67a072d8950",
        ),
    ],
)
def test_the_digest_of_a_stock_change_stays_what_it_was(change: StockChange, digest: str) -> None:
    assert digest_of(change) == digest


def test_the_digest_of_a_sourcing_stays_what_it_was_where_nothing_new_is_asked_for() -> None:
    pinned = asked(PLAIN, Customer())._replace(sourcing=Sourcing(Strategy.PINNED, ("shop",)))
    in_stock = pinned._replace(sourcing=pinned.sourcing._replace(in_stock_only=True))

    assert pinned.digest() == (
        "v1:44962f93845b7209ce6a8f4e36a6524f094faa33c93aee8a16bce395b291947d"
    )
    assert in_stock.digest() != pinned.digest()


def test_who_asks_is_no_part_of_what_is_asked_for() -> None:
    assert asked(PLAIN, ADA, "web").digest() == asked(PLAIN, ADA, "phone").digest()


def test_every_part_of_an_order_has_its_part_in_the_digest() -> None:
    orders = [
        asked(PLAIN, Customer()),
        asked((AskedLine("LAMP", 3, None),), Customer()),
        asked((AskedLine("LAMPS", 2, None),), Customer()),
        asked((AskedLine("LAMP", 2, Money("GBP", 0)),), Customer()),
        asked((AskedLine("LAMP", 2, Money("EUR", 0)),), Customer()),
        asked((AskedLine("LAMP", 2, Amount(0)),), Customer()),
        asked(PLAIN + PLAIN, Customer()),
        *(
            asked(PLAIN, Customer(**{field: "x"}))
            for field in ("name", "email", "phone", "address")
        ),
    ]

    assert len({order.digest() for order in orders}) == len(orders)
