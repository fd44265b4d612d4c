"""What verify says of records that it can't read: it names them, and goes on."""

import pytest

from holdfast import verification
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.test_verification import live, verified
from tests.integration.two_services import TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls


async def test_what_cannot_be_read_is_named_and_the_rest_is_checked(
    shop: TwoServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "SETTLE_S_MAX", 0.0)  # nothing is on its way
    live(shop)
    await shop.supply(LAMP=9)
    names = "history", "status", "stock", "reservation", "sound"
    states = await shop.place(*(asks(name, LAMP=1) for name in names))
    await shop.deliver()
    ids = {name: state.order_id for name, state in zip(names, states, strict=True)}
    of = "WHERE order_id = '{}'".format

    for sql in (
        f"UPDATE order_history SET action = 'LOST' {of(ids['history'])} AND version = 2",
        f"UPDATE orders SET status = 'LOST' {of(ids['status'])}",
        f"UPDATE orders SET stock = '[1]' {of(ids['stock'])}",
        f"UPDATE orders SET total_minor = 1 {of(ids['sound'])}",
    ):
        assert await shop.orders.execute(sql) == 1
    state = f"UPDATE reservation SET state = 'LOST' {of(ids['reservation'])}"
    assert await shop.inventory.execute(state) == 1
    assert await shop.inventory.execute("DELETE FROM feed_head") == 1
    said = (await verified(shop)).contradictions

    for text in (
        f"orders: what became of {ids['history']} cannot be read: 'LOST' is not a valid Action",
        f"orders: order {ids['status']} cannot be read: 'LOST' is not a valid OrderStatus",
        f"orders: order {ids['stock']} cannot be read: ",
        f"inventory: the reservation of order {ids['reservation']} cannot be read: 'LOST' is",
        f"orders: order {ids['sound']} totals 1, ",
        "inventory: the feed has 0 heads",
    ):
        assert sum(one.startswith(text) for one in said) == 1, (text, said)
