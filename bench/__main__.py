"""`make bench`: run scenarios on private servers, print what they found, record it."""

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from bench.edits import scenario_12
from bench.figures import Result, read_records, record, show, write_records
from bench.growth import scenario_7
from bench.holds import HoldsTooShort, scenario_10, scenario_11
from bench.ledger import NotSettled
from bench.lives import scenario_15
from bench.load import GeneratorFailed, OrdersLost
from bench.memory import scenario_8
from bench.over_http import scenario_16
from bench.pages import scenario_13
from bench.places import scenario_14
from bench.profiles import ProfilerFailed, ProfilerMissing, profile
from bench.progress import say
from bench.reading import scenario_6
from bench.replaying import ReplayFailed, scenario_9
from bench.scenarios import (
    Bench,
    Options,
    scenario_1,
    scenario_2,
    scenario_3,
    scenario_4,
    scenario_5,
)
from bench.testbed import Contradicted, Servers
from testbed.machine import commit, load_average, machine
from testbed.processes import ProgramFailed, temporary_folder
from testbed.servers import ServerMissing

SCENARIOS: dict[int, Callable[[Bench], Result]] = {
    1: scenario_1,
    2: scenario_2,
    3: scenario_3,
    4: scenario_4,
    5: scenario_5,
    6: scenario_6,
    7: scenario_7,
    8: scenario_8,
    9: scenario_9,
    10: scenario_10,
    11: scenario_11,
    12: scenario_12,
    13: scenario_13,
    14: scenario_14,
    15: scenario_15,
    16: scenario_16,
}

# What ends a scenario and not the run.
FAILURES = (
    Contradicted,
    GeneratorFailed,
    HoldsTooShort,
    NotSettled,
    OrdersLost,
    ProgramFailed,
    ReplayFailed,
)


def main() -> int:
    """Run what was asked for; 0 if every floor is met and every `verify` found nothing."""
    chosen = _options().parse_args()
    try:
        with ExitStack() as started:
            folder = chosen.folder or started.enter_context(temporary_folder())
            servers = Servers(folder, started, chosen.workers, notifies=chosen.notifier)
            options = Options(chosen.seconds, chosen.rounds, chosen.baseline_seconds, chosen.full)
            bench = Bench(servers, options)
            if chosen.profile:
                for number in chosen.scenario or [1, 2]:
                    print(profile(bench, number, native=chosen.native), flush=True)
                return 0
            results, records = _run(bench, chosen.scenario or list(SCENARIOS))
    except (ProfilerFailed, ProfilerMissing, ProgramFailed, ServerMissing) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    show(results, read_records(chosen.against or chosen.record))
    if not chosen.no_record:
        print(f"recorded as {write_records(chosen.record, records).name}")
    return 0 if all(result.ok for result in results) else 1


def _run(bench: Bench, numbers: list[int]) -> tuple[list[Result], dict[str, dict[str, object]]]:
    results, records = [], {}
    here, at = machine(), commit()
    for number in numbers:
        say(f"scenario {number}: {SCENARIOS[number].__doc__}")
        try:
            result = SCENARIOS[number](bench)
        except FAILURES as error:
            result = Result(number, SCENARIOS[number].__doc__ or "", failure=str(error))
        results.append(result)
        records[str(number)] = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": at,
            "machine": here,
            "workers": bench.servers.workers,
            "seconds": bench.options.seconds,
            "rounds": bench.options.rounds,
            "load_average": load_average(),
            "baseline": bench.baseline.facts(),
            "others_cores": [round(others, 2) for others in bench.baseline.others],
            **record(result),
        }
    return results, records


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    default = Options()
    options.add_argument(
        "--scenario", type=int, action="append", choices=SCENARIOS, help="only this one (repeat)"
    )
    options.add_argument(
        "--seconds", type=float, default=default.seconds, help="of load in each run"
    )
    options.add_argument("--rounds", type=int, default=default.rounds, help="runs of each kind")
    options.add_argument(
        "--baseline-seconds", type=int, default=default.baseline_s, help="of each look at it"
    )
    options.add_argument(
        "--full", action="store_true", help="the full sizes of scenarios 7, 8 and 13: takes an hour"
    )
    options.add_argument("--workers", type=int, default=1, help="processes of each service")
    options.add_argument("--notifier", action="store_true", help="a cluster has a Notifier, too")
    options.add_argument("--record", default="latest", metavar="NAME", help="results/NAME.json")
    options.add_argument("--no-record", action="store_true", help="write nothing")
    options.add_argument("--against", metavar="NAME", help="compare with these; else with NAME")
    options.add_argument(
        "--folder", type=Path, help="of databases and queues; else a temporary one"
    )
    options.add_argument(
        "--profile", action="store_true", help="show where the services' time goes, with py-spy"
    )
    options.add_argument("--native", action="store_true", help="profile C code as well")
    return options


if __name__ == "__main__":
    sys.exit(main())
