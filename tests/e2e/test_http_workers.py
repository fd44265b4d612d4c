"""HTTP/JSON in processes of its own, beside gRPC: who is busy over HTTP starves nobody."""

import json
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from http.client import HTTPConnection

import pytest

from testbed.keys import BEARER
from testbed.processes import free_port
from testbed.scraping import scrape
from testbed.services import serves, settings_of
from testbed.waiting import wait_until
from testbed.workers import Workers
from tests.e2e.conftest import Clustered

READY_S_MAX = 30.0
STOP_S_MAX = 20.0


@pytest.fixture
def http(clustered: Clustered) -> Iterator[dict[str, str]]:
    """Where each service of a running cluster serves HTTP/JSON: two processes of Orders."""
    at = {service: f"127.0.0.1:{free_port()}" for service in ("orders", "inventory")}
    for service, address in at.items():
        clustered.process_environment |= settings_of(service, http=address)
    orders = clustered.services["orders"]
    orders.environment = clustered.process_environment
    clustered.start_all()
    yield at
    clustered.stop_all()


def asked(address: str, verb: str, path: str, content: object = None) -> tuple[int, object]:
    connection = HTTPConnection(address, timeout=20)
    try:
        body = None if content is None else json.dumps(content)
        headers = {"content-type": "application/json"} if body else {}
        connection.request(verb, path, body, headers | dict(BEARER))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def answers(address: str) -> bool:
    try:
        return asked(address, "GET", "/openapi.json")[0] == 200
    except OSError:
        return False


def wait_for(address: str) -> None:
    wait_until(
        lambda: answers(address), READY_S_MAX, lambda: AssertionError(f"{address} does not answer")
    )


@pytest.mark.timeout(180)
def test_an_order_is_placed_over_http_through_both_services(
    clustered: Clustered, http: dict[str, str]
) -> None:
    for address in http.values():
        wait_for(address)
    lamp = {"product_id": "LAMP", "active": True, "unit_price": {"amount": "5", "currency": "GBP"}}
    wanted = {"customer_id": "c", "lines": [{"product_id": "LAMP", "quantity": 2}], "wait": "15s"}

    made, _ = asked(http["inventory"], "POST", "/v1/products", lamp)
    put, _ = asked(http["inventory"], "PUT", "/v1/products/LAMP/stock/main", {"quantity": 5})
    placed, order = asked(http["orders"], "POST", "/v1/orders", wanted)
    elsewhere, _ = asked(http["orders"], "GET", "/v1/products")

    assert (made, put, placed, elsewhere) == (201, 200, 201, 404)
    assert isinstance(order, dict)
    assert order["status"] == "CONFIRMED"
    clustered.require_soundness()


@pytest.mark.timeout(180)
def test_http_has_processes_of_its_own_and_one_that_dies_is_replaced(
    clustered: Clustered, http: dict[str, str]
) -> None:
    program = clustered.program("orders")
    of_grpc = Workers(program, int(clustered.addresses["orders"].rpartition(":")[2]), 1)
    of_http = Workers(program, int(http["orders"].rpartition(":")[2]), 1)
    (grpc_pid,), (http_pid,) = of_grpc.all_listen(), of_http.all_listen()
    assert grpc_pid != http_pid

    os.kill(http_pid, signal.SIGKILL)
    (another,) = of_http.all_listen(besides=[http_pid])

    assert another != http_pid
    assert of_grpc.all_listen() == [grpc_pid]
    assert serves(clustered.addresses["orders"])
    told = [json.loads(line) for line in clustered.log("orders").splitlines()]
    (death,) = [line for line in told if line["event"] == "worker died, starting another"]
    assert death["code"] == -signal.SIGKILL


@pytest.mark.timeout(180)
def test_a_process_that_serves_http_alone_tells_whether_it_has_the_broker(
    clustered: Clustered, http: dict[str, str]
) -> None:
    for service, address in http.items():
        wait_for(address)
        host, _, port = clustered.admin[service].rpartition(":")
        admin = f"{host}:{int(port) + 1}"  # the second worker's

        wait_until(
            partial(has_broker, admin),
            READY_S_MAX,
            partial(AssertionError, f"{service} tells of no broker"),
        )


def has_broker(admin: str) -> bool:
    return scrape(admin).sum("holdfast_broker_up") == 1


@pytest.mark.timeout(180)
def test_a_stream_over_http_does_not_hold_up_the_end(
    clustered: Clustered, http: dict[str, str]
) -> None:
    for address in http.values():
        wait_for(address)
    lamp = {"product_id": "LAMP", "active": True, "unit_price": {"amount": "5", "currency": "GBP"}}
    asked(http["inventory"], "POST", "/v1/products", lamp)
    asked(http["inventory"], "PUT", "/v1/products/LAMP/stock/main", {"quantity": 5})
    wanted = {"customer_id": "c", "lines": [{"product_id": "LAMP", "quantity": 2}], "wait": "15s"}
    _, order = asked(http["orders"], "POST", "/v1/orders", wanted)
    assert isinstance(order, dict)
    connection = HTTPConnection(http["orders"], timeout=STOP_S_MAX)
    connection.request("GET", f"/v1/orders/{order['order_id']}/watch", headers=dict(BEARER))
    answer = connection.getresponse()
    assert answer.readline() == b"retry: 1000\n"

    begun = time.monotonic()
    assert clustered.end("orders", signal.SIGTERM) == 0
    took_s = time.monotonic() - begun
    connection.close()

    assert took_s < STOP_S_MAX / 2, f"{took_s:.1f} s"
    assert "Traceback" not in clustered.log("orders")
