"""One order, one trace: from the call over both services and the broker to the settled order."""

import json
import time
from collections.abc import Iterator

import grpc
import pytest

from holdfast.client import Money
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.contracts.orders.v1.orders_pb2_grpc import OrderServiceStub
from testbed.keys import BEARER
from testbed.processes import free_port
from testbed.services import settings_of
from testbed.waiting import wait_until
from tests.e2e.conftest import Clustered, Embedded
from tests.e2e.otlp import Collector, Taken, collecting

TRACE_ID, CALLER_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, UNSAMPLED = (f"00-{TRACE_ID}-{CALLER_ID}-{flag}" for flag in ("01", "00"))
SENT_S_MAX = 15.0

CREATE = "holdfast.orders.v1.OrderService/CreateOrder"
TO_INVENTORY, TO_ORDERS = "process holdfast.inventory.orders", "process holdfast.orders.answers"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


@pytest.fixture
def traced(clustered: Clustered, collector: Collector) -> Clustered:
    """A cluster that sends traces, and begins none by itself."""
    for service in ("orders", "inventory"):
        told = settings_of(service, traces=collector.url, trace_ratio=0)
        clustered.process_environment.update(told)
    clustered.start_all()
    return clustered


async def stock_up(system: Clustered | Embedded) -> None:
    async with system.client() as shop:
        await shop.inventory.create_product("LAMP", unit_price=Money.parse("12.50", "GBP"))
        await shop.inventory.set_stock("LAMP", 50)


def create(address: str, quantity: int, traceparent: str) -> pb.CreateOrderResponse:
    with grpc.insecure_channel(address) as channel:
        request = pb.CreateOrderRequest(
            customer_id="c-17",
            request_id=f"request-{quantity}",
            lines=[pb.OrderLine(product_id="LAMP", quantity=quantity)],
        )
        request.wait.FromSeconds(10)
        answer: pb.CreateOrderResponse = OrderServiceStub(channel).CreateOrder(
            request, timeout=20, metadata=(("traceparent", traceparent), *BEARER)
        )
    return answer


def spans_by_name(collector: Collector, names: set[str]) -> dict[str, list[Taken]]:
    """The spans of the trace, once all of these names are there."""
    found: dict[str, list[Taken]] = {}

    def are_there() -> bool:
        found.clear()
        for span in collector.spans(TRACE_ID):
            found.setdefault(span.name, []).append(span)
        return names <= found.keys()

    wait_until(are_there, SENT_S_MAX, lambda: AssertionError(sorted(found)))
    return found


async def test_an_order_is_one_trace_over_both_services_and_the_broker(
    traced: Clustered, collector: Collector
) -> None:
    await stock_up(traced)

    answer = create(traced.addresses["orders"], 2, SAMPLED)

    check = "holdfast.inventory.v1.InventoryService/BatchGetStockInfo"
    names = {CREATE, "place orders", check, "transaction", "publish", TO_INVENTORY, TO_ORDERS}
    found = spans_by_name(collector, names)
    spans = {span.span_id: span for each in found.values() for span in each}

    def way_up(span: Taken) -> list[tuple[str, str]]:
        way = [(span.service, span.name)]
        while span.parent_id != CALLER_ID:
            span = spans[span.parent_id]
            way.append((span.service, span.name))
        return way

    (settled,) = found[TO_ORDERS]
    assert way_up(settled) == [
        ("orders", TO_ORDERS),
        ("inventory", TO_INVENTORY),
        ("orders", CREATE),
    ]
    (checked,) = found[check]
    assert way_up(checked) == [
        ("inventory", check),
        ("orders", "place orders"),
        ("orders", CREATE),
    ]
    in_transactions = {tuple(way_up(span)[1:]) for span in found["transaction"]}
    assert tuple(way_up(settled)) in in_transactions  # the order was settled in one
    assert tuple(way_up(settled)[1:]) in in_transactions
    assert {span.kind for span in found["publish"]} == {"PRODUCER"}
    assert settled.kind == "CONSUMER"
    assert found[CREATE][0].kind == "SERVER"
    assert settled.attributes["cloudevents.event_type"] == "holdfast.inventory.v1.StockReserved"
    assert settled.attributes["cloudevents.event_subject"] == answer.order_id
    assert not [span for span in spans.values() if span.failed]
    assert {span.trace_id for span in collector.spans()} == {TRACE_ID}, "nobody asked for others"


async def test_a_refusal_is_an_answer_and_no_failure(
    traced: Clustered, collector: Collector
) -> None:
    await stock_up(traced)

    with pytest.raises(grpc.RpcError, match="FAILED_PRECONDITION"):
        create(traced.addresses["orders"], 500, SAMPLED)
    traced.stop_all()

    (refused,) = spans_by_name(collector, {CREATE})[CREATE]
    assert not refused.failed


async def test_the_logs_of_both_services_name_the_trace_and_the_request(
    traced: Clustered, collector: Collector
) -> None:
    await stock_up(traced)

    create(traced.addresses["orders"], 3, SAMPLED)

    spans_by_name(collector, {TO_ORDERS})
    for service, method in (("orders", "CreateOrder"), ("inventory", "BatchGetStockInfo")):
        lines = map(json.loads, traced.log(service).splitlines())
        (told,) = [line for line in lines if line.get("trace_id") == TRACE_ID]
        assert told["method"] == method
        assert told.get("request_id") == ("request-3" if service == "orders" else None)


async def test_what_is_not_sampled_is_passed_on_and_not_recorded(
    traced: Clustered, collector: Collector
) -> None:
    await stock_up(traced)

    create(traced.addresses["orders"], 4, UNSAMPLED)
    create(traced.addresses["orders"], 5, SAMPLED)

    found = spans_by_name(collector, {TO_ORDERS})
    assert len(found[CREATE]) == 1
    named = [line for line in traced.log("inventory").splitlines() if TRACE_ID in line]
    assert len(named) == 2, "both checks belong to their caller's trace"


async def test_a_collector_that_is_away_disturbs_nobody(clustered: Clustered) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/v1/traces"
    for service in ("orders", "inventory"):
        told = settings_of(service, traces=nowhere, trace_ratio=1)
        clustered.process_environment.update(told)
    clustered.start_all()
    await stock_up(clustered)

    began = time.monotonic()
    create(clustered.addresses["orders"], 2, SAMPLED)
    clustered.stop_all()

    assert time.monotonic() - began < 20
    for service in ("orders", "inventory"):
        assert "Traceback" not in clustered.log(service)


async def test_embedded_mode_sends_whole_traces_too(
    embedded: Embedded, collector: Collector
) -> None:
    embedded.services["up"].command += ["--traces", collector.url]
    embedded.start_all()
    await stock_up(embedded)

    create(embedded.addresses["orders"], 2, SAMPLED)

    spans_by_name(collector, {CREATE, "transaction", "publish", TO_INVENTORY, TO_ORDERS})
