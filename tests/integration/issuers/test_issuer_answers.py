"""What an issuer answers when it is asked for its keys: rubbish, too much, too late, elsewhere."""

import gzip
import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from holdfast.chassis.identity import issuer_keys
from holdfast.chassis.identity.asking import ANSWER_BYTES_MAX
from holdfast.chassis.identity.issuer_keys import (
    AGAIN_S,
    FRESH_S,
    KEYS_MAX,
)
from holdfast.chassis.identity.tokens import Tokens
from testbed.authority import Authority
from testbed.oidc import DISCOVERY, JWKS, Provider, answers, new_key, providing
from testbed.waiting import until
from tests.integration.issuers.conftest import SkewedClock, tokens_of, unavailable

WAIT_S_MAX = 10.0


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
