"""Products as callers make, change and list them, and what only a word does to a level."""

import asyncio
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from grpc import StatusCode

from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.contracts.orders.v1 import orders_pb2
from tests.integration.conftest import (
    CALL_S_MAX,
    Refusal,
    RunningHoldfast,
    line,
    price,
    refusal,
)


async def test_a_product_is_made_once(holdfast: RunningHoldfast) -> None:
    lamp = pb.Product(
        product_id="LAMP", name="Lamp", description="red", unit_price=price(1), active=True
    )
    other = pb.Product(product_id="LAMP", name="Lamp", unit_price=price(1), active=True)
    make = holdfast.inventory.CreateProduct
    request = pb.CreateProductRequest(product=lamp)

    made = await asyncio.gather(*(make(request, timeout=CALL_S_MAX) for _ in range(10)))
    found = await refusal(make(pb.CreateProductRequest(product=other), timeout=CALL_S_MAX))

    lamp.version = 1
    assert made == [lamp] * 10
    assert (found.code, found.reason) == (StatusCode.ALREADY_EXISTS, "PRODUCT_EXISTS")
    assert (await holdfast.stock("LAMP")).product == lamp


async def test_a_level_is_emptied_only_by_a_word(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    silent = pb.UpdateStockRequest(product_id="LAMP", reason="counted")
    batch = pb.BatchUpdateStockRequest(requests=[silent])

    one = await refusal(holdfast.inventory.UpdateStock(silent, timeout=CALL_S_MAX))
    many = await holdfast.inventory.BatchUpdateStock(batch, timeout=CALL_S_MAX)

    assert (one.code, one.fields) == (StatusCode.INVALID_ARGUMENT, ["quantity"])
    assert Refusal.of(many.results[0].error).fields == ["quantity"]
    assert (await holdfast.stock("LAMP")).on_hand == 5
    silent.quantity = 0
    emptied = await holdfast.inventory.UpdateStock(silent, timeout=CALL_S_MAX)
    assert emptied.level.on_hand == 0


async def test_a_product_is_on_sale_unless_told_otherwise(holdfast: RunningHoldfast) -> None:
    products = [
        pb.Product(product_id="LAMP", unit_price=price(1)),
        pb.Product(product_id="OLD", unit_price=price(1), active=False),
    ]

    made = [
        await holdfast.inventory.CreateProduct(
            pb.CreateProductRequest(product=product), timeout=CALL_S_MAX
        )
        for product in products
    ]

    assert [product.active for product in made] == [True, False]
    assert [(await holdfast.stock(one.product_id)).product.active for one in products] == [
        True,
        False,
    ]


async def test_a_product_goes_off_sale_only_by_a_word(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    silent = pb.Product(product_id="LAMP", version=1)
    mask = FieldMask(paths=["active"])

    found = await refusal(
        holdfast.inventory.UpdateProduct(
            pb.UpdateProductRequest(product=silent, update_mask=mask), timeout=CALL_S_MAX
        )
    )
    silent.active = False
    told = await holdfast.inventory.UpdateProduct(
        pb.UpdateProductRequest(product=silent, update_mask=mask), timeout=CALL_S_MAX
    )

    assert (found.code, found.fields) == (StatusCode.INVALID_ARGUMENT, ["product.active"])
    assert told.active is False


async def test_a_product_changes_only_as_masked_and_from_its_version(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 5)
    details = pb.Product(
        product_id="LAMP", name="Red lamp", unit_price=price(7), active=False, version=1
    )
    request = pb.UpdateProductRequest(
        product=details, update_mask=FieldMask(paths=["name", "unit_price"])
    )

    changed = await holdfast.inventory.UpdateProduct(request, timeout=CALL_S_MAX)
    found = await refusal(holdfast.inventory.UpdateProduct(request, timeout=CALL_S_MAX))
    order = await holdfast.place(line("LAMP"))

    expected = pb.Product(
        product_id="LAMP", name="Red lamp", unit_price=price(7), active=True, version=2
    )
    assert changed == expected
    assert (found.code, found.reason) == (StatusCode.ABORTED, "STALE_VERSION")
    assert found.facts == {"current_version": "2"}
    assert (order.total, order.status) == (price(7), orders_pb2.ORDER_STATUS_CONFIRMED)


async def test_pages_of_products_stay_stable_while_products_are_added(
    holdfast: RunningHoldfast,
) -> None:
    for number in range(7):
        await holdfast.product(f"P-{number}")
    request, seen = pb.ListProductsRequest(page_size=3), list[str]()

    while not seen or request.page_token:
        page = await holdfast.inventory.ListProducts(request, timeout=CALL_S_MAX)
        seen += [product.product_id for product in page.products]
        request.page_token = page.next_page_token
        await holdfast.product(f"A-{len(seen)}")

    assert seen == [f"P-{number}" for number in range(7)]


async def test_products_are_found_by_what_is_known_of_them(holdfast: RunningHoldfast) -> None:
    for product_id, units in (("LAMP", 9), ("LAMP-RED", 2), ("NEVER", 0), ("SHADE", 1)):
        await holdfast.product(product_id, units)
    await holdfast.place(line("LAMP-RED", 2))

    async def found(**wanted: Any) -> list[str]:
        request, seen = pb.ListProductsRequest(page_size=1, **wanted), list[str]()
        while True:
            page = await holdfast.inventory.ListProducts(request, timeout=CALL_S_MAX)
            seen += [product.product_id for product in page.products]
            request.page_token = page.next_page_token
            if not request.page_token:
                return seen

    assert await found(product_id_prefix="LAMP") == ["LAMP", "LAMP-RED"]
    assert await found(available_max=0) == ["LAMP-RED"]
    assert await found(available_max=1, active=True) == ["LAMP-RED", "SHADE"]
    assert await found(available_max=1, product_id_prefix="S") == ["SHADE"]
    assert await found(product_id_prefix="s") == []
    assert await found(active=False) == []
    assert await found(waited_for=True) == []


async def test_a_page_of_products_goes_on_with_the_same_filter_only(
    holdfast: RunningHoldfast,
) -> None:
    for number in range(3):
        await holdfast.product(f"P-{number}", 1)
    request = pb.ListProductsRequest(page_size=1, available_max=1)
    page = await holdfast.inventory.ListProducts(request, timeout=CALL_S_MAX)

    for other in (
        pb.ListProductsRequest(),
        pb.ListProductsRequest(available_max=2),
        pb.ListProductsRequest(available_max=1, active=True),
    ):
        other.page_token = page.next_page_token
        found = await refusal(holdfast.inventory.ListProducts(other, timeout=CALL_S_MAX))

        assert (found.code, found.fields) == (StatusCode.INVALID_ARGUMENT, ["page_token"])
