"""The console as a process of its own, and as it is mounted beside services: made when needed."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog

from holdfast.chassis.clock import SystemClock
from holdfast.chassis.http.server import serving_http
from holdfast.chassis.process.admin import admin
from holdfast.chassis.process.lifecycle import until_signal
from holdfast.chassis.process.telemetry import configure_logging, traced
from holdfast.client import Holdfast, Tls
from holdfast.console.sessions import Sessions
from holdfast.console.settings import NO_PROVIDER, ConsoleSettings, SignInSettings

CALL_S_MAX = 10.0

log = structlog.get_logger()


class ConsoleWhenNeeded:
    """The console under /console, whose pages are made ready at the first request for one: whoever
    never opens it has not waited for it.

    :param addresses: of Orders, Inventory and the Notifier.
    :param secure: browsers come by HTTPS.
    :param files: the folder of files that are being taken in, see `Intakes`.
    :param sign_in: at which provider people sign in, if at any.
    """

    name = "console"

    def __init__(
        self,
        addresses: tuple[str, str, str],
        *,
        tls: Tls | bool = False,
        secure: bool = False,
        files: Path | None = None,
        sign_in: SignInSettings = NO_PROVIDER,
    ) -> None:
        def open_client(credential: str) -> Holdfast:
            orders, inventory, notifier = addresses
            return Holdfast(
                orders, inventory, CALL_S_MAX, tls=tls, key=credential, notifier=notifier
            )

        self._sessions = Sessions(open_client, time.monotonic)
        self._files, self._target = files, " ".join(addresses[:2])
        self._secure = secure or sign_in.public_url.startswith("https:")
        self._sign_in = sign_in
        self._pages: Callable[[Any, Any, Any], Awaitable[None]] | None = None
        self._intakes: Any = None
        self.files = FilesWhenNeeded(open_client, self.intakes)
        self._ends: list[Callable[[], Awaitable[None]]] = [self._sessions.close]

    def link(self, credential: str) -> str:
        """Return the path that signs one browser in, once, with a credential."""
        return f"/console/enter/{self._sessions.link(credential)}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._pages is None:
            self._pages = self._made()
        await self._pages(scope, receive, send)

    def intakes(self) -> Any:
        """The `Intakes`: files that are here, of pages and of programs."""
        if self._intakes is None:
            from holdfast.console.intake import Intakes

            self._intakes = Intakes(self._files, self._target, SystemClock())
            self._ends.append(self._intakes.close)
        return self._intakes

    def _made(self) -> Callable[[Any, Any, Any], Awaitable[None]]:
        from holdfast.console.application import Console
        from holdfast.console.provider import Provider
        from holdfast.console.signing_in import SigningIn
        from holdfast.console.views import Views

        clock, provider = SystemClock(), None
        if self._sign_in.oidc_issuer:
            provider = Provider(self._sign_in, clock)
            self._ends.append(provider.close)
        at = self._sign_in.public_url
        signing_in = SigningIn(
            self._sessions, provider, time.monotonic, public_url=at, secure=self._secure
        )
        return Console(self._sessions, self.intakes(), Views(self._files), clock, signing_in)

    def stop(self) -> None:
        """End all streams."""
        self._sessions.stop()

    async def close(self) -> None:
        """Sign everybody out, and break off what is being taken in."""
        for end in reversed(self._ends):
            await end()


class FilesWhenNeeded:
    """Files in and out under /files, for programs; made ready at the first request, likewise."""

    name = "files"

    def __init__(self, open_client: Callable[[str], Holdfast], intakes: Callable[[], Any]) -> None:
        self._open, self._intakes = open_client, intakes
        self._api: Callable[[Any, Any, Any], Awaitable[None]] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._api is None:
            from holdfast.console.files_api import FilesApi

            self._api = FilesApi(self._open, self._intakes, SystemClock())
        await self._api(scope, receive, send)

    def stop(self) -> None:
        """Nothing here goes on without an end."""


@asynccontextmanager
async def mounted(
    addresses: tuple[str, str, str],
    *,
    tls: Tls | bool = False,
    secure: bool = False,
    files: Path | None = None,
    sign_in: SignInSettings = NO_PROVIDER,
) -> AsyncIterator[ConsoleWhenNeeded]:
    """A console to mount while the block runs; then everybody is signed out."""
    console = ConsoleWhenNeeded(addresses, tls=tls, secure=secure, files=files, sign_in=sign_in)
    try:
        yield console
    finally:
        await console.close()


async def main(settings: ConsoleSettings) -> None:
    """Run the console until SIGTERM or SIGINT.

    :raises AddressInUse: another program listens on an address.
    :raises TracesNotInstalled: traces are to be sent, and the extra for it is missing.
    """
    configure_logging(settings.log_level, for_good=True)
    secure = settings.https or settings.tls is not None
    async with (
        until_signal(),
        admin(settings.admin) as told,
        traced(settings.traces, settings.trace_ratio, "console"),
        mounted(
            (settings.orders, settings.inventory, settings.notifier),
            tls=settings.services_tls,
            secure=secure,
            files=settings.files,
            sign_in=settings,
        ) as console,
        serving_http(settings.listen, [], settings, mounted=[console, console.files]) as address,
    ):
        log.info("console is ready", address=address)
        with told.ready():
            await asyncio.Event().wait()  # until the signal
