"""The program with both services inside it: on a folder for one command, or until it is stopped."""

import json
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast.cli.output import Output
from holdfast.cli.serving import announce, here
from tests.unit.test_cli_program import PROGRAM, run

STOP_S_MAX = 20.0


@contextmanager
def up(
    data: Path, *options: str, **environment: str
) -> "Iterator[tuple[subprocess.Popen[str], dict[str, str]]]":
    """A running `holdfast up` on free ports, and what it says about itself."""
    named = ("orders", "inventory", "notifier", "http", "admin")
    ports = [part for name in named for part in (f"--{name}-port", "0")]
    with subprocess.Popen(
        [PROGRAM, "up", "--data", str(data), *ports, *options, "--output", "json"],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as program:
        try:
            assert program.stdout is not None
            yield program, json.loads(program.stdout.readline())
        finally:
            program.terminate()


def test_a_folder_keeps_orders_and_stock_from_one_command_to_the_next(tmp_path: Path) -> None:
    here = ("--data", str(tmp_path), "--output", "json")

    made = run("product", "create", "LAMP-RED", "--name", "Red lamp", "--price", "12.50", *here)
    set_to = run("stock", "set", "LAMP-RED", "5", *here)
    placed = run("order", "create", "--customer", "c-17", "LAMP-RED=3", *here)
    short = run("order", "create", "--customer", "c-18", "LAMP-RED=3", *here)
    listed = run("order", "list", *here)
    stock = run("stock", "get", "LAMP-RED", *here)

    assert [made.returncode, set_to.returncode, placed.returncode] == [0, 0, 0]
    assert json.loads(placed.stdout)["status"] == "CONFIRMED"
    assert short.returncode == 1
    assert short.stderr.splitlines()[-1] == "  LAMP-RED: wanted 3, available 2"
    assert [order["customer_id"] for order in json.loads(listed.stdout)] == ["c-17"]
    assert json.loads(stock.stdout)["available"] == 2


def test_a_folder_that_is_made_is_for_its_owner_alone(tmp_path: Path) -> None:
    made_by = {
        "owned": ("product", "create", "LAMP", "--price", "12.50"),
        "migrated": ("migrate",),
    }

    for name, command in made_by.items():
        assert run(*command, "--data", str(tmp_path / name)).returncode == 0

    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in made_by]
    assert modes == [0o700, 0o700]


def test_a_command_that_only_reads_makes_no_folder(tmp_path: Path) -> None:
    typed = (
        *("order list", "order get o-1", "stock get LAMP", "webhook list", "export products"),
        *("key list", "customer export c-1", "events list", "stock check LAMP=1", "order search"),
    )

    for command in typed:
        done = run(*command.split(), "--data", str(tmp_path / "mistyped"))
        assert done.returncode == 3, command
        assert "there are no databases of Holdfast in" in done.stderr, done.stderr

    assert not (tmp_path / "mistyped").exists()


@pytest.mark.parametrize("name", ["50%25 off", "what?", "a#b"])
def test_a_folder_of_any_name_keeps_its_own_data(name: str, tmp_path: Path) -> None:
    done = run("migrate", "--data", str(tmp_path / name))

    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert {file.name for file in (tmp_path / name).glob("*.db")} == {
        "orders.db",
        "inventory.db",
        "notifier.db",
    }


def test_no_service_starts_by_a_key_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "operator.key").touch()

    done = run("order", "list", "--data", str(tmp_path))
    started = run("up", "--data", str(tmp_path), HOLDFAST_UP_OPERATOR_KEY="")

    assert done.returncode == 3
    assert started.returncode == 4
    assert f"{tmp_path}/operator.key holds no key: restore it, or delete it" in started.stderr


def test_nothing_begins_anew_beside_what_goes_on(tmp_path: Path) -> None:
    assert run("migrate", "--data", str(tmp_path)).returncode == 0
    (tmp_path / "orders.db").unlink()

    started = run("up", "--data", str(tmp_path))
    verified = run("verify", "--data", str(tmp_path))

    assert (started.returncode, verified.returncode) == (4, 3)
    assert f"{tmp_path}/orders.db is not there, and inventory.db is" in started.stderr
    assert f"there is no {tmp_path}/orders.db" in verified.stderr
    assert not (tmp_path / "orders.db").exists()


def test_a_link_that_leads_nowhere_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(tmp_path / "unmounted")

    done = run("up", "--data", str(tmp_path / "data"))

    assert done.returncode == 2
    assert "which is not there" in " ".join(done.stderr.split())


def test_a_folder_in_use_is_told_in_one_line_and_ends_with_4(tmp_path: Path) -> None:
    with up(tmp_path):
        done = run("order", "list", "--data", str(tmp_path))

    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert str(tmp_path) in done.stderr


def test_a_port_in_use_is_told_in_one_line_and_ends_with_4(tmp_path: Path) -> None:
    with up(tmp_path / "first") as (_, at):
        port = at["inventory"].rpartition(":")[2]
        named = {"orders": "0", "inventory": port, "notifier": "0", "http": "0", "admin": "0"}
        ports = [part for name, one in named.items() for part in (f"--{name}-port", one)]

        done = run("up", "--data", str(tmp_path / "second"), *ports)

    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert at["inventory"] in done.stderr


def test_running_services_are_reached_at_the_addresses_they_tell(tmp_path: Path) -> None:
    with up(tmp_path) as (_, at):
        orders = run("order", "list", "--orders", at["orders"])
        products = run("product", "list", "--inventory", at["inventory"])
        swapped = run("order", "list", "--orders", at["inventory"])

    assert (orders.returncode, orders.stdout) == (0, "none\n")
    assert (products.returncode, products.stdout) == (0, "none\n")
    assert swapped.returncode == 2
    assert "is the address right?" in swapped.stderr


def test_ctrl_c_stops_the_services_in_good_order(tmp_path: Path) -> None:
    with up(tmp_path) as (program, _):
        program.send_signal(signal.SIGINT)

        assert program.wait(STOP_S_MAX) == 0

    assert run("order", "list", "--data", str(tmp_path)).returncode == 0


def test_migrating_twice_does_nothing_the_second_time(tmp_path: Path) -> None:
    here = ("migrate", "--data", str(tmp_path / "new"), "--output", "json")

    first, second = run(*here), run(*here)

    assert first.returncode == second.returncode == 0
    assert all(json.loads(first.stdout).values())
    assert json.loads(second.stdout) == {"orders": [], "inventory": [], "notifier": []}


def test_the_sql_of_a_migration_can_be_had_without_a_database(tmp_path: Path) -> None:
    done = run("migrate", "--sql", "--orders-db", "postgresql://nowhere/orders")

    assert done.returncode == 0
    assert "CREATE TABLE" in done.stdout


def test_the_sql_of_several_databases_says_whose_each_is(tmp_path: Path) -> None:
    urls = "--orders-db postgresql://nowhere/o --inventory-db postgresql://nowhere/i"

    done = run("migrate", "--sql", *urls.split())

    lines = done.stdout.splitlines()
    tables = {"orders": "CREATE TABLE shipment (", "inventory": "CREATE TABLE stock_level ("}
    headings = [line for line in lines if line.startswith("-- the database of ")]
    assert done.returncode == 0, done.stderr
    assert headings == [f"-- the database of {one}" for one in tables]
    places = [
        lines.index(line) for pair in zip(headings, tables.values(), strict=True) for line in pair
    ]
    assert places == sorted(places)


def test_a_database_that_does_not_answer_ends_with_4() -> None:
    url = "postgresql://127.0.0.1:1/orders"

    listed = run("dead-letters", "list", "--orders-db", url, "--inventory-db", url)

    assert listed.returncode == 4
    assert "Traceback" not in listed.stderr


def test_a_service_without_settings_says_what_is_missing() -> None:
    done = run("orders", "serve")

    assert done.returncode == 2
    assert "HOLDFAST_ORDERS_DATABASE" in done.stderr


def test_what_up_says_is_reached_by_tls_where_the_port_speaks_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = {name: f"127.0.0.1:{name}" for name in ("orders", "inventory", "notifier", "http")}
    told |= {
        "admin": "127.0.0.1:7009",
        "data": "holdfast-data",
        "key": "holdfast-data/operator.key",
    }

    announce({**told, "console": "http://127.0.0.1:http/console/enter/x"}, Output.TABLE)
    plain = capsys.readouterr().out
    announce({**told, "console": "https://127.0.0.1:http/console/enter/x"}, Output.TABLE)
    by_tls = capsys.readouterr().out

    assert "HTTP/JSON  http://127.0.0.1:http/docs" in plain
    assert "HTTP/JSON  https://127.0.0.1:http/docs" in by_tls
    assert ("HOLDFAST_TLS" in plain, "export HOLDFAST_TLS=1" in by_tls) == (False, True)


@pytest.mark.parametrize(
    ("listening", "told"),
    [
        ("0.0.0.0:7001", "127.0.0.1:7001"),
        ("[::]:7001", "[::1]:7001"),
        ("10.1.2.3:7001", "10.1.2.3:7001"),
        ("[fe80::1]:7001", "[fe80::1]:7001"),
    ],
)
def test_what_listens_at_any_address_is_told_where_it_is_reached(listening: str, told: str) -> None:
    assert here(listening) == told


def test_the_operator_s_key_lies_beside_the_data_for_its_owner_alone(tmp_path: Path) -> None:
    own = {"HOLDFAST_UP_OPERATOR_KEY": ""}
    file = tmp_path / "operator.key"
    with up(tmp_path, **own) as (_, at):
        key = file.read_text().strip()
        listed = run("key", "list", "--orders", at["orders"], HOLDFAST_KEY=key)
        unknown = run("key", "list", "--orders", at["orders"])
        nobody = run("key", "list", "--orders", at["orders"], HOLDFAST_KEY="")
    with up(tmp_path, **own) as (_, at):
        again = run("product", "list", "--inventory", at["inventory"], HOLDFAST_KEY=key)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (listed.returncode, again.returncode, again.stdout) == (0, 0, "none\n")
    assert "operator" in listed.stdout
    assert (unknown.returncode, nobody.returncode) == (1, 1)
    assert "no such key" in unknown.stderr
    assert "put a key into HOLDFAST_KEY" in nobody.stderr
    assert at["key"] == str(file)
    assert key not in listed.stdout + str(at)


@pytest.mark.parametrize(("host", "told"), [("0.0.0.0", "0.0.0.0"), ("fe80::2", "[fe80::2]")])
def test_nobody_is_asked_only_where_nobody_else_can_come(
    host: str, told: str, tmp_path: Path
) -> None:
    refused = run("up", "--data", str(tmp_path), "--no-auth", "--host", host)
    with up(tmp_path, "--no-auth") as (_, at):
        done = run("order", "list", "--orders", at["orders"], HOLDFAST_KEY="")

    assert refused.returncode == 2
    assert f"--no-auth is for loopback: at {told} anybody" in refused.stderr
    assert (done.returncode, done.stdout) == (0, "none\n")
