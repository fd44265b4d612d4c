"""The strangers of a campaign are refused at a sound door, and tell of one that isn't."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast.chassis.identity.gate import Gate, OpenGate
from holdfast.chassis.identity.refusals import Unauthenticated
from holdfast.home import in_folder
from proof.callers import Address
from proof.chaos import strangers
from proof.chaos.strangers import REFUSALS, Strangers
from testbed.waiting import until
from tests.integration.conftest import EMBEDDED, Ground, running

TRIED_S_MAX = 30.0

admit, identified = Gate.admit, Gate._principal


async def only_asks_who(gate: Gate, _method: str, context: Any) -> None:
    await identified(gate, context)


async def takes_a_forged_key(gate: Gate, method: str, context: Any) -> None:
    try:
        await admit(gate, method, context)
    except Unauthenticated as refused:
        if refused.reason != "KEY_UNKNOWN":
            raise


async def takes_a_revoked_key(gate: Gate, method: str, context: Any) -> None:
    try:
        await admit(gate, method, context)
    except Unauthenticated as refused:
        if refused.reason != "KEY_REVOKED":
            raise


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[Address]:
    home = in_folder(tmp_path)
    async with running(Ground(EMBEDDED, home.urls, home=home)) as holdfast:
        yield Address(holdfast.addresses.orders, holdfast.addresses.inventory)


async def tried(address: Address, enough: Callable[[Strangers], bool]) -> Strangers:
    """Strangers who tried to come in until it was enough."""
    some = Strangers([address])

    def failure() -> AssertionError:
        return AssertionError(f"{some.told} {some.let_in} {some.findings()}")

    async with some.at_work():
        await until(lambda: enough(some), TRIED_S_MAX, failure)
    return some


async def test_each_stranger_is_refused_at_a_sound_door(address: Address) -> None:
    some = await tried(address, lambda some: not some.findings())

    assert (some.let_in, some.findings()) == ([], [])
    assert some.told.keys() == set(REFUSALS.values())


@pytest.mark.parametrize(
    ("door", "who"),
    [
        (OpenGate.admit, set(REFUSALS)),
        (only_asks_who, {"a reader"}),
        (takes_a_forged_key, {"a forger"}),
        (takes_a_revoked_key, {"somebody dismissed"}),
    ],
)
async def test_whoever_a_door_lets_in_is_told_of(
    door: Callable[..., Any], who: set[str], address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strangers, "REVOKED_S", 0.0)  # who comes in for longer is found too
    monkeypatch.setattr(Gate, "admit", door)

    some = await tried(address, lambda some: who <= {one.subject for one in some.let_in})

    assert {one.invariant for one in some.let_in} == {15}


async def test_a_stranger_that_nobody_answers_and_one_that_gives_up_are_told_of(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gives_up(*_: object) -> None:
        raise LookupError("nobody at home")

    monkeypatch.setattr(strangers, "REVOKED_S", 0.0)
    monkeypatch.setattr(Strangers, "_try_on", gives_up)
    some = Strangers([address])

    async with some.at_work():
        await asyncio.sleep(0)

    found = "\n".join(some.findings())
    assert "nobody at home" in found
    assert [who for who in REFUSALS if f"{who} was never told" not in found] == []
