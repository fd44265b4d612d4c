"""An issuer's keys: turned, late, away, or rubbish, and what callers see of it."""

import asyncio
import gzip
import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from holdfast.chassis.identity import issuer_keys
from holdfast.chassis.identity.issuer_keys import (
    AGAIN_S,
    ANSWER_BYTES_MAX,
    FRESH_S,
    IDLE_S_MAX,
    KEYS_MAX,
    STALE_S_MAX,
    UNKNOWN_S_MIN,
)
from holdfast.chassis.identity.refusals import IdentityUnavailable
from holdfast.chassis.identity.tokens import Tokens
from testbed.authority import Authority
from testbed.oidc import DISCOVERY, JWKS, Provider, answers, new_key, providing
from testbed.waiting import until
from tests.integration.issuers.conftest import SkewedClock, refused, tokens_of

WAIT_S_MAX = 10.0


async def unavailable(tokens: Tokens, token: str) -> None:
    with pytest.raises(IdentityUnavailable, match="can't be read now"):
        await tokens.principal(token)
    assert tokens.known(token) is None


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
    stolen = provider.token(jti="stolen")
    await tokens.principal(stolen)

    provider.rotate("EC")
    clock.advance(FRESH_S)
    stolen_anew = provider.token(jti="stolen anew")
    await tokens.principal(stolen_anew)

    assert tokens.known(stolen) is None, "it is no longer known by the key that is gone"
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


# The issuer answers rubbish


RUBBISH: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {
    "an error": answers(500, b""),
    "nothing": answers(200, b""),
    "a page": answers(200, b"<html>maintenance</html>"),
    "a list": answers(200, b"[]"),
    "a deep list": answers(200, b"[" * 100_000),
    "another object": answers(200, b"{}"),
    "no text": answers(200, b"\xff\xfe"),
    "a number": answers(200, b'{"keys": 1, "issuer": 1, "jwks_uri": 1}'),
    "too many keys": answers(200, json.dumps({"keys": [{}] * (KEYS_MAX + 1)}).encode()),
    "no HTTP": lambda handler: handler.connection.sendall(b"\0\0\0 hello\r\n\r\n"),
    "half of it": lambda handler: handler.connection.sendall(
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"
    ),
}


@pytest.mark.parametrize("path", [DISCOVERY, JWKS])
@pytest.mark.parametrize("rubbish", RUBBISH)
async def test_rubbish_is_as_good_as_no_answer(
    tokens: Tokens, provider: Provider, clock: SkewedClock, path: str, rubbish: str
) -> None:
    provider.answers[path] = RUBBISH[rubbish]
    await unavailable(tokens, provider.token())

    del provider.answers[path]
    clock.advance(AGAIN_S)
    assert await tokens.principal(provider.token())

    provider.answers[path] = RUBBISH[rubbish]
    clock.advance(FRESH_S)
    before = provider.asked[path]
    assert await tokens.principal(provider.token(jti="good by the old keys"))

    def failure() -> AssertionError:
        return AssertionError("it was not asked again")

    await until(lambda: provider.asked[path] > before, WAIT_S_MAX, failure)


@pytest.mark.parametrize("path", [DISCOVERY, JWKS])
@pytest.mark.parametrize("way", ["failing", "padded", "packed", "elsewhere"])
async def test_the_right_answer_in_a_wrong_way_is_not_taken(
    tokens: Tokens, provider: Provider, path: str, way: str
) -> None:
    right = json.dumps(provider.discovery if path == DISCOVERY else provider.published()).encode()
    with providing(key=provider.keys[0]) as other:
        other.discovery = provider.discovery
        provider.answers[path] = {
            "failing": answers(404, right),
            "padded": answers(200, right + b" " * ANSWER_BYTES_MAX),
            "packed": answers(200, gzip.compress(right), content_encoding="gzip"),
            "elsewhere": answers(302, b"", location=other.url + path),
        }[way]

        await unavailable(tokens, provider.token())

        assert not other.asked


@pytest.mark.parametrize("path", [DISCOVERY, JWKS])
async def test_an_answer_that_takes_too_long_is_as_good_as_none(
    tokens: Tokens, provider: Provider, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(issuer_keys, "FETCH_S_MAX", 0.3)
    ended = Event()

    def drop_by_drop(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not ended.wait(0.05):
            handler.wfile.write(b" ")

    provider.answers[path] = drop_by_drop
    try:
        await unavailable(tokens, provider.token())
    finally:
        ended.set()


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://login.shop.example"},
        {"issuer": None},
        {"jwks_uri": None},
        {"jwks_uri": 7},
        {"jwks_uri": "http://login.shop.example/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "http://169.254.169.254/"},
        {"jwks_uri": ""},
        {"jwks_uri": "https://\udcff"},
    ],
)
async def test_a_discovery_document_that_leads_astray_is_not_followed(
    tokens: Tokens, provider: Provider, changed: dict[str, Any]
) -> None:
    provider.discovery |= changed

    await unavailable(tokens, provider.token())

    assert set(provider.asked) == {DISCOVERY}


async def test_a_provider_with_tls_can_t_send_us_to_one_without(
    tmp_path: Path, provider: Provider, clock: SkewedClock
) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("provider", "127.0.0.1")
    with providing(lambda: clock.now().timestamp(), provider.keys[0], pair) as with_tls:
        with_tls.discovery["jwks_uri"] = provider.url + JWKS
        async with tokens_of(with_tls, clock=clock, ca=authority.ca) as tokens:
            await unavailable(tokens, with_tls.token())

    assert not provider.asked


async def test_keys_may_be_at_an_address_that_is_set(
    provider: Provider, clock: SkewedClock
) -> None:
    async with tokens_of(provider, clock=clock, jwks_url=provider.url + JWKS) as tokens:
        assert await tokens.principal(provider.token())

    assert set(provider.asked) == {JWKS}


async def test_a_provider_on_this_machine_is_not_looked_for_by_a_proxy(
    tokens: Tokens, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")

    assert await tokens.principal(provider.token())


async def test_a_provider_that_a_known_authority_vouches_for_is_believed_and_no_other(
    tmp_path: Path, clock: SkewedClock
) -> None:
    (tmp_path / "other").mkdir()
    authority, other = Authority(tmp_path), Authority(tmp_path / "other")
    pair = authority.issue("provider", "127.0.0.1")
    with providing(lambda: clock.now().timestamp(), new_key("EC"), pair) as provider:
        async with tokens_of(provider, clock=clock, ca=authority.ca) as tokens:
            assert await tokens.principal(provider.token())
        for ca in (other.ca, None):
            async with tokens_of(provider, clock=clock, ca=ca) as tokens:
                await unavailable(tokens, provider.token())


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
