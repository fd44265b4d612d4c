"""Keys rotated and revoked, certificates renewed, while callers are at work: what fails, how soon.

`python -m bench.renewing`: a cluster that speaks TLS everywhere. Each caller has a key of its own,
which is rotated again and again and has its old one end soon after; it opens a new connection with
each. Meanwhile all certificates are replaced again and again. No call may fail. One more key after
the other is made, used, and revoked: of each is measured how long after the answer of `RevokeKey`
each service still took it.
"""

import argparse
import asyncio
import http.client
import os
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path

import uvloop

from bench.generator import quantiles_ms
from holdfast.client import Holdfast, HoldfastError, Money, OrderLine, Tls, Unauthenticated
from testbed.authority import Authority
from testbed.cluster import Cluster, fresh_places
from testbed.keys import KEY
from testbed.processes import temporary_folder
from testbed.servers import postgres, rabbitmq
from testbed.services import SERVICES, settings_of
from testbed.templates import Templates

LAMP, STOCK = "LAMP-RED", 100_000_000
OVERLAP = timedelta(seconds=2)  # how long a key is good after it was rotated
ROTATE_EVERY_S, RENEW_EVERY_S = 1.0, 5.0
REVOKED_S_MAX = 30.0
LOOK_S = 0.02
READY_S_MAX = 30.0


class Callers:
    """At work on a cluster, until told to stop; failed calls are counted by what they were told."""

    def __init__(self, cluster: Cluster, tls: Tls, seconds: float) -> None:
        self._cluster, self._tls = cluster, tls
        self.until = time.monotonic() + seconds
        self.calls, self.rotations = 0, 0
        self.failed: Counter[str] = Counter()
        self.revoked_s: dict[str, list[float]] = {service: [] for service in SERVICES}

    def is_time_up(self) -> bool:
        return time.monotonic() > self.until

    def client(self, key: str) -> Holdfast:
        """A connection of its own, which never asks twice."""
        at = self._cluster.addresses
        return Holdfast(at["orders"], at["inventory"], key=key, tls=self._tls, retry_s=0)

    async def work(self, operator: Holdfast, number: int) -> None:
        """Ask, and change to a new key and a new connection every ROTATE_EVERY_S."""
        made = await operator.keys.create(f"caller-{number}", ["admin"])
        await self.known(made.text)
        while not self.is_time_up():
            ends_at = time.monotonic() + ROTATE_EVERY_S
            async with self.client(made.text) as client:
                while time.monotonic() < ends_at:
                    await self.ask(client, number)
            made = await operator.keys.rotate(made.key.key_id, overlap=OVERLAP)
            self.rotations += 1
            await self.known(made.text)

    async def ask(self, client: Holdfast, number: int) -> None:
        try:
            if self.calls % 2:
                await client.orders.create(f"c-{number}", [OrderLine(LAMP, 1)])
            else:
                await client.inventory.get_stock(LAMP)
        except HoldfastError as error:
            self.failed[f"{type(error).__name__}: {error}"[:160]] += 1
        self.calls += 1

    async def known(self, key: str) -> None:
        """Return when Inventory has learnt of a new key: Orders makes it, and knows it at once."""
        async with self.client(key) as client:
            await self.taken_or_not(client, "inventory", taken=True)

    async def taken_or_not(self, client: Holdfast, service: str, *, taken: bool) -> None:
        while True:
            if await self.is_taken(client, service) is taken:
                return
            await asyncio.sleep(LOOK_S)

    async def is_taken(self, client: Holdfast, service: str) -> bool:
        try:
            if service == "orders":
                [one async for one in client.orders.list(limit=1)]
            else:
                await client.inventory.get_stock(LAMP)
        except Unauthenticated:
            return False
        return True

    async def revoke(self, operator: Holdfast) -> None:
        """Revoke one key after the other, each when both services know it."""
        while not self.is_time_up():
            made = await operator.keys.create("to be revoked", ["admin"])
            await self.known(made.text)
            async with self.client(made.text) as client:
                await self.is_taken(client, "orders")
                await operator.keys.revoke(made.key.key_id)
                began = time.monotonic()
                await asyncio.gather(*(self.refused(client, one, began) for one in SERVICES))

    async def refused(self, client: Holdfast, service: str, began: float) -> None:
        async with asyncio.timeout(REVOKED_S_MAX):
            await self.taken_or_not(client, service, taken=False)
        self.revoked_s[service].append(time.monotonic() - began)


async def renew(authority: Authority, callers: Callers) -> int:
    """Replace every certificate again and again; return how often."""
    renewals = 0
    while not callers.is_time_up():
        await asyncio.sleep(RENEW_EVERY_S)
        issue(authority)
        renewals += 1
    return renewals


def issue(authority: Authority) -> None:
    for service in SERVICES:
        authority.issue(service, "localhost", "127.0.0.1")


async def measure(cluster: Cluster, authority: Authority, count: int, seconds: float) -> bool:
    callers = Callers(cluster, Tls(ca=authority.ca), seconds)
    async with callers.client(KEY) as operator:
        await operator.inventory.create_product(LAMP, unit_price=Money.parse("12.50", "GBP"))
        await operator.inventory.set_stock(LAMP, STOCK)
        async with asyncio.TaskGroup() as group:
            renewing = group.create_task(renew(authority, callers))
            group.create_task(callers.revoke(operator))
            for number in range(count):
                group.create_task(callers.work(operator, number))
    print(
        f"{callers.calls:,} calls of {count} callers over TLS in {seconds:g} s, "
        f"{callers.rotations} rotations, {renewing.result()} renewals: "
        f"{callers.failed.total()} failed"
    )
    for what, times in callers.failed.most_common():
        print(f"  {times} x {what}")
    for service, took in callers.revoked_s.items():
        ms = quantiles_ms(took)
        print(
            f"a revoked key is refused by {service}: p50 {ms['p50']:,.0f} ms, "
            f"worst {ms['max']:,.0f} ms ({len(took)} keys)"
        )
    return not callers.failed


def settings(folder: Path) -> dict[str, str]:
    """TLS at every port, and on the way from Orders to Inventory."""
    found = dict(os.environ)
    for service in SERVICES:
        pair = {"tls_certificate": folder / f"{service}.pem", "tls_key": folder / f"{service}.key"}
        found |= settings_of(service, log_level="WARNING", **pair)
    return found


def is_ready(admin: str) -> bool:
    """Whether the process says so; its gRPC port speaks TLS, its admin port does not."""
    connection = http.client.HTTPConnection(admin, timeout=1.0)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.renewing", description=__doc__)
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args(arguments)
    with ExitStack() as started:
        folder = started.enter_context(temporary_folder())
        authority = Authority(folder, "bench")
        issue(authority)
        server = started.enter_context(postgres(folder))
        broker = started.enter_context(rabbitmq(folder))
        urls, url = started.enter_context(
            fresh_places("renewing", server, broker, Templates(folder), end_at_rest=True)
        )
        base = settings(folder) | settings_of("orders", inventory_ca=authority.ca)
        cluster = Cluster(folder, databases=urls, broker=url, base=base)
        started.callback(cluster.stop_all)
        for service in cluster.services.values():
            service.launch()
        for part in cluster.parts:
            ready = partial(is_ready, cluster.admin[part])
            cluster.program(part).wait_until(ready, READY_S_MAX, "is not ready")
        good = uvloop.run(measure(cluster, authority, options.callers, options.seconds))
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
