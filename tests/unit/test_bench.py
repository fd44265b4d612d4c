"""The benchmark's own arithmetic: what it sends, when, and how it judges."""

import asyncio
import io
import time
from random import Random

import pytest
from rich.console import Console

from bench import figures
from bench.baseline import Baseline
from bench.edits import edit
from bench.figures import Figure, Result, figure, record, show
from bench.generator import CREATE, Call, Job, Load, intended_starts, quantiles_ms
from bench.processes import Meter, part_of
from bench.profiles import table
from bench.steps import LINES, STEPS, UNDER_WAY, UNITS, Life, Lives
from bench.workload import (
    HOT,
    ON_HAND,
    PRODUCTS,
    OrderRequests,
    confirmation_of,
    products,
    products_of_order,
    refused_of_batch,
    stock,
)
from holdfast.contracts.orders.v1 import orders_pb2


def test_orders_are_whole_messages_and_never_repeat_a_request_id() -> None:
    requests = OrderRequests("r1", seed=1)

    placed = [orders_pb2.CreateOrderRequest.FromString(requests.one()) for _ in range(5_000)]

    assert len({order.request_id for order in placed}) == 5_000
    assert all(order.customer_id and len(order.lines) == 3 for order in placed)
    assert all(len({line.product_id for line in order.lines}) == 3 for order in placed)
    assert not any(order.HasField("wait") for order in placed)


def test_two_runs_share_no_request_id() -> None:
    first, second = OrderRequests("r1", seed=1), OrderRequests("r11", seed=1)

    ids = [orders_pb2.CreateOrderRequest.FromString(r.one()).request_id for r in (first, second)]

    assert ids[0] != ids[1]


def test_an_order_can_wait_for_its_outcome() -> None:
    request = OrderRequests("r1", seed=1, wait_s=10).one(wait=True)

    assert orders_pb2.CreateOrderRequest.FromString(request).wait.seconds == 10


def test_an_order_can_be_held_alone_and_in_a_batch() -> None:
    requests = OrderRequests("r1", seed=1, wait_s=10, hold_s=900)

    one = orders_pb2.CreateOrderRequest.FromString(requests.one(wait=True))
    batch = orders_pb2.BatchCreateOrdersRequest.FromString(requests.batch(100))

    assert (one.hold.seconds, one.wait.seconds) == (900, 10)
    assert {order.hold.seconds for order in batch.requests} == {900}


def test_the_payment_that_is_recorded_confirms_the_order() -> None:
    answer = orders_pb2.CreateOrderResponse(order_id="an-order")

    confirmed = confirmation_of(answer.SerializeToString())

    confirmation = orders_pb2.ConfirmOrderRequest.FromString(confirmed)
    assert (confirmation.order_id, confirmation.payment_reference) == ("an-order", "pay-an-order")
    assert confirmation.payment_kind == orders_pb2.PAYMENT_KIND_AUTHORIZED


def test_an_edit_keeps_the_lines_of_a_confirmed_order_and_adds_another_product() -> None:
    products, dice = ["P00001", "P00400", "P00800"], Random(1)

    edits = [
        orders_pb2.UpdateOrderRequest.FromString(edit("an-order", products, dice))
        for _ in range(1_000)
    ]

    assert all([line.product_id for line in one.lines[:3]] == products for one in edits)
    assert all([line.line_no for line in one.lines] == [1, 2, 3, 0] for one in edits)
    assert all(one.lines[3].product_id not in products for one in edits)
    assert {(one.order_id, one.version, *one.update_mask.paths) for one in edits} == {
        ("an-order", 2, "lines")
    }


def test_a_life_ships_all_of_an_order_in_two_parts_and_returns_half_of_it() -> None:
    life, requests = Life("an-order"), []
    answers = {"OpenReturn": orders_pb2.Return(return_id="a-return").SerializeToString()}

    while not life.over:
        name = life.method.rpartition("/")[2]
        requests.append(getattr(orders_pb2, f"{name}Request").FromString(life.request()))
        life.hear(answers.get(name, b""))

    first, second, opened, received, closed = requests
    half = [(number, UNITS // 2) for number in range(1, LINES + 1)]
    assert [one.order_id for one in (first, second, opened)] == ["an-order"] * 3
    assert [one.return_id for one in (received, closed)] == ["a-return"] * 2
    for one in (first.items, opened.lines, received.lines):
        assert [(line.line_no, line.quantity) for line in one] == half
    assert not second.items  # all that is left
    assert first.shipment_id != second.shipment_id


def test_orders_that_are_seen_through_have_units_for_two_shipments() -> None:
    request = OrderRequests("r1", seed=1, quantity=UNITS).one()

    order = orders_pb2.CreateOrderRequest.FromString(request)
    assert [line.quantity for line in order.lines] == [UNITS] * LINES


async def test_all_steps_of_all_lives_are_taken_in_order_with_those_of_others_between_them() -> (
    None
):
    orders = tuple(f"{number:036d}" for number in range(600))
    load = Load(Job(target="", method="", callers=8, lives=orders))
    taken: dict[str, list[str]] = {}
    others: list[int] = []
    last: dict[str, int] = {}

    def call_of(method: str) -> Call:
        async def call(request: bytes, /, *, timeout: float) -> bytes:  # noqa: ASYNC109 - as gRPC has it
            named = orders_pb2.ShipOrderRequest.FromString(request[:38]).order_id
            taken.setdefault(named, []).append(method)
            if named in last:
                others.append(load.outcome.calls - last[named])
            last[named] = load.outcome.calls
            await asyncio.sleep(0)
            return orders_pb2.Return(return_id=named).SerializeToString()

        return call

    calls = {step.method: call_of(step.method) for step in STEPS}
    await load._lives(iter([calls] * 8))

    assert set(taken) == set(orders)
    assert all(methods == [step.method for step in STEPS] for methods in taken.values())
    assert sorted(others)[len(others) // 2] > UNDER_WAY / 4


def test_a_life_whose_call_is_under_way_is_not_taken_again() -> None:
    lives = Lives(["an-order", "another"], seed=1)

    first, second = lives.take(), lives.take()

    assert first is not second
    assert lives.take() is None


def test_a_batch_is_a_whole_message() -> None:
    batch = orders_pb2.BatchCreateOrdersRequest.FromString(OrderRequests("r1", seed=1).batch(100))

    assert len({order.request_id for order in batch.requests}) == 100
    assert all(len(order.lines) == 3 for order in batch.requests)


def test_refusals_of_a_batch_are_counted() -> None:
    answer = orders_pb2.BatchCreateOrdersResponse()
    answer.results.add().order.order_id = "1"
    answer.results.add().error.code = 8

    assert refused_of_batch(answer.SerializeToString()) == 1


@pytest.mark.parametrize("hot", [False, True])
def test_products_of_an_order_differ_and_rise(hot: bool) -> None:
    dice = Random(1)

    drawn = [products_of_order(dice, hot=hot) for _ in range(1_000)]

    assert all(1 <= a < b < c <= PRODUCTS for a, b, c in drawn)
    assert all((b == HOT) for _, b, _ in drawn) is hot


def test_every_product_has_its_stock() -> None:
    made = {request.product.product_id for request in products()}

    filled = {request.product_id: request.quantity for request in stock().requests}

    assert len(made) == PRODUCTS
    assert filled == dict.fromkeys(made, ON_HAND)


def test_even_arrivals_are_evenly_due() -> None:
    job = Job(target="", method=CREATE, rate=100, seconds=1, poisson=False)

    starts = intended_starts(job)

    assert len(starts) == 100
    assert starts[50] == pytest.approx(0.5)


def test_poisson_arrivals_come_from_their_seed() -> None:
    job = Job(target="", method=CREATE, rate=1_000, seconds=10, seed=7)

    starts = intended_starts(job)

    assert starts == intended_starts(job) == sorted(starts)
    assert 9_500 < len(starts) < 10_500
    assert starts[0] > 0
    assert starts[-1] < 10


def test_quantiles_are_of_the_nearest_rank() -> None:
    values = [number / 1_000 for number in range(1, 101)]

    found = quantiles_ms(values)

    assert found["p50"] == pytest.approx(50)
    assert found["p99"] == pytest.approx(99)
    assert found["max"] == pytest.approx(100)
    assert quantiles_ms([]) == {}


async def test_the_open_loop_charges_a_stall_to_every_request_that_was_due() -> None:
    job = Job(target="", method=CREATE, rate=100, seconds=0.5, poisson=False)
    load = Load(job)
    load.outcome.started = time.monotonic()
    stalled_until = load.outcome.started + 0.3

    async def call(_request: bytes, *, timeout: float) -> bytes:  # noqa: ASYNC109 - as gRPC has it
        await asyncio.sleep(max(0.0, stalled_until - time.monotonic()))
        return b""

    await load._open_loop(iter([call] * 100), intended_starts(job))

    latencies_ms = quantiles_ms(load._latencies_s)
    assert load.outcome.calls == 50
    assert latencies_ms["max"] > 280  # the first one
    assert latencies_ms["p50"] > 30  # 30 of 50 were due during the stall


@pytest.mark.parametrize(("every", "waited"), [(0, 0), (1, 6), (3, 2)])
async def test_so_many_orders_of_a_closed_loop_wait(every: int, waited: int) -> None:
    load = Load(Job(target="", method=CREATE, callers=2, requests=6, wait_every=every))
    sent: list[orders_pb2.CreateOrderRequest] = []

    async def call(request: bytes, /, *, timeout: float) -> bytes:  # noqa: ASYNC109 - as gRPC has it
        sent.append(orders_pb2.CreateOrderRequest.FromString(request))
        return b""

    await load._closed_loop(iter([call] * 2))

    assert sum(order.HasField("wait") for order in sent) == len(load._waited_s) == waited
    assert len(load._latencies_s) == 6 - waited


def test_the_better_number_of_clients_is_the_baseline() -> None:
    baseline = Baseline()
    baseline.looks["uniform"] = {8: [100.0, 300.0, 200.0], 32: [150.0, 160.0, 999.0]}

    assert baseline.best("uniform") == 200.0
    assert baseline.clients("uniform") == 8


def test_a_figure_is_judged_by_its_ratio_where_it_has_one() -> None:
    made = figure("orders", [900, 1_000, 1_100], "a second", to=2_000, floor=0.3, aim=0.6)

    assert (made.value, made.low, made.high) == (1_000, 900, 1_100)
    assert made.ok
    assert made.verdict == "ok"
    assert figure("orders", [500], "a second", to=2_000, floor=0.3).verdict == "NOT MET"
    assert figure("orders", [1_400], "a second", to=2_000, floor=0.3, aim=0.6).verdict == "aim"


def test_where_less_is_better_the_floor_is_a_ceiling() -> None:
    made = figure("p99", [40], "ms", floor=50, aim=20, less_is_better=True)

    assert made.verdict == "ok"
    assert figure("p99", [51], "ms", floor=50, less_is_better=True).ok is False


def test_a_failed_run_is_not_ok_whatever_it_measured() -> None:
    result = Result(1, "one", figures=[Figure("orders", 1.0, "a second")])

    assert result.ok
    result.failure = "verify found a contradiction"
    assert not result.ok


def test_a_table_compares_with_the_record() -> None:
    before = Result(1, "one", figures=[figure("orders", [500], "a second", to=1_000, floor=0.3)])
    now = Result(1, "one", figures=[figure("orders", [1_000], "a second", to=1_000, floor=0.3)])
    printed = io.StringIO()

    show([now], {"1": record(before)}, Console(file=printed))

    assert "2.00 (ratio 2.00)" in printed.getvalue()


def test_records_of_other_scenarios_stay(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "RESULTS", tmp_path_factory.mktemp("results"))

    figures.write_records("machine", {"1": {"ok": True}})
    figures.write_records("machine", {"2": {"ok": False}})

    assert figures.read_records("machine") == {"1": {"ok": True}, "2": {"ok": False}}


def test_a_meter_counts_what_a_child_used_before_it_ended() -> None:
    meter = Meter("worker")

    asyncio.run(_work())
    meter.stop()

    assert meter.used["worker"] > 0.03
    assert meter.cpu_ms(10)["worker"] == pytest.approx(100 * meter.used["worker"])


async def _work() -> None:
    worker = await asyncio.create_subprocess_exec(
        "sh", "-c", "i=0; while [ $i -lt 90000 ]; do i=$((i+1)); done"
    )
    await worker.wait()


def test_processes_belong_to_parts() -> None:
    assert part_of("python holdfast orders serve --workers 4") == "orders"
    assert part_of("/usr/lib/postgresql/18/bin/postgres -D data") == "postgres"
    assert part_of("beam.smp -W w") == "rabbitmq"
    assert part_of("bash") == "other"


def test_a_profile_tells_own_time_from_that_of_callees() -> None:
    stacks = "main (a.py:1);place (b.py:2) 30\nmain (a.py:1) 10\n"

    text = table("orders", stacks)

    assert "75.0%  75.0%  place (b.py:2)" in text
    assert "25.0% 100.0%  main (a.py:1)" in text


def test_two_figures_of_one_name_are_both_recorded() -> None:
    result = Result(
        6, "reads", figures=[Figure("get", 0.3, "CPU ms"), Figure("get", 9.0, "calls/s")]
    )

    assert list(record(result)["figures"]) == ["get, CPU ms", "get, calls/s"]  # type: ignore[call-overload]
