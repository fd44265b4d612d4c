"""What an operator may set of mail: what is wrong is told at the start, and no secret with it."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from holdfast.notifier.domain.mail import Language, MailKind
from holdfast.notifier.infrastructure.mail_settings import (
    Encryption,
    MailSettings,
    SmtpServer,
    read_server,
)
from testbed.authority import Authority

FROM = "orders@shop.example"


def settings(**values: Any) -> MailSettings:
    return MailSettings(**values)


def test_without_any_setting_mails_go_to_the_log() -> None:
    assert settings().server is None
    assert settings().mails == set(MailKind)
    assert settings().language is Language.EN
    assert settings().shop == "Holdfast"


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://relay.shop.example", ("relay.shop.example", 25, Encryption.NONE, "", "")),
        ("smtp://localhost:2525/", ("localhost", 2525, Encryption.NONE, "", "")),
        ("smtp://u:p@127.0.0.1", ("127.0.0.1", 25, Encryption.NONE, "u", "p")),
        ("smtp://u:p@[::1]:26", ("::1", 26, Encryption.NONE, "u", "p")),
        (
            "smtp+starttls://u%40shop:p%2F%3A%25%20@mail.example",
            ("mail.example", 587, Encryption.STARTTLS, "u@shop", "p/:% "),
        ),
        ("smtps://u:pässword@mail.example", ("mail.example", 465, Encryption.TLS, "u", "pässword")),
        ("\n smtps://mail.example \n", ("mail.example", 465, Encryption.TLS, "", "")),
    ],
)
def test_a_server_is_one_address(url: str, server: tuple[Any, ...]) -> None:
    found = settings(smtp=url, mail_from=FROM).server

    assert found is not None
    assert (*found[:4], found.password.get_secret_value()) == server


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mail.example", "must begin with one of smtp://, smtp+starttls://, smtps://"),
        ("http://u:hunter2@mail.example", "must begin with one of"),
        ("smtp://u:hunter2@mail.example", "would send the password unencrypted"),
        ("smtps://u:hunter2/3@mail.example", "port that is none"),
        ("smtps://u:hunter2@", "names no host"),
        ("smtps://u:hunter2@mail.example:99999", "port that is none"),
        ("smtps://u:hunter2 3@mail.example", "no blanks"),
        ("smtps://u@mail.example", "a user without a password"),
        ("smtps://:hunter2@mail.example", "or the reverse"),
        ("smtps://u:hunter2@mail.example?x=1", "behind the port"),
        ("smtps://u:hunter2@mail.example#1", "behind the port"),
    ],
)
def test_what_is_no_server_is_refused_without_its_password(url: str, told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(smtp=url, mail_from=FROM)

    assert told in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"smtp": "smtp://localhost"}, "smtp needs mail_from"),
        ({"mail_from": "Shop <orders@shop.example>"}, "it stands alone"),
        ({"mail_from": "orders@shop.example\r\nBcc: eve@example.org"}, "nobody sees"),
        ({"shop_name": "Lamps\r\nBcc: eve@example.org"}, "must be one line"),
        ({"shop_name": "x" * 101}, "must be one line of at most 100"),
        ({"language": "fr"}, "'en' or 'de'"),
        ({"time_zone": "Europe/Berln"}, "is no time zone"),
        ({"time_zone": "../../etc/passwd"}, "is no time zone"),
        ({"mails": "confirmed,sent"}, "'sent' is no kind of mail; there are confirmed, edited"),
        ({"mails": 7}, "frozenset"),
    ],
)
def test_what_can_t_be_meant_is_refused(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**values)

    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("mails", "kinds"),
    [
        ("confirmed, shipped", {MailKind.CONFIRMED, MailKind.SHIPPED}),
        (["refunded"], {MailKind.REFUNDED}),
        ("", set()),
        (" , ", set()),
    ],
)
def test_kinds_are_switched_by_name(mails: object, kinds: set[MailKind]) -> None:
    assert settings(mails=mails).mails == kinds


def test_who_writes_is_the_shop_or_else_its_domain() -> None:
    assert settings(mail_from=FROM).sender.name == "shop.example"
    assert settings(mail_from=FROM, shop_name="Lamps").sender.name == "Lamps"


def test_authorities_of_one_s_own_are_read_at_the_start(tmp_path: Path) -> None:
    ca = Authority(tmp_path).ca
    (tmp_path / "rubbish.pem").write_text("rubbish")
    told = {"smtp": "smtps://mail.example", "mail_from": FROM}

    server = settings(smtp_ca=ca, **told).server
    assert server is not None
    assert server.ca == ca
    for file in ("rubbish.pem", "nowhere.pem"):
        with pytest.raises(ValidationError, match=file):
            settings(smtp_ca=tmp_path / file, **told)
    with pytest.raises(ValidationError, match="smtp_ca needs smtp"):
        settings(smtp_ca=ca)


def test_templates_are_tried_at_the_start(tmp_path: Path) -> None:
    own = tmp_path / "en" / "confirmed.subject"
    own.parent.mkdir()
    own.write_text("Thank you, {{ name }}")
    assert settings(templates=tmp_path).templates == tmp_path

    own.write_text("Thank you, {{ surname }}")
    with pytest.raises(ValidationError, match=f"{own}, line 1: UndefinedError: 'surname'"):
        settings(templates=tmp_path)


def test_nothing_prints_a_password() -> None:
    url = "smtps://u:hunter2@mail.example"
    server = read_server(url)

    assert str(server) == "mail.example:465"
    assert isinstance(server, SmtpServer)
    assert "hunter2" not in f"{server!r} {settings(smtp=url, mail_from=FROM)!r}"
