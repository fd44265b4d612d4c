"""What operators type: migrate, verify, dead letters; and services that miss their surroundings."""

import json
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from testbed.keys import SERVICE_KEY
from testbed.processes import Program
from testbed.servers import PostgresServer, RabbitmqServer
from testbed.services import SERVICES, Service, clear_environment, free_addresses, settings_of
from testbed.templates import Templates
from tests.e2e.conftest import (
    Clustered,
    Embedded,
    System,
    command,
)
from tests.modes import mostly

REFUSED, USAGE, UNAVAILABLE = 1, 2, 4
SOON_S = 30.0

# What to do to a sound copy, in which database, and the words that a contradiction must have then.
CORRUPTIONS = {
    "a changed level": ("inventory", "UPDATE stock_level SET on_hand = on_hand + 1", "LAMP"),
    "a changed promise": ("inventory", "UPDATE stock_level SET reserved = reserved - 1", "LAMP"),
    "a lost movement": (
        "inventory",
        "DELETE FROM stock_movement WHERE order_id = '{confirmed}'",
        "{confirmed}",
    ),
    "a lost reservation": (
        "inventory",
        "DELETE FROM reservation WHERE order_id = '{confirmed}'",
        "{confirmed}",
    ),
    "a reservation released by nobody": (
        "inventory",
        "UPDATE reservation SET state = 'OVER' WHERE order_id = '{confirmed}'",
        "{confirmed}",
    ),
    "a lost history row": (
        "orders",
        "DELETE FROM order_history WHERE order_id = '{confirmed}' AND version = 2",
        "{confirmed}",
    ),
    "a confirmed order marked rejected": (
        "orders",
        "UPDATE orders SET status = 'REJECTED' WHERE order_id = '{confirmed}'",
        "{confirmed}",
    ),
    "a cancelled order marked confirmed": (
        "orders",
        "UPDATE orders SET status = 'CONFIRMED' WHERE order_id = '{cancelled}'",
        "{cancelled}",
    ),
    "a changed quantity": (
        "orders",
        "UPDATE order_line SET quantity = 1 WHERE order_id = '{confirmed}'",
        "{confirmed}",
    ),
    "a lost order": ("orders", "DELETE FROM orders WHERE order_id = '{confirmed}'", "{confirmed}"),
    "an end that nobody was told of": (
        "orders",
        "DELETE FROM feed WHERE subject = '{cancelled}' AND sequence = 3",
        "{cancelled} is at version 3, and the newest told is 2",
    ),
    "an end that was told as something else": (
        "orders",
        "UPDATE feed SET type = 'holdfast.orders.v1.OrderUpdated' WHERE subject = '{cancelled}'"
        " AND sequence = 3",
        "1 changes to CANCELLED are told as holdfast.orders.v1.OrderUpdated,"
        " such as of {cancelled}",
    ),
    "an event that waits for ever": (
        "orders",
        "INSERT INTO outbox (event_id, type, subject, sequence, happened_at, traceparent, data, "
        "is_repeat) VALUES ('e', 't', 's', 1, '2026-01-01T00:00:00.000000Z', '', '', 0)",
        "1 events wait",
    ),
}


def open_shop(system: System) -> dict[str, str]:
    """A confirmed and a cancelled order of LAMPs; their ids."""
    system.json("product", "create", "LAMP", "--price", "1")
    system.json("stock", "set", "LAMP", "10")
    ids = {}
    for name in ("confirmed", "cancelled"):
        placed = system.json("order", "create", "--customer", name, "LAMP=2")
        assert isinstance(placed, dict)
        ids[name] = placed["order_id"]
    system.json("order", "cancel", ids["cancelled"])
    return ids


@pytest.mark.proof  # the tests of verification see each kind on every change
@pytest.mark.timeout(180)
def test_verify_finds_every_kind_of_corruption_and_names_it(
    embedded: Embedded, tmp_path: Path
) -> None:
    embedded.start_all()
    ids = open_shop(embedded)
    embedded.stop_all()
    embedded.require_soundness()
    folders = {}
    for number, (name, (service, sql, _)) in enumerate(CORRUPTIONS.items()):
        copy = tmp_path / f"copy-{number}"
        shutil.copytree(embedded.data, copy)
        with closing(sqlite3.connect(copy / f"{service}.db")) as database, database:
            assert database.execute(sql.format(**ids)).rowcount > 0, name
        folders[name] = copy

    # All at once, since verify looks again for a while whether an event was only late.
    with ThreadPoolExecutor(len(folders)) as threads:
        found = threads.map(verify_copy, folders.values())
        for name, done in zip(folders, found, strict=True):
            assert (done.returncode, done.stderr) == (REFUSED, ""), name
            report = json.loads(done.stdout)
            assert report["ok"] is False
            wanted = CORRUPTIONS[name][2].format(**ids)
            assert any(wanted in text for text in report["contradictions"]), (name, report)


def verify_copy(folder: Path) -> subprocess.CompletedProcess[str]:
    return command("verify", "--data", str(folder), "--output", "json")


@pytest.mark.proof  # the tests of verification see each kind on both engines
@pytest.mark.timeout(120)
def test_verify_finds_corruption_in_postgresql_too(
    clustered: Clustered, postgres_server: PostgresServer
) -> None:
    clustered.start_all()
    ids = open_shop(clustered)
    clustered.require_soundness()
    database = clustered.databases["orders"].rpartition("/")[2]
    for name in ("a confirmed order marked rejected", "a lost history row", "a changed quantity"):
        postgres_server.sql(CORRUPTIONS[name][1].format(**ids), database=database)

    done = clustered.verify()

    report = json.loads(done.stdout)
    assert done.returncode == REFUSED
    assert len([text for text in report["contradictions"] if ids["confirmed"] in text]) >= 3


def edit(system: System, postgres_server: PostgresServer, service: str, sql: str) -> None:
    """Change a database behind the back of its service, which goes on running."""
    if isinstance(system, Embedded):
        with closing(sqlite3.connect(system.data / f"{service}.db", timeout=10)) as database:
            database.execute(sql)
    else:
        assert isinstance(system, Clustered)
        postgres_server.sql(sql, database=system.databases[service].rpartition("/")[2])


def databases_of(system: System) -> tuple[str, ...]:
    return ("--data", str(system.data)) if isinstance(system, Embedded) else ()


def soon(look: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SOON_S
    while not look():
        assert time.monotonic() < deadline, f"not within {SOON_S:g} s: {what}"
        time.sleep(0.2)


@mostly("system", "embedded", "cluster")
@pytest.mark.timeout(120)
def test_a_dead_letter_is_listed_with_its_reason_and_sent_back_once_its_cause_is_mended(
    system: System, postgres_server: PostgresServer
) -> None:
    here = databases_of(system)
    ids = open_shop(system)
    edit(system, postgres_server, "inventory", "ALTER TABLE reservation RENAME TO mislaid")
    placed = system.json("order", "create", "--customer", "c-1", "LAMP=3", "--no-wait")
    assert isinstance(placed, dict)
    soon(lambda: system.json("dead-letters", "list", *here) != [], "a dead letter")

    letters = system.json("dead-letters", "list", *here)
    edit(system, postgres_server, "inventory", "ALTER TABLE mislaid RENAME TO reservation")
    noted = system.verify()
    table = system.command("dead-letters", "list", *here).stdout
    sent_back = system.json("dead-letters", "replay", "--all", *here)

    assert isinstance(letters, list)
    (letter,) = letters
    assert letter["subject"] == placed["order_id"]
    assert letter["event_type"] == "holdfast.orders.v1.OrderPlaced"
    assert "reservation" in letter["reason"]
    assert letter["letter_id"] in table
    assert noted.returncode == 0, "an explained dead letter is no contradiction"
    assert letter["letter_id"] in " ".join(json.loads(noted.stdout)["notes"])
    assert sent_back == {"orders": 0, "inventory": 1}
    soon(lambda: status_of(system, placed["order_id"]) == "CONFIRMED", "the order is confirmed")
    assert system.json("dead-letters", "list", *here) == []
    stock = system.json("stock", "get", "LAMP")
    assert isinstance(stock, dict)
    assert (stock["on_hand"], stock["reserved"]) == (10, 5)
    assert status_of(system, ids["confirmed"]) == "CONFIRMED"
    system.require_soundness()


def status_of(system: System, order_id: str) -> str:
    order = system.json("order", "get", order_id)
    assert isinstance(order, dict)
    return str(order["status"])


@pytest.mark.proof  # brokers are asked on every change
@pytest.mark.timeout(120)
def test_a_message_that_is_no_event_is_parked_and_the_rest_goes_on(
    clustered: Clustered, rabbitmq_server: RabbitmqServer
) -> None:
    clustered.start_all()
    path = f"/api/exchanges/{clustered.vhost}/amq.default/publish"
    for service, queue in (("inventory", "inventory.orders"), ("orders", "orders.answers")):
        message = {
            "properties": {},
            "routing_key": f"holdfast.{queue}",
            "payload": f"nonsense for {service}",
            "payload_encoding": "string",
        }
        assert rabbitmq_server.api("POST", path, message) == {"routed": True}

    open_shop(clustered)
    letters = clustered.json("dead-letters", "list")
    replayed = clustered.command("dead-letters", "replay", "--all", "--output", "json")

    assert isinstance(letters, list)
    assert sorted(letter["service"] for letter in letters) == ["inventory", "orders"]
    assert all(letter["reason"] and letter["event_type"] is None for letter in letters)
    assert json.loads(replayed.stdout) == {"orders": 0, "inventory": 0}, "they are no events"
    assert clustered.json("dead-letters", "list") == letters
    assert clustered.verify().returncode == 0


def test_migrate_makes_what_is_missing_and_a_repeat_does_nothing(tmp_path: Path) -> None:
    here = ("--data", str(tmp_path / "data"))

    first = command("migrate", *here, "--output", "json")
    again = command("migrate", *here)

    assert json.loads(first.stdout) == {
        "orders": ["0001"],
        "inventory": ["0001"],
        "notifier": ["0001"],
    }
    assert again.stdout.splitlines() == [
        f"{service}: nothing to do" for service in ("orders", "inventory", "notifier")
    ]
    assert command("verify", *here).returncode == 0


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_the_sql_that_migrate_prints_makes_the_same_database(
    tmp_path: Path, engine: str, postgres_server: PostgresServer, postgres_url: str
) -> None:
    url = postgres_url if engine == "postgresql" else f"sqlite:///{tmp_path}/orders.db"

    printed = command("migrate", "--orders-db", url, "--sql")

    assert printed.returncode == 0, printed.stderr
    assert not (tmp_path / "orders.db").exists(), "it changes nothing"
    if engine == "postgresql":
        postgres_server.sql(printed.stdout, database=url.rpartition("/")[2])
    else:
        with closing(sqlite3.connect(tmp_path / "orders.db")) as database:
            database.executescript(printed.stdout)
    again = command("migrate", "--orders-db", url)
    assert again.stdout == "orders: nothing to do\n"


@pytest.mark.parametrize("service", SERVICES)
def test_missing_settings_are_named_in_one_line(service: str) -> None:
    done = command(service, "serve")

    assert (done.returncode, done.stdout) == (USAGE, "")
    assert done.stderr.count("\n") == 1
    for name in ("DATABASE", "BROKER"):
        assert f"HOLDFAST_{service.upper()}_{name}" in done.stderr


def test_a_database_without_tables_is_told_the_command_that_makes_them(postgres_url: str) -> None:
    env = {
        "HOLDFAST_ORDERS_DATABASE": postgres_url,
        "HOLDFAST_ORDERS_BROKER": "amqp://nobody@127.0.0.1:1/",
        "HOLDFAST_ORDERS_SERVICE_KEY": SERVICE_KEY,
    }

    done = command("orders", "serve", env=env)

    assert done.returncode == UNAVAILABLE
    assert done.stderr.splitlines()[-1].endswith("run `holdfast migrate`")


def serve_orders(folder: Path, database: str, broker: str) -> Service:
    """Orders with these surroundings, launched."""
    address = free_addresses()["orders"]
    settings = settings_of(
        "orders", database=database, broker=broker, listen=address, service_key=SERVICE_KEY
    )
    orders = Service(
        "orders",
        ["orders", "serve"],
        folder=folder,
        addresses=[address],
        environment=clear_environment() | settings,
    )
    orders.launch()
    return orders


def require_complaint(program: Program, event: str, why: str) -> None:
    """It says in one line what is missing, again and again, and goes on."""

    def complaints() -> list[str]:
        lines = program.log.read_text().splitlines()
        return [line for line in lines if event in line and why in line]

    soon(lambda: len(complaints()) >= 2 or not program.is_running(), f"{event}: {why}")
    assert program.is_running(), program.log.read_text()
    assert all("error" in json.loads(line) for line in complaints())
    assert "Traceback" not in program.log.read_text()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (("holdfast:", "holdfast:wrong"), "password authentication failed"),
        (("127.0.0.1:", "127.0.0.1:1"), "refused"),
        (("/test", "/not-there-"), "does not exist"),
    ],
    ids=["password", "port", "name"],
)
def test_a_database_that_cannot_be_used_is_said_in_one_line_and_tried_again(
    tmp_path: Path, postgres_url: str, wrong: tuple[str, str], why: str
) -> None:
    url = postgres_url.replace(*wrong, 1)
    if why == "refused":
        url = postgres_url.replace(f":{postgres_url.split(':')[3].split('/')[0]}/", ":1/")

    program = serve_orders(tmp_path, url, "amqp://nobody@127.0.0.1:1/").program
    try:
        require_complaint(program, "database unreachable", why)
    finally:
        program.signal(signal.SIGKILL)


def test_a_database_that_comes_late_is_found(
    tmp_path: Path, postgres_server: PostgresServer, templates: Templates
) -> None:
    url = postgres_server.url("e2e_late")
    orders = serve_orders(tmp_path, url, "amqp://nobody@127.0.0.1:1/")
    require_complaint(orders.program, "database unreachable", "does not exist")

    templates.copy_database("orders", postgres_server, "e2e_late")

    try:
        soon(orders.is_serving, "Orders serves")
        require_complaint(orders.program, "broker", "refused")
    finally:
        orders.program.signal(signal.SIGKILL)
        postgres_server.drop_database("e2e_late")


@pytest.mark.timeout(120)
def test_orders_are_taken_without_a_broker_and_go_on_once_it_is_there(
    clustered: Clustered, rabbitmq_server: RabbitmqServer
) -> None:
    rabbitmq_server.delete_vhost(clustered.vhost)
    clustered.start_all()
    clustered.json("product", "create", "LAMP", "--price", "1")
    clustered.json("stock", "set", "LAMP", "10")
    placed = clustered.json("order", "create", "--customer", "c-1", "LAMP=3", "--no-wait")
    assert isinstance(placed, dict)
    require_complaint(clustered.program("orders"), "broker", "")

    rabbitmq_server.create_vhost(clustered.vhost)

    soon(lambda: status_of(clustered, placed["order_id"]) == "CONFIRMED", "the order is confirmed")
    clustered.require_soundness()
