"""`python -m proof.hostile --inputs 1000000`: send rubbish to a running cluster, judge all answers.

What must hold: no UNKNOWN, no INTERNAL, a reason with every refusal that passes by itself; nothing
is there that no OK told of; `verify` finds nothing; no error in the logs; memory and descriptors
stay where they were after the first tenth.
"""

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path

import uvloop
from grpc import aio

from holdfast.verification import verify
from proof.hostile.campaign import Campaign, Findings, differences
from proof.hostile.wire import storm
from testbed.cluster import Cluster, Deployment, Embedded, fresh_places
from testbed.keys import keyed
from testbed.processes import temporary_folder
from testbed.procfs import open_files, resident_bytes
from testbed.servers import postgres, rabbitmq
from testbed.services import ALL_SERVICES, settings_of
from testbed.templates import Templates

WARM_SHARE = 0.1  # of the inputs: then caches are full and pools are open
GROWTH_BYTES_MAX = 64 * 1024 * 1024  # of a process, from there on
DESCRIPTORS_MORE_MAX = 20
_WRONG = re.compile(r"Traceback|\"level\": ?\"(error|critical)\"|\[(error|critical)")
CONNECTIONS_SHARE = 0.002  # raw connections, of the inputs


def main() -> int:
    """0 if nothing was found."""
    options = argparse.ArgumentParser(prog="python -m proof.hostile", description=__doc__)
    options.add_argument("--inputs", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--mode", choices=("cluster", "embedded"), default="cluster")
    chosen = options.parse_args()
    with temporary_folder() as folder, ExitStack() as started:
        deployment = started.enter_context(_deployed(chosen.mode, folder))
        problems = uvloop.run(attack(deployment, chosen.inputs, chosen.seed))
        deployment.require_running()
        urls = deployment.databases
        report = asyncio.run(verify(urls["orders"], urls["inventory"], urls["notifier"]))
        problems += report.contradictions
        problems += complaints(folder)
    print("\n".join(problems) if problems else "nothing was found")
    return 1 if problems else 0


@contextmanager
def _deployed(mode: str, folder: Path) -> Iterator[Deployment]:
    """All services, which log only what is wrong."""
    quiet = {**os.environ, "HOLDFAST_UP_LOG_LEVEL": "WARNING"}
    for service in ALL_SERVICES:
        quiet |= settings_of(service, log_level="WARNING")
    if mode == "embedded":
        quiet = {
            name: value
            for name, value in quiet.items()
            if not name.startswith(tuple(f"HOLDFAST_{one.upper()}" for one in ALL_SERVICES))
        }
        embedded = Embedded(folder, base=quiet)
        with embedded.running():
            yield embedded
        return
    with (
        postgres(folder) as server,
        rabbitmq(folder) as broker,
        fresh_places(
            "hostile", server, broker, Templates(folder), services=ALL_SERVICES, end_at_rest=True
        ) as (urls, url),
    ):
        cluster = Cluster(folder, databases=urls, broker=url, base=quiet)
        with cluster.running():
            yield cluster


async def attack(deployment: Deployment, inputs: int, seed: int) -> list[str]:
    """Send everything; return what is wrong."""
    async with AsyncExitStack() as opened:
        channels = {
            name: await opened.enter_async_context(keyed(aio.insecure_channel(address)))
            for name, address in deployment.addresses.items()
        }
        campaign = Campaign(channels, seed)
        await campaign.furnish()
        await campaign.run(max(int(inputs * WARM_SHARE), 1), tell)
        before = resources(deployment)
        for address in deployment.addresses.values():
            await storm(address, connections=int(inputs * CONNECTIONS_SHARE) or 1, seed=seed)
        await campaign.run(inputs - campaign.findings.sent, tell)
        there = await campaign.there()
        tell(campaign.findings)
        return [
            *campaign.findings.faults,
            *differences(campaign.created, there, campaign.findings.unknown),
            *growth(before, resources(deployment)),
        ]


def tell(findings: Findings) -> None:
    """Say how far it is."""
    statuses = ", ".join(f"{name} {count:,}" for name, count in findings.statuses.most_common())
    print(f"{findings.sent:,} inputs, {findings.faults_count} faults; {statuses}", flush=True)


Resources = Mapping[str, tuple[int, int]]


def resources(deployment: Deployment) -> Resources:
    """Memory and descriptors of each process."""
    pids = {part: deployment.program(part).pid for part in deployment.parts}
    return {part: (resident_bytes(pid), len(open_files(pid))) for part, pid in pids.items()}


def growth(before: Resources, after: Resources) -> list[str]:
    """Processes that keep what they were given."""
    found = []
    for part, (memory, descriptors) in after.items():
        more, opened = memory - before[part][0], descriptors - before[part][1]
        print(
            f"{part}: {memory / 2**20:,.0f} MiB ({more / 2**20:+,.0f}), {descriptors} descriptors"
        )
        if more > GROWTH_BYTES_MAX:
            found.append(f"{part} has {more / 2**20:,.0f} MiB more than after the first tenth")
        if opened > DESCRIPTORS_MORE_MAX:
            found.append(f"{part} has {opened} descriptors more than after the first tenth")
    return found


def complaints(folder: Path) -> list[str]:
    """What the services logged as an error of theirs."""
    found = []
    for log in (folder / f"{name}.log" for name in (*ALL_SERVICES, "up")):
        if log.exists():
            lines = log.read_text(errors="replace").splitlines()
            found += [
                "\n  ".join([f"{log.name}: {line[:500]}", *_rest_of_traceback(lines[number:])])
                for number, line in enumerate(lines)
                if _WRONG.search(line)
            ]
    return found[:20]


def _rest_of_traceback(lines: list[str]) -> list[str]:
    """Where it was, and what: the last lines of a traceback; nothing of another line."""
    if not lines[0].startswith("Traceback"):
        return []
    end = next((n for n, line in enumerate(lines[1:], 1) if not line.startswith(" ")), 0)
    return [line[:200] for line in lines[max(1, end - 6) : end + 1]]


if __name__ == "__main__":
    sys.exit(main())
