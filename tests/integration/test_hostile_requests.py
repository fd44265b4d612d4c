"""Requests of every method, hostile by construction: refused in the contract's words, or done.

What Hypothesis finds is a few choices of the dice, so the smallest request that does harm. The
campaign of `python -m proof.hostile` throws the same dice by the million.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
import structlog
from grpc import StatusCode, aio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proof.hostile.campaign import Campaign, differences
from proof.hostile.inputs import Inputs, Known, methods
from proof.hostile.wire import storm
from testbed.keys import keyed
from tests.integration.conftest import CLUSTER, EMBEDDED, RunningHoldfast, line
from tests.modes import mostly

NOTIFIES = True
INPUTS = 1_500
CONNECTIONS = 40


@asynccontextmanager
async def campaign_on(holdfast: RunningHoldfast, seed: int = 2) -> AsyncIterator[Campaign]:
    async with keyed(aio.insecure_channel(holdfast.addresses.notifier)) as notifier:
        channels = {
            "orders": holdfast.orders_channel,
            "inventory": holdfast.inventory_channel,
            "notifier": notifier,
        }
        yield Campaign(channels, seed)


@mostly("ground", EMBEDDED, CLUSTER)
async def test_a_small_campaign_finds_nothing(holdfast: RunningHoldfast) -> None:
    async with campaign_on(holdfast) as campaign:
        with structlog.testing.capture_logs() as logs:
            await campaign.furnish()
            await storm(holdfast.addresses.orders, connections=CONNECTIONS, seed=1)
            await campaign.run(INPUTS)
            for seed, address in enumerate(
                (holdfast.addresses.inventory, holdfast.addresses.notifier)
            ):
                await storm(address, connections=CONNECTIONS, seed=2 + seed)

        findings = campaign.findings
        assert findings.faults == []
        assert differences(campaign.created, await campaign.there(), findings.unknown) == []
    assert not [entry for entry in logs if entry["log_level"] in ("error", "critical")]
    # Or it would not have got past the edge, and proved nothing.
    assert min(findings.statuses[name] for name in ("OK", "INVALID_ARGUMENT", "NOT_FOUND")) > 5
    assert campaign.created.webhooks


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dice=st.randoms(use_true_random=False), method=st.sampled_from(list(methods())))
@pytest.mark.parametrize("ground", ["embedded"], indirect=True)
async def test_no_request_gets_our_own_fault_and_a_refused_one_changes_nothing(
    holdfast: RunningHoldfast, dice: Random, method: object
) -> None:
    known = Known()
    products = [one.product_id for one in (await holdfast.everything())[2]]  # type: ignore[attr-defined]
    if not products:
        known.learn(await holdfast.place(line(await holdfast.product("LAMP", 9))))
    before = await holdfast.everything()

    async with campaign_on(holdfast) as campaign:
        code = await campaign.send(method, Inputs(dice, known).body(method))  # type: ignore[arg-type]

    assert campaign.findings.faults == []
    if code is not StatusCode.OK:
        assert await holdfast.everything() == before
