"""NotifierService over gRPC: each method reads a request, asks a use case or reader, answers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from holdfast.chassis.grpc import pages
from holdfast.chassis.grpc.rpc_boundary import Context, tell_replay
from holdfast.chassis.validation import UUID_FORM, Violations
from holdfast.contracts.notifier.v1 import notifier_pb2 as pb
from holdfast.contracts.notifier.v1 import notifier_pb2_grpc
from holdfast.notifier.application.manage_webhooks import NewWebhook, Place
from holdfast.notifier.application.ports import Clock, Delivery, Mail, Reader, Signer
from holdfast.notifier.domain.delivery import Answer
from holdfast.notifier.domain.errors import WebhookNotFound
from holdfast.notifier.domain.webhook import Webhook
from holdfast.notifier.presentation import wire

BEHIND_ALL = "ffffffff-ffff-ffff-ffff-ffffffffffff"
NUMBER_MAX = 2**63 - 1
NUMBER_FORM = "[0-9]{1,18}"


@dataclass(frozen=True, slots=True)
class Cases:
    """What is done with webhooks and mails.

    :param try_out: sends a test event once.
    :param wake: there may be something to send.
    """

    create: Callable[[NewWebhook], Awaitable[Webhook]]
    update: Callable[[str, int, Mapping[str, object]], Awaitable[Webhook]]
    delete: Callable[[str], Awaitable[Webhook]]
    rotate: Callable[[str], Awaitable[Webhook]]
    replay: Callable[[str, Place | None], Awaitable[Webhook]]
    redeliver: Callable[[str, str], Awaitable[Delivery]]
    retry_mail: Callable[[str], Awaitable[Mail]]
    try_out: Callable[[Webhook], Awaitable[Answer]]
    wake: Callable[[], None]


class NotifierServicer(notifier_pb2_grpc.NotifierServiceServicer):
    """The methods of `holdfast.notifier.v1.NotifierService`; the proto documents them."""

    def __init__(self, cases: Cases, reader: Reader, signer: Signer, clock: Clock) -> None:
        self._cases, self._reader, self._signer, self._clock = cases, reader, signer, clock

    async def CreateWebhook(
        self, request: pb.CreateWebhookRequest, context: Context
    ) -> pb.WebhookSecret:
        violations = Violations()
        before = self._clock.now()
        asked = wire.read_webhook(request, before, violations)
        violations.raise_any()
        webhook = await self._cases.create(asked)
        if webhook.created_at < before:
            tell_replay(context)
        return self._with_secret(webhook)

    def _with_secret(self, webhook: Webhook) -> pb.WebhookSecret:
        return pb.WebhookSecret(
            webhook=wire.webhook_message(webhook), secret=self._signer.told(webhook)
        )

    async def GetWebhook(self, request: pb.GetWebhookRequest, context: Context) -> pb.Webhook:
        return wire.webhook_message(await self._found(_webhook_id(request.webhook_id)))

    async def _found(self, webhook_id: str) -> Webhook:
        webhook = await self._reader.webhook(webhook_id)
        if webhook is None:
            raise WebhookNotFound(webhook_id)
        return webhook

    async def ListWebhooks(
        self, request: pb.ListWebhooksRequest, context: Context
    ) -> pb.ListWebhooksResponse:
        violations = Violations()
        start = pages.read_token(violations, request.page_token, "webhooks", cursor_form=UUID_FORM)
        size = pages.page_size(violations, request.page_size)
        violations.raise_any()

        async def read(before: str, limit: int) -> list[Webhook]:
            return await self._reader.webhooks(before=before, limit=limit)

        page = await pages.fill(
            size, read, wire.webhook_message, lambda one: one.webhook_id, start=start or BEHIND_ALL
        )
        return pb.ListWebhooksResponse(
            webhooks=page.messages, next_page_token=pages.make_token(page.cursor, "webhooks")
        )

    async def UpdateWebhook(self, request: pb.UpdateWebhookRequest, context: Context) -> pb.Webhook:
        violations = Violations()
        asked = wire.read_revision(request, violations)
        violations.raise_any()
        return wire.webhook_message(await self._cases.update(*asked))

    async def DeleteWebhook(self, request: pb.DeleteWebhookRequest, context: Context) -> pb.Webhook:
        return wire.webhook_message(await self._cases.delete(_webhook_id(request.webhook_id)))

    async def RotateWebhookSecret(
        self, request: pb.RotateWebhookSecretRequest, context: Context
    ) -> pb.WebhookSecret:
        return self._with_secret(await self._cases.rotate(_webhook_id(request.webhook_id)))

    async def TestWebhook(self, request: pb.TestWebhookRequest, context: Context) -> pb.Attempt:
        webhook = await self._found(_webhook_id(request.webhook_id))
        answer = await self._cases.try_out(webhook)
        return wire.attempt_message(answer, self._clock.now())

    async def ReplayWebhook(self, request: pb.ReplayWebhookRequest, context: Context) -> pb.Webhook:
        violations = Violations()
        webhook_id = violations.uuid("webhook_id", request.webhook_id)
        after = wire.read_replay(request, self._clock.now(), violations)
        violations.raise_any()
        webhook = await self._cases.replay(webhook_id, after)
        self._cases.wake()
        return wire.webhook_message(webhook)

    async def ListDeliveries(
        self, request: pb.ListDeliveriesRequest, context: Context
    ) -> pb.ListDeliveriesResponse:
        violations = Violations()
        webhook_id = violations.uuid("webhook_id", request.webhook_id)
        state = wire.read_delivery_state(request.state, violations)
        filter_text = f"deliveries {webhook_id} {state}"
        start = pages.read_token(
            violations, request.page_token, filter_text, cursor_form=NUMBER_FORM
        )
        size = pages.page_size(violations, request.page_size)
        violations.raise_any()
        await self._found(webhook_id)

        async def read(before: str, limit: int) -> list[Delivery]:
            return await self._reader.deliveries(
                webhook_id, state, before=int(before or NUMBER_MAX), limit=limit
            )

        page = await pages.fill(
            size, read, wire.delivery_message, lambda one: str(one.delivery_id), start=start
        )
        return pb.ListDeliveriesResponse(
            deliveries=page.messages, next_page_token=pages.make_token(page.cursor, filter_text)
        )

    async def Redeliver(self, request: pb.RedeliverRequest, context: Context) -> pb.Delivery:
        violations = Violations()
        webhook_id = violations.uuid("webhook_id", request.webhook_id)
        event_id = violations.id("event_id", request.event_id)
        violations.raise_any()
        delivery = await self._cases.redeliver(webhook_id, event_id)
        self._cases.wake()
        return wire.delivery_message(delivery)

    async def ListMails(
        self, request: pb.ListMailsRequest, context: Context
    ) -> pb.ListMailsResponse:
        violations = Violations()
        state = wire.read_mail_state(request.state, violations)
        order_id = violations.uuid("order_id", request.order_id) if request.order_id else ""
        filter_text = f"mails {state} {order_id}"
        start = pages.read_token(
            violations, request.page_token, filter_text, cursor_form=NUMBER_FORM
        )
        size = pages.page_size(violations, request.page_size)
        violations.raise_any()

        async def read(before: str, limit: int) -> list[Mail]:
            return await self._reader.mails(
                state, order_id, before=int(before or NUMBER_MAX), limit=limit
            )

        page = await pages.fill(
            size, read, wire.mail_message, lambda one: str(one.mail_id), start=start
        )
        return pb.ListMailsResponse(
            mails=page.messages, next_page_token=pages.make_token(page.cursor, filter_text)
        )

    async def RetryMail(self, request: pb.RetryMailRequest, context: Context) -> pb.Mail:
        violations = Violations()
        event_id = violations.id("event_id", request.event_id)
        violations.raise_any()
        mail = await self._cases.retry_mail(event_id)
        self._cases.wake()
        return wire.mail_message(mail)


def _webhook_id(value: str) -> str:
    violations = Violations()
    webhook_id = violations.uuid("webhook_id", value)
    violations.raise_any()
    return webhook_id
