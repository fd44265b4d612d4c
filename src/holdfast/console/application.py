"""The ASGI application: who asks is found out, their screen is shown, and errors become pages."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from holdfast.chassis.clock import Clock
from holdfast.client import (
    HoldfastError,
    InvalidRequest,
    NotFound,
    Overloaded,
    PermissionDenied,
    Refused,
    Unauthenticated,
    Unavailable,
)
from holdfast.console import static_files
from holdfast.console.browsers import ALWAYS, is_of_ours
from holdfast.console.forms import FormUnreadable, read_form
from holdfast.console.intake import Intakes
from holdfast.console.screens.table import ALL, Screen
from holdfast.console.sessions import SESSION_S_MAX, Sessions
from holdfast.console.visit import ROOT, Visit, page, to
from holdfast.console.words import Words, chosen

LANGUAGE = "holdfast-language"  # a cookie that says which one somebody chose
_YEAR_S = 365 * 24 * 3_600
_STATUSES: tuple[tuple[type[HoldfastError], int], ...] = (
    (NotFound, 404),
    (PermissionDenied, 403),
    (InvalidRequest, 400),
    (Refused, 409),
    (Overloaded, 503),
    (Unavailable, 503),
)

Handle = Callable[[Visit], Awaitable[Response]]

log = structlog.get_logger()


class Console:
    """The console under /console, as an ASGI application.

    :param sessions: the caller's, who ends them, and `intakes` likewise.
    :param secure: browsers come by HTTPS: cookies are for that alone.
    """

    def __init__(self, sessions: Sessions, intakes: Intakes, clock: Clock, *, secure: bool) -> None:
        self._sessions, self._intakes, self._clock = sessions, intakes, clock
        self._cookie = "__Host-holdfast" if secure else "holdfast-console"
        self._how: dict[str, Any] = {
            "httponly": True,
            "samesite": "lax",
            "secure": secure,
            "path": "/" if secure else ROOT,
        }
        routes = [
            Route("/static/{name}", static_files.serve),
            Route("/enter/{secret}", self._enter),
            Route("/sign-in", self._sign_in, methods=["GET", "POST"]),
            Route("/sign-out", self._sign_out, methods=["POST"]),
            Route("/language/{code}", self._speak, methods=["POST"]),
            *self._screens(ALL),
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
            yield Route(
                screen.path, self._shown(screen), methods=[screen.verb], name=screen.handle.__name__
            )

    def _shown(self, screen: Screen) -> Callable[[Request], Awaitable[Response]]:
        async def show(request: Request) -> Response:
            words = _words(request)
            secret = request.cookies.get(self._cookie, "")
            session = await self._sessions.find(secret, acts=not screen.streams)
            if session is None:
                return self._signed_out(request, streams=screen.streams)
            visit = Visit(request, session, words, self._clock.now(), self._intakes)
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
                status = next((code for kind, code in _STATUSES if isinstance(error, kind)), 500)
                again = request.url.path if request.method == "GET" else ""
                return visit.show("error.html", status, detail=error.message, again=again)

        return show

    def _signed_out(self, request: Request, *, streams: bool) -> Response:
        if streams:  # a script asks, which would ask for ever
            return Response("event: over\ndata:\n\n", media_type="text/event-stream")
        asked = f"{request.url.path}?{request.url.query}".rstrip("?")
        return to("/sign-in", next=asked if request.method == "GET" else "")

    async def _enter(self, request: Request) -> Response:
        """Sign in by a link that works once."""
        credential = self._sessions.take(request.path_params["secret"])
        if credential is None:
            return self._asked(request, 410, error=_words(request).say("sign.used"))
        return await self._begin(request, credential, "")

    async def _sign_in(self, request: Request) -> Response:
        """Sign in by a key, or a token."""
        words = _words(request)
        if request.method == "GET":
            return self._asked(request, 200, after=request.query_params.get("next", ""))
        try:
            form = await read_form(request, words, "sign-in")
        except FormUnreadable:
            return self._asked(request, 400, error=words.say("error.form"))
        if not form.text("key"):
            return self._asked(request, 400, words.say("sign.empty"), form.text("next"))
        return await self._begin(request, form.text("key"), form.text("next"))

    async def _begin(self, request: Request, credential: str, after: str) -> Response:
        try:
            secret = await self._sessions.begin(credential)
        except HoldfastError as error:
            status = 401 if isinstance(error, Unauthenticated | InvalidRequest) else 503
            return self._asked(request, status, error.message, after)
        await self._sessions.end(request.cookies.get(self._cookie, ""))
        answer = RedirectResponse(_own(after), 303)
        answer.set_cookie(self._cookie, secret, max_age=round(SESSION_S_MAX), **self._how)
        return answer

    async def _sign_out(self, request: Request) -> Response:
        await self._sessions.end(request.cookies.get(self._cookie, ""))
        answer = to("/sign-in")
        answer.delete_cookie(self._cookie, **self._how)
        return answer

    async def _speak(self, request: Request) -> Response:
        """Choose a language, and go back to where that was chosen."""
        came_from = urlsplit(request.headers.get("referer", ""))
        answer = RedirectResponse(_own(f"{came_from.path}?{came_from.query}".rstrip("?")), 303)
        code = chosen(request.path_params["code"], "").language
        answer.set_cookie(LANGUAGE, code, max_age=_YEAR_S, path=ROOT, samesite="lax")
        return answer

    def _asked(self, request: Request, status: int, error: str = "", after: str = "") -> Response:
        return page(_words(request), "sign_in.html", status, error=error, after=after)

    async def _nowhere(self, request: Request) -> Response:
        session = await self._sessions.find(request.cookies.get(self._cookie, ""))
        if session is None:
            return self._signed_out(request, streams=False)
        visit = Visit(request, session, _words(request), self._clock.now(), self._intakes)
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

        headers, words = Headers(scope=scope), _words(Request(scope))
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


def _words(request: Request) -> Words:
    accepted = request.headers.get("accept-language", "")
    return chosen(request.cookies.get(LANGUAGE, ""), accepted)


def _own(path: str) -> str:
    """A path of ours, or else the first page: nobody is sent elsewhere by what a URL says."""
    is_own = path.startswith(f"{ROOT}/") and "\\" not in path and path.isprintable()
    return path if is_own and "/enter/" not in path and "/sign-in" not in path else ROOT
