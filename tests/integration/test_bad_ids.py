"""No id in any request has what nobody sees; everything else is only a name."""

from collections.abc import Iterator

from google.protobuf.field_mask_pb2 import FieldMask
from grpc import StatusCode

from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from tests.integration.conftest import CALL_S_MAX, RunningHoldfast, create, line, price, refusal

Request = (
    pb.CreateOrderRequest
    | pb.BatchCreateOrdersRequest
    | pb.ListOrdersRequest
    | pb.SearchOrdersRequest
    | inventory_pb2.UpdateStockRequest
    | inventory_pb2.GetStockInfoRequest
    | inventory_pb2.BatchGetStockInfoRequest
    | inventory_pb2.BatchUpdateStockRequest
    | inventory_pb2.AdjustStockRequest
    | inventory_pb2.CreateProductRequest
    | inventory_pb2.UpdateProductRequest
    | inventory_pb2.ListMovementsRequest
)

# Each with what the refusal calls it; the first 14 are of public bug reports.
UNSEEN = {
    "LAMP\u200b-RED": "U+200B ZERO WIDTH SPACE, in place 5",
    "LAMP\u200d-RED": "U+200D ZERO WIDTH JOINER, in place 5",
    "\ufeffLAMP-RED": "U+FEFF ZERO WIDTH NO-BREAK SPACE (byte order mark), in place 1",
    "LAMP\u2060-RED": "U+2060 WORD JOINER, in place 5",
    "LAMP\u00ad-RED": "U+00AD SOFT HYPHEN, in place 5",
    "LAMP\u00a0RED": "U+00A0 NO-BREAK SPACE, in place 5",
    "LAMP\u3000RED": "U+3000 IDEOGRAPHIC SPACE, in place 5",
    "LAMP\u2028RED": "U+2028 LINE SEPARATOR, in place 5",
    "LAMP\u3164-RED": "U+3164 HANGUL FILLER, in place 5",
    "LAMP\ufe0f-RED": "U+FE0F VARIATION SELECTOR-16, in place 5",
    "LAMP\U000e0041-RED": "U+E0041 TAG LATIN CAPITAL LETTER A, in place 5",
    "LAMP\u2800RED": "U+2800 BRAILLE PATTERN BLANK, in place 5",
    "LAMP\uffff": "U+FFFF (noncharacter) in place 5",
    "LAMP  RED": "two spaces in a row in place 5",
    "LAMP-RED\u200b": "U+200B ZERO WIDTH SPACE, in place 9",
    "\u200b": "U+200B ZERO WIDTH SPACE, in place 1",
    "LAMP\u200c-RED": "U+200C ZERO WIDTH NON-JOINER, in place 5",
    "LAMP\u2009RED": "U+2009 THIN SPACE, in place 5",
    "LAMP\u2029RED": "U+2029 PARAGRAPH SEPARATOR, in place 5",
    "LAMP\u115fRED": "U+115F HANGUL CHOSEONG FILLER, in place 5",
    "LAMP\U000e0100": "U+E0100 VARIATION SELECTOR-17, in place 5",
    "LAMP\u2066RED": "U+2066 LEFT-TO-RIGHT ISOLATE, in place 5",
    "LAMP\u2011RED": "U+2011 NON-BREAKING HYPHEN in place 5",
    "LAMP\ue000": "U+E000 (private use) in place 5",
    "LAMP\tRED": "U+0009 TAB, in place 5",
    "CAFE\u0301": "U+00C9 LATIN CAPITAL LETTER E WITH ACUTE",
}


def ids_in_every_place(bad: str) -> Iterator[tuple[str, Request]]:
    """Each kind of id in each method that takes one, once; batches tell in their results."""
    lamp = line("LAMP")
    good = inventory_pb2.UpdateStockRequest(product_id="LAMP", quantity=1)
    for field in ("product_id", "location_id", "request_id"):
        one = inventory_pb2.UpdateStockRequest()
        one.CopyFrom(good)
        setattr(one, field, bad)
        yield "UpdateStock", one
        yield "BatchUpdateStock", inventory_pb2.BatchUpdateStockRequest(requests=[one])
        change = inventory_pb2.AdjustStockRequest(product_id="LAMP", delta=1, reason="found")
        setattr(change, field, bad)
        yield "AdjustStock", change
    for order in (
        create(line(bad)),
        create(lamp, customer_id=bad),
        create(lamp, request_id=bad),
    ):
        yield "CreateOrder", order
        yield "BatchCreateOrders", pb.BatchCreateOrdersRequest(requests=[order])
    yield "ListOrders", pb.ListOrdersRequest(customer_id=bad)
    yield "ListOrders", pb.ListOrdersRequest(product_id=bad)
    yield "ListOrders", pb.ListOrdersRequest(location_id=bad)
    yield "SearchOrders", pb.SearchOrdersRequest(location_id=bad)
    yield "ListMovements", inventory_pb2.ListMovementsRequest(product_id=bad)
    yield "ListMovements", inventory_pb2.ListMovementsRequest(location_id=bad)
    yield "GetStockInfo", inventory_pb2.GetStockInfoRequest(product_id=bad)
    yield "BatchGetStockInfo", inventory_pb2.BatchGetStockInfoRequest(product_ids=[bad])
    product = inventory_pb2.Product(product_id=bad, unit_price=price(1), version=1)
    yield "CreateProduct", inventory_pb2.CreateProductRequest(product=product)
    mask = FieldMask(paths=["active"])
    yield "UpdateProduct", inventory_pb2.UpdateProductRequest(product=product, update_mask=mask)


async def told(holdfast: RunningHoldfast, method: str, request: Request) -> tuple[int, str]:
    """The refusal of a call, or of the only request in a batch."""
    stub = holdfast.orders if hasattr(holdfast.orders, method) else holdfast.inventory
    call = getattr(stub, method)(request, timeout=CALL_S_MAX)
    if method in ("BatchUpdateStock", "BatchCreateOrders"):
        (result,) = (await call).results
        return result.error.code, result.error.message
    found = await refusal(call)
    return found.code.value[0], found.message


async def test_what_cannot_be_seen_is_refused_by_its_name_and_place_in_every_id_of_every_request(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 5)
    before = await holdfast.everything()

    surprises = []
    for bad, name in UNSEEN.items():
        for method, request in ids_in_every_place(bad):
            code, message = await told(holdfast, method, request)
            if code != StatusCode.INVALID_ARGUMENT.value[0] or name not in message:
                surprises.append((ascii(bad), method, code, message))

    assert surprises == []
    assert await holdfast.everything() == before


async def test_odd_ids_are_only_names(holdfast: RunningHoldfast) -> None:
    odd = [
        "' OR 1=1--",
        "%",
        "_",
        "../../etc",
        "${jndi:ldap://x}",
        "🛒👋🏽",
        "Ж",
        "โต๊ะ",
        "क्षत्रिय",
        '"',
        "\\",
    ]
    odd += ["x" * 128, "🛒" * 128, "null", "[]", "ﷺ", "a b"]

    for name in odd:
        await holdfast.product(name, {name[:64]: 5})
        order = await holdfast.place(line(name, 2), customer_id=name, request_id=name)
        again = await holdfast.place(line(name, 2), customer_id=name, request_id=name)

        assert again == order
        assert (order.customer_id, order.lines[0].product_id) == (name, name)
        assert order.status == pb.ORDER_STATUS_CONFIRMED
        mine = pb.ListOrdersRequest(customer_id=name, product_id=name)
        listed = await holdfast.orders.ListOrders(mine, timeout=CALL_S_MAX)
        assert [found.order_id for found in listed.orders] == [order.order_id]
        assert [level.location_id for level in (await holdfast.stock(name)).levels] == [name[:64]]
    assert len(await holdfast.all_orders()) == len(odd)
