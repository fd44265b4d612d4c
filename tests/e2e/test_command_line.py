"""What a stranger types, in a folder of their own, against services that really run."""

import json
import resource
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast.chassis.process.lifecycle import FILES_MAX
from testbed.processes import free_port
from testbed.services import HOLDFAST, SERVICES, clear_environment
from tests.e2e.conftest import Embedded, System, command, made

REFUSED, USAGE, NOT_FOUND, UNAVAILABLE = 1, 2, 3, 4
STOP_S_MAX = 5.0


@pytest.fixture(
    scope="module", params=["embedded", pytest.param("cluster", marks=pytest.mark.proof)]
)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """Holdfast in each of its modes, used by many tests: each has products of its own."""
    with made(request.param, tmp_path_factory.mktemp("shop"), request) as system:
        system.start_all()
        yield system


def ask(shop: System, text: str) -> Any:
    """What a command that succeeds prints as JSON; and it has a table for people too."""
    return shop.json(*shlex.split(text))


def say(shop: System, text: str) -> str:
    """What a command that succeeds prints for people."""
    done = shop.command(*shlex.split(text))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refusal(shop: System, text: str, exit_code: int) -> str:
    """What a command says that fails, without printing anything else."""
    done = shop.command(*shlex.split(text))
    assert (done.returncode, done.stdout) == (exit_code, ""), done.stderr
    return done.stderr


def test_an_order_goes_from_the_product_to_its_cancellation(shop: System) -> None:
    product = ask(shop, 'product create LAMP --name "Red lamp" --price 12.50')
    level = ask(shop, "stock set LAMP 10")
    placed = ask(shop, "order create --customer c-17 LAMP=2 LAMP=1@9.99 --name Ada")
    order_id = placed["order_id"]
    order = ask(shop, f"order get {order_id}")
    listed = ask(shop, "order list --customer c-17 --product LAMP --status confirmed")
    changed = ask(shop, f"order update {order_id} --email ada@example.org --name ''")
    reserved = ask(shop, "stock get LAMP")
    cancelled = ask(shop, f"order cancel {order_id} --reason 'changed my mind'")

    assert product["unit_price"] == {"currency": "GBP", "minor": 1_250}
    assert (level["on_hand"], level["available"]) == (10, 10)
    assert placed["status"] == order["status"] == "CONFIRMED"
    assert order["total"]["minor"] == 2 * 1_250 + 999
    assert [one["order_id"] for one in listed] == [order_id]
    assert changed["customer"]["email"] == "ada@example.org"
    assert changed["customer"]["name"] == ""
    assert (reserved["on_hand"], reserved["reserved"], reserved["available"]) == (10, 3, 7)
    assert cancelled["status"] == "CANCELLED"
    assert cancelled["history"][-1]["reason"] == "changed my mind"
    assert stock_soon(shop, "LAMP", reserved=0) == 10


@pytest.mark.proof  # docs/concepts/orders.md does it on every change
def test_an_order_is_edited_and_units_of_it_are_cancelled(shop: System) -> None:
    for product_id in ("CUP", "PLATE", "BOWL"):
        ask(shop, f"product create {product_id} --price 4")
        ask(shop, f"stock set {product_id} 10")
    create = "order create --customer c-25 CUP=2 CUP=1@3 PLATE=1 --discount 1"
    order_id = ask(shop, create)["order_id"]

    seen = ask(shop, f"order edit {order_id} PLATE=9 --preview")
    untouched = ask(shop, f"order get {order_id}")
    edited = ask(shop, f"order edit {order_id} --line 2=4 PLATE=0 BOWL=3@5 --shipping 2.50")
    reserved = [ask(shop, f"stock get {name}")["reserved"] for name in ("CUP", "PLATE", "BOWL")]
    fewer = ask(shop, f"order cancel {order_id} 2=1 4=3 --reason broken")

    assert lines_of(seen) == [(1, "CUP", 2, 400), (2, "CUP", 1, 300), (3, "PLATE", 9, 400)]
    assert (untouched["version"], untouched["edit"]) == (2, None)
    assert lines_of(edited) == [(1, "CUP", 2, 400), (2, "CUP", 4, 300), (4, "BOWL", 3, 500)]
    assert edited["edit"]["state"] == "APPLIED"
    assert edited["total"]["minor"] == 2 * 400 + 4 * 300 + 3 * 500 - 100 + 250
    assert reserved == [6, 0, 3]
    assert lines_of(fewer) == [(1, "CUP", 2, 400), (2, "CUP", 3, 300)]
    assert stock_soon(shop, "BOWL", reserved=0) == 10
    assert "BOWL: wanted 11" in refusal(shop, f"order edit {order_id} BOWL=11", REFUSED)
    assert "say which" in refusal(shop, f"order edit {order_id} CUP=1", USAGE)
    assert "version" in refusal(shop, f"order edit {order_id} BOWL=1 --version 2", REFUSED)
    assert "as a whole" in refusal(shop, f"order cancel {order_id} 1=2 2=3", REFUSED)
    assert ask(shop, f"order get {order_id}") == fewer


def lines_of(order: Any) -> list[tuple[int, str, int, int]]:
    return [
        (one["line_no"], one["product_id"], one["quantity"], one["unit_price"]["minor"])
        for one in order["lines"]
    ]


def stock_soon(shop: System, product_id: str, *, reserved: int) -> int:
    """What is available, once so much is reserved: a cancelled order's stock comes back soon."""
    deadline = time.monotonic() + 10
    while True:
        stock = ask(shop, f"stock get {product_id}")
        if stock["reserved"] == reserved:
            return int(stock["available"])
        assert time.monotonic() < deadline, stock


def test_every_command_has_a_table_for_people(shop: System) -> None:
    say(shop, "product create MUG --price 4.50")
    assert "MUG" in say(shop, "product update MUG --name Becher")
    assert "Becher" in say(shop, "product list")
    assert "20" in say(shop, "stock set MUG 20")
    assert "17" in say(shop, "stock adjust MUG -3 --reason broken --reference note-1")
    placed = say(shop, "order create --customer c-20 MUG=2")
    order_id = placed.split()[1]

    assert placed == f"order {order_id} is CONFIRMED\n"
    assert "9.00 GBP" in say(shop, f"order get {order_id}")
    assert order_id in say(shop, "order list --customer c-20")
    assert "available" in say(shop, "stock get MUG")
    assert "Ada" in say(shop, f"order update {order_id} --name Ada")
    assert "broken note-1" in say(shop, "stock movements MUG")
    assert "13.50 GBP" in say(shop, f"order edit {order_id} MUG=3")
    assert "9.00 GBP" in say(shop, f"order cancel {order_id} 1=1")
    assert "CANCELLED" in say(shop, f"order cancel {order_id}")
    assert "CANCELLED" in say(shop, f"order watch {order_id}")


def test_the_movements_tell_why_the_level_is_what_it_is(shop: System) -> None:
    ask(shop, "product create CLOCK --price 30")
    ask(shop, "stock set CLOCK 5 --reason inventory")
    ask(shop, "stock adjust CLOCK 3 --reason delivery --request-id note-7")
    again = ask(shop, "stock adjust CLOCK 3 --reason delivery --request-id note-7")
    placed = ask(shop, "order create --customer c-21 CLOCK=2")

    moved = ask(shop, "stock movements CLOCK")

    assert again["on_hand"] == 8, "the same request id has one effect"
    assert [(one["kind"], one["on_hand_delta"], one["reserved_delta"]) for one in moved] == [
        ("RESERVATION", 0, 2),
        ("RECEIPT", 3, 0),
        ("RECEIPT", 5, 0),
    ]
    assert [one["order_id"] for one in moved] == [placed["order_id"], "", ""]


def test_a_watch_follows_an_order_to_its_end(shop: System) -> None:
    ask(shop, "product create VASE --price 8")
    ask(shop, "stock set VASE 1")
    order_id = ask(shop, "order create --customer c-22 VASE=1 --no-wait")["order_id"]
    with subprocess.Popen(
        [HOLDFAST, "order", "watch", order_id, "--output", "json"],
        env={**clear_environment(), **shop.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stdout is not None
        seen = [json.loads(watching.stdout.readline())]
        while seen[-1]["status"] == "PENDING":
            seen.append(json.loads(watching.stdout.readline()))

        ask(shop, f"order cancel {order_id}")
        rest, said = watching.communicate(timeout=30)

    seen += [json.loads(line) for line in rest.splitlines()]
    versions = [one["version"] for one in seen]
    assert (watching.returncode, said) == (0, "")
    assert versions == sorted(set(versions))
    assert [one["status"] for one in seen][-2:] == ["CONFIRMED", "CANCELLED"]


def test_what_cannot_be_done_is_said_in_words_with_an_exit_code_of_its_own(shop: System) -> None:
    ask(shop, "product create CANDLE --price 2")
    ask(shop, "stock set CANDLE 3")
    order_id = ask(shop, "order create --customer c-23 CANDLE=1")["order_id"]
    ask(shop, f"order cancel {order_id}")

    short = refusal(shop, "order create --customer c-23 CANDLE=4", REFUSED)
    assert "CANDLE: wanted 4, available" in short
    assert "NOTHING" in refusal(shop, "order create --customer c-23 NOTHING=1", NOT_FOUND)
    assert "NOTHING" in refusal(shop, "stock get NOTHING", NOT_FOUND)
    assert "must be 1 or more" in refusal(shop, "order create --customer c-23 CANDLE=0", USAGE)
    assert "CANDLE" in refusal(shop, "order create --customer c-23 CANDLE", USAGE)
    assert "order id" in refusal(shop, "order get nonsense", USAGE)
    unknown = "01900000-0000-7000-8000-000000000000"
    assert unknown in refusal(shop, f"order get {unknown}", NOT_FOUND)
    assert "CANCELLED" in refusal(shop, f"order update {order_id} --name Ada", REFUSED)
    assert "version" in refusal(shop, "product update CANDLE --name x --version 9", REFUSED)
    assert refusal(shop, "product create CANDLE --price 3", REFUSED).count("\n") == 1
    nowhere = f"127.0.0.1:{free_port()}"
    away = refusal(shop, f"order list --orders {nowhere}", UNAVAILABLE)
    assert away == f"holdfast: Orders at {nowhere} does not answer; is `holdfast up` running?\n"


def test_a_repeated_request_id_orders_once_and_other_contents_are_refused(shop: System) -> None:
    ask(shop, "product create BELL --price 2")
    ask(shop, "stock set BELL 10")
    create = "order create --customer c-24 --request-id basket-1"

    first = ask(shop, f"{create} BELL=2")
    again = ask(shop, f"{create} BELL=2")

    assert first == again
    assert "basket-1" in refusal(shop, f"{create} BELL=3", REFUSED)
    assert ask(shop, "stock get BELL")["reserved"] == 2


@contextmanager
def up(folder: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [HOLDFAST, "up", *options, "--admin-port", "0"],
        cwd=folder,
        env=clear_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as program:
        try:
            yield program
        finally:
            program.kill()


def test_up_shows_free_ports_and_commands_that_work_as_they_stand(tmp_path: Path) -> None:
    ports = [f"--{name}-port=0" for name in ("orders", "inventory", "notifier", "http")]
    with up(tmp_path, *ports) as program:
        assert program.stdout is not None
        shown: list[str] = []
        while not (shown and "order create" in shown[-1]):
            shown.append(program.stdout.readline().strip())

        for line in shown:
            if line.startswith("holdfast "):
                done = command(*shlex.split(line)[1:])
                assert done.returncode == 0, f"{line}: {done.stderr}"
        program.send_signal(signal.SIGINT)
        assert program.wait(STOP_S_MAX) == 0

    assert "CONFIRMED" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"holdfast-data"}
    verified = command("verify", cwd=tmp_path)
    assert verified.returncode == 0, "the default folder is the same for all commands"


def test_up_is_set_up_to_serve_many(tmp_path: Path) -> None:
    """As the services are: most systems let a process open 1,024 files until it asks for more."""
    ports = [f"--{name}-port=0" for name in ("orders", "inventory", "notifier", "http")]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        with up(tmp_path, *ports) as program:
            assert program.stdout is not None
            program.stdout.readline()
            limits = Path(f"/proc/{program.pid}/limits").read_text()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    (files,) = (line for line in limits.splitlines() if line.startswith("Max open files"))
    assert int(files.split()[3]) == (FILES_MAX if hard == -1 else min(hard, FILES_MAX))


def test_ctrl_c_does_not_wait_for_those_who_watch(embedded: Embedded) -> None:
    embedded.start_all()
    for setting_up in ("product create LAMP --price 1", "stock set LAMP 1"):
        ask(embedded, setting_up)
    order_id = ask(embedded, "order create --customer c-1 LAMP=1")["order_id"]
    with subprocess.Popen(
        [HOLDFAST, "order", "watch", order_id],
        env={**clear_environment(), **embedded.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline()

        begun = time.monotonic()
        assert embedded.end("up", signal.SIGINT) == 0
        took_s = time.monotonic() - begun
        _, said = watching.communicate(timeout=60)

    assert took_s < STOP_S_MAX, f"{took_s:.1f} s"
    assert watching.returncode == UNAVAILABLE
    assert said.count("\n") == 1


def test_a_second_up_on_the_same_folder_is_refused_in_one_line(embedded: Embedded) -> None:
    embedded.start_all()
    here = ("--data", str(embedded.data))

    others = ("--orders-port", "--inventory-port", "--notifier-port", "--http-port", "--admin-port")
    second = command("up", *here, *(f"{port}=0" for port in others))
    inside = command("order", "list", *here)

    for done in (second, inside):
        assert (done.returncode, done.stdout) == (UNAVAILABLE, "")
        assert done.stderr.splitlines()[-1].startswith("holdfast: another process uses ")
        assert str(embedded.data) in done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_a_port_in_use_is_refused_in_one_line(shop: System, tmp_path: Path, service: str) -> None:
    taken = shop.addresses[service]
    other = next(one for one in SERVICES if one != service)
    ports = [f"--{service}-port", taken.rpartition(":")[2], f"--{other}-port", "0"]
    ports += ["--http-port", "0", "--admin-port", "0"]

    done = command("up", "--data", str(tmp_path / "new"), *ports)

    assert done.returncode == UNAVAILABLE
    assert done.stderr.splitlines()[-1].startswith(f"holdfast: can't listen on {taken}")


def test_data_serves_one_command_on_a_folder_without_anything_running(tmp_path: Path) -> None:
    here = f"--data '{tmp_path}/a folder'"
    for text in ("product create LAMP --price 12.50", "stock set LAMP 5"):
        assert command(*shlex.split(f"{text} {here}")).returncode == 0
    placed = command(*shlex.split(f"order create --customer c-1 LAMP=2 {here} --output json"))

    assert (placed.returncode, placed.stderr) == (0, "")
    assert json.loads(placed.stdout)["status"] == "CONFIRMED"
    assert command(*shlex.split(f"verify {here}")).returncode == 0
