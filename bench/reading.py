"""Scenario 6: what it costs to read an order and a product's stock, beside an empty call."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench import echo
from bench.figures import Result, figure
from bench.generator import Job
from bench.ledger import on_postgresql
from bench.load import ROOT, Run, batches, call, place_orders
from bench.progress import say
from bench.scenarios import Bench, told_cpu
from bench.testbed import Testbed
from bench.workload import PRODUCTS, product_id
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2
from testbed.processes import Program, free_port

CALLERS = 32
ORDERS_READ = 500
SHARE_MAX, SHARE_AIM = 1.5, 1.2  # of an empty call's CPU

# Where each kind of call goes: the method, and the part whose CPU counts.
ORDER = "/holdfast.orders.v1.OrderService/GetOrderDetails"
STOCK = "/holdfast.inventory.v1.InventoryService/GetStockInfo"
PARTS = {"empty call": "echo", "GetOrderDetails": "orders", "GetStockInfo": "inventory"}


def scenario_6(bench: Bench) -> Result:
    """GetOrderDetails and GetStockInfo beside an empty grpc.aio call, 32 callers."""
    runs: dict[str, list[Run]] = {name: [] for name in PARTS}
    with bench.servers.cluster() as testbed, _echo_service(bench.servers.folder) as address:
        payload = b"\x0a\x24" + b"0" * 36  # as long as an order's id
        jobs = {"empty call": _job(address, echo.METHOD, [payload])} | reads(testbed)
        for number in range(bench.options.rounds + 1):
            for name, job in jobs.items():
                seconds = bench.options.seconds if number else 1.0
                say(f"round {number} of {bench.options.rounds}: {name}")
                run = call(replace(job, seconds=seconds))
                if number:  # the first one warms up
                    say(f"  {run.rate:,.0f} calls/s; {told_cpu([run])}")
                    runs[name].append(run)
    result = Result(6, f"reads beside an empty call, {CALLERS} callers")
    empty = figure("empty call", [run.cpu_ms["echo"] for run in runs["empty call"]], "CPU ms")
    rate = figure("empty call", [run.rate for run in runs["empty call"]], "calls/s")
    result.figures = [empty, rate]
    for name, part in PARTS.items():
        if part == "echo":
            continue
        cpu_ms = [run.cpu_ms[part] for run in runs[name]]
        rates = [run.rate for run in runs[name]]
        result.figures += [
            figure(
                name,
                cpu_ms,
                "CPU ms of the service",
                to=empty.value,
                ratio_of="empty call",
                floor=SHARE_MAX,
                aim=SHARE_AIM,
                less_is_better=True,
            ),
            figure(name, rates, "calls/s", to=rate.value, ratio_of="empty call"),
        ]
    for name, some in runs.items():
        result.notes.append(f"{name}: {told_cpu(some)}")
        if any(run.outcome.errors for run in some):
            result.failure = f"{name}: errors {[run.outcome.errors for run in some]}"
    return result


def reads(testbed: Testbed) -> dict[str, Job]:
    """Place orders, and return the calls that read them and the stock."""
    place_orders(testbed, batches(1.0))
    testbed.ledger.wait_until_quiet()
    return {
        "GetOrderDetails": _job(testbed.orders, ORDER, _orders(testbed)),
        "GetStockInfo": _job(testbed.inventory, STOCK, _products()),
    }


def _job(target: str, method: str, payloads: list[bytes]) -> Job:
    return Job(
        target=target,
        method=method,
        callers=CALLERS,
        payloads=tuple(payload.hex() for payload in payloads),
    )


@contextmanager
def _echo_service(folder: Path) -> Iterator[str]:
    address = f"127.0.0.1:{free_port()}"
    program = Program("echo", log=folder / "echo.log")
    command = [sys.executable, "-m", "bench.echo", address]
    program.start(command, env=os.environ, cwd=ROOT)
    try:
        yield address
    finally:
        program.signal(signal.SIGTERM)


def _orders(testbed: Testbed) -> list[bytes]:
    return [
        orders_pb2.GetOrderDetailsRequest(order_id=order_id).SerializeToString()
        for order_id in on_postgresql(testbed.ledger).order_ids(ORDERS_READ)
    ]


def _products() -> list[bytes]:
    return [
        inventory_pb2.GetStockInfoRequest(product_id=product_id(number)).SerializeToString()
        for number in range(1, PRODUCTS + 1)
    ]
