"""Files in and out for programs, over HTTP: what the console's pages of files do, for scripts.

Who calls says so with each request, as everywhere: `authorization: Bearer hf_live_...`. Paths and
fields are told in docs/import.md; errors are problem details (RFC 9457), as the services tell them.
"""

from collections import Counter
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
)
from dataclasses import asdict
from typing import Any

import orjson
import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Mount, Route, Router
from starlette.types import Receive, Scope, Send

from holdfast.chassis.clock import Clock
from holdfast.chassis.http.browsers import is_of_others
from holdfast.chassis.http.flaws import Flaws
from holdfast.chassis.http.headers import gathered, idempotency_key
from holdfast.chassis.http.problems import CONTENT_TYPE, RETRY_S, problem
from holdfast.chassis.validation import ID_CHARACTERS_MAX, Violations
from holdfast.client import (
    Caller,
    DeadlineExceeded,
    Holdfast,
    HoldfastError,
    Unavailable,
    new_request_id,
)
from holdfast.console.forms import Form
from holdfast.console.intake import Full, Intake, Intakes, owner_of
from holdfast.console.screens.exports import exported
from holdfast.console.screens.files import STATUSES, TO_BRING, TO_FETCH
from holdfast.console.screens.imports import options_of
from holdfast.console.statuses import status_of
from holdfast.console.uploads import (
    FILE_BYTES_MAX,
    FILE_S_MAX,
    PART_S_MAX,
    TooLarge,
    TooSlow,
    keep_body,
)
from holdfast.console.words import chosen
from holdfast.importing.dates import DateOrder
from holdfast.importing.encodings import Encoding
from holdfast.importing.locales import Locale
from holdfast.importing.tables import FileKind

ROOT = "/files"
BEARER = "bearer "
SWITCHES = ("ignore_unknown", "again", "displace")
ENGLISH = chosen("en", "")
_HANG_UP = {"connection": "close"}  # the rest of the body is not waited for
_SOON = {"retry-after": str(RETRY_S)}
_BEARER = {"www-authenticate": "Bearer"}
_HEADERS = {401: _BEARER, 408: _HANG_UP, 413: _HANG_UP, 429: _SOON, 503: _SOON}
NAME_CHARACTERS_MAX = 255
OF_STOCK = frozenset({"again", "displace"})
PARAMETERS = frozenset({"name", "locale", "dates", "currency", "encoding", "dry_run", *SWITCHES})
OF_EXPORTS, OF_ORDERS = frozenset({"format"}), frozenset({"format", "from", "to", "status"})

log = structlog.get_logger()

Open = Callable[[str], Holdfast]
"""Make a client that calls with a credential."""


class Problematic(Exception):
    """The request is answered with a problem."""

    def __init__(self, status: int, detail: str, errors: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, errors or {}

    def response(self) -> Response:
        found = problem(self.status, self.detail)
        content = dict(found.content)
        if self.errors:
            content["errors"] = [
                {"parameter": name, "detail": detail} for name, detail in self.errors.items()
            ]
        return Response(orjson.dumps(content), self.status, _HEADERS.get(self.status), CONTENT_TYPE)


class FilesApi:
    """Everything under /files, as an ASGI application.

    :param intakes: the caller's, who ends them.
    """

    def __init__(self, open_client: Open, intakes: Callable[[], Intakes], clock: Clock) -> None:
        self._open, self._intakes, self._clock = open_client, intakes, clock
        one = "/imports/{intake_id}"
        routes = [
            self._route("POST", "/imports/{kind}", self._bring),
            self._route("GET", "/imports", self._list),
            self._route("GET", one, self._get),
            self._route("POST", f"{one}/take", self._take),
            self._route("DELETE", one, self._remove),
            self._route("GET", "/exports/{kind}", self._export),
        ]
        # Nobody is led elsewhere: their key would go along, to wherever Host says.
        paths = Router(routes, redirect_slashes=False)
        self._app = Starlette(routes=[Mount(ROOT, paths)], exception_handlers=_HANDLERS)
        self._app.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def _route(
        self, verb: str, path: str, handle: Callable[["_Call"], Awaitable[Response]]
    ) -> Route:
        async def answer(request: Request) -> Response:
            # Where nobody is asked who they are, a page of others could send a form here.
            if is_of_others(verb, request.headers):
                return Problematic(403, "a page of another place asks for this").response()
            credential = _credential(request)
            try:
                async with self._open(credential) as client:
                    caller = await client.keys.who_am_i()
                    call = _Call(request, client, caller, credential)
                    return await handle(call)
            except Problematic as found:
                return found.response()
            except TooLarge:
                detail = f"a file may have {FILE_BYTES_MAX // 1024**2} MB"
                return Problematic(413, detail).response()
            except TooSlow:
                detail = f"a file may take {FILE_S_MAX:g} s, and {PART_S_MAX:g} s from part to part"
                return Problematic(408, detail).response()
            except (Unavailable, DeadlineExceeded) as error:  # it says where services are
                log.warning("files can't be brought or fetched", error=error.message)
                detail = "a service does not answer: try again in a moment"
                return Problematic(status_of(error), detail).response()
            except HoldfastError as error:
                return Problematic(status_of(error), error.message).response()

        return Route(path, answer, methods=[verb])

    async def _bring(self, call: "_Call") -> Response:
        """Keep the body, look what would become of it and, unless `dry_run`, take it in."""
        call.require("imports:write", *_of_kind(call, TO_BRING))
        intakes, owner, kind = self._intakes(), call.owner, call.path("kind")
        call.refuse_parameters_but(PARAMETERS if kind == "stock" else PARAMETERS - OF_STOCK)
        if call.request.headers.get("content-type", "").lower().startswith("multipart/"):
            raise Problematic(415, "the body is the file, and no form: curl --data-binary @FILE")
        form = Form(ENGLISH, "bring", {**_switched(call), "kind": kind})
        options = options_of(form, [kind])
        is_look = call.switch("dry_run", form)
        _require_name(form)
        _require_choices(form, {"locale": Locale, "dates": DateOrder, "encoding": Encoding})
        asked = call.idempotency_key() or new_request_id()
        try:
            if intakes.brought(asked, owner) is None:
                intakes.require_room(owner)
            with intakes.coming(owner):
                intake = await self._kept(call, asked, kind, options)
            intake.goes_on = not is_look
            if (known := intakes.brought(asked, owner)) is None:
                intakes.take_up(intake)
                return _told(intake, 202)
        except Full:
            detail = "there is no room for another file: finish or delete one of yours first"
            raise Problematic(429, detail) from None
        intakes.clear(intake.intake_id)
        if not known.is_as(intake):
            raise Problematic(422, "the Idempotency-Key was used for another file, or otherwise")
        return _told(known)

    async def _kept(self, call: "_Call", asked: str, kind: str, options: Any) -> Intake:
        """The request's body as a file in its place."""
        intakes, intake_id = self._intakes(), new_request_id()
        path = intakes.place(intake_id)
        try:
            digest = await keep_body(call.request, path)
        except BaseException:  # it is too large, its sender has gone, or the disk is full
            intakes.clear(intake_id)
            raise
        name = call.request.query_params.get("name", "") or f"{kind}.csv"
        return Intake(
            intake_id,
            call.owner,
            call.caller.name,
            asked,
            kind,
            name,
            path,
            options,
            lambda: self._open(call.credential),
            digest=digest,
        )

    async def _list(self, call: "_Call") -> Response:
        """The caller's files, the newest first."""
        mine = self._intakes().of(call.owner)
        return _json({"imports": [_facts(one) for one in mine]})

    async def _get(self, call: "_Call") -> Response:
        return _told(self._found(call))

    async def _take(self, call: "_Call") -> Response:
        """Take in what was looked at, or go on with what was broken off."""
        intake, intakes = self._found(call), self._intakes()
        intake.open_client = lambda: self._open(call.credential)
        if intake.look is None:
            intakes.look(intake)
        else:
            intakes.take(intake)
        return _told(intake, 202)

    async def _remove(self, call: "_Call") -> Response:
        """Break off what moves, and forget the file. What was taken in stays."""
        intake, intakes = self._found(call), self._intakes()
        await intakes.stop(intake, "it was deleted")
        intakes.remove(intake)
        return Response(status_code=204)

    async def _export(self, call: "_Call") -> Response:
        """Everything of a kind, as a file, sent while it is read."""
        call.require(*_of_kind(call, TO_FETCH))
        call.refuse_parameters_but(OF_ORDERS if call.path("kind") == "orders" else OF_EXPORTS)
        form = Form(ENGLISH, "export", {**call.request.query_params, "kind": call.path("kind")})
        client = self._open(call.credential)  # of the file, which goes on after this call
        answer = await exported(client, form, self._clock.now())
        if answer is None:
            await client.close()
            _require_choices(form, {"format": FileKind, "status": STATUSES})
            raise AssertionError("something is wrong with one of them")
        answer.body_iterator = _closing(client, answer.body_iterator)
        return answer

    def _found(self, call: "_Call") -> Intake:
        call.require("imports:write")
        found = self._intakes().find(call.path("intake_id"), call.owner)
        if found is None:
            raise Problematic(404, "there is no such file, or none any more")
        return found


class _Call:
    """One request, and who makes it."""

    def __init__(self, request: Request, client: Holdfast, caller: Caller, credential: str) -> None:
        self.request, self.client = request, client
        self.caller, self.credential = caller, credential
        self.owner = owner_of(caller)

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def require(self, *scopes: str) -> None:
        """See that the caller has all of these.

        :raises Problematic: not so.
        """
        if missing := [one for one in scopes if one not in self.caller.scopes]:
            raise Problematic(403, f"this needs {' and '.join(missing)}, which you don't have")

    def refuse_parameters_but(self, known: frozenset[str]) -> None:
        """:raises Problematic: there are others, which a typo may have made, or one twice."""
        names = [name for name, _ in self.request.query_params.multi_items()]
        told = f"is not known here: there are {', '.join(sorted(known))}"
        wrong = {name: told for name in names if name not in known}
        wrong |= {name: "is there twice" for name, count in Counter(names).items() if count > 1}
        if wrong:
            raise Problematic(400, "parameters are wrong", wrong)

    def idempotency_key(self) -> str:
        """What names this request for ever, as everywhere over HTTP; "": nothing does.

        :raises Problematic: it is no such name.
        """
        flaws = Flaws()
        key = idempotency_key(gathered(self.request.scope["headers"]), flaws)
        if len(key) > ID_CHARACTERS_MAX:
            told = f"has {len(key)} characters; at most {ID_CHARACTERS_MAX} are allowed"
            flaws.add("Idempotency-Key", told, place="header")
        if flaws.found:
            (flaw,) = flaws.found
            raise Problematic(400, f"{flaw.name} {flaw.detail}")
        return key

    def switch(self, name: str, form: Form) -> bool:
        """Whether something was asked for; what is neither yes nor no is an error of the form."""
        text = self.request.query_params.get(name, "false").lower()
        if text not in ("true", "false"):
            form.errors[name] = "must be true or false"
        return text == "true"


def _switched(call: _Call) -> dict[str, str]:
    """The parameters as the console's form would have sent them: what is off is not there."""
    found = dict(call.request.query_params)
    for name in SWITCHES:
        if found.get(name, "false").lower() == "false":
            found.pop(name, None)
    return found


def _require_name(form: Form) -> None:
    """What the file is called is shown to people, and stands in lists."""
    found = Violations()
    found.text("name", form.text("name"), characters_max=NAME_CHARACTERS_MAX)
    if found:
        form.errors["name"] = found.refusal().violations[0][1]


def _require_choices(form: Form, choices: Mapping[str, Iterable[str]]) -> None:
    """What people choose from what they see, programs have to be told.

    :raises Problematic: something is wrong with a parameter.
    """
    for name, known in choices.items():
        if name in form.errors:
            form.errors[name] = f"must be one of {', '.join(known)}"
    if form.errors:
        raise Problematic(400, "parameters are wrong", form.errors)


def _of_kind(call: _Call, needed: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    kind = call.path("kind")
    if kind not in needed:
        raise Problematic(404, f"{kind!r} is none of {', '.join(needed)}")
    return needed[kind]


async def _closing(client: Holdfast, pieces: AsyncIterable[Any]) -> AsyncIterator[Any]:
    async with client:
        async for piece in pieces:
            yield piece


def _credential(request: Request) -> str:
    """What a request says of who makes it, also where it says it twice; "" where it says nothing:
    the services refuse both.
    """
    text = ", ".join(request.headers.getlist("authorization"))
    return text[len(BEARER) :].strip() if text.lower().startswith(BEARER) else ""


def _facts(intake: Intake) -> dict[str, Any]:
    report = intake.report or intake.look
    return {
        "import_id": intake.intake_id,
        "kind": intake.kind,
        "name": intake.name,
        "state": intake.stage.value,
        "lines_done": intake.done,
        "lines_expected": intake.total,
        "problem": intake.problem,
        "report": None if report is None else {**asdict(report), "file": intake.name},
    }


def _told(intake: Intake, status: int = 200) -> Response:
    where = f"{ROOT}/imports/{intake.intake_id}"
    return _json(_facts(intake), status, {"location": where})


def _json(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json")


async def _nowhere(_request: Request, _error: Exception) -> Response:
    return Problematic(404, "there is nothing at this path").response()


async def _other_verb(request: Request, _error: Exception) -> Response:
    answer = Problematic(405, "this path has other methods").response()
    (mounted,) = request.app.routes
    here = [one for one in mounted.routes if one.matches(request.scope)[0] is not Match.NONE]
    answer.headers["allow"] = ", ".join(sorted(set[str]().union(*(one.methods for one in here))))
    return answer


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)


async def _ours(request: Request, error: Exception) -> Response:
    log.error("request for files failed", path=request.url.path, exc_info=error)
    return Problematic(500, "something went wrong here, and is in the log").response()


_HANDLERS: Any = {404: _nowhere, 405: _other_verb, ClientDisconnect: _gone, Exception: _ours}
