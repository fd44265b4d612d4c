"""Charges, details and search as callers meet them, in both modes."""

from decimal import Decimal

import pytest
from google.type.money_pb2 import Money as WireMoney
from grpc import StatusCode

from holdfast.client import (
    Address,
    AlreadyExists,
    Charge,
    ChargeKind,
    Details,
    InvalidRequest,
    Money,
    OrderLine,
    PaymentKind,
    PaymentStatus,
)
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.verification import verify
from tests.integration.conftest import CALL_S_MAX, Refusal, RunningHoldfast, price, refusal

ALIKE = True
LAMP, DESK = OrderLine("LAMP", 2, Decimal("10")), OrderLine("DESK", 1, Decimal("5"))
PARIS = Address(name="Zoë", street="1 rue X\n2e étage", city="Paris", country="FR")
DETAILS = Details("W-17", "web", "ring twice", {"gift": "yes", "lang": "fr"}, PARIS)
DISCOUNT, TAX = ChargeKind.DISCOUNT, ChargeKind.TAX


async def shop(holdfast: RunningHoldfast) -> None:
    for name in ("LAMP", "DESK"):
        await holdfast.product(name, 100, unit_price=price(10))


async def sound(holdfast: RunningHoldfast) -> None:
    report = await verify(holdfast.databases["orders"], holdfast.databases["inventory"])
    assert report.ok, report.contradictions


async def test_the_total_is_the_sum_of_lines_and_charges(holdfast: RunningHoldfast) -> None:
    await shop(holdfast)
    charges = [
        Charge(DISCOUNT, Decimal("3"), line_no=1, code="SPRING"),
        Charge(DISCOUNT, Decimal("2")),
        Charge(ChargeKind.SHIPPING, Decimal("4.50")),
        Charge(ChargeKind.FEE, Decimal("1")),
        Charge(TAX, Decimal("2.55"), line_no=2),
        Charge(ChargeKind.TAX_INCLUDED, Decimal("9")),
    ]
    placed = await holdfast.client.orders.create(
        "c-1", [LAMP, DESK], charges=charges, details=DETAILS, request_id="r", wait_s=20
    )

    order = await holdfast.client.orders.get(placed.order_id)

    assert order.total.minor == 2_000 + 500 - 300 - 200 + 450 + 100 + 255
    assert [(c.kind, c.line_no, c.code) for c in order.charges] == [
        (c.kind, c.line_no, c.code) for c in charges
    ]
    assert order.details == DETAILS
    again = await holdfast.client.orders.create(
        "c-1", [LAMP, DESK], charges=charges, details=DETAILS, request_id="r"
    )
    assert again.order_id == placed.order_id
    with pytest.raises(AlreadyExists):
        await holdfast.client.orders.create(
            "c-1", [LAMP, DESK], charges=charges[1:], details=DETAILS, request_id="r"
        )
    await sound(holdfast)


@pytest.mark.parametrize(
    ("charge", "field"),
    [
        (Charge(DISCOUNT, Decimal("20.01"), line_no=1), "charges[0].amount"),
        (Charge(DISCOUNT, Decimal("25.01")), "charges[0].amount"),
        (Charge(TAX, Decimal("1"), line_no=3), "charges[0].line_no"),
        (Charge(TAX, Money("JPY", 1)), "charges[0].amount"),
        (Charge(TAX, Decimal("0.001")), "charges[0].amount"),
        (Charge(ChargeKind.TAX_INCLUDED, Decimal(10) ** 17), "charges[0].amount"),
        (Charge(ChargeKind.FEE, Decimal(10) ** 17), "charges[0].amount"),
    ],
)
async def test_charges_that_can_not_be_are_refused(
    holdfast: RunningHoldfast, charge: Charge, field: str
) -> None:
    await shop(holdfast)

    with pytest.raises(InvalidRequest) as refused:
        await holdfast.client.orders.create("c-1", [LAMP, DESK], charges=[charge])

    assert [violation.field for violation in refused.value.violations] == [field]
    assert await holdfast.all_orders() == []


async def test_an_amount_that_no_currency_has_fails_no_other_order_of_its_batch(
    holdfast: RunningHoldfast,
) -> None:
    await shop(holdfast)
    too_large = pb.Charge(
        kind=pb.CHARGE_KIND_TAX_INCLUDED, amount=WireMoney(units=2**62, nanos=10_000_000)
    )
    lamp = pb.OrderLine(product_id="LAMP", quantity=1)
    dear = pb.OrderLine(product_id="LAMP", quantity=1, unit_price=WireMoney(units=2**62))
    requests = [
        pb.CreateOrderRequest(customer_id="c-1", lines=[lamp]),
        pb.CreateOrderRequest(customer_id="c-2", lines=[lamp], charges=[too_large]),
        pb.CreateOrderRequest(customer_id="c-2", lines=[lamp, dear]),
    ]

    batch = pb.BatchCreateOrdersRequest(requests=requests)
    answer = await holdfast.orders.BatchCreateOrders(batch, timeout=CALL_S_MAX)

    good, *bad = answer.results
    assert good.HasField("order")
    refused = [Refusal.of(one.error) for one in bad]
    assert [(one.code, one.fields) for one in refused] == [
        (StatusCode.INVALID_ARGUMENT, ["charges[0].amount"]),
        (StatusCode.INVALID_ARGUMENT, ["lines[1].unit_price"]),
    ]


async def test_details_are_updated_one_by_one_by_version(holdfast: RunningHoldfast) -> None:
    await shop(holdfast)
    orders = holdfast.client.orders
    placed = await orders.create("c-1", [LAMP], details=DETAILS, wait_s=20)
    before = await orders.get(placed.order_id)

    after = await orders.update(
        placed.order_id, version=before.version, note="", bill_to=PARIS, name="Ada"
    )

    assert after.details == Details("W-17", "web", "", DETAILS.attributes, PARIS, PARIS)
    assert after.customer.name == "Ada"
    assert after.history[-1].action == "DETAILS_UPDATED"
    plain = await orders.create("c-1", [LAMP], wait_s=20)
    bare = await orders.get(plain.order_id)
    noted = await orders.update(plain.order_id, version=bare.version, note="new")
    assert (bare.details, noted.details) == (Details(), Details(note="new"))
    await sound(holdfast)


async def test_orders_are_found_by_what_is_known_of_them(holdfast: RunningHoldfast) -> None:
    await shop(holdfast)
    orders = holdfast.client.orders
    first = (await orders.create("c-1", [LAMP], details=DETAILS, wait_s=20)).order_id
    second = (
        await orders.create("c-2", [DESK], details=Details("W-18", "web"), wait_s=20)
    ).order_id
    third = (await orders.create("c-1", [DESK], wait_s=20)).order_id
    state = await orders.get(third)
    await orders.update(third, version=state.version, email="ada@example.org")
    await orders.record_payment(second, PaymentKind.CAPTURED, Decimal("5"), reference="p")

    async def found(**wanted: object) -> list[str]:
        listed = orders.search(page_size=1, **wanted)  # type: ignore[arg-type]
        return [order.order_id async for order in listed]

    assert await found(reference="W-17") == [first]
    assert await found(channel="web") == [second, first]
    assert await found(channel="web", customer_id="c-2") == [second]
    assert await found(email="ada@example.org") == [third]
    assert await found(email="Ada@example.org") == []
    assert await found(payment_status=PaymentStatus.PAID) == [second]
    assert await found(payment_status=PaymentStatus.NONE, customer_id="c-1") == [third, first]
    assert await found(order_id_prefix=first[:30].upper(), product_id="LAMP") == [first]
    assert await found(order_id_prefix=third) == [third]
    assert await found(order_id_prefix=third, product_id="LAMP") == []
    await sound(holdfast)


async def test_a_charge_of_nothing_is_one_only_by_a_word(holdfast: RunningHoldfast) -> None:
    create = pb.CreateOrderRequest(
        customer_id="c", lines=[pb.OrderLine(product_id="LAMP", quantity=1)]
    )
    await shop(holdfast)
    silent = create.charges.add(kind=pb.CHARGE_KIND_DISCOUNT)

    found = await refusal(holdfast.orders.CreateOrder(create, timeout=CALL_S_MAX))
    silent.amount.SetInParent()
    spoken = await holdfast.orders.CreateOrder(create, timeout=CALL_S_MAX)
    by_client = await holdfast.client.orders.create(
        "c", [LAMP], charges=[Charge(DISCOUNT, Decimal(0))]
    )

    assert (found.code, found.fields) == (StatusCode.INVALID_ARGUMENT, ["charges[0].amount"])
    for order_id in (spoken.order_id, by_client.order_id):
        order = await holdfast.client.orders.get(order_id)
        assert [charge.amount for charge in order.charges] == [Money("GBP", 0)]


async def test_days_that_are_none_or_too_many_are_refused(holdfast: RunningHoldfast) -> None:
    for first, last, fields in (
        ("", "rubbish", ["first_day", "last_day"]),
        ("2026-3-1", "20260302", ["first_day", "last_day"]),
        ("1969-12-31", "9999-01-01", ["first_day", "last_day"]),
        ("2026-03-02", "2026-03-01", ["last_day"]),
        ("2026-03-01", "2026-06-01", ["last_day"]),
    ):
        request = pb.GetOrderFiguresRequest(first_day=first, last_day=last)
        call = holdfast.orders.GetOrderFigures(request, timeout=CALL_S_MAX)
        assert (await refusal(call)).fields == fields
    most = pb.GetOrderFiguresRequest(first_day="2026-03-01", last_day="2026-05-31")
    found = await holdfast.orders.GetOrderFigures(most, timeout=CALL_S_MAX)
    assert (len(found.days), found.days[0].orders) == (92, 0)


async def test_a_search_for_nothing_and_bad_details_are_refused_with_all_violations(
    holdfast: RunningHoldfast,
) -> None:
    create = pb.CreateOrderRequest(
        customer_id="c",
        lines=[pb.OrderLine(product_id="LAMP", quantity=1)],
        reference="x" * 129,
        note="n" * 2_001,
        attributes={"k" * 41: "v", "": "v"},
    )
    create.ship_to.country = "fr"
    create.charges.add(line_no=-1)

    refusals = [
        await refusal(holdfast.orders.SearchOrders(pb.SearchOrdersRequest(), timeout=CALL_S_MAX)),
        await refusal(
            holdfast.orders.SearchOrders(
                pb.SearchOrdersRequest(order_id_prefix="no-id", payment_status=99),  # type: ignore[arg-type]
                timeout=CALL_S_MAX,
            )
        ),
        await refusal(holdfast.orders.CreateOrder(create, timeout=CALL_S_MAX)),
    ]

    assert [one.fields for one in refusals[:2]] == [
        ["order_id_prefix"],
        ["payment_status", "order_id_prefix"],
    ]
    assert set(refusals[2].fields) == {
        "charges[0].kind",
        "charges[0].line_no",
        "charges[0].amount",
        "reference",
        "note",
        f"attributes[{'k' * 41!r}]",
        "attributes['']",
        "ship_to.country",
    }
