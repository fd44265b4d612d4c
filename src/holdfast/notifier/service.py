"""The Notifier put together: every object of the service is made here, top to bottom."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from grpc import aio
from pydantic import SecretStr

from holdfast.chassis.batcher import Batcher
from holdfast.chassis.clock import Clock, SystemClock, chance
from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.migrations import require_newest
from holdfast.chassis.database.seam import Database, Leadership, retrying
from holdfast.chassis.grpc.admission import Admission
from holdfast.chassis.grpc.channels import open_channel
from holdfast.chassis.grpc.rpc_boundary import Gate, RpcBoundary
from holdfast.chassis.grpc.server import Listening, serving
from holdfast.chassis.http.server import serving_http
from holdfast.chassis.http.service import HttpService
from holdfast.chassis.identity.fetching import KeyFetching
from holdfast.chassis.identity.house import (
    NOTIFIER,
    add_operator,
    identity_of,
    learn,
    service_key,
)
from holdfast.chassis.identity.settings import IdentitySettings
from holdfast.chassis.process.admin import admin
from holdfast.chassis.process.lifecycle import (
    Loop,
    background,
    every,
    holding,
    until_signal,
)
from holdfast.chassis.process.ports import PortSettings, shared
from holdfast.chassis.process.telemetry import configure_logging, traced
from holdfast.chassis.process.workers import (
    is_http_worker,
    is_worker,
    worker_count,
    worker_number,
)
from holdfast.chassis.tls import TlsFiles
from holdfast.client import Holdfast, Tls
from holdfast.contracts.notifier.v1 import notifier_pb2
from holdfast.contracts.notifier.v1.notifier_pb2_grpc import add_NotifierServiceServicer_to_server
from holdfast.notifier.application.bring_forward import BringForward
from holdfast.notifier.application.catch_up import CatchUpWebhooks
from holdfast.notifier.application.deliver import Deliver, RecordAttempts
from holdfast.notifier.application.follow_feed import FollowFeed
from holdfast.notifier.application.mails.ports import Mailer
from holdfast.notifier.application.mails.send_mail import SendMail
from holdfast.notifier.application.manage_webhooks import (
    CreateWebhook,
    DeleteWebhook,
    Redeliver,
    ReplayWebhook,
    RetryMail,
    RotateSecret,
    UpdateWebhook,
)
from holdfast.notifier.application.send_mails import SendMails
from holdfast.notifier.domain.events import FeedName
from holdfast.notifier.infrastructure.feeds import ClientFeeds, ClientOrders
from holdfast.notifier.infrastructure.mail_events import TYPES as MAIL_TYPES
from holdfast.notifier.infrastructure.metrics import Measuring
from holdfast.notifier.infrastructure.reports import (
    attempt_lost,
    attempt_made,
    catch_up_lost,
    feed_lost,
    mail_tried,
    webhook_disabled,
)
from holdfast.notifier.infrastructure.sealing import Sealer
from holdfast.notifier.infrastructure.signatures import Signatures
from holdfast.notifier.infrastructure.store import Store
from holdfast.notifier.infrastructure.trying import TryOut
from holdfast.notifier.infrastructure.when_needed import SenderWhenNeeded, TemplatesWhenNeeded
from holdfast.notifier.presentation.http import http_service
from holdfast.notifier.presentation.rights import RIGHTS
from holdfast.notifier.presentation.servicer import Cases, NotifierServicer
from holdfast.notifier.presentation.statuses import translate
from holdfast.notifier.settings import TELLING_DEFAULTS, NotifierSettings, TellingSettings

ATTEMPTS_AT_ONCE = 500  # recorded in one transaction
ATTEMPTS_QUEUED = 10_000
GATHER_S = 0.005  # what ends or comes together is looked at together
LOOK_S = 0.3  # for what another process has written, or is due by now
FOLLOW_S = 1.0  # between looks whether anybody wants anything; news is waited for
FORGET_EVERY_S = 600.0
BRING_FORWARD_EVERY_S = 60.0
MEASURE_EVERY_S = 5.0
DEADLINE_S = 5.0
SERVICE_NAME = notifier_pb2.DESCRIPTOR.services_by_name["NotifierService"].full_name

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Notifier:
    """The running service.

    :param address: of gRPC; "" where it serves only what `http` gives to `serving_http`.
    """

    address: str
    http: Sequence[HttpService]


@dataclass(frozen=True, slots=True)
class Components:
    """What has to be started and stopped."""

    servicer: NotifierServicer
    boundary: RpcBoundary
    leadership: Leadership
    follows: Sequence[FollowFeed]
    loops: dict[str, Loop]


def assemble(
    database: Database,
    client: Holdfast,
    sender: SenderWhenNeeded,
    mailer: Mailer | None,
    signatures: Signatures,
    clock: Clock,
    admission: Admission,
    gate: Gate,
    telling: TellingSettings,
) -> Components:
    """Make every object of the service."""
    store, feeds = Store(database), ClientFeeds(client)
    record = Batcher(
        retrying(RecordAttempts(store.begin, webhook_disabled)),
        name="record attempts",
        batch_items_max=ATTEMPTS_AT_ONCE,
        queue_items_max=ATTEMPTS_QUEUED,
    )
    deliver = Deliver(
        store, record.submit, sender, signatures, clock, chance, attempt_made, attempt_lost
    )
    leadership = database.leadership("notifier", deliver.wake.set)
    mails: tuple[Collection[str], Collection[str]] = ((), ())
    if mailer is not None and telling.mails:
        mails = telling.mails, MAIL_TYPES
    kept, wake = timedelta(days=telling.kept_days), deliver.wake.set
    follows = [
        FollowFeed(store.begin, feeds, clock, feed, *mails, kept, wake, feed_lost(feed))
        for feed in FeedName
    ]

    async def forget() -> int:
        return await store.forget(clock.now(), kept)

    led: dict[str, tuple[float, Callable[[], Awaitable[int]]]] = {
        "catching up": (LOOK_S, CatchUpWebhooks(store.begin, store, feeds, clock, catch_up_lost)),
        "forgetting": (FORGET_EVERY_S, forget),
        "bringing forward": (BRING_FORWARD_EVERY_S, BringForward(store, clock)),
    }
    if mailer is not None:
        send = _sending(client, mailer, telling)
        led["mails"] = LOOK_S, SendMails(store.begin, store, send, clock, chance, mail_tried)
    led |= {f"following {f}": (FOLLOW_S, one) for f, one in zip(FeedName, follows, strict=True)}
    loops: dict[str, Loop] = {
        "notifier recording": record.run,
        "notifier delivering": _delivering(deliver, leadership),
        "notifier measuring": every(MEASURE_EVERY_S, Measuring(database, leadership)),
    }
    for name, (seconds, work) in led.items():
        loops[f"notifier {name}"] = every(seconds, retrying(work), leadership=leadership)
    servicer = NotifierServicer(
        _cases(store, sender, signatures, clock, deliver), store, signatures, clock
    )
    boundary = RpcBoundary(translate, clock, admission, gate)
    return Components(servicer, boundary, leadership, follows, loops)


def _cases(
    store: Store, sender: SenderWhenNeeded, signatures: Signatures, clock: Clock, deliver: Deliver
) -> Cases:
    return Cases(
        create=retrying(CreateWebhook(store.begin, sender, signatures, clock)),
        update=retrying(UpdateWebhook(store.begin, sender, clock)),
        delete=retrying(DeleteWebhook(store.begin)),
        rotate=retrying(RotateSecret(store.begin, signatures, clock)),
        replay=retrying(ReplayWebhook(store.begin, clock)),
        redeliver=retrying(Redeliver(store.begin, store, clock)),
        retry_mail=retrying(RetryMail(store.begin, store, clock)),
        try_out=TryOut(deliver, clock),
        wake=deliver.look_anew,
    )


def _sending(client: Holdfast, mailer: Mailer, telling: TellingSettings) -> SendMail:
    templates = TemplatesWhenNeeded(telling)
    return SendMail(ClientOrders(client), templates, mailer, telling.language, telling.mails)


@asynccontextmanager
async def _mailer(telling: TellingSettings) -> AsyncIterator[Mailer | None]:
    """The way to the mail server; None: there is none, and nobody gets mail."""
    if telling.server is None:
        yield None
        return
    from holdfast.notifier.infrastructure.smtp import SmtpMailer

    mailer = SmtpMailer(telling.server, telling.sender)
    try:
        yield mailer
    finally:
        await mailer.aclose()


def _delivering(deliver: Deliver, leadership: Leadership) -> Loop:
    """Look whenever something may be due; what is under way at the end is sent again."""

    async def loop() -> None:
        try:
            while True:
                deliver.wake.clear()
                if not (await leadership.held() and await deliver.look()):
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_S):
                            await deliver.wake.wait()
                    await asyncio.sleep(GATHER_S)
        finally:
            await deliver.stop()

    return loop


@asynccontextmanager
async def running(
    database: Database,
    *,
    orders: str,
    inventory: str,
    listen: str,
    identity: IdentitySettings,
    sealer: Sealer,
    operator_key: SecretStr | None = None,
    services_tls: TlsFiles | None = None,
    port: PortSettings | None = None,
    telling: TellingSettings = TELLING_DEFAULTS,
    share_port: bool = False,
    private: str = "",
    begin_at_once: bool = False,
) -> AsyncIterator[Notifier]:
    """Serve while the block runs; the database is the caller's.

    :param orders: address of Orders' gRPC server, and `inventory` of Inventory's.
    :param listen: HOST:PORT of the gRPC server; "": there is none in this process.
    :param sealer: of the secrets of webhooks.
    :param operator_key: the first key, to be good before Orders has told of it.
    :param services_tls: certificates for the way to Orders and Inventory; None: without TLS.
    :param private: another address to listen on; see `serving`.
    :param begin_at_once: both are there: what happens after this is entered is followed.
    """
    port, clock = port or PortSettings(), SystemClock()
    house = identity_of(identity, database, clock, RIGHTS)
    await add_operator(house, operator_key, clock)
    await learn(house)
    admission = Admission(shared(port, worker_count()), port.tls_client_names)
    key = service_key(identity, NOTIFIER)
    async with (
        Holdfast(orders, inventory, DEADLINE_S, tls=_tls(services_tls), key=key) as client,
        open_channel(orders, services_tls) as channel,
        SenderWhenNeeded(telling, clock) as sender,
        _mailer(telling) as mailer,
    ):
        signatures = Signatures(sealer)
        parts = assemble(
            database, client, sender, mailer, signatures, clock, admission, house.gate, telling
        )
        for follow in parts.follows if begin_at_once else ():
            await follow.start()
        loops = parts.loops | {"notifier keys": house.known.run}
        if key:
            fetching = KeyFetching(house, channel, key, parts.leadership)
            loops["notifier fetching keys"] = fetching.run
        served = _served(parts, listen, private, port.tls, share_port=share_port)
        async with holding(parts.leadership), background(loops), AsyncExitStack() as at_end:
            at_end.push_async_callback(house.close)
            address = (await at_end.enter_async_context(served)).address if listen else ""
            if listen:
                log.info("notifier is ready", address=address, mail=str(telling.server or "none"))
            yield Notifier(address, (http_service(parts.servicer, parts.boundary),))


def _served(
    parts: Components, listen: str, private: str, tls: TlsFiles | None, *, share_port: bool
) -> AbstractAsyncContextManager[Listening]:
    def register(server: aio.Server) -> None:
        add_NotifierServiceServicer_to_server(parts.servicer, parts.boundary.around(server))

    return serving(
        listen,
        service=SERVICE_NAME,
        share_port=share_port,
        tls=tls,
        register=register,
        private=private,
    )


def _tls(files: TlsFiles | None) -> Tls | bool:
    return False if files is None else Tls(files.ca, files.certificate, files.key)


async def main(settings: NotifierSettings) -> None:
    """Run the service on PostgreSQL until SIGTERM or SIGINT.

    :raises WrongSchema: the database needs `holdfast migrate` first.
    :raises AddressInUse: another program listens on an address.
    :raises TracesNotInstalled: traces are to be sent, and the extra for it is missing.
    """
    configure_logging(settings.log_level, for_good=True)
    url = settings.database.get_secret_value()
    async with (
        until_signal(),
        admin(settings.admin, worker=worker_number()) as told,
        traced(settings.traces, settings.trace_ratio, "notifier"),
        connect(url) as database,
    ):
        await require_newest(database, "notifier")
        listen, http_listen = ("", settings.http) if is_http_worker() else (settings.listen, "")
        async with (
            running(
                database,
                orders=settings.orders,
                inventory=settings.inventory,
                listen=listen,
                identity=settings,
                sealer=settings.sealer(),
                operator_key=settings.operator_key,
                services_tls=settings.services_tls,
                port=settings,
                telling=settings,
                share_port=is_worker(),
            ) as notifier,
            serving_http(http_listen, notifier.http, settings, share_port=True) as http,
        ):
            if http:
                log.info("notifier is ready for HTTP", address=http)
            with told.ready():
                await asyncio.Event().wait()  # until the signal
