"""One caller sends ten times what all others do: how much longer do these wait?

`python -m bench.fairness`: a cluster, eight quiet callers and a noisy one, each with a key of its
own. The quiet ones are measured alone, beside the noisy one at ten times their rate, and beside one
that sends as much as it can, in turns. With `--as-one` everybody has the same key: how it would be
without shares.
"""

import argparse
import asyncio
import statistics
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import count

from bench.generator import CREATE, Job, Outcome
from bench.load import generator
from bench.progress import say
from bench.testbed import Servers, Testbed
from holdfast.client import Holdfast
from testbed.keys import KEY
from testbed.processes import temporary_folder

QUIET_CALLERS = 8
QUIET_RATE = 40.0  # orders a second, of all of them together
NOISIER = 10
FLOOD_CALLERS = 640
BEFORE_S = 1.0  # the noisy one begins so much earlier, and ends as much later
RATIO_MAX = 2.0

_numbers = count(1)


async def keys_of(testbed: Testbed, names: Sequence[str]) -> tuple[str, ...]:
    """A key for each: whoever calls is known by it, and has its share by it."""
    async with Holdfast(testbed.orders, testbed.inventory, key=KEY) as client:
        return tuple([(await client.keys.create(name, ["admin"])).text for name in names])


def measured(quiet: Job, noisy: Job | None) -> Outcome:
    """Load with the quiet ones, and for longer with the noisy one; return the former's outcome."""
    quiet = replace(quiet, run=f"q{next(_numbers)}", seed=next(_numbers))
    with generator() as others, generator() as load:
        load.prepare(quiet)
        if noisy is None:
            return load.go()
        seconds = quiet.seconds + 2 * BEFORE_S
        others.prepare(replace(noisy, run=f"n{next(_numbers)}", seconds=seconds))
        found: list[Outcome] = []
        loud = threading.Thread(target=lambda: found.append(others.go()))
        loud.start()
        threading.Event().wait(BEFORE_S)
        outcome = load.go()
        loud.join()
        say(f"  the noisy one: {found[0].items / seconds:,.0f} orders/s, {told(found[0])}")
        return outcome


def told(outcome: Outcome) -> str:
    latencies = ", ".join(f"{name} {ms:.1f} ms" for name, ms in outcome.latencies_ms.items())
    return f"{latencies}; errors {outcome.errors or 'none'}"


def rounds(
    servers: Servers, testbed: Testbed, options: argparse.Namespace
) -> dict[str, list[Outcome]]:
    """Measure the quiet ones in each company, in turns."""
    names = [f"quiet-{number + 1}" for number in range(QUIET_CALLERS)]
    keys = (KEY,) if options.as_one else asyncio.run(keys_of(testbed, names))
    quiet = Job(testbed.orders, CREATE, rate=QUIET_RATE, seconds=options.seconds)
    quiet = replace(quiet, channels=QUIET_CALLERS, keys=keys)
    to_it = Job(testbed.orders, CREATE)
    company = {
        "alone": None,
        f"beside {NOISIER} x as much": replace(to_it, rate=NOISIER * QUIET_RATE),
        "beside a flood": replace(to_it, callers=FLOOD_CALLERS),
    }
    found: dict[str, list[Outcome]] = {name: [] for name in company}
    measured(replace(quiet, seconds=BEFORE_S), company["beside a flood"])  # warms up
    for number in range(options.rounds):
        for name, noisy in company.items():
            say(f"round {number + 1} of {options.rounds}: {name}")
            testbed.ledger.wait_until_settled()
            servers.settle_down()
            outcome = measured(quiet, noisy)
            say(f"  the quiet ones: {told(outcome)}")
            found[name].append(outcome)
    testbed.ledger.wait_until_settled()
    return found


def main() -> int:
    """0 if the others' p99 beside one that sends ten times as much is within RATIO_MAX of alone."""
    parser = argparse.ArgumentParser(prog="python -m bench.fairness", description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="medians are reported")
    parser.add_argument("--as-one", action="store_true", help="everybody with one key")
    options = parser.parse_args()
    with ExitStack() as started:
        servers = Servers(started.enter_context(temporary_folder()), started)
        # A young server writes each file of its log full of zeros first, and all wait for the disk.
        servers.postgres.sql("ALTER SYSTEM SET wal_init_zero = off")
        servers.postgres.sql("SELECT pg_reload_conf()")
        with servers.cluster() as testbed:
            found = rounds(servers, testbed, options)
    p99 = {
        name: statistics.median(outcome.latencies_ms["p99"] for outcome in outcomes)
        for name, outcomes in found.items()
    }
    ratios = {name: value / p99["alone"] for name, value in p99.items()}
    for name, value in p99.items():
        print(f"{name:<20} p99 {value:7.1f} ms  {ratios[name]:5.2f} x")
    errors = [outcome.errors for outcomes in found.values() for outcome in outcomes]
    fair = ratios[f"beside {NOISIER} x as much"] <= RATIO_MAX and not any(errors)
    print("fair" if fair else f"not fair: at most {RATIO_MAX:g} x, and no errors; {errors}")
    return 0 if fair else 1


if __name__ == "__main__":
    sys.exit(main())
