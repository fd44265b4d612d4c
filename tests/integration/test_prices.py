"""What an order costs: a price is in its product's currency, or refused, in both modes."""

from grpc import StatusCode

from tests.integration.conftest import RunningHoldfast, create, line, price, refusal

ALIKE = True


async def test_a_price_without_a_currency_is_in_the_product_s(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 9, price(900, 0, "JPY"))

    order = await holdfast.place(line("LAMP", 2, price(705, 0, "")), request_id="r-1")
    again = await holdfast.place(line("LAMP", 2, price(705, 0, "")), request_id="r-1")
    named = await refusal(
        holdfast.create(create(line("LAMP", 2, price(705, 0, "JPY")), request_id="r-1"))
    )

    assert (order.total, again) == (price(1_410, 0, "JPY"), order)
    assert (named.reason, named.facts) == ("REQUEST_ID_REUSED", {"order_id": order.order_id})
    assert f"order {order.order_id}, which has other contents: look at that" in named.message


async def test_a_price_in_another_currency_than_the_product_s_is_refused(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 9, price(900, 0, "JPY"))
    before = await holdfast.everything()

    found = await refusal(
        holdfast.create(
            create(line("LAMP", 1, price(7, 5, "GBP")), line("LAMP"), line("LAMP", 1, price(7, 5)))
        )
    )

    assert (found.code, found.fields) == (
        StatusCode.INVALID_ARGUMENT,
        ["lines[0].unit_price", "lines[2].unit_price"],
    )
    assert "LAMP is sold in JPY" in found.message
    assert await holdfast.everything() == before
