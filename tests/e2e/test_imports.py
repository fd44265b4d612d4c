"""`holdfast import` and `export` as people run them, cut off in their middle, in both modes."""

import asyncio
import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from testbed.services import HOLDFAST, clear_environment
from tests.e2e.conftest import System
from tests.modes import mostly

PRODUCTS, LOCATIONS = 300, 20
LINES = PRODUCTS * LOCATIONS
WAIT_S_MAX = 120.0


def write_products(path: Path) -> None:
    lines = [f"P-{number:03};Lampe {number};{number},50\n" for number in range(PRODUCTS)]
    path.write_text("product_id;name;unit_price\n" + "".join(lines), encoding="utf-8-sig")


def write_stock(path: Path) -> None:
    lines = [
        f"P-{number % PRODUCTS:03},{place_of(number // PRODUCTS)},{1 + number}\n"
        for number in range(LINES)
    ]
    path.write_text("product_id,location_id,on_hand\n" + "".join(lines))


def place_of(number: int) -> str:
    return f"place-{number}" if number else "main"


def taken_in(system: System, kind: str, path: Path, *options: str) -> dict[str, Any]:
    done = system.command("import", kind, str(path), *options, "--output", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


async def fill(system: System, folder: Path) -> None:
    write_products(folder / "products.csv")
    german = ("--locale", "de", "--currency", "EUR")
    dry = taken_in(system, "products", folder / "products.csv", *german, "--dry-run")
    made = taken_in(system, "products", folder / "products.csv", *german)
    assert dry["created"] == made["created"] == PRODUCTS
    async with system.client() as client:
        for number in range(1, LOCATIONS):
            await client.inventory.create_location(place_of(number), name=place_of(number))


def kill_in_the_middle(system: System, path: Path, journal: Path) -> None:
    """Kill an import when some of its lines are written down, and not all."""
    with subprocess.Popen(
        [HOLDFAST, "import", "stock", str(path)],
        env={**clear_environment(), **system.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as program:
        ends_at = time.monotonic() + WAIT_S_MAX
        while not (journal.exists() and "through" in journal.read_text()):
            assert time.monotonic() < ends_at, "it never got to its middle"
            assert program.poll() is None, "it ended before its middle"
            time.sleep(0.005)
        program.send_signal(signal.SIGKILL)


@mostly("system", "embedded", "cluster")
async def test_an_import_killed_in_its_middle_goes_on_and_sets_each_level_once(
    system: System, tmp_path: Path
) -> None:
    await asyncio.wait_for(fill(system, tmp_path), WAIT_S_MAX)
    path = tmp_path / "stock.csv"
    write_stock(path)
    journal = tmp_path / "stock.csv.stock-import"

    kill_in_the_middle(system, path, journal)
    report = taken_in(system, "stock", path)
    again = taken_in(system, "stock", path)

    assert 0 < report["resumed_after"] <= LINES
    assert report["created"] + report["changed"] + report["unchanged"] == report["lines"] == LINES
    assert again["unchanged"] == LINES
    assert not journal.exists()
    async with system.client() as client:
        movements = [one async for one in client.inventory.list_movements()]
        assert len(movements) == LINES, "each level was set once"
        info = await client.inventory.get_stock("P-000")
    assert sorted(level.on_hand for level in info.levels) == [
        1 + PRODUCTS * number for number in range(LOCATIONS)
    ]
    exported = system.command("export", "stock", str(tmp_path / "all.csv"))
    assert exported.returncode == 0, exported.stderr
    assert taken_in(system, "stock", tmp_path / "all.csv")["unchanged"] == LINES
    system.require_soundness()
