"""Time and chance: only here is the machine asked for them, so that a simulator can answer."""

import os
import random
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """Return the time in UTC, with microseconds."""

    def new_id(self) -> str:
        """Return a UUIDv7 (RFC 9562): unique, and in the order of time as text."""


class SystemClock:
    """The machine's own clock and entropy."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def new_id(self) -> str:
        return uuid7(time.time_ns() // 1_000_000, os.urandom(10))


def uuid7(unix_ms: int, entropy: bytes) -> str:
    """Lay out a UUIDv7: 48 bits of time, 4 of version, 12 of chance, 2 of variant, 62 of chance
    (RFC 9562, 5.7).

    :param entropy: ten bytes, of which six bits give way.
    """
    time, chance = f"{unix_ms:012x}", entropy.hex()
    variant = _VARIANT[chance[4]]
    return f"{time[:8]}-{time[8:]}-7{chance[1:4]}-{variant}{chance[5:8]}-{chance[8:]}"


_VARIANT = {f"{digit:x}": f"{0b1000 | digit & 0b11:x}" for digit in range(16)}


def first_uuid7(at: datetime) -> str:
    """Return the smallest UUIDv7 of a moment: ids made at or after it are not smaller."""
    return uuid7(int(at.timestamp() * 1000), bytes(10))


def made_at_s(uuid7: str) -> float:
    """Return when a UUIDv7 was made, in seconds since 1970, to the millisecond."""
    return int(uuid7[:8] + uuid7[9:13], 16) / 1000


def backoff_s(failures: int, *, first_s: float, longest_s: float) -> float:
    """Return how long to wait after so many failures in a row: doubling, bounded, jittered."""
    doublings = min(failures, 32)  # a float ends at 2**1024, and an outage may last for days
    return jitter(min(first_s * 2**doublings, longest_s))


def jitter(seconds: float) -> float:
    """Spread a delay over half to one and a half of it, so that many waiters don't wake as one."""
    return seconds * random.uniform(0.5, 1.5)  # noqa: S311 - no secret hangs on it


def chance() -> float:
    """Draw a number from 0 to 1, evenly spread."""
    return random.random()  # noqa: S311 - no secret hangs on it


def happens(ratio: float) -> bool:
    """Let chance decide: yes, so often of all the times."""
    return chance() < ratio


def new_name() -> str:
    """Make a name that nobody else makes; it is no secret."""
    return f"{random.getrandbits(128):032x}"


def new_secret(length: int, digits: str) -> str:
    """Make up so many of these digits, which nobody can guess."""
    return "".join(secrets.choice(digits) for _ in range(length))


def new_secret_bytes(length: int) -> bytes:
    """Make up so many bytes, which nobody can guess."""
    return secrets.token_bytes(length)


def shuffled(items: Sequence[T]) -> list[T]:
    """Put things in an order of chance, so that those who try them in turn don't meet at one."""
    return random.sample(items, k=len(items))
