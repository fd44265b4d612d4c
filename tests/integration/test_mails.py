"""What a customer gets by mail of what really happens to an order, from Orders to a mail server."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from holdfast.chassis.transient import Transient
from holdfast.client import (
    Customer,
    Details,
    Disposition,
    Event,
    Holdfast,
    Money,
    OrderLine,
    PaymentKind,
    ReceiptLine,
    ReturnLine,
    ShipmentItem,
)
from holdfast.notifier.application.mails.send_mail import SendMail
from holdfast.notifier.domain.mail import Language, Later, MailKind, Outcome, Sent, Skipped
from holdfast.notifier.infrastructure.feeds import ClientOrders
from holdfast.notifier.infrastructure.mail_addresses import Address
from holdfast.notifier.infrastructure.mail_events import kind_of
from holdfast.notifier.infrastructure.mail_message import Sender
from holdfast.notifier.infrastructure.mail_settings import SmtpServer
from holdfast.notifier.infrastructure.smtp import SmtpMailer
from holdfast.notifier.infrastructure.templates import Templates
from testbed.mail_server import MailServer, Received, receiving_mail
from tests.integration.conftest import RunningHoldfast, eventually

ADA = Customer("Ada", "ada@example.org")
SENDER = Sender(Address("orders", "shop.example"), "Lamps")
KINDS = frozenset(MailKind)


class Desk:
    """Sends what a feed asks for, with nothing between it and the mail server but our own parts."""

    def __init__(self, client: Holdfast, server: MailServer, mailer: SmtpMailer) -> None:
        self._client, self._server, self._mailer = client, server, mailer

    async def news(self, order_id: str) -> list[Event]:
        """What a customer is told of, in the order of the feed."""
        page = await self._client.events.read(limit=1_000)
        return [one for one in page.events if one.subject == order_id and kind_of(one)]

    async def told(self, order_id: str, *kinds: MailKind) -> list[Event]:
        """The same, once it is these."""

        def is_all(events: list[Event]) -> bool:
            return tuple(map(kind_of, events)) == kinds

        return await eventually(lambda: self.news(order_id), is_all, f"news of {kinds}")

    async def send(
        self,
        event: Event,
        *,
        kind: str = "",
        folder: Path | None = None,
        kinds: frozenset[MailKind] = KINDS,
    ) -> Outcome:
        templates = Templates("Lamps", folder, ZoneInfo("UTC"))
        orders = ClientOrders(self._client)
        send = SendMail(orders, templates, self._mailer, Language.EN, kinds)
        return await send(Waiting(event, kind))

    async def mails(self, events: Sequence[Event]) -> list[Received]:
        for event in events:
            assert isinstance(await self.send(event), Sent)
        return self._server.mails


class Waiting:
    """A mail that waits, as the Notifier would keep it."""

    def __init__(self, event: Event, kind: str) -> None:
        self.event_id, self.order_id, self.happened_at = event.id, event.subject, event.time
        self.kind = kind or str(kind_of(event))


@pytest.fixture
async def desk(holdfast: RunningHoldfast) -> AsyncIterator[Desk]:
    async with opened(holdfast.client) as desk:
        yield desk


@asynccontextmanager
async def opened(client: Holdfast) -> AsyncIterator[Desk]:
    async with receiving_mail() as server:
        mailer = SmtpMailer(SmtpServer("127.0.0.1", server.port), SENDER)
        try:
            yield Desk(client, server, mailer)
        finally:
            await mailer.aclose()


async def placed(
    holdfast: RunningHoldfast,
    lines: dict[str, int],
    customer: Customer = ADA,
    details: Details | None = None,
) -> str:
    wanted = [OrderLine(product_id, quantity) for product_id, quantity in lines.items()]
    orders = holdfast.client.orders
    return (
        await orders.create("c-1", wanted, customer=customer, details=details, wait_s=20)
    ).order_id


async def test_an_order_s_whole_life_is_told_step_by_step(
    holdfast: RunningHoldfast, desk: Desk
) -> None:
    await holdfast.product("LAMP", 10)
    await holdfast.product("BULB", 10)
    orders = holdfast.client.orders
    order_id = await placed(holdfast, {"LAMP": 2, "BULB": 3}, details=Details(reference="W-7"))
    order = await orders.get(order_id)
    paid = Money("GBP", 5_000)
    await orders.record_payment(order_id, PaymentKind.CAPTURED, paid, reference="ch-1")
    await orders.edit(
        order_id,
        version=order.version + 1,
        lines=[OrderLine("LAMP", 2, line_no=1), OrderLine("BULB", 1, line_no=2)],
        wait_s=20,
    )
    first, rest = [ShipmentItem(1, 1)], [ShipmentItem(1, 1), ShipmentItem(2, 1)]
    await orders.ship(order_id, first, carrier="DHL", tracking_number="T-1")
    url = "https://track.example/?a=1&b=2"
    await orders.ship(order_id, rest, carrier="DHL", tracking_number="T-2", tracking_url=url)
    returned = await orders.open_return(order_id, [ReturnLine(1, 2)])
    for _ in range(2):
        lines = [ReceiptLine(1, 1, Disposition.RESTOCK)]
        await orders.receive_return(returned.return_id, lines)
    for name, pence in (("re-1", 1_000), ("re-2", 1_001)):
        amount = Money("GBP", pence)
        await orders.record_payment(order_id, PaymentKind.REFUNDED, amount, reference=name)

    events = await desk.told(
        order_id,
        MailKind.CONFIRMED,
        MailKind.EDITED,
        MailKind.PARTIALLY_SHIPPED,
        MailKind.SHIPPED,
        MailKind.RETURN_RECEIVED,
        MailKind.RETURN_RECEIVED,
        MailKind.REFUNDED,
        MailKind.REFUNDED,
    )
    mails = await desk.mails(events)

    assert {mail.recipients for mail in mails} == {("ada@example.org",)}
    assert all("W-7" in str(mail.message["Subject"]) for mail in mails)
    assert [mail.message["Message-ID"] for mail in mails] == [
        f"<{event.id}@shop.example>" for event in events
    ]
    part, whole = mails[2].part("plain"), mails[3].part("plain")
    assert ("T-1" in part, "T-2" in part, "BULB" in part) == (True, False, False)
    assert ("T-1" in whole, "T-2" in whole, url in whole) == (False, True, True)
    assert 'href="https://track.example/?a=1&amp;b=2"' in mails[3].part("html")
    assert "GBP\u00a010.00" in mails[6].part("plain")
    assert "GBP\u00a010.01" in mails[7].part("plain")


async def test_ends_are_told(holdfast: RunningHoldfast, desk: Desk) -> None:
    await holdfast.product("LAMP", 10)
    orders = holdfast.client.orders
    cut = await placed(holdfast, {"LAMP": 2})
    await orders.ship(cut, [ShipmentItem(1, 1)])
    await orders.cancel(cut, reason="internal: fraud?")
    gone = await placed(holdfast, {"LAMP": 2})
    await orders.cancel(gone, reason="internal: fraud?")
    lapsed = await orders.create("c-1", [OrderLine("LAMP", 1)], customer=ADA, hold_s=1.0, wait_s=20)

    await desk.told(lapsed.order_id, MailKind.EXPIRED)
    for order_id, kinds in {
        cut: (MailKind.CONFIRMED, MailKind.PARTIALLY_SHIPPED, MailKind.REST_CANCELLED),
        gone: (MailKind.CONFIRMED, MailKind.CANCELLED),
        lapsed.order_id: (MailKind.EXPIRED,),
    }.items():
        mails = await desk.mails(await desk.told(order_id, *kinds))
    assert len(mails) == 6
    assert not any("fraud" in mail.part(kind) for mail in mails for kind in ("plain", "html"))


async def test_a_mail_is_in_the_language_that_the_order_asks_for(
    holdfast: RunningHoldfast, desk: Desk
) -> None:
    await holdfast.product("LAMP", 10)
    for language in ("de-AT", "fr", ""):
        attributes = {"language": language} if language else {}
        order_id = await placed(holdfast, {"LAMP": 1}, details=Details(attributes=attributes))
        mails = await desk.mails(await desk.told(order_id, MailKind.CONFIRMED))

    assert [mail.message["Content-Language"] for mail in mails] == ["de", "en", "en"]
    assert " ist bestätigt" in str(mails[0].message["Subject"])  # codespell:ignore


async def test_who_is_erased_or_left_no_address_gets_nothing(
    holdfast: RunningHoldfast, desk: Desk
) -> None:
    await holdfast.product("LAMP", 10)
    erased = await placed(holdfast, {"LAMP": 1})
    await holdfast.client.orders.cancel(erased)
    await holdfast.client.customers.erase("c-1")
    nobody = await placed(holdfast, {"LAMP": 1}, customer=Customer("Ada"))

    events = await desk.told(erased, MailKind.CONFIRMED, MailKind.CANCELLED)
    events += await desk.told(nobody, MailKind.CONFIRMED)
    outcomes = [await desk.send(event) for event in events]

    assert all(isinstance(outcome, Skipped) for outcome in outcomes)
    assert await desk.mails([]) == []


async def test_a_template_that_fails_keeps_the_mail_and_names_the_place(
    holdfast: RunningHoldfast, desk: Desk, tmp_path: Path
) -> None:
    """It holds with both examples, and meets an order that is like neither."""
    await holdfast.product("LAMP", 10)
    order_id = await placed(holdfast, {"LAMP": 1}, details=Details(attributes={"gift": "yes"}))
    (event,) = await desk.told(order_id, MailKind.CONFIRMED)
    own = tmp_path / "own" / "en" / "confirmed.subject"
    own.parent.mkdir(parents=True)
    own.write_text("Confirmed\n{{ order.gift if order.details.attributes.gift is defined }}\n")

    failed = await desk.send(event, folder=tmp_path / "own")
    own.write_text("Confirmed, by the operator\n")
    mended = await desk.send(event, folder=tmp_path / "own")

    assert isinstance(failed, Later)
    assert failed.needs_operator
    assert f"{own}, line 2" in failed.why
    assert isinstance(mended, Sent)
    (mail,) = await desk.mails([])
    assert mail.message["Subject"] == "Confirmed, by the operator"


async def test_what_is_switched_off_is_skipped(holdfast: RunningHoldfast, desk: Desk) -> None:
    await holdfast.product("LAMP", 10)
    order_id = await placed(holdfast, {"LAMP": 1})
    (event,) = await desk.told(order_id, MailKind.CONFIRMED)

    assert isinstance(await desk.send(event, kinds=KINDS - {MailKind.CONFIRMED}), Skipped)


async def test_a_kind_that_this_version_does_not_know_waits(
    holdfast: RunningHoldfast, desk: Desk
) -> None:
    await holdfast.product("LAMP", 10)
    order_id = await placed(holdfast, {"LAMP": 1})
    (event,) = await desk.told(order_id, MailKind.CONFIRMED)

    outcome = await desk.send(event, kind="delivered")

    assert isinstance(outcome, Later)
    assert outcome.needs_operator


async def test_orders_that_is_away_is_no_attempt(holdfast: RunningHoldfast, desk: Desk) -> None:
    await holdfast.product("LAMP", 10)
    order_id = await placed(holdfast, {"LAMP": 1})
    (event,) = await desk.told(order_id, MailKind.CONFIRMED)
    async with (
        Holdfast("127.0.0.1:1", "127.0.0.1:1", 1.0, retry_s=0.0) as away,
        opened(away) as other,
    ):
        with pytest.raises(Transient):
            await other.send(event)
