"""What tests of issuers and tokens share: a provider, a clock that is told the time, refusals."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import Key, RSAKey

from holdfast.chassis.clock import SystemClock
from holdfast.chassis.identity.issuers import Issuer
from holdfast.chassis.identity.refusals import IdentityUnavailable, Unauthenticated
from holdfast.chassis.identity.tokens import Tokens
from testbed.oidc import AUDIENCE, Provider, new_key, providing

START = datetime(2026, 11, 5, 12, 30, 15, 250_001, tzinfo=UTC)


class SkewedClock(SystemClock):
    """A clock that stands, and is set forward and back."""

    def __init__(self) -> None:
        self._now = START

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> SkewedClock:
    return SkewedClock()


@pytest.fixture(scope="session")
def rsa_key() -> Key:
    return new_key("RSA")


@pytest.fixture
def provider(clock: SkewedClock, rsa_key: Key) -> Iterator[Provider]:
    with providing(lambda: clock.now().timestamp(), rsa_key) as provider:
        yield provider


@asynccontextmanager
async def tokens_of(
    *providers: Provider, clock: SkewedClock, **set_to: Any
) -> AsyncIterator[Tokens]:
    """Take the tokens of these providers."""
    tokens = Tokens(
        [
            Issuer(**{"issuer": each.url, "audiences": [AUDIENCE], "name": f"p{number}", **set_to})
            for number, each in enumerate(providers)
        ],
        clock,
    )
    try:
        yield tokens
    finally:
        await tokens.close()


@pytest.fixture
async def tokens(provider: Provider, clock: SkewedClock) -> AsyncIterator[Tokens]:
    async with tokens_of(provider, clock=clock) as tokens:
        yield tokens


async def refused(tokens: Tokens, token: str) -> str:
    """Return the reason for which a token is refused, and see that it stays so."""
    with pytest.raises(Unauthenticated) as first:
        await tokens.principal(token)
    assert tokens.known(token) is None
    with pytest.raises(Unauthenticated) as second:
        await tokens.principal(token)
    assert second.value.reason == first.value.reason
    assert token not in str(first.value) or not token
    return first.value.reason


async def unavailable(tokens: Tokens, token: str) -> None:
    with pytest.raises(IdentityUnavailable, match="can't be read now"):
        await tokens.principal(token)
    assert tokens.known(token) is None


def signature_of(key: RSAKey, body: bytes) -> bytes:
    """Sign with RS256 what joserfc would not."""
    private = key.private_key
    assert private is not None
    return private.sign(body, PKCS1v15(), SHA256())
