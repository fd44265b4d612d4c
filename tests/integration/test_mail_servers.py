"""Which mail servers are spoken to, and which addresses they are told of."""

import ssl
from pathlib import Path

import pytest
from pydantic import SecretStr

from holdfast.notifier.domain.mail import Later, Never, Sent
from holdfast.notifier.infrastructure.mail_settings import Encryption
from testbed.authority import Authority, Pair
from testbed.mail_server import receiving_mail
from tests.integration.mailing import at, letter, mailing

PASSWORD = "correct horse: battery"
LOGIN = ("shop", PASSWORD)


def server_context(pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ours")


@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.TLS])
async def test_an_encrypted_server_is_known_by_its_certificate(
    encryption: Encryption, authority: Authority
) -> None:
    context = server_context(authority.issue("mail", "127.0.0.1"))
    at_once = encryption is Encryption.TLS
    async with receiving_mail(tls=context, at_once=at_once, login=LOGIN) as server:
        known = at(
            server,
            encryption=encryption,
            ca=authority.ca,
            user="shop",
            password=SecretStr(PASSWORD),
        )
        async with mailing(known) as mailer:
            assert isinstance(await mailer.send(letter()), Sent)

        assert server.logins == [(b"shop", PASSWORD.encode())]


@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.TLS])
@pytest.mark.parametrize("name", ["another.example", "127.0.0.1"])
async def test_a_server_without_a_good_certificate_gets_neither_mail_nor_password(
    encryption: Encryption, name: str, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "stranger")
    issuer = authority if name == "another.example" else stranger
    context = server_context(issuer.issue("mail", name))
    at_once = encryption is Encryption.TLS
    async with receiving_mail(tls=context, at_once=at_once, login=LOGIN) as server:
        unknown = at(
            server,
            encryption=encryption,
            ca=authority.ca,
            user="shop",
            password=SecretStr(PASSWORD),
        )
        async with mailing(unknown) as mailer:
            outcome = await mailer.send(letter())

        assert isinstance(outcome, Later)
        assert outcome.needs_operator
        assert "certificate that is not trusted" in outcome.why
        assert (server.mails, server.logins) == ([], [])


async def test_without_starttls_nothing_is_said() -> None:
    async with receiving_mail(login=LOGIN) as server:
        wanted = at(
            server, encryption=Encryption.STARTTLS, user="shop", password=SecretStr(PASSWORD)
        )
        async with mailing(wanted) as mailer:
            outcome = await mailer.send(letter())

        assert isinstance(outcome, Later)
        assert outcome.needs_operator
        assert "STARTTLS" in outcome.why
        assert (server.mails, server.logins) == ([], [])


async def test_a_wrong_password_waits_for_the_operator_and_is_in_no_message() -> None:
    async with receiving_mail(login=LOGIN) as server:
        wrong = at(server, user="shop", password=SecretStr("wrong but secret"))
        async with mailing(wrong) as mailer:
            outcome = await mailer.send(letter())

        assert outcome == Later(
            f"mail server 127.0.0.1:{server.port} refuses user or password (535)", True
        )
        assert server.mails == []
        assert "secret" not in repr(wrong) + str(wrong)


@pytest.mark.parametrize(
    "to",
    [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@@example.org",
        "ada@example.org, eve@example.org",
        "Ada <ada@example.org>",
        '"ada eve"@example.org',
        "ada@example.org\r\nRCPT TO:<eve@example.org>",
        "ada@example.org\nBcc: eve@example.org",
        "ada\x00@example.org",
        "ada@[127.0.0.1]",
        "ada@127.0.0.1",
        "ada@-example.org",
        "ada@exa mple.org",
        "ada@example..org",
        ".ada@example.org",
        "ada@example.org>",
        "ada\u202e@example.org",
        "a" * 65 + "@example.org",
        "ada@" + "a" * 64 + ".org",
        "ada@" + "example." * 40 + "org",
    ],
)
async def test_what_is_no_address_reaches_no_server(to: str) -> None:
    async with receiving_mail() as server, mailing(at(server)) as mailer:
        outcome = await mailer.send(letter(to=to))

        assert isinstance(outcome, Never)
        assert "eve" not in outcome.why
        assert server.connections == 0


@pytest.mark.parametrize(
    ("to", "reached"),
    [
        ("ada+lamps@example.org", "ada+lamps@example.org"),
        ("o'hara@example.org", "o'hara@example.org"),
        ("Ada@EXAMPLE.org", "Ada@example.org"),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),
        ("ada@例え.example", "ada@xn--r8jz45g.example"),
    ],
)
async def test_an_address_is_spelt_as_the_network_has_it(to: str, reached: str) -> None:
    async with receiving_mail() as server, mailing(at(server)) as mailer:
        assert isinstance(await mailer.send(letter(to=to)), Sent)

        assert server.mails[0].recipients == (reached,)


async def test_letters_beyond_ascii_before_the_at_need_a_server_that_knows_them() -> None:
    async with receiving_mail() as plain, mailing(at(plain)) as mailer:
        outcome = await mailer.send(letter(to="grün@example.org"))
        assert isinstance(outcome, Never)
        assert "SMTPUTF8" in outcome.why

    async with receiving_mail(utf8=True) as modern, mailing(at(modern)) as mailer:
        assert isinstance(await mailer.send(letter(to="grün@example.org")), Sent)
        assert modern.mails[0].recipients == ("grün@example.org",)
