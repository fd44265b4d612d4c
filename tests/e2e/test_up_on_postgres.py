"""`holdfast up --database`: both services in one process on PostgreSQL, as operators meet it."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from holdfast.home import in_postgres
from testbed.processes import free_port
from testbed.servers import PostgresServer
from tests.e2e.conftest import Embedded, command

ANY_PORTS = (
    *("--orders-port", "0", "--inventory-port", "0", "--notifier-port", "0"),
    *("--http-port", "0", "--admin-port", "0"),
)
PASSWORD = "a-secret-of-ours"

_numbers = count(1)


def require_one_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """It ended with exit code 4 and one line in which these words stand, and no password."""
    told = [line for line in done.stderr.splitlines() if line.startswith("holdfast: ")]
    assert done.returncode == 4, done.stderr
    assert len(told) == 1
    for word in words:
        assert word in told[0]
    assert PASSWORD not in done.stderr


def url_of(server: PostgresServer, user: str, database: str) -> str:
    return f"postgresql://{user}:{PASSWORD}@127.0.0.1:{server.port}/{database}"


@contextmanager
def user_of(server: PostgresServer, *rights: str) -> Iterator[str]:
    """A user with these rights alone."""
    name = f"merchant_{next(_numbers)}"
    server.sql(f"CREATE USER {name} PASSWORD '{PASSWORD}'")
    for right in rights:
        server.sql(f"GRANT {right} TO {name}")
    yield name
    server.sql(f"DROP OWNED BY {name}")
    server.sql(f"DROP USER {name}")


def test_a_server_that_is_not_there_is_told() -> None:
    url = f"postgresql://anna:{PASSWORD}@127.0.0.1:{free_port()}/shop"

    require_one_line(command("up", "--database", url, *ANY_PORTS), "is the server running?")


def test_a_wrong_password_is_told(postgres_server: PostgresServer) -> None:
    done = command("up", "--database", url_of(postgres_server, "holdfast", "postgres"), *ANY_PORTS)

    require_one_line(done, "password authentication failed", "holdfast")


def test_a_database_that_is_missing_is_told(postgres_server: PostgresServer) -> None:
    url = postgres_server.url("no_such_shop")

    require_one_line(command("up", "--database", url, *ANY_PORTS), "no_such_shop", "create it")


def test_a_user_who_may_not_make_schemas_is_told(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    database = urlsplit(postgres_url).path.strip("/")
    with user_of(postgres_server) as user:
        url = url_of(postgres_server, user, database)

        done = command("up", "--database", url, *ANY_PORTS)

    require_one_line(done, "permission denied", database)


@pytest.mark.parametrize("typed", [("--database", "shop"), ("--database=shop",)])
def test_a_name_alone_is_no_database_and_makes_no_folder(
    typed: tuple[str, ...], tmp_path: Path
) -> None:
    done = command("up", *typed, cwd=tmp_path)

    assert done.returncode == 2
    assert "postgresql://" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_nobody_has_used_is_told_by_the_commands_that_read_it(
    postgres_url: str,
) -> None:
    for reading in (("verify",), ("dead-letters", "list")):
        require_one_line(command(*reading, "--database", postgres_url), "schema none", "migrate")


def test_an_empty_database_gets_its_schemas_from_a_user_who_may_just_do_that(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    database = urlsplit(postgres_url).path.strip("/")
    with user_of(postgres_server) as user:
        postgres_server.sql(f"GRANT CREATE ON DATABASE {database} TO {user}")
        here = ("--database", url_of(postgres_server, user, database), "--output", "json")

        migrated = command("migrate", *here)
        again = command("migrate", *here)
        listed = command("order", "list", *here)
        schemas = postgres_server.sql(
            "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'holdfast%' ORDER BY 1",
            database=database,
        )
        postgres_server.sql("DROP OWNED BY " + user, database=database)

    assert all(json.loads(migrated.stdout).values())
    assert json.loads(again.stdout) == {"orders": [], "inventory": [], "notifier": []}
    assert (listed.returncode, json.loads(listed.stdout)) == (0, [])
    assert schemas.split() == ["holdfast_inventory", "holdfast_notifier", "holdfast_orders"]


def test_the_sql_of_a_migration_makes_the_same_schemas(
    postgres_server: PostgresServer, postgres_url: str, up_url: str
) -> None:
    database, migrated = (urlsplit(url).path.strip("/") for url in (postgres_url, up_url))
    script = command("migrate", "--sql", "--database", postgres_url).stdout

    postgres_server.sql(script, database=database)

    columns = (
        "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema LIKE 'holdfast%' ORDER BY 1, 2, 3"
    )
    by_hand, by_us = (postgres_server.sql(columns, database=one) for one in (database, migrated))
    assert by_hand == by_us
    assert "holdfast_inventory|stock_level" in by_us


def test_commands_work_on_the_database_from_one_to_the_next(up_url: str) -> None:
    here = ("--database", up_url, "--output", "json")

    made = command("product", "create", "LAMP-RED", "--price", "12.50", *here)
    set_to = command("stock", "set", "LAMP-RED", "5", *here)
    placed = command("order", "create", "--customer", "c-17", "LAMP-RED=3", *here)
    stock = command("stock", "get", "LAMP-RED", *here)
    letters = command("dead-letters", "list", *here)
    verified = command("verify", "--output", "json", env={"HOLDFAST_DATABASE": up_url})

    assert [made.returncode, set_to.returncode, placed.returncode] == [0, 0, 0], made.stderr
    assert json.loads(placed.stdout)["status"] == "CONFIRMED"
    assert json.loads(stock.stdout)["available"] == 2
    assert json.loads(letters.stdout) == []
    found = json.loads(verified.stdout)
    assert found["ok"]
    assert found["checked"]["orders"] == 1


def test_its_schemas_are_the_databases_of_a_cluster_for_who_grows_into_one(up_url: str) -> None:
    command("product", "create", "LAMP-RED", "--price", "12.50", "--database", up_url)
    home = in_postgres(up_url)

    verified = command(
        *("verify", "--orders-db", home.orders, "--inventory-db", home.inventory),
        *("--output", "json"),
    )

    assert json.loads(verified.stdout)["checked"]["products"] == 1


def test_a_second_process_on_the_database_is_refused_and_the_first_goes_on(
    on_postgres: Embedded, up_url: str
) -> None:
    on_postgres.start_all()

    second = command("up", "--database", up_url, *ANY_PORTS)
    inside = command("order", "list", "--database", up_url)

    database = urlsplit(up_url).path
    for done in (second, inside):
        require_one_line(done, "another process uses", f"127.0.0.1:{urlsplit(up_url).port}")
        assert f"{database}:" in done.stderr
        assert "holdfast:" not in done.stderr.replace("holdfast: ", ""), "user and password"
    assert on_postgres.json("order", "list") == []
    on_postgres.require_soundness()


def test_who_comes_right_after_a_kill_is_let_in(on_postgres: Embedded) -> None:
    on_postgres.start_all()

    for _ in range(3):
        on_postgres.kill("up")
        on_postgres.start("up")

    assert on_postgres.json("order", "list") == []


def test_a_process_whose_connection_breaks_keeps_its_place(
    on_postgres: Embedded, up_url: str, postgres_server: PostgresServer
) -> None:
    on_postgres.start_all()
    sessions = f"""
        SELECT count({{}}) FROM pg_stat_activity AS session
          JOIN pg_locks USING (pid)
         WHERE datname = '{urlsplit(up_url).path.strip("/")}' AND locktype = 'advisory'
    """

    def has_all() -> bool:
        return postgres_server.sql(sessions.format("*")) == "4"

    on_postgres.program("up").wait_until(has_all, 30, "does not take its place")
    ended = postgres_server.sql(sessions.format("pg_terminate_backend(pid)"))
    on_postgres.program("up").wait_until(has_all, 30, "is not back")
    second = command("up", "--database", up_url, *ANY_PORTS)

    assert ended == "4", "three who lead, and the right to be here"
    require_one_line(second, "another process uses")
    assert on_postgres.json("order", "list") == []
    on_postgres.require_soundness()


def test_stopping_while_postgresql_is_away_ends_well_and_the_next_start_goes_on(
    on_postgres: Embedded, postgres_server: PostgresServer
) -> None:
    on_postgres.start_all()
    on_postgres.json("product", "create", "LAMP-RED", "--price", "12.50")
    on_postgres.json("stock", "set", "LAMP-RED", "5")
    on_postgres.json("order", "create", "--customer", "c-1", "LAMP-RED=3", "--no-wait")

    postgres_server.kill()
    try:
        code = on_postgres.end("up", signal.SIGTERM)
    finally:
        postgres_server.start()
    on_postgres.start_all()

    assert code == 0, on_postgres.log("up")[-2_000:]
    on_postgres.require_soundness()
