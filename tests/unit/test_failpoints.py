"""Failpoints do nothing until they are armed, and then what they were armed with."""

from collections.abc import Iterator

import pytest

from holdfast.chassis import failpoints
from holdfast.chassis.failpoints import failpoint


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    assert not failpoints.is_armed(), "points are off by default"
    yield
    failpoints.arm(None)


async def test_a_point_that_is_not_armed_does_nothing() -> None:
    await failpoint("anywhere")


async def test_an_armed_point_tells_its_name() -> None:
    reached: list[str] = []

    async def note(name: str) -> None:
        reached.append(name)

    failpoints.arm(note)
    await failpoint("before")
    await failpoint("after")

    assert reached == ["before", "after"]
    assert failpoints.is_armed()


async def test_what_an_armed_point_raises_reaches_whoever_passes_it() -> None:
    async def fail(name: str) -> None:
        raise OSError(name)

    failpoints.arm(fail)

    with pytest.raises(OSError, match="in between"):
        await failpoint("in between")


async def test_a_point_that_is_disarmed_does_nothing_again() -> None:
    async def fail(name: str) -> None:
        raise OSError(name)

    failpoints.arm(fail)
    failpoints.arm(None)

    await failpoint("anywhere")
