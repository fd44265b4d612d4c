"""Send one mail: read the order as it is now, fill the template, hand it to the mail server."""

from collections.abc import Callable, Collection
from datetime import datetime

from holdfast.client import Order, PaymentKind
from holdfast.notifier.application.mails.ports import (
    Letter,
    Mailer,
    News,
    Orders,
    TemplateFailed,
    Templates,
    WaitingMail,
)
from holdfast.notifier.domain.mail import Language, Later, MailKind, Outcome, Skipped

LANGUAGE_ATTRIBUTE = "language"  # of an order


class SendMail:
    """Sends a mail once and returns what came of it; nothing is recorded here.

    The address is read from the order now and kept nowhere: whoever was erased before gets nothing.

    :param language: of mails about orders whose attribute `language` names none of ours.
    :param kinds: what is sent; a mail of another kind, which waits since before it was switched
        off, is skipped.
    """

    def __init__(
        self,
        orders: Orders,
        templates: Templates,
        mailer: Mailer,
        language: Language,
        kinds: Collection[MailKind],
    ) -> None:
        self._orders, self._templates, self._mailer = orders, templates, mailer
        self._language, self._kinds = language, kinds

    async def __call__(self, mail: WaitingMail) -> Outcome:
        """Try once. A repeat sends the mail again, with the same Message-ID.

        :raises ServiceAway: Orders does not answer; that is no attempt.
        """
        kind = next((one for one in MailKind if one == mail.kind), None)
        if kind is None:  # a newer version wrote it, and was taken back
            return Later(f"no template tells {mail.kind}", needs_operator=True)
        if kind not in self._kinds:
            return Skipped("mails of this kind are switched off")
        order = await self._orders.get(mail.order_id)
        if order is None:
            return Skipped("there is no such order")
        if not order.customer.email:
            return Skipped("the order has no e-mail address: it brought none, or was erased")
        news = news_of(kind, order, mail.happened_at)
        if news is None:
            return Skipped("the order has nothing of the event's time that this mail could tell")
        language = language_of(order) or self._language
        try:
            words = self._templates.render(kind, language, order, news)
        except TemplateFailed as failed:
            return Later(str(failed), needs_operator=True)
        letter = Letter(
            mail.event_id,
            mail.order_id,
            kind,
            mail.happened_at,
            language,
            order.customer.email,
            words,
        )
        return await self._mailer.send(letter)


def language_of(order: Order) -> Language | None:
    """What the order's attribute asks for, such as `de` or `de-AT`; None: nothing of ours."""
    return Language.named(order.details.attributes.get(LANGUAGE_ATTRIBUTE, ""))


def news_of(kind: MailKind, order: Order, happened_at: datetime) -> News | None:
    """Find what the mail is about; None: it should be there, and is not.

    What an event tells has the very time of the event.
    """
    find = _FINDERS.get(kind)
    return News() if find is None else find(order, happened_at)


def _shipment(order: Order, at: datetime) -> News | None:
    found = (one for one in order.shipments if one.ship_time == at)
    return next((News(shipment=one) for one in found), None)


def _receipt(order: Order, at: datetime) -> News | None:
    receipts = (one for returned in order.returns for one in returned.receipts)
    return next((News(receipt=one) for one in receipts if one.receive_time == at), None)


def _refund(order: Order, at: datetime) -> News | None:
    refunds = (one for one in order.payments if one.kind is PaymentKind.REFUNDED)
    return next((News(refund=one) for one in refunds if one.record_time == at), None)


_FINDERS: dict[MailKind, Callable[[Order, datetime], News | None]] = {
    MailKind.PARTIALLY_SHIPPED: _shipment,
    MailKind.SHIPPED: _shipment,
    MailKind.RETURN_RECEIVED: _receipt,
    MailKind.REFUNDED: _refund,
}
