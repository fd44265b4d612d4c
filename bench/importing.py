"""Import a file of stock into a cluster: lines a second, and the memory of the importing process.

    python -m bench.importing --products 100000 --locations 10

makes a file of a line for each level, has `holdfast import` take it in twice (first every level is
new, then none changes), and tells what the process itself measured. The products are imported too.
"""

import argparse
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.progress import say
from testbed.cluster import Cluster, fresh_places
from testbed.processes import temporary_folder
from testbed.servers import postgres, rabbitmq
from testbed.services import HOLDFAST
from testbed.templates import Templates

RATE_FLOOR, RATE_AIM = 10_000, 30_000  # lines a second
MB_MAX, MB_AIM = 200, 100
LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Took:
    """What an import took. Memory is the most that was resident, in 10**6 bytes."""

    lines: int
    seconds: float
    cpu_s: float
    memory_mb: float
    report: dict[str, object]

    def __str__(self) -> str:
        rate = self.lines / self.seconds
        return (
            f"{self.lines:,} lines in {self.seconds:.1f} s: {rate:,.0f} a second; "
            f"{1e6 * self.cpu_s / self.lines:.0f} us of CPU a line, {self.memory_mb:.0f} MB"
        )


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m bench.importing", description=__doc__)
    options.add_argument("--products", type=int, default=2_000)
    options.add_argument("--locations", type=int, default=10)
    chosen = options.parse_args()
    lines = chosen.products * chosen.locations
    with temporary_folder() as folder, _cluster(folder) as environment:
        _write_products(folder / "products.csv", chosen.products)
        _write_stock(folder / "stock.csv", chosen.products, chosen.locations)
        for number in range(1, chosen.locations):
            place = _place(number)
            run = [str(HOLDFAST), "location", "create", place, "--name", place]
            subprocess.run(run, env=environment, check=True, stdout=subprocess.DEVNULL)
        say(f"products: {_import('products', folder, environment)}")
        first = _import("stock", folder, environment)
        say(f"stock, new: {first}")
        again = _import("stock", folder, environment)
        say(f"stock, unchanged: {again}")
    assert first.report["created"] == again.report["unchanged"] == lines, "every line counts once"
    rate = lines / first.seconds
    say(f"floor {RATE_FLOOR:,} lines/s, {MB_MAX} MB; aim {RATE_AIM:,}, {MB_AIM}")
    return 0 if rate >= RATE_FLOOR and first.memory_mb <= MB_MAX else 1


@contextmanager
def _cluster(folder: Path) -> Iterator[Mapping[str, str]]:
    """A cluster on private servers; the environment of commands that speak to it."""
    templates = folder / "templates"
    templates.mkdir()
    with (
        postgres(folder) as server,
        rabbitmq(folder) as broker,
        fresh_places("importing", server, broker, Templates(templates)) as (urls, vhost),
    ):
        cluster = Cluster(folder, databases=urls, broker=vhost)
        with cluster.running():
            yield dict(os.environ) | {
                f"HOLDFAST_{name.upper()}": address for name, address in cluster.addresses.items()
            }


def _import(kind: str, folder: Path, environment: Mapping[str, str]) -> Took:
    run = [str(HOLDFAST), "import", kind, str(folder / f"{kind}.csv"), "--output", "json"]
    answer = folder / f"{kind}.json"
    begun = time.perf_counter()
    with answer.open("wb") as out, subprocess.Popen(run, env=environment, stdout=out) as program:
        memory_mb, ended = 0.0, 0
        while not ended:
            memory_mb = max(memory_mb, _most_mb(program.pid))
            time.sleep(LOOK_S)
            ended, status, used = os.wait4(program.pid, os.WNOHANG)
        program.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begun
    report = json.loads(answer.read_text())
    assert program.returncode == 0, report
    cpu_s = used.ru_utime + used.ru_stime
    return Took(report["lines"], seconds, cpu_s, memory_mb, report)


def _most_mb(pid: int) -> float:
    """The most memory that was resident since the program began. What `wait` tells is that of the
    process it was forked from, if that had more.
    """
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0  # it has ended


def _write_products(path: Path, products: int) -> None:
    with path.open("w") as file:
        file.write("product_id,name,unit_price\n")
        file.writelines(f"P-{n:07},Product {n},12.50\n" for n in range(products))


def _write_stock(path: Path, products: int, locations: int) -> None:
    """Product by product, as `holdfast export stock` writes it."""
    with path.open("w") as file:
        file.write("product_id,location_id,on_hand\n")
        for number in range(products):
            file.writelines(
                f"P-{number:07},{_place(place)},{1 + number % 1_000}\n"
                for place in range(locations)
            )


def _place(number: int) -> str:
    return f"place-{number}" if number else "main"


if __name__ == "__main__":
    raise SystemExit(main())
