"""Every alert is caused on real servers, and fires on what the processes told before and then.

Prometheus evaluates the rules itself: promtool is given the scrape from before the trouble, some
minutes of it, and then the scrape from within it, as if it went on so.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from zlib import crc32

import aiormq
import asyncpg
import pytest

from holdfast.chassis.database.postgres import LEADERSHIP_NAMESPACE
from holdfast.client import Customer, Holdfast, HoldfastError, Money, OrderLine
from testbed.cluster import Cluster
from testbed.processes import temporary_folder
from testbed.promtool import promtool
from testbed.scraping import Labels, Scrape, scrape
from testbed.servers import PostgresServer, RabbitmqServer, postgres, rabbitmq
from testbed.services import SERVICES, clear_environment
from testbed.waiting import wait_until
from tests.e2e.test_watching import ALERTS, rules

pytestmark = [pytest.mark.proof, pytest.mark.timeout(180)]

CAUSED_S_MAX = 60.0
LAMP = "LAMP-RED"
ADA = Customer("Ada", "ada@example.org")

Told = Mapping[str, Scrape | None]  # by process; None: it did not answer


class Watched:
    """A cluster of one's own, whose servers may be broken, and what its processes tell."""

    def __init__(
        self,
        folder: Path,
        server: PostgresServer,
        broker: RabbitmqServer,
        services: Sequence[str] = SERVICES,
    ) -> None:
        self.server, self.broker = server, broker
        for service in services:
            server.create_database(service)
        urls = {service: server.url(service) for service in services}
        self.cluster = Cluster(
            folder, databases=urls, broker=broker.url(), base=clear_environment()
        )
        self.cluster.migrate()

    def scrapes(self) -> dict[str, Scrape | None]:
        found: dict[str, Scrape | None] = {}
        for name, address in self.cluster.admin.items():
            found[name] = None
            with suppress(OSError):
                found[name] = scrape(address)
        return found

    def until(self, is_so: Callable[[Told], bool]) -> dict[str, Scrape | None]:
        """Return what is told once it is so."""
        told: dict[str, Scrape | None] = {}

        def look() -> bool:
            told.update(self.scrapes())
            return is_so(told)

        wait_until(look, CAUSED_S_MAX, lambda: AssertionError("it does not show"), look_s=0.3)
        return told

    async def order(self, *, times: int = 1) -> None:
        """Try to order; whether that works is the test's own matter."""
        at = self.cluster.addresses
        async with Holdfast(at["orders"], at["inventory"], 10.0, retry_s=0) as shop:
            lines = [OrderLine(LAMP, 1)]
            asked = [shop.orders.create("c-1", lines, customer=ADA) for _ in range(times)]
            for outcome in await asyncio.gather(*asked, return_exceptions=True):
                assert not isinstance(outcome, Exception) or isinstance(outcome, HoldfastError)

    async def stock_up(self) -> None:
        at = self.cluster.addresses
        async with Holdfast(at["orders"], at["inventory"], 20.0) as shop:
            await shop.inventory.create_product(LAMP, unit_price=Money.parse("1.00", "GBP"))
            await shop.inventory.set_stock(LAMP, 1_000_000)


def sum_of(told: Told, name: str, **labels: str) -> float:
    return sum(one.sum(name, **labels) for one in told.values() if one)


def is_well(told: Told) -> bool:
    """Who starts has no broker for a moment, and nobody publishes."""
    has_broker = all(one and one.sum("holdfast_broker_up") == 1 for one in told.values())
    return has_broker and sum_of(told, "holdfast_relay_leader") == 2


@pytest.fixture
def watched() -> Iterator[Watched]:
    with (
        temporary_folder() as folder,
        postgres(folder) as server,
        rabbitmq(folder) as broker,
    ):
        found = Watched(folder, server, broker)
        with found.cluster.running():
            asyncio.run(found.stock_up())
            found.until(is_well)
            yield found


# ---- Prometheus, asked what would fire ----

STEP = "15s"
STEPS = 40  # ten minutes of each


def fires(before: Told, during: Told, folder: Path, *alerts: str) -> None:
    """Nothing fires before, and these alerts do a while later."""
    asked = [
        {"expr": 'group by (alertname) (ALERTS{alertstate="firing"})', "eval_time": "9m"},
        *(
            {
                "expr": f'group by (alertname) (ALERTS{{alertname="{alert}",alertstate="firing"}})',
                "eval_time": "13m45s",
                "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1}],
            }
            for alert in alerts
        ),
    ]
    case = {
        "rule_files": [str(ALERTS)],
        "evaluation_interval": STEP,
        "tests": [
            {
                "interval": STEP,
                "input_series": list(_series(before, during)),
                "promql_expr_test": asked,
            }
        ],
    }
    file = folder / "alerts_test.yaml"
    file.write_text(json.dumps(case))  # which is YAML, too
    code, said = promtool("test", "rules", str(file))
    assert code == 0, said


def _series(before: Told, during: Told) -> Iterator[dict[str, str]]:
    for process in before:
        first, then = before[process], during[process]
        assert first is not None, "all answered before"
        about = {"job": "holdfast", "instance": process}
        up = f"1x{STEPS} {int(then is not None)}x{STEPS}"
        yield {"series": _named("up", frozenset(), about), "values": up}
        names = set(first.samples) | set(then.samples if then else ())
        for name in sorted(names):
            early = first.samples.get(name, {})
            late = then.samples.get(name, {}) if then else {}
            for labels in sorted(set(early) | set(late), key=sorted):
                values = (
                    f"{_then(early.get(labels))} {_on(early.get(labels), late.get(labels), name)}"
                )
                yield {"series": _named(name, labels, about), "values": values}


def _then(value: float | None) -> str:
    return f"_x{STEPS}" if value is None else f"{value}x{STEPS}"


def _on(early: float | None, value: float | None, name: str) -> str:
    if value is None:
        return f"stale _x{STEPS}"
    grows = name.endswith(("_total", "_bucket", "_count", "_sum"))
    # A counter goes on as it did; one that began anew rests.
    step = max(0.0, value - (early or 0.0)) if grows else 0.0
    return f"{value}+{step}x{STEPS}"


def _named(name: str, labels: Labels, about: Mapping[str, str]) -> str:
    inside = ",".join(
        f"{key}={json.dumps(value)}" for key, value in [*sorted(labels), *about.items()]
    )
    return f"{name}{{{inside}}}"


# ---- what is done to it ----


@contextmanager
def session(watched: Watched, service: str, statement: str) -> Iterator[None]:
    """Somebody else's session, which has said this, while the block runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    try:
        connection = run(asyncpg.connect(watched.server.url(service)))
        run(connection.execute(statement))
        try:
            yield
        finally:
            run(connection.close())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_a_process_that_is_killed(watched: Watched, tmp_path: Path) -> None:
    before = watched.scrapes()

    watched.cluster.kill("inventory")

    fires(before, watched.scrapes(), tmp_path, "HoldfastDown", "HoldfastGone")


def test_a_database_that_is_killed(watched: Watched, tmp_path: Path) -> None:
    before = watched.scrapes()

    watched.server.kill()

    told = watched.until(lambda told: sum_of(told, "holdfast_database_up") == 0)
    fires(before, told, tmp_path, "HoldfastDatabaseDown")


def test_a_database_that_takes_no_writes(watched: Watched, tmp_path: Path) -> None:
    before = watched.scrapes()

    watched.server.sql("ALTER SYSTEM SET default_transaction_read_only = on")
    watched.server.sql("SELECT pg_reload_conf()")
    asyncio.run(watched.order(times=20))

    fires(before, watched.scrapes(), tmp_path, "HoldfastCallsFailing")


def test_a_broker_that_is_stopped(watched: Watched, tmp_path: Path) -> None:
    before = watched.scrapes()

    watched.broker.stop()
    asyncio.run(watched.order())

    def is_old(told: Told) -> bool:
        ages = ("holdfast_outbox_oldest_age_seconds", "holdfast_pending_oldest_age_seconds")
        is_down = sum_of(told, "holdfast_broker_up") == 0
        return is_down and all(sum_of(told, age) > 15 for age in ages)

    told = watched.until(is_old)
    alerts = ("HoldfastBrokerDown", "HoldfastOutboxOld", "HoldfastOrdersPending")
    fires(before, told, tmp_path, *alerts)


def test_a_queue_that_somebody_else_has_declared(watched: Watched, tmp_path: Path) -> None:
    before = watched.scrapes()
    name = "holdfast.orders.answers"

    async def take_over() -> None:
        connection = await aiormq.connect(watched.broker.url())
        channel = await connection.channel()
        await channel.queue_delete(name)
        await channel.queue_declare(name, durable=True, arguments={"x-queue-type": "classic"})
        await connection.close()

    watched.cluster.stop_all()
    asyncio.run(take_over())
    watched.cluster.start_all()

    told = watched.until(lambda told: sum_of(told, "holdfast_broker_names_wrong") > 0)
    fires(before, told, tmp_path, "HoldfastBrokerNameWrong")


def test_a_session_that_keeps_the_right_to_publish(watched: Watched, tmp_path: Path) -> None:
    before = watched.scrapes()
    key = crc32(b"orders") - 2**31
    watched.cluster.services["orders"].stop()

    with session(watched, "orders", f"SELECT pg_advisory_lock({LEADERSHIP_NAMESPACE}, {key})"):
        watched.cluster.start("orders")
        told = watched.until(lambda told: sum_of(told, "holdfast_database_up") == 2)
        assert sum_of(told, "holdfast_relay_leader", service="orders") == 0
        fires(before, told, tmp_path, "HoldfastRelayLeader")


def test_an_order_that_is_not_decided(watched: Watched, tmp_path: Path) -> None:
    before = watched.scrapes()

    with session(watched, "inventory", "BEGIN; LOCK TABLE reservation"):
        asyncio.run(watched.order())
        age = "holdfast_pending_oldest_age_seconds"
        told = watched.until(lambda told: sum_of(told, age) > 15)

    fires(before, told, tmp_path, "HoldfastOrdersPending")


def test_bytes_that_are_no_event(watched: Watched, tmp_path: Path) -> None:
    before = watched.scrapes()

    async def publish() -> None:
        connection = await aiormq.connect(watched.broker.url())
        channel = await connection.channel()
        await channel.basic_publish(b"no event", routing_key="holdfast.inventory.orders")
        await connection.close()

    asyncio.run(publish())

    told = watched.until(lambda told: sum_of(told, "holdfast_dead_letters") > 0)
    fires(before, told, tmp_path, "HoldfastDeadLetters")


def test_calls_that_are_refused_as_too_much_waits(watched: Watched, tmp_path: Path) -> None:
    watched.cluster.process_environment["HOLDFAST_ORDERS_OUTBOX_AGE_S_MAX"] = "2"
    watched.cluster.services["orders"].stop()
    watched.cluster.start("orders")
    before = watched.until(is_well)

    watched.broker.stop()
    asyncio.run(watched.order())
    age = "holdfast_outbox_oldest_age_seconds"
    watched.until(lambda told: sum_of(told, age) > 3)
    asyncio.run(watched.order(times=50))

    told = watched.scrapes()
    assert sum_of(told, "holdfast_overload_refusals_total") == 50
    fires(before, told, tmp_path, "HoldfastOverload")


def test_errors_of_ours_in_calls_and_in_loops(watched: Watched, tmp_path: Path) -> None:
    before = watched.scrapes()

    watched.server.sql("ALTER TABLE unanswered RENAME TO gone", database="orders")
    asyncio.run(watched.order())

    told = watched.until(
        lambda told: sum_of(told, "holdfast_loop_failures_total", loop="orders measuring") > 2
    )
    fires(before, told, tmp_path, "HoldfastInternalErrors", "HoldfastLoopFailing")


def test_calls_that_wait_for_a_lock(watched: Watched, tmp_path: Path) -> None:
    before = watched.scrapes()

    def hold() -> None:
        with session(watched, "orders", "BEGIN; LOCK TABLE orders"):
            time.sleep(3)

    holding = threading.Thread(target=hold)
    holding.start()
    time.sleep(1)
    asyncio.run(watched.order(times=20))
    holding.join()

    fires(before, watched.scrapes(), tmp_path, "HoldfastSlow")


def test_a_process_that_is_stopped_again_and_again(watched: Watched, tmp_path: Path) -> None:
    program = watched.cluster.program("orders")
    before = watched.scrapes()

    for _ in range(10):
        program.freeze()
        time.sleep(0.6)
        program.thaw()
        time.sleep(0.3)

    fires(before, watched.scrapes(), tmp_path, "HoldfastEventLoopLag")


def test_every_alert_is_caused_here() -> None:
    source = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*alerts.py"))

    assert not [rule["alert"] for rule in rules() if f'"{rule["alert"]}"' not in source]
