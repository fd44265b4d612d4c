"""What telling customers needs: orders to read, templates to fill, a server that takes mail."""

from datetime import datetime
from typing import NamedTuple, Protocol

from holdfast.client import Order, Payment, ReturnReceipt, Shipment
from holdfast.notifier.domain.mail import Language, MailKind, Outcome


class WaitingMail(Protocol):
    """A mail that is to be sent.

    `event_id` names it, `kind` is the text of a `MailKind`, and `happened_at` is the time of the
    event.
    """

    @property
    def event_id(self) -> str: ...

    @property
    def order_id(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def happened_at(self) -> datetime: ...


class Orders(Protocol):
    """Orders, as any partner reads them."""

    async def get(self, order_id: str) -> Order | None:
        """Return an order as it is now, with its shipments, returns and payments; None: none.

        :raises ServiceAway: Orders does not answer.
        """


class News(NamedTuple):
    """What of the order a mail is about, beside the order as a whole.

    :param shipment: what has left, in a mail that tells so.
    :param receipt: what has come back, likewise.
    :param refund: what was given back, likewise.
    """

    shipment: Shipment | None = None
    receipt: ReturnReceipt | None = None
    refund: Payment | None = None


class Rendered(NamedTuple):
    """A mail's words. The subject is one line without control characters."""

    subject: str
    text: str
    html: str


class TemplateFailed(Exception):
    """A template can't be used; the message tells which, where, and why."""


class Templates(Protocol):
    """The words of mails."""

    def render(self, kind: MailKind, language: Language, order: Order, news: News) -> Rendered:
        """Fill the templates of a kind. The same input has the same words.

        :raises TemplateFailed: one of them fails, with this order at least.
        """


class Letter(NamedTuple):
    """A mail as it goes out.

    :param event_id: names it: a repeat has the same one.
    :param to: one address, unchecked.
    """

    event_id: str
    order_id: str
    kind: MailKind
    happened_at: datetime
    language: Language
    to: str
    words: Rendered


class Mailer(Protocol):
    """The way to customers."""

    async def send(self, letter: Letter) -> Outcome:
        """Send a letter once; whatever comes of it is an outcome, and nothing is raised.

        What the server may have taken before its answer was lost is `Later` too, and so comes
        twice, with the same Message-ID.
        """
