"""Receivers speak TLS, with a certificate for the very host, from a known authority."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from holdfast.notifier.domain.delivery import Answer
from holdfast.notifier.infrastructure import guarded_network, sending
from holdfast.notifier.infrastructure.webhook_settings import WebhookSettings
from testbed.authority import DAY, Authority, Pair
from tests.integration.webhook_receivers import (
    BODY,
    HEADERS,
    HERE,
    OK,
    SOON_S,
    Visit,
    answering,
    open_sender,
    receiving,
)

SHOP = {"shop.example": [[HERE]]}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def speaking_tls(pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


async def over_tls(pair: Pair, ca: Path | None, host: str = "shop.example") -> Answer:
    async with (
        receiving(answering(OK), speaking_tls(pair)) as receiver,
        open_sender(SHOP, webhook_ca=ca) as sender,
    ):
        answer = await sender.post(f"https://{host}:{receiver.port}/", BODY, HEADERS)
    assert len(receiver.requests) == (1 if answer.status else 0), "nothing goes to a stranger"
    return answer


@pytest.mark.parametrize("host", ["shop.example", HERE])
async def test_a_certificate_for_the_host_is_good(authority: Authority, host: str) -> None:
    assert (await over_tls(authority.issue("own", host), authority.ca, host)).status == 204


REFUSED_CERTIFICATES: dict[str, tuple[Callable[[Authority], Pair], str]] = {
    "another name": (
        lambda ca: ca.issue("x", "other.example"),
        "Hostname mismatch, certificate is not valid for 'shop.example'.",
    ),
    "an address only": (
        lambda ca: ca.issue("x", HERE),
        "Hostname mismatch, certificate is not valid for 'shop.example'.",
    ),
    "expired": (
        lambda ca: ca.issue("x", "shop.example", age=2 * DAY, life=DAY),
        "certificate has expired",
    ),
    "not yet good": (
        lambda ca: ca.issue("x", "shop.example", age=-DAY),
        "certificate is not yet valid",
    ),
    "by itself": (
        lambda ca: ca.issue("x", "shop.example", by_itself=True),
        "self-signed certificate",
    ),
}


@pytest.mark.parametrize("kind", REFUSED_CERTIFICATES)
async def test_a_certificate_is_refused(authority: Authority, kind: str) -> None:
    issue, why = REFUSED_CERTIFICATES[kind]

    answer = await over_tls(issue(authority), authority.ca)

    assert answer == Answer(0, f"TLS: its certificate is refused: {why}")


async def test_a_certificate_of_an_unknown_authority_is_refused(authority: Authority) -> None:
    answer = await over_tls(authority.issue("own", "shop.example"), None)

    assert answer.problem == (
        "TLS: its certificate is refused: unable to get local issuer certificate"
    )


async def test_who_speaks_no_tls_is_refused() -> None:
    async def hello(visit: Visit) -> None:
        await visit.say(b"HTTP/1.1 200 OK\r\n\r\n")
        await visit.reader.read()

    async with receiving(hello) as receiver, open_sender() as sender:
        answer = await sender.post(f"https://{HERE}:{receiver.port}/", BODY, HEADERS)

    assert answer.status == 0
    assert answer.problem.startswith("TLS: ")


def test_tls_is_1_2_or_newer_and_asks_for_a_certificate(authority: Authority) -> None:
    for ca in (None, authority.ca):
        context = guarded_network.tls_context(ca)
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_file_of_authorities_that_can_t_be_read_is_told(
    tmp_path: Path, content: bytes | None
) -> None:
    ca = tmp_path / "ca.pem"
    if content is not None:
        ca.write_bytes(content)

    with pytest.raises(ValidationError, match="holds no certificates in PEM"):
        WebhookSettings(webhook_ca=ca)


async def test_who_begins_tls_and_falls_silent_is_waited_for_only_so_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "CONNECT_S_MAX", SOON_S)

    async def listen(visit: Visit) -> None:
        await visit.reader.readexactly(100_000)

    async with receiving(listen) as receiver, open_sender() as sender:
        answer = await sender.post(f"https://{HERE}:{receiver.port}/", BODY, HEADERS)
        await receiver.hung_up.wait()

    assert answer == Answer(0, f"no connection to {HERE} within {SOON_S} s")


async def test_nothing_is_left_open_where_time_ends_within_the_handshake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "ATTEMPT_S_MAX", SOON_S)

    async def listen(visit: Visit) -> None:
        await visit.reader.readexactly(100_000)

    async with receiving(listen) as receiver, open_sender() as sender:
        answer = await sender.post(f"https://{HERE}:{receiver.port}/", BODY, HEADERS)
        await receiver.hung_up.wait()

    assert answer == Answer(0, f"no answer within {SOON_S} s")
