"""The ASGI application: who asks is found out, their screen is shown, and errors become pages."""

from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import urlsplit

import structlog
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from holdfast.chassis.clock import Clock
from holdfast.chassis.http.browsers import is_of_ours
from holdfast.chassis.turns import Turns
from holdfast.client import (
    HoldfastError,
    Unauthenticated,
)
from holdfast.console import static_files
from holdfast.console.browsers import ALWAYS
from holdfast.console.forms import FormUnreadable
from holdfast.console.intake import Intakes
from holdfast.console.screens.table import ALL, Screen
from holdfast.console.sessions import ProviderAway, Sessions
from holdfast.console.signing_in import SigningIn, without_head
from holdfast.console.statuses import status_of
from holdfast.console.views import Views
from holdfast.console.visit import LANGUAGE, ROOT, Visit, own, page, to, words_of
from holdfast.console.words import chosen

_YEAR_S = 365 * 24 * 3_600
Handle = Callable[[Visit], Awaitable[Response]]

log = structlog.get_logger()


class Console:
    """The console under /console, as an ASGI application.

    :param sessions: the caller's, who ends them, and `intakes` likewise.
    """

    def __init__(
        self,
        sessions: Sessions,
        intakes: Intakes,
        views: Views,
        clock: Clock,
        signing_in: SigningIn,
    ) -> None:
        self._sessions, self._intakes, self._views = sessions, intakes, views
        self._clock, self._signing_in, self._turns = clock, signing_in, Turns(1)
        self._found = list(self._screens(ALL))
        routes = [
            Route("/static/{name}", static_files.serve),
            *signing_in.routes(),
            Route("/language/{code}", self._speak, methods=["POST"]),
            *self._found,
            Route("/{rest:path}", self._nowhere),
            Route("/", self._nowhere),
        ]
        self._app: ASGIApp = Starlette(
            routes=[Mount(ROOT, routes=routes)],
            middleware=[Middleware(_Guarded), Middleware(GZipMiddleware, minimum_size=1_000)],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == ROOT:
            scope = {**scope, "path": f"{ROOT}/", "raw_path": f"{ROOT}/".encode()}
        await self._app(scope, receive, send)

    def _screens(self, found: Iterable[Screen]) -> Iterable[Route]:
        for screen in found:
            route = Route(
                screen.path, self._shown(screen), methods=[screen.verb], name=screen.handle.__name__
            )
            yield without_head(route) if screen.streams else route

    def _shown(self, screen: Screen) -> Callable[[Request], Awaitable[Response]]:
        async def show(request: Request) -> Response:
            words = words_of(request)
            secret = self._signing_in.secret_of(request)
            try:
                session = await self._sessions.find(
                    secret, acts=not screen.streams, asks=screen.alone
                )
            except ProviderAway:
                return page(words, "alone.html", 503, detail=words.say("sign.not_renewed"))
            if session is None:
                return self._signed_out(request, streams=screen.streams)
            now, held = self._clock.now(), (self._intakes, self._views, self._turns)
            visit = Visit(request, session, words, now, *held)
            if screen.scope and not visit.may(screen.scope):
                return visit.show("refused.html", 403, scope=screen.scope)
            try:
                return await screen.handle(visit)
            except Unauthenticated:
                await self._sessions.end(secret)
                return self._signed_out(request, streams=screen.streams)
            except FormUnreadable:
                return visit.show("error.html", 400, detail=words.say("error.form"), again="")
            except HoldfastError as error:
                status = status_of(error)
                again = request.url.path if request.method == "GET" else ""
                return visit.show("error.html", status, detail=error.message, again=again)

        return show

    def _signed_out(self, request: Request, *, streams: bool) -> Response:
        if streams:  # a script asks, which would ask for ever
            return Response("event: over\ndata:\n\n", media_type="text/event-stream")
        if request.method == "POST":
            return to("/sign-in", next=self._came_from(request), unsent="yes")
        return to("/sign-in", next=f"{request.url.path}?{request.url.query}".rstrip("?"))

    async def _speak(self, request: Request) -> Response:
        """Choose a language, and go back to where that was chosen: to the page of a form, where
        that came back with what is wrong in it.
        """
        answer = RedirectResponse(own(self._came_from(request)), 303)
        code = chosen(request.path_params["code"], "").language
        answer.set_cookie(LANGUAGE, code, max_age=_YEAR_S, path=ROOT, samesite="lax")
        return answer

    def _came_from(self, request: Request) -> str:
        """Return the page that a form was sent from, as it says itself, or the browser does."""
        referer = request.headers.get("referer", "")
        came_from = urlsplit(request.query_params.get("back", "") or referer)
        return f"{self._page_at(came_from.path)}?{came_from.query}".rstrip("?")

    def _page_at(self, path: str) -> str:
        """Return the path of the nearest page, there or above."""
        while path.startswith(f"{ROOT}/"):
            asked = {"type": "http", "method": "GET", "path": path.removeprefix(ROOT)}
            if any(route.matches(asked)[0] is Match.FULL for route in self._found):
                break
            path = path.rpartition("/")[0]
        return path

    async def _nowhere(self, request: Request) -> Response:
        return await self._shown(Screen("GET", "", _nothing))(request)


async def _nothing(visit: Visit) -> Response:
    return visit.show("error.html", 404, detail=visit.words.say("error.nowhere"), again="")


class _Guarded:
    """Around everything: no page of others makes a browser change something here, each answer
    carries what browsers are to keep to, and an error of ours is logged and told.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                MutableHeaders(scope=message).update(ALWAYS)
            await send(message)

        headers, words = Headers(scope=scope), words_of(Request(scope))
        if not is_of_ours(scope["method"], headers):
            refusal = page(words, "alone.html", 403, detail=words.say("error.foreign"))
            await refusal(scope, receive, send_guarded)
            return
        try:
            await self._app(scope, receive, send_guarded)
        except Exception:
            log.exception("console request failed", path=scope["path"])
            if begun:
                raise
            failure = page(words, "alone.html", 500, detail=words.say("error.ours"))
            await failure(scope, receive, send_guarded)
