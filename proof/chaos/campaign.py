"""One campaign: callers at work, faults by a schedule, healing, rest, and everything held together.

What it writes down on the way (histories, events heard, the timeline) is its raw log.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.seam import Database, DatabaseUnavailable
from holdfast.chassis.messaging.inbox import REMEMBERED_DAYS
from holdfast.verification import verify
from proof.callers import Address, Callers, Habits
from proof.chaos.audit_queue import QUEUE, Audit
from proof.chaos.convergence import Rest, come_to_rest
from proof.chaos.nemesis import Nemesis
from proof.chaos.probing import PRODUCT_ID, UNITS
from proof.chaos.service_faults import ClockJumped
from proof.chaos.strangers import Strangers
from proof.chaos.striking import Damage, Say
from proof.chaos.testbed import Testbed
from proof.chaos.verdict import Verdict, counts_of
from proof.checker import RunRecord, check
from proof.history import History
from proof.logs import errors_of
from proof.sampling import sample_of
from proof.snapshot import Sample
from proof.snapshot_reading import snapshot_of
from proof.verbs import never_happened, never_succeeded
from proof.workload import HOLD_S, UNLIMITED, Shop

SAMPLE_EVERY_S = 1.0
SAMPLE_S_MAX = 10.0
SAMPLING_SHARE = 0.05  # of the time, when the ledger is long
CONVERGE_S_MAX = 90.0
REMEMBERED_S = REMEMBERED_DAYS * 24 * 3_600.0
LAST_EVENTS_S = 1.0  # from the audit's hands to its disk

Trouble = Callable[["Run"], Awaitable[None]]


# Who wants what is scarce waits for it without a limit, or with one, or is refused; much of it
# comes, and much turns out not to be there.
SHOP = Shop(
    products=40,
    scarce=4,
    units=20_000,
    changes=(-20, -2, 1, 5, 40),
    holds_s=(1, HOLD_S),
    waits_max=(UNLIMITED, 60, 0),
    displacing=0.5,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What kind of a campaign.

    :param shop: enough units that most orders can be filled, to the end.
    :param nemesis: messages are repeated, and nonsense is sent.
    :param is_whole: every verb of both services has to succeed at least once, and what comes of
        back-orders to happen.
    """

    name: str
    seed: int
    habits: Habits = field(default_factory=Habits)
    shop: Shop = SHOP
    nemesis: bool = True
    is_whole: bool = False
    converge_s: float = CONVERGE_S_MAX


@dataclass
class Run:
    """A campaign under way.

    :param groups: of callers; each group has names and habits of its own.
    :param at_end: called when all callers have ended, before the run is judged.
    """

    testbed: Testbed
    plan: Plan
    folder: Path
    say: Say
    history: History
    audit: Audit
    nemesis: Nemesis
    strangers: Strangers
    orders: Database
    inventory: Database
    groups: list[Callers] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    samples_missed: int = 0
    counts: dict[str, object] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    resources: dict[str, list[float]] = field(default_factory=dict)
    at_end: list[Callable[[], None]] = field(default_factory=list)
    forgetful: bool = False

    async def depths(self) -> Mapping[str, int]:
        return await asyncio.to_thread(self.testbed.brokers.depths)

    def count_damage(self, damage: Damage) -> None:
        """Put what was struck among the counts."""
        self.counts |= {
            "faults struck": damage.strikes.total(),
            "faults by kind": dict(damage.strikes.most_common()),
            "faults without effect": dict(damage.missed.most_common()),
            "processes killed": damage.kills.total(),
            "kills by kind": dict(damage.kills.most_common()),
            "failovers": len(self.testbed.databases.failovers),
        }
        self.forgetful = any(
            isinstance(fault, ClockJumped) and abs(fault.ahead_s) >= REMEMBERED_S
            for fault in damage.struck
        )


async def campaign(
    testbed: Testbed, plan: Plan, folder: Path, say: Say, trouble: Trouble
) -> Verdict:
    """Run callers while `trouble` does, heal, wait for rest, and judge.

    :param trouble: what the campaign is about; it returns when it is over.
    """
    async with _prepared(testbed, plan, folder, say) as run:
        say(f"{plan.habits.callers} callers begin")
        async with run.groups[0].working(), _sampling(run):
            async with (
                run.nemesis.at_work() if plan.nemesis else nullcontext(),
                run.strangers.at_work(),
            ):
                await trouble(run)
            say("healing")
            await asyncio.to_thread(testbed.heal)
        say("the callers have ended; waiting for rest")
        for last in run.at_end:
            last()
        rest, rest_s = await come_to_rest(
            run.orders, run.inventory, run.depths, within_s=plan.converge_s
        )
        say(f"after {rest_s:.1f} s: {rest}")
        await asyncio.sleep(LAST_EVENTS_S)
        return await _judge(run, rest, rest_s)


@asynccontextmanager
async def _prepared(testbed: Testbed, plan: Plan, folder: Path, say: Say) -> AsyncIterator[Run]:
    async with AsyncExitStack() as stack:
        history = History(time.monotonic, folder / "history.jsonl")
        stack.callback(history.close)
        nemesis = Nemesis(testbed.broker_url, plan.seed)
        audit = Audit(testbed.broker_url, folder / "events.jsonl", nemesis.overhear)
        await stack.enter_async_context(audit.listening())
        orders, inventory = [
            await stack.enter_async_context(connect(testbed.database_url(service)))
            for service in ("orders", "inventory")
        ]
        strangers = Strangers(single_addresses(testbed))
        run = Run(testbed, plan, folder, say, history, audit, nemesis, strangers, orders, inventory)
        run.groups.append(callers_of(run, plan.habits))
        await run.groups[0].open_shop({PRODUCT_ID: UNITS})
        yield run


def callers_of(run: Run, habits: Habits, addresses: Sequence[Address] = ()) -> Callers:
    """Callers on the run's testbed, under its seed, writing into its history.

    :param addresses: where they go; none: some know one process of each service, some know all.
    """
    everywhere = single_addresses(run.testbed) + several_addresses(run.testbed)
    return Callers(
        addresses or everywhere, run.history, seed=run.plan.seed, shop=run.plan.shop, habits=habits
    )


def single_addresses(testbed: Testbed) -> list[Address]:
    """One process of each service."""
    return [
        Address(orders, inventory)
        for orders, inventory in zip(
            testbed.addresses("orders"), testbed.addresses("inventory"), strict=True
        )
    ]


def several_addresses(testbed: Testbed) -> list[Address]:
    """All processes of each service, with another one first each time."""
    orders, inventory = testbed.addresses("orders"), testbed.addresses("inventory")
    return [
        Address(several_targets(orders, turn), several_targets(inventory, turn))
        for turn in range(len(orders))
    ]


def several_targets(hosts: Sequence[str], turn: int) -> str:
    """A gRPC target of several addresses, which it tries in this order."""
    return "ipv4:" + ",".join([*hosts[turn:], *hosts[:turn]])


@asynccontextmanager
async def _sampling(run: Run) -> AsyncIterator[None]:
    """Hold the levels against their movements about every second."""

    async def look() -> float:
        began = time.monotonic()
        try:
            async with asyncio.timeout(SAMPLE_S_MAX):
                run.samples.append(await sample_of(run.inventory))
        except (DatabaseUnavailable, TimeoutError):
            run.samples_missed += 1
        return time.monotonic() - began

    async def look_again_and_again() -> None:
        while True:
            took_s = await look()
            await asyncio.sleep(max(SAMPLE_EVERY_S, took_s / SAMPLING_SHARE))

    looking = asyncio.create_task(look_again_and_again())
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.wait([looking])
    if not looking.cancelled():
        looking.result()


async def _judge(run: Run, rest: Rest, rest_s: float) -> Verdict:
    depths = await run.depths()
    record = RunRecord(
        calls=run.history.calls,
        snapshot=await snapshot_of(run.orders, run.inventory),
        observed_events=run.audit.observed_events(),
        samples=run.samples,
        queues={queue: count for queue, count in depths.items() if queue != QUEUE},
        poison=run.nemesis.poison,
        parked=run.nemesis.parked,
        refusals_possible=True,
        forgetful=run.forgetful,
        resources=run.resources,
    )
    run.say("checking")
    violations = [*run.strangers.let_in, *await asyncio.to_thread(check, record)]
    run.say("verifying both databases")
    urls = (run.testbed.database_url(service) for service in ("orders", "inventory"))
    report = await verify(*urls, pending_s_max=run.plan.converge_s)
    findings = run.findings + run.strangers.findings()
    if not rest.is_rest:
        findings.append(f"no rest within {run.plan.converge_s:.0f} s: {rest}")
    findings += [f"no batch of events: {body[:40]!r}" for body in run.audit.unreadable]
    findings += [f"holdfast verify: {one}" for one in report.contradictions]
    codes, succeeded = Counter[str](), Counter[str]()
    for group in run.groups:
        codes += group.codes
        succeeded += group.succeeded
        findings += [f"a service called it a bug: {bug}" for bug in group.bugs]
        findings += [f"a service called it nonsense: {one}" for one in group.nonsense]
    if run.plan.is_whole:
        findings += never_succeeded(succeeded) + never_happened(record)
    counts = counts_of(record) | {
        "answered OK by RPC": dict(succeeded.most_common()),
        "refused or in doubt": dict(codes.most_common()),
        "messages repeated": run.nemesis.repeated,
        "strangers were told": run.strangers.told,
        "poison that must be parked": len(run.nemesis.parked),
        "errors in the services' logs": errors_of(run.testbed.folder.glob("*-*.log")),
        "samples missed": run.samples_missed,
        "audit reconnected": run.audit.losses,
        "came to rest after s": round(rest_s, 1),
        "checked by verify": report.checked,
        "notes of verify": [note for note in report.notes if "dead letter" not in note],
    }
    return Verdict(run.plan.name, run.plan.seed, violations, findings, counts | run.counts)
