"""How long the outage was: an order every 50 ms, whatever became of those before it.

A caller that waits for its answer would not notice when the next one could have had its own. Every
second order waits to be confirmed, the others only to be accepted.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from holdfast.client import Holdfast, HoldfastError, OrderLine, OrderStatus
from proof.asking import placed_facts
from proof.callers import Address
from proof.history import History

EVERY_S = 0.05
DEADLINE_S = 1.0  # of an answer, without the wait
WAIT_S = 3.0  # for the outcome
PRODUCT_ID = "PROBE"
UNITS = 10_000_000


@dataclass(slots=True)
class Probe:
    """One order; times by the monotonic clock, None for what never came or was not asked."""

    began_at: float
    accepted_at: float | None = None
    confirmed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Outage:
    """Seconds from a strike until an order was accepted again, and until one was confirmed."""

    accepted_s: float
    confirmed_s: float


class Prober:
    """Places orders through one address, at a rate that no outage slows down."""

    def __init__(self, name: str, address: Address, history: History) -> None:
        self.name = name
        self._address = address
        self._history = history
        self._probes: list[Probe] = []

    @asynccontextmanager
    async def probing(self) -> AsyncIterator[None]:
        """Probe while the block runs; then wait for the last answer."""
        async with (
            Holdfast(
                self._address.orders, self._address.inventory, deadline_s=DEADLINE_S, retry_s=0
            ) as client,
            asyncio.TaskGroup() as group,
        ):
            pacing = asyncio.create_task(self._pace(client, group))
            try:
                yield
            finally:
                pacing.cancel()
                await asyncio.wait([pacing])

    async def _pace(self, client: Holdfast, group: asyncio.TaskGroup) -> None:
        due = time.monotonic()
        while True:
            group.create_task(self._probe(client, len(self._probes)))
            due += EVERY_S
            await asyncio.sleep(due - time.monotonic())

    async def _probe(self, client: Holdfast, number: int) -> None:
        probe, waits = Probe(time.monotonic()), number % 2 == 1
        self._probes.append(probe)
        request_id = f"{self.name}-{number}"
        asked = {"customer_id": self.name, "request_id": request_id, "lines": [[PRODUCT_ID, 1]]}
        call = self._history.invoke(self.name, "CreateOrder", asked)
        await self._history.on_disk()
        try:
            placed = await client.orders.create(
                self.name,
                [OrderLine(PRODUCT_ID, 1)],
                request_id=request_id,
                wait_s=WAIT_S if waits else 0.0,
            )
        except HoldfastError as error:
            self._history.refused(call, error.code)
            return
        self._history.ok(call, placed_facts(placed))
        if not waits:
            probe.accepted_at = time.monotonic()
        elif placed.status is OrderStatus.CONFIRMED:
            probe.confirmed_at = time.monotonic()

    def outage(self, *, struck_at: float, effective_at: float) -> Outage | None:
        """How long the outage of a strike was, for orders placed since it was in effect; None: it
        is not over.
        """
        since = [probe for probe in self._probes if probe.began_at >= effective_at]
        accepted = [probe.accepted_at for probe in since if probe.accepted_at is not None]
        confirmed = [probe.confirmed_at for probe in since if probe.confirmed_at is not None]
        if not accepted or not confirmed:
            return None
        return Outage(min(accepted) - struck_at, min(confirmed) - struck_at)


async def whole_outage(
    probers: Sequence[Prober], *, struck_at: float, effective_at: float, within_s: float
) -> Outage | None:
    """Wait until it is over through every address; the longest of each. None: it is not."""
    while True:
        outages = [
            prober.outage(struck_at=struck_at, effective_at=effective_at) for prober in probers
        ]
        ended = [outage for outage in outages if outage is not None]
        if len(ended) == len(probers):
            return Outage(
                max(outage.accepted_s for outage in ended),
                max(outage.confirmed_s for outage in ended),
            )
        if time.monotonic() > struck_at + within_s:
            return None
        await asyncio.sleep(EVERY_S / 4)
