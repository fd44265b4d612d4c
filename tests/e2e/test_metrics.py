"""The admin port of real processes: what they tell is what we list, and it is so."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable

import pytest
from prometheus_client.openmetrics import parser as openmetrics

from holdfast.client import Money, OrderLine, ShortOfStock
from testbed.processes import free_port
from testbed.promtool import promtool
from testbed.scraping import Scrape, get, scrape
from testbed.services import settings_of
from testbed.waiting import until, wait_until
from testbed.workers import Workers
from tests.e2e.conftest import Clustered, System, command
from tests.unit.written_metrics import PAGE, page

LOOKED_S_MAX = 15.0  # the database is looked into every five seconds
PRODUCT, CUSTOMER, REQUEST = "SECRET-LAMP-4711", "secret-customer-4711", "secret-request"


def scrapes(system: System) -> list[Scrape]:
    return [scrape(address) for address in system.admin.values()]


def told(system: System, name: str, **labels: str) -> float:
    """A figure over all processes."""
    return sum(one.sum(name, **labels) for one in scrapes(system))


async def some_trade(system: System) -> list[str]:
    """A confirmed order, a repeat of it, one that is short; return the ids of what they name."""
    async with system.client() as shop:
        await shop.inventory.create_product(PRODUCT, unit_price=Money.parse("12.50", "GBP"))
        await shop.inventory.set_stock(PRODUCT, 5)
        lines = [OrderLine(PRODUCT, 3)]
        placed = await shop.orders.create(CUSTOMER, lines, request_id=REQUEST, wait_s=10)
        await shop.orders.create(CUSTOMER, lines, request_id=REQUEST)
        with pytest.raises(ShortOfStock):
            await shop.orders.create(CUSTOMER, [OrderLine(PRODUCT, 30)])
    return [PRODUCT, CUSTOMER, REQUEST, placed.order_id]


def is_so(system: System, figures: Iterable[tuple[str, dict[str, str], float]]) -> bool:
    return all(told(system, name, **labels) == value for name, labels, value in figures)


async def test_what_happens_is_told_in_figures_and_names_nobody(system: System) -> None:
    names = await some_trade(system)

    expected: list[tuple[str, dict[str, str], float]] = [
        ("holdfast_orders_total", {"outcome": "placed"}, 1),
        ("holdfast_orders_total", {"outcome": "confirmed"}, 1),
        ("holdfast_orders_total", {"outcome": "rejected"}, 0),  # it was never recorded
        ("holdfast_orders_total", {"outcome": "replayed"}, 1),
        ("holdfast_order_settle_seconds_count", {}, 1),
        ("holdfast_stock_movements_total", {"kind": "receipt"}, 1),
        ("holdfast_stock_movements_total", {"kind": "reservation"}, 1),
        ("holdfast_inbox_total", {"result": "done"}, 2),
        ("holdfast_inbox_total", {"result": "parked"}, 0),
        ("holdfast_dead_letters", {}, 0),
        ("holdfast_pending_orders", {}, 0),
        ("holdfast_outbox_events", {}, 0),
        ("holdfast_relay_leader", {"service": "orders"}, 1),
        ("holdfast_relay_leader", {"service": "inventory"}, 1),
        ("holdfast_database_up", {"service": "orders"}, 1),
        ("holdfast_database_up", {"service": "inventory"}, 1),
        ("holdfast_broker_up", {}, len(system.admin)),
        ("holdfast_broker_names_wrong", {}, 0),
        ("holdfast_build_info", {}, len(system.admin)),
    ]
    method = "holdfast.orders.v1.OrderService/CreateOrder"
    calls = "rpc_server_call_duration_seconds_count"
    expected += [
        (calls, {"rpc_method": method, "rpc_status_code": "OK"}, 2),
        (calls, {"rpc_method": method, "rpc_status_code": "FAILED_PRECONDITION"}, 1),
        ("holdfast_batch_size_sum", {"work": "place orders"}, 3),
    ]

    def differences() -> AssertionError:
        found = [(*one, told(system, one[0], **one[1])) for one in expected]
        return AssertionError([one for one in found if one[2] != one[3]])

    await until(lambda: is_so(system, expected), LOOKED_S_MAX, differences, look_s=0.5)
    assert told(system, "holdfast_event_loop_lag_seconds_count") > 0
    assert told(system, "db_client_operation_duration_seconds_count") > 0
    texts = "".join(one.text for one in scrapes(system))
    assert not [name for name in names if name in texts]


async def test_what_is_listed_is_what_a_scrape_has(system: System) -> None:
    await some_trade(system)
    listed = {one["name"]: one for one in json.loads(command("metrics", "-o", "json").stdout)}

    families = {name: one for each in scrapes(system) for name, one in each.families.items()}

    assert families.keys() == listed.keys()
    for name, family in families.items():
        assert (family.type, family.documentation) == (
            listed[name]["type"],
            listed[name]["meaning"],
        )
        known = {label: set(values) for label, values in listed[name]["labels"].items()}
        for sample in family.samples:
            labels = {key: value for key, value in sample.labels.items() if key != "le"}
            assert labels.keys() == known.keys(), sample
            assert all(not known[key] or value in known[key] for key, value in labels.items())


def test_the_list_can_be_read_by_people() -> None:
    done = command("metrics")

    assert done.returncode == 0
    assert "holdfast_outbox_oldest_age_seconds" in done.stdout


def test_a_process_without_a_broker_misses_none() -> None:
    program = (
        "import holdfast.console.service; from holdfast.chassis.metrics import REGISTRY; "
        "print(REGISTRY.get_sample_value('holdfast_broker_up'))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    assert done.stdout == "1.0\n"


def test_the_page_of_metrics_is_the_list() -> None:
    assert PAGE.read_text() == page()


def test_a_scrape_is_as_prometheus_wants_it(system: System) -> None:
    for address in system.admin.values():
        code, said = promtool("check", "metrics", given=scrape(address).text)
        wanted = "application/openmetrics-text; version=1.0.0"
        _, text = get(address, "/metrics", accept=wanted)

        assert (code, said) == (0, "")
        assert list(openmetrics.text_string_to_metric_families(text))  # type: ignore[no-untyped-call] # as it is


def test_a_process_is_alive_before_it_is_ready_and_ready_until_it_is_told_to_stop(
    clustered: Clustered,
) -> None:
    orders, address = clustered.services["orders"], clustered.admin["orders"]
    lost = clustered.process_environment["HOLDFAST_ORDERS_DATABASE"]
    nowhere = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    clustered.process_environment["HOLDFAST_ORDERS_DATABASE"] = nowhere

    orders.launch()
    orders.program.wait_until(lambda: answers(address, "/healthz", 200), 20, "is not alive")
    assert get(address, "/readyz")[0] == 503
    orders.stop()
    clustered.process_environment["HOLDFAST_ORDERS_DATABASE"] = lost
    clustered.start_all()
    orders.program.wait_until(lambda: answers(address, "/readyz", 200), 20, "is not ready")

    assert orders.program.signal(signal.SIGTERM) == 0
    assert not answers(address, "/healthz", 200)


def answers(address: str, path: str, status: int) -> bool:
    try:
        return get(address, path)[0] == status
    except OSError:
        return False


def test_every_worker_has_a_port_of_its_own_and_one_of_them_leads(clustered: Clustered) -> None:
    clustered.services["orders"].worker_count = 2
    host, _, port = clustered.admin["orders"].rpartition(":")
    ports = [f"{host}:{int(port) + worker}" for worker in range(2)]
    clustered.start_all()

    def leads() -> list[float]:
        try:
            return sorted(scrape(one).sum("holdfast_relay_leader") for one in ports)
        except OSError:
            return []

    def wait() -> None:
        wait_until(lambda: leads() == [0, 1], 30, lambda: AssertionError(leads()), look_s=0.2)

    wait()
    (leader,) = [one for one in ports if scrape(one).sum("holdfast_relay_leader")]
    program = clustered.program("orders")
    (pid,) = Workers(program, int(leader.rpartition(":")[2]), 1).all_listen()
    os.kill(pid, signal.SIGKILL)
    wait()


def test_an_address_that_is_taken_or_none_at_all_is_told(clustered: Clustered) -> None:
    taken = clustered.admin["inventory"]
    clustered.start("inventory")
    for given, said in ((taken, f"can't listen on {taken}"), ("7009", "HOST:PORT")):
        settings = clustered.process_environment | settings_of("orders", admin=given)

        done = command("orders", "serve", env=settings)

        assert done.returncode != 0
        assert said in done.stderr.splitlines()[-1]
