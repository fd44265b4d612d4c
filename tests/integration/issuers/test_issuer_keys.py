"""An issuer's keys: turned, late, away, or rubbish, and what callers see of it."""

import asyncio
import json
from http.server import BaseHTTPRequestHandler
from threading import Event

import pytest

from holdfast.chassis.identity import issuer_keys
from holdfast.chassis.identity.issuer_keys import (
    AGAIN_S,
    FRESH_S,
    IDLE_S_MAX,
    STALE_S_MAX,
    UNKNOWN_S_MIN,
)
from holdfast.chassis.identity.tokens import Tokens
from testbed.oidc import DISCOVERY, JWKS, Provider, answers, new_key, providing
from testbed.waiting import until
from tests.integration.issuers.conftest import SkewedClock, refused, tokens_of, unavailable

WAIT_S_MAX = 10.0


async def asked_again(provider: Provider, before: int) -> None:
    """Wait for a look that nobody waits for."""

    def failure() -> AssertionError:
        return AssertionError(f"the provider was asked {provider.asked} times")

    await until(lambda: provider.asked[JWKS] > before, WAIT_S_MAX, failure)


def never_in_time(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Event:
    """Let the provider wait with its keys until it is told not to."""
    monkeypatch.setattr(issuer_keys, "FETCH_S_MAX", 1_000.0)
    release = Event()

    def late(handler: BaseHTTPRequestHandler) -> None:
        release.wait()
        answers(200, json.dumps(provider.published()).encode())(handler)

    provider.answers[JWKS] = late
    return release


# Keys turn


async def test_a_new_key_is_taken_under_use_and_the_old_one_stays_good(
    tokens: Tokens, provider: Provider, clock: SkewedClock
) -> None:
    old = provider.token(jti="old")
    await tokens.principal(provider.token(jti="first"))

    provider.rotate("EC", keep=True)
    clock.advance(UNKNOWN_S_MIN)

    assert await tokens.principal(provider.token(jti="new"))
    assert await tokens.principal(old)
    assert provider.asked[JWKS] == 2


async def test_a_new_key_is_asked_for_once_for_all_who_need_it(
    tokens: Tokens, provider: Provider, clock: SkewedClock
) -> None:
    await tokens.principal(provider.token())
    clock.advance(UNKNOWN_S_MIN)
    provider.rotate("EC", keep=True)
    many = [provider.token(jti=str(number)) for number in range(50)]

    found = await asyncio.gather(*map(tokens.principal, many))

    assert {one.credential_id for one in found} == {f"jti:{number}" for number in range(50)}
    assert provider.asked == {DISCOVERY: 2, JWKS: 2}


async def test_unknown_keys_cause_one_look_a_minute_whatever_their_number(
    tokens: Tokens, provider: Provider, clock: SkewedClock
) -> None:
    await tokens.principal(provider.token())
    clock.advance(UNKNOWN_S_MIN)

    for number in range(30):
        forged = provider.token(header={"kid": f"k{number}"})
        assert await refused(tokens, forged) == "TOKEN_KEY_UNKNOWN"
        clock.advance(1)

    assert provider.asked[JWKS] == 2


async def test_a_key_that_is_gone_lets_nobody_in_any_longer(
    tokens: Tokens, provider: Provider, clock: SkewedClock
) -> None:
    await tokens.principal(provider.token(jti="first"))
    clock.advance(UNKNOWN_S_MIN - 1)
    stolen = provider.token(jti="stolen")
    await tokens.principal(stolen)

    provider.rotate("EC")
    clock.advance(1)
    await tokens.principal(provider.token(jti="by the new key"))

    assert tokens.known(stolen) is None, "it was good a second ago, by a key that is gone"
    assert await refused(tokens, stolen) == "TOKEN_KEY_UNKNOWN"


async def test_a_key_that_went_while_nobody_called_lets_nobody_in(
    tokens: Tokens, provider: Provider, clock: SkewedClock
) -> None:
    await tokens.principal(provider.token())
    stolen = provider.keys[0]

    provider.rotate("EC")
    clock.advance(IDLE_S_MAX)

    assert await refused(tokens, provider.token(key=stolen)) == "TOKEN_KEY_UNKNOWN"


async def test_nobody_waits_for_an_issuer_that_did_not_answer_the_last_time(
    tokens: Tokens, provider: Provider, clock: SkewedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tokens.principal(provider.token(jti="1"))
    provider.answers[JWKS] = answers(500, b"")
    clock.advance(IDLE_S_MAX)
    assert await tokens.principal(provider.token(jti="2"))

    release = never_in_time(provider, monkeypatch)
    clock.advance(AGAIN_S)
    assert await tokens.principal(provider.token(jti="3")), "waiting, it would never come here"
    release.set()


async def test_keys_that_are_no_longer_fresh_serve_while_new_ones_are_asked_for(
    tokens: Tokens, provider: Provider, clock: SkewedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tokens.principal(provider.token(jti="1"))
    release = never_in_time(provider, monkeypatch)
    clock.advance(FRESH_S)

    assert await tokens.principal(provider.token(jti="2")), "waiting, it would never come here"

    release.set()
    await asked_again(provider, 1)


async def test_a_caller_who_goes_away_ends_nobody_s_look(
    tokens: Tokens, provider: Provider
) -> None:
    arrived, release = Event(), Event()

    def late(handler: BaseHTTPRequestHandler) -> None:
        arrived.set()
        release.wait(WAIT_S_MAX)
        answers(200, json.dumps(provider.published()).encode())(handler)

    provider.answers[JWKS] = late
    impatient = asyncio.ensure_future(tokens.principal(provider.token(jti="1")))
    patient = asyncio.ensure_future(tokens.principal(provider.token(jti="2")))
    await until(arrived.is_set, WAIT_S_MAX, lambda: AssertionError("the provider was not asked"))

    impatient.cancel()
    release.set()

    assert (await patient).credential_id == "jti:2"
    assert impatient.cancelled()
    assert provider.asked[JWKS] == 1


# The issuer is away


async def test_nobody_is_let_in_before_keys_were_read(
    tokens: Tokens, provider: Provider, clock: SkewedClock
) -> None:
    provider.go_away()
    await unavailable(tokens, provider.token())
    provider.come_back()

    await unavailable(tokens, provider.token())
    clock.advance(AGAIN_S)

    assert await tokens.principal(provider.token())


async def test_old_keys_serve_for_an_hour_while_the_issuer_is_away_and_then_nobody_is_let_in(
    tokens: Tokens, provider: Provider, clock: SkewedClock
) -> None:
    await tokens.principal(provider.token(jti="1"))
    provider.go_away()

    clock.advance(STALE_S_MAX - 1)
    assert await tokens.principal(provider.token(jti="2"))
    clock.advance(1)
    await unavailable(tokens, provider.token(jti="3"))

    provider.come_back()
    clock.advance(AGAIN_S)
    assert await tokens.principal(provider.token(jti="4"))


async def test_a_key_that_may_be_new_is_no_caller_s_fault_while_the_issuer_is_away(
    tokens: Tokens, provider: Provider, clock: SkewedClock
) -> None:
    await tokens.principal(provider.token())
    provider.go_away()
    clock.advance(UNKNOWN_S_MIN)
    provider.rotate("EC")

    await unavailable(tokens, provider.token())


async def test_one_issuer_away_keeps_out_nobody_of_another(
    provider: Provider, clock: SkewedClock
) -> None:
    with providing(lambda: clock.now().timestamp(), new_key("EC")) as other:
        other.go_away()
        async with tokens_of(provider, other, clock=clock) as tokens:
            await unavailable(tokens, other.token())
            assert await tokens.principal(provider.token())


async def test_a_clock_set_back_makes_no_key_fresh_for_longer(
    tokens: Tokens, provider: Provider, clock: SkewedClock
) -> None:
    await tokens.principal(provider.token())
    clock.advance(-86_400)
    provider.rotate("EC")

    assert await tokens.principal(provider.token())


async def test_an_issuer_without_keys_vouches_for_nobody(
    tokens: Tokens, provider: Provider, clock: SkewedClock
) -> None:
    token = provider.token()
    await tokens.principal(token)
    provider.keys, key = [], provider.keys[0]
    clock.advance(FRESH_S)
    before = provider.asked[JWKS]
    await tokens.principal(token)
    await asked_again(provider, before)

    def failure() -> AssertionError:
        return AssertionError("the token is still known by a key that is gone")

    await until(lambda: tokens.known(token) is None, WAIT_S_MAX, failure)
    assert await refused(tokens, provider.token(key=key, jti="2")) == "TOKEN_KEY_UNKNOWN"
