"""What takes a third of a second to load, and a laptop without webhooks and mail never needs:
loaded at its first use, once.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import cache
from types import TracebackType
from typing import Any, Self

from holdfast.chassis.clock import Clock
from holdfast.client import Order
from holdfast.notifier.application.mails.ports import News, Rendered, Templates
from holdfast.notifier.application.ports import Sender
from holdfast.notifier.domain.delivery import Answer
from holdfast.notifier.domain.mail import Language, MailKind
from holdfast.notifier.infrastructure.mail_settings import MailSettings
from holdfast.notifier.infrastructure.webhook_settings import WebhookSettings


class SenderWhenNeeded:
    """See `Sender`."""

    def __init__(self, settings: WebhookSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._opened = AsyncExitStack()
        self._sender: Sender | None = None

    async def _open(self) -> Sender:
        if self._sender is None:
            from holdfast.notifier.infrastructure import sending

            # Entering it waits for nothing: nobody opens a second one meanwhile.
            sender = sending.Sender(self._settings, self._clock)
            self._sender = await self._opened.enter_async_context(sender)
        return self._sender

    async def require_allowed(self, url: str) -> None:
        await (await self._open()).require_allowed(url)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        return await (await self._open()).post(url, body, headers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._opened.aclose()


class TemplatesWhenNeeded:
    """See `Templates`. An operator's own are read at once, so that a mistake in one is known then.

    :raises TemplateFailed: an operator's template is broken.
    """

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        if settings.templates is not None:
            _read(settings)

    def render(self, kind: MailKind, language: Language, order: Order, news: News) -> Rendered:
        return _read(self._settings).render(kind, language, order, news)


def _read(settings: MailSettings) -> Templates:
    return _templates(settings.shop, settings.templates, settings.zone)


@cache
def _templates(*told: Any) -> Templates:
    from holdfast.notifier.infrastructure import templates

    return templates.Templates(*told)
