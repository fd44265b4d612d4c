"""Mails and a real mail server: what it takes, what it refuses, and what becomes of a mail then."""

import asyncio
import socket

import pytest
from aiosmtpd.smtp import SMTP

from holdfast.notifier.domain.mail import Later, Never, Sent
from holdfast.notifier.infrastructure.mail_settings import SmtpServer
from holdfast.notifier.infrastructure.smtp import Patience
from testbed.mail_server import receiving_mail
from testbed.waiting import until
from tests.integration.mailing import EVENT_ID, ORDER_ID, at, letter, mailing


async def test_a_mail_arrives_whole() -> None:
    async with receiving_mail() as server, mailing(at(server)) as mailer:
        outcome = await mailer.send(letter(text="Grüße\n.\n..\nFrom here\n" + "x" * 5_000))

        (mail,) = server.mails
    assert outcome == Sent("250 OK queued as 4F2A")
    assert (mail.sender, mail.recipients) == ("orders@shop.example", ("ada@example.org",))
    headers = {name: str(value) for name, value in mail.message.items()}
    assert headers.pop("Content-Type").startswith("multipart/alternative")
    assert headers == {
        "From": "Lamps & More <orders@shop.example>",
        "To": "ada@example.org",
        "Subject": "Grüße",
        "Date": "Sat, 28 Nov 2026 09:30:00 +0000",
        "Message-ID": f"<{EVENT_ID}@shop.example>",
        "Auto-Submitted": "auto-generated",
        "Content-Language": "en",
        "X-Holdfast-Order": ORDER_ID,
        "MIME-Version": "1.0",
    }
    text = mail.part("plain").replace("\r\n", "\n")
    assert text == "Grüße\n.\n..\nFrom here\n" + "x" * 5_000 + "\n"
    assert mail.part("html").strip() == "<p>Hello</p>"
    assert mail.raw.isascii(), "no server is asked for 8BITMIME"
    assert max(map(len, mail.raw.splitlines())) < 998, "RFC 5322, section 2.1.1"


async def test_a_mail_that_cannot_be_written_is_never_sent() -> None:
    async with receiving_mail() as server, mailing(at(server)) as mailer:
        outcome = await mailer.send(letter()._replace(order_id="no id"))

        assert outcome == Never("the mail could not be written")
        assert isinstance(await mailer.send(letter()), Sent), "the next one is not its fault"


async def test_mails_share_a_connection_and_say_goodbye() -> None:
    async with receiving_mail() as server:
        async with mailing(at(server)) as mailer:
            for _ in range(3):
                assert isinstance(await mailer.send(letter()), Sent)

        assert (len(server.mails), server.connections, server.goodbyes) == (3, 1, 1)


async def test_mails_that_come_at_once_are_sent_one_by_one() -> None:
    async with receiving_mail() as server, mailing(at(server)) as mailer:
        outcomes = await asyncio.gather(*(mailer.send(letter()) for _ in range(10)))

        assert all(isinstance(outcome, Sent) for outcome in outcomes)
        assert (len(server.mails), server.connections) == (10, 1)


async def test_an_idle_connection_is_given_up_and_made_anew() -> None:
    async with (
        receiving_mail() as server,
        mailing(at(server), Patience(idle_s=0.05)) as mailer,
    ):
        await mailer.send(letter())
        await until(lambda: server.goodbyes == 1, 10.0, lambda: AssertionError("it is kept"))

        assert isinstance(await mailer.send(letter()), Sent)
        assert server.connections == 2


async def test_a_connection_that_the_server_has_dropped_is_made_anew() -> None:
    async with receiving_mail() as server, mailing(at(server)) as mailer:
        await mailer.send(letter())
        server.answers["RSET"] = hang_up

        assert isinstance(await mailer.send(letter()), Sent)
        assert (len(server.mails), server.connections) == (2, 2)


async def hang_up(server: SMTP) -> str:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()
    return "250 this is heard by nobody"


async def never(_: SMTP) -> str:
    await asyncio.get_running_loop().create_future()
    raise AssertionError


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("RCPT", "450 4.2.0 <ada@example.org>: Recipient address rejected: Greylisted"),
        ("RCPT", "452 4.2.2 mailbox of ada is full"),
        ("DATA", "451 4.3.0 try again"),
        ("MAIL", "421 4.7.0 too many connections"),
    ],
)
async def test_what_the_server_refuses_for_now_is_tried_again(command: str, answer: str) -> None:
    async with receiving_mail() as server, mailing(at(server)) as mailer:
        server.answers[command] = answer

        outcome = await mailer.send(letter())

        assert isinstance(outcome, Later)
        assert not outcome.needs_operator
        assert answer[:9] in outcome.why
        assert not any(word in outcome.why for word in ("ada", "example.org"))
        del server.answers[command]
        assert isinstance(await mailer.send(letter()), Sent)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("RCPT", "550 5.1.1 <ADA@example.org>: no such user ada here"),
        ("DATA", "554 5.7.1 looks like spam"),
        ("MAIL", "552 5.3.4 message too large"),
    ],
)
async def test_what_the_server_refuses_for_good_is_not_tried_again(
    command: str, answer: str
) -> None:
    async with receiving_mail() as server, mailing(at(server)) as mailer:
        server.answers[command] = answer

        outcome = await mailer.send(letter())

        assert isinstance(outcome, Never)
        assert answer[:9] in outcome.why
        assert not any(word in outcome.why.lower() for word in ("ada", "example.org")), (
            "an outcome is kept, and erased by nobody"
        )
        del server.answers[command]
        assert isinstance(await mailer.send(letter()), Sent), "the next one is not its fault"


@pytest.mark.parametrize(
    ("command", "answer"),
    [("MAIL", "550 5.7.1 sender not allowed"), ("RCPT", "530 5.7.0 Authentication required")],
)
async def test_what_the_server_has_against_us_waits_for_the_operator(
    command: str, answer: str
) -> None:
    async with receiving_mail() as server, mailing(at(server)) as mailer:
        server.answers[command] = answer

        outcome = await mailer.send(letter())

    assert isinstance(outcome, Later)
    assert outcome.needs_operator


async def test_an_answer_of_rubbish_is_kept_short_and_printable() -> None:
    async with receiving_mail() as server, mailing(at(server)) as mailer:
        server.answers["RCPT"] = "550 \x1b[2J\x07 no\u202e such " + "x" * 400

        outcome = await mailer.send(letter())

    assert isinstance(outcome, Never)
    assert outcome.why.isprintable()
    assert "\u202e" not in outcome.why
    assert len(outcome.why) < 400


async def test_a_server_that_speaks_no_smtp_is_tried_again() -> None:
    async def http(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(http, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with mailing(SmtpServer("127.0.0.1", port)) as mailer:
            outcome = await mailer.send(letter())

    assert isinstance(outcome, Later)


async def test_a_mail_whose_answer_is_lost_comes_again_under_the_same_id() -> None:
    async with receiving_mail() as server, mailing(at(server)) as mailer:
        server.answers["DATA"] = hang_up
        lost = await mailer.send(letter())
        server.answers.clear()
        assert isinstance(await mailer.send(letter()), Sent)

        ids = [mail.message["Message-ID"] for mail in server.mails]
    assert isinstance(lost, Later)
    assert "may have taken" in lost.why
    assert ids == [f"<{EVENT_ID}@shop.example>"] * 2


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_a_server_that_answers_nothing_is_waited_for_so_long(command: str) -> None:
    async with (
        receiving_mail() as server,
        mailing(at(server), Patience(mail_s=0.1)) as mailer,
    ):
        server.answers[command] = never
        outcome = await mailer.send(letter())
        server.answers.clear()

        assert isinstance(outcome, Later)
        assert "no answer for 0.1 s" in outcome.why
        assert isinstance(await mailer.send(letter()), Sent), "on a connection of its own"


async def test_a_server_that_says_nothing_at_all_is_waited_for_so_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        async with mailing(SmtpServer("127.0.0.1", port), Patience(connect_s=0.1)) as mailer:
            outcome = await mailer.send(letter())

    assert isinstance(outcome, Later)
    assert "does not answer within 0.1 s" in outcome.why


async def test_a_server_that_is_away_is_left_alone_for_a_while() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with mailing(SmtpServer("127.0.0.1", port), Patience(away_s=600)) as mailer:
        first = await mailer.send(letter())
        with socket.create_server(("127.0.0.1", port)) as back:
            second = await mailer.send(letter())
            back.setblocking(False)
            with pytest.raises(BlockingIOError):
                back.accept()

    assert isinstance(first, Later)
    assert f"127.0.0.1:{port}" in first.why
    assert second == first


async def test_a_server_that_is_back_gets_the_mail() -> None:
    async with (
        receiving_mail() as server,
        mailing(at(server, port=1), Patience(away_s=0)) as mailer,
    ):
        assert isinstance(await mailer.send(letter()), Later)
        mailer._server = at(server)

        assert isinstance(await mailer.send(letter()), Sent)


async def test_a_cancelled_mail_s_answer_is_not_taken_for_the_next_one_s() -> None:
    async with receiving_mail() as server, mailing(at(server)) as mailer:
        reached, released = asyncio.Event(), asyncio.Event()

        async def slow(_: SMTP) -> str:
            reached.set()
            await released.wait()
            return "250 OK, at last"

        server.answers["DATA"] = slow
        sending = asyncio.create_task(mailer.send(letter()))
        await reached.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        server.answers.clear()
        asyncio.get_running_loop().call_later(0.1, released.set)

        assert await mailer.send(letter()) == Sent("250 OK queued as 4F2A")
        assert server.connections == 2
