"""Lists, searches, pages, request ids and new orders: a customer meets nobody else in any."""

from collections.abc import Callable

import pytest
from google.protobuf.message import Message
from grpc import StatusCode

from holdfast.contracts.orders.v1 import orders_pb2 as pb
from tests.integration.conftest import CALL_S_MAX, RunningHoldfast, create, line, price, refusal
from tests.integration.let_in import Metadata, let_in_by_name
from tests.integration.test_objects import ADA, BOB, STAFF, ask

EMAIL, REFERENCE, CHANNEL = "bob@example.org", "po-1", "web"
BY: dict[str, Callable[[], pb.SearchOrdersRequest]] = {
    "reference": lambda: pb.SearchOrdersRequest(reference=REFERENCE),
    "e-mail": lambda: pb.SearchOrdersRequest(email=EMAIL),
    "channel": lambda: pb.SearchOrdersRequest(channel=CHANNEL),
    "product": lambda: pb.SearchOrdersRequest(product_id="LAMP"),
    "status": lambda: pb.SearchOrdersRequest(status=pb.ORDER_STATUS_CONFIRMED),
    "end": lambda: pb.SearchOrdersRequest(status=pb.ORDER_STATUS_CANCELLED),
    "hold": lambda: pb.SearchOrdersRequest(status=pb.ORDER_STATUS_RESERVED),
    "payment": lambda: pb.SearchOrdersRequest(payment_status=pb.PAYMENT_STATUS_PAID),
    "two": lambda: pb.SearchOrdersRequest(reference=REFERENCE, email=EMAIL),
    "two of few": lambda: pb.SearchOrdersRequest(product_id="LAMP", channel=CHANNEL),
}


@pytest.fixture(autouse=True)
def _let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    let_in_by_name(monkeypatch)


@pytest.fixture
async def shop(holdfast: RunningHoldfast) -> RunningHoldfast:
    """Both customers have two orders that are alike in all but whose they are, in every state."""
    await holdfast.product("LAMP", 99)
    for number in (1, 2, 3):
        for by in (ADA, BOB):
            asked = create(line("LAMP"), customer_id="", request_id=f"req-{number}", wait_s=20)
            asked.customer.email, asked.reference, asked.channel = EMAIL, REFERENCE, CHANNEL
            if number == 2:
                asked.hold.seconds = 600
            order_id = (await ask(holdfast, "CreateOrder", asked, by)).order_id
            if number == 1:
                paid = pb.RecordPaymentRequest(
                    order_id=order_id, kind=pb.PAYMENT_KIND_CAPTURED, reference="pi"
                )
                paid.amount.units = 10
                await ask(holdfast, "RecordPayment", paid, STAFF)
            if number == 3:
                await ask(holdfast, "CancelOrder", pb.CancelOrderRequest(order_id=order_id), by)
    return holdfast


async def pages(
    shop: RunningHoldfast, method: str, request: Message, by: Metadata
) -> list[pb.Order]:
    """All pages, of one order each."""
    found: list[pb.Order] = []
    request.page_size = 1  # type: ignore[attr-defined]
    while True:
        page = await ask(shop, method, request, by)
        found += page.orders
        request.page_token = page.next_page_token  # type: ignore[attr-defined]
        if not page.next_page_token:
            return found


def owners(orders: list[pb.Order]) -> list[str]:
    return sorted({order.customer_id for order in orders})


async def test_a_list_has_one_s_own_orders_whatever_is_asked_for(shop: RunningHoldfast) -> None:
    requests: list[Callable[[], pb.ListOrdersRequest]] = [
        pb.ListOrdersRequest,
        lambda: pb.ListOrdersRequest(customer_id="c-ada"),
        lambda: pb.ListOrdersRequest(product_id="LAMP"),
        lambda: pb.ListOrdersRequest(request_ids=["req-1", "req-2"]),
        lambda: pb.ListOrdersRequest(status=pb.ORDER_STATUS_CONFIRMED),
        lambda: pb.ListOrdersRequest(status=pb.ORDER_STATUS_RESERVED),
        lambda: pb.ListOrdersRequest(status=pb.ORDER_STATUS_CANCELLED, product_id="LAMP"),
    ]

    for make in requests:
        mine = await pages(shop, "ListOrders", make(), ADA)
        everybody_s = await pages(shop, "ListOrders", make(), STAFF)
        of_both = [order.order_id for order in everybody_s if order.customer_id == "c-ada"]

        assert owners(mine) == ["c-ada"], make()
        assert [order.order_id for order in mine] == of_both, "none of them is missing"
    assert owners(await pages(shop, "ListOrders", pb.ListOrdersRequest(), STAFF)) == [
        "c-ada",
        "c-bob",
    ]


async def test_a_search_finds_one_s_own_orders_by_whatever_it_is(shop: RunningHoldfast) -> None:
    for by, sought in BY.items():
        mine = await pages(shop, "SearchOrders", sought(), ADA)
        everybody_s = await pages(shop, "SearchOrders", sought(), STAFF)
        of_both = [order.order_id for order in everybody_s if order.customer_id == "c-ada"]

        assert owners(mine) == ["c-ada"], by
        assert owners(everybody_s) == ["c-ada", "c-bob"], by
        assert [order.order_id for order in mine] == of_both, by


async def test_a_search_by_the_beginning_of_another_s_id_finds_nothing(
    shop: RunningHoldfast,
) -> None:
    bobs = await pages(shop, "ListOrders", pb.ListOrdersRequest(), BOB)
    for order in bobs:
        request = pb.SearchOrdersRequest(order_id_prefix=order.order_id)

        assert await pages(shop, "SearchOrders", request, ADA) == []


async def test_customers_are_oneself(shop: RunningHoldfast) -> None:
    for number in (1, 2):
        for by, customer_id in ((ADA, "c-ada"), (BOB, "c-bob")):
            update = pb.UpdateCustomerRequest(customer_id=customer_id, version=number - 1)
            update.customer.email = f"{number}@example.org"
            update.update_mask.paths.append("customer.email")
            await ask(shop, "UpdateCustomer", update, by)

    for request in (pb.ListCustomersRequest(), pb.ListCustomersRequest(email="2@example.org")):
        mine = await ask(shop, "ListCustomers", request, ADA)
        everybody = await ask(shop, "ListCustomers", request, STAFF)

        assert [one.customer_id for one in mine.customers] == ["c-ada"]
        assert [one.customer_id for one in everybody.customers] == ["c-ada", "c-bob"]


async def test_nobody_else_is_named_in_a_request(shop: RunningHoldfast) -> None:
    order = create(line("LAMP"), customer_id="c-bob")
    for method, request in (
        ("CreateOrder", order),
        ("ListOrders", pb.ListOrdersRequest(customer_id="c-bob")),
        ("ListOrders", pb.ListOrdersRequest(customer_id="c-nobody")),
        ("ListOrders", pb.ListOrdersRequest(by_hold_end=True)),
        ("SearchOrders", pb.SearchOrdersRequest(customer_id="c-bob")),
        ("EraseCustomer", pb.EraseCustomerRequest(email=EMAIL, force=True)),
    ):
        told = await refusal(ask(shop, method, request, ADA))

        assert told.code == StatusCode.INVALID_ARGUMENT
        assert told.fields in (["customer_id"], ["email"], ["by_hold_end"])
    batch = pb.BatchCreateOrdersRequest(requests=[order, create(line("LAMP"), customer_id="")])
    refused, made = (await ask(shop, "BatchCreateOrders", batch, ADA)).results

    assert refused.error.code == StatusCode.INVALID_ARGUMENT.value[0]
    assert (await shop.order(made.order.order_id)).customer_id == "c-ada"


async def test_a_customer_names_no_price_and_no_charge(shop: RunningHoldfast) -> None:
    cheap = create(line("LAMP"), line("LAMP", 1, price(0, 1)), customer_id="", wait_s=20)
    rebate = pb.Charge(kind=pb.CHARGE_KIND_DISCOUNT, amount=price(9))
    less = create(line("LAMP"), customer_id="")
    less.charges.append(rebate)
    (*_, mine) = await pages(shop, "ListOrders", pb.ListOrdersRequest(), ADA)
    edits = [
        pb.UpdateOrderRequest(lines=[line("LAMP", 1, price(0, 1), line_no=1)]),
        pb.UpdateOrderRequest(charges=[rebate]),
        pb.UpdateOrderRequest(),
    ]
    for edit, path in zip(edits, ("lines", "charges", "charges"), strict=True):
        edit.order_id, edit.version = mine.order_id, mine.version
        edit.update_mask.paths.append(path)
    batch = pb.BatchCreateOrdersRequest(requests=[cheap])
    (result,) = (await ask(shop, "BatchCreateOrders", batch, ADA)).results

    for method, request, field in (
        ("CreateOrder", cheap, "lines[1].unit_price"),
        ("CreateOrder", less, "charges"),
        ("UpdateOrder", edits[0], "lines[0].unit_price"),
        ("UpdateOrder", edits[1], "charges"),
        ("UpdateOrder", edits[2], "charges"),
    ):
        told = await refusal(ask(shop, method, request, ADA))

        assert (told.code, told.fields) == (StatusCode.INVALID_ARGUMENT, [field]), request
    assert result.error.code == StatusCode.INVALID_ARGUMENT.value[0]
    more = pb.UpdateOrderRequest(order_id=mine.order_id, version=mine.version)
    more.lines.append(line("LAMP", 2, line_no=1))
    more.update_mask.paths.append("lines")
    edited = await ask(shop, "UpdateOrder", more, ADA)
    assert edited.edit.lines or edited.lines[0].quantity == 2, "units are a customer's to say"
    cheap.customer_id = "c-ada"
    assert await ask(shop, "CreateOrder", cheap, STAFF), "and prices the shop's"


async def test_a_page_token_of_another_customer_is_refused(shop: RunningHoldfast) -> None:
    for by in (BOB, STAFF):
        requests: tuple[pb.ListOrdersRequest, pb.SearchOrdersRequest] = (
            pb.ListOrdersRequest(page_size=1),
            pb.SearchOrdersRequest(page_size=1, reference=REFERENCE),
        )
        for request in requests:
            method = "ListOrders" if request is requests[0] else "SearchOrders"
            request.page_token = (await ask(shop, method, request, by)).next_page_token
            assert request.page_token

            told = await refusal(ask(shop, method, request, ADA))

            assert (told.code, told.fields) == (StatusCode.INVALID_ARGUMENT, ["page_token"])
    of_bob = pb.ListOrdersRequest(page_size=1, customer_id="c-bob")
    of_bob.page_token = (await ask(shop, "ListOrders", of_bob, STAFF)).next_page_token
    mine = pb.ListOrdersRequest(page_token=of_bob.page_token)
    assert (await refusal(ask(shop, "ListOrders", mine, ADA))).fields == ["page_token"]


async def test_a_request_id_of_another_customer_is_a_new_one(shop: RunningHoldfast) -> None:
    first = create(line("LAMP", 2), customer_id="", request_id="same", wait_s=20)
    other = create(line("LAMP", 3), customer_id="", request_id="same", wait_s=20)
    of_bob = await ask(shop, "CreateOrder", first, BOB)
    of_ada = await ask(shop, "CreateOrder", other, ADA)
    call = shop.orders.CreateOrder(first, metadata=BOB, timeout=CALL_S_MAX)
    batch = pb.BatchCreateOrdersRequest(requests=[create(line("LAMP", 3), request_id="same")])
    batch.requests[0].customer_id = ""
    (again,) = (await ask(shop, "BatchCreateOrders", batch, ADA)).results

    assert of_bob.order_id != of_ada.order_id
    assert (await call).order_id == of_bob.order_id, "one's own repeat is a repeat"
    assert again.order.order_id == of_ada.order_id
    assert (await shop.order(of_bob.order_id)).customer_id == "c-bob"
    assert (await shop.order(of_ada.order_id)).lines[0].quantity == 3
