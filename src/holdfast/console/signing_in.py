"""The ways in and out: a link that works once, a password, a key or token, a provider."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from holdfast.client import (
    DeadlineExceeded,
    HoldfastError,
    InvalidRequest,
    Overloaded,
    Unauthenticated,
    Unavailable,
)
from holdfast.console.attempts import ATTEMPT_S_MAX, AttemptOver, Attempts, NoAttempt
from holdfast.console.forms import Form, FormUnreadable, read_form
from holdfast.console.leases import ProviderLease
from holdfast.console.provider import ERROR_LENGTH_MAX, Granted, Provider
from holdfast.console.sessions import SESSION_S_MAX, NotSignedIn, Sessions, Tell
from holdfast.console.statuses import status_of
from holdfast.console.visit import ROOT, own, page, to, words_of

log = structlog.get_logger()

_FORM_BYTES_MAX = 32 * 1024  # of what anybody may send: a password, or the longest token
_DEVICE_S_MAX = 180 * 24 * 3_600


def _why(request: Request, error: HoldfastError) -> str:
    """Why somebody is not signed in, as a stranger may know it: not where services are."""
    if not isinstance(error, Unavailable | DeadlineExceeded):
        return error.message
    log.warning("nobody can be signed in", error=error.message)
    return words_of(request).say("sign.services_away")


def without_head(route: Route) -> Route:
    """A route of what happens once, or does not end: who asks for its head asks for nothing."""
    route.methods = {"GET"}
    return route


class SigningIn:
    """Who gets a session, and loses it.

    :param provider: None: people have keys alone.
    :param public_url: by which browsers come; "": by whichever they do.
    :param secure: they come by HTTPS: cookies are for that alone.
    """

    def __init__(
        self,
        sessions: Sessions,
        provider: Provider | None,
        tell_s: Tell,
        *,
        public_url: str = "",
        secure: bool,
    ) -> None:
        self._sessions, self._provider, self._tell_s = sessions, provider, tell_s
        self._public_url, self._scheme = public_url, "https" if secure else "http"
        self._attempts = Attempts()
        self._cookie = "__Host-holdfast" if secure else "holdfast-console"
        self._attempt_cookie = f"{self._cookie}-attempt"
        self._how: dict[str, Any] = {
            "httponly": True,
            "samesite": "lax",
            "secure": secure,
            "path": "/" if secure else ROOT,
        }

    def routes(self) -> list[Route]:
        """Return what is asked for by those who are not signed in."""
        found = [
            without_head(Route("/enter/{secret}", self._enter)),
            Route("/sign-in", self._sign_in, methods=["GET", "POST"]),
            Route("/sign-out", self._sign_out, methods=["POST"]),
        ]
        if self._provider is not None:
            found.append(without_head(Route("/sign-in/provider", self._send)))
            found.append(without_head(Route("/sign-in/back", self._take_back)))
        return found

    def secret_of(self, request: Request) -> str:
        """Return what a browser has of its session; "": nothing."""
        return request.cookies.get(self._cookie, "")

    async def _enter(self, request: Request) -> Response:
        """Sign in by a link that works once."""
        credential = self._sessions.take(request.path_params["secret"])
        if credential is None:
            return self._asked(request, 410, error=words_of(request).say("sign.used"))
        return await self._by_key(request, credential, "")

    async def _sign_in(self, request: Request) -> Response:
        """Sign in by a name and its password; or by a key or a token, if one was typed."""
        words = words_of(request)
        if request.method != "POST":
            asked = request.query_params
            flaw = words.say("sign.unsent") if asked.get("unsent") else ""
            return self._asked(request, 200, flaw=flaw, after=asked.get("next", ""))
        try:
            form = await read_form(request, words, "sign-in", _FORM_BYTES_MAX)
        except FormUnreadable:
            return self._asked(request, 400, error=words.say("error.form"))
        if not form.text("key") and (form.text("name") or form.values.get("password")):
            return await self._by_password(request, form)
        if not form.text("key"):
            error = words.say("sign.empty")
            return self._asked(request, 400, error=error, after=form.text("next"))
        return await self._by_key(request, form.text("key"), form.text("next"))

    async def _by_key(self, request: Request, credential: str, after: str) -> Response:
        try:
            secret = await self._sessions.begin(credential)
        except HoldfastError as error:
            status = 401 if isinstance(error, Unauthenticated | InvalidRequest) else 503
            return self._asked(request, status, error=_why(request, error), after=after)
        return await self._begun(request, secret, after)

    async def _by_password(self, request: Request, form: Form) -> Response:
        words, name, after = form.words, form.text("name"), form.text("next")
        # Theirs alone, as several may use one browser; see `Users.sign_in` of the client.
        kept = f"{self._cookie}-device-{sha256(name.lower().encode()).hexdigest()[:16]}"
        try:
            secret, device = await self._sessions.begin_by_password(
                name, form.values.get("password", ""), request.cookies.get(kept, "")
            )
        except (Unauthenticated, InvalidRequest):
            return self._asked(request, 401, wrong=words.say("sign.wrong"), name=name, after=after)
        except Overloaded as error:
            wrong = words.say("sign.slow", seconds=words.number(round(error.retry_after_s or 1)))
            return self._asked(request, 429, wrong=wrong, name=name, after=after)
        except HoldfastError as error:
            status = status_of(error)
            wrong = _why(request, error)
            return self._asked(request, status, wrong=wrong, name=name, after=after)
        answer = await self._begun(request, secret, after)
        answer.set_cookie(kept, device, max_age=_DEVICE_S_MAX, **self._how)
        return answer

    async def _begun(self, request: Request, secret: str, after: str) -> Response:
        await self._sessions.end(self.secret_of(request))
        answer = RedirectResponse(own(after), 303)
        answer.set_cookie(self._cookie, secret, max_age=round(SESSION_S_MAX), **self._how)
        return answer

    async def _send(self, request: Request) -> Response:
        """Send somebody to the provider, who says who they are."""
        assert self._provider is not None, "else there is no such path"
        attempt = self._attempts.begin(request.query_params.get("next", ""), self._tell_s())
        try:
            way = await self._provider.way_there(
                self._back_to(request), attempt.state, attempt.nonce, attempt.challenge
            )
        except NotSignedIn as why:
            return self._not(request, why, attempt.after)
        answer = RedirectResponse(way, 303, {"cache-control": "no-store"})
        answer.set_cookie(self._attempt_cookie, attempt.cookie, max_age=ATTEMPT_S_MAX, **self._how)
        return answer

    async def _take_back(self, request: Request) -> Response:
        """Sign in who comes back from the provider."""
        after = ""
        try:
            cookie, state = request.cookies.get(self._attempt_cookie, ""), request.query_params
            attempt = self._attempts.find(cookie, state.get("state", ""), self._tell_s())
            after = attempt.after
            granted = await self._granted(request, attempt.verifier, attempt.nonce)
            answer = await self._begun(request, await self._by_grant(granted), after)
        except NoAttempt:
            answer = self._not(request, NotSignedIn("sign.state", 400), after)
        except AttemptOver:
            answer = self._not(request, NotSignedIn("sign.late", 400), after)
        except NotSignedIn as why:
            answer = self._not(request, why, after)
        except HoldfastError as error:
            answer = self._asked(request, 503, flaw=_why(request, error), after=after)
        answer.delete_cookie(self._attempt_cookie, **self._how)
        return answer

    async def _granted(self, request: Request, verifier: str, nonce: str) -> Granted:
        assert self._provider is not None, "else there is no such path"
        told: Mapping[str, str] = request.query_params
        await self._provider.require_its_answer(told.get("iss"))
        error = told.get("error", "" if told.get("code") else "no code")[:ERROR_LENGTH_MAX]
        if error == "access_denied":
            raise NotSignedIn("sign.denied", 403, provider=self._provider.name)
        if error:
            raise NotSignedIn("sign.refused", 400, provider=self._provider.name, error=error)
        return await self._provider.redeem(told["code"], self._back_to(request), verifier, nonce)

    async def _by_grant(self, granted: Granted) -> str:
        """Begin a session by the access token, or by the ID token where services want that."""
        assert self._provider is not None, "nobody else grants anything"
        refusals = []
        for by_id_token in (False, True):
            lease = ProviderLease(self._provider, granted, self._tell_s, by_id_token=by_id_token)
            try:
                return await self._sessions.begin(lease.token, lease)
            except (Unauthenticated, InvalidRequest) as refused:
                refusals.append(refused.message)
        by_access, by_id = refusals
        raise NotSignedIn(
            "sign.services", 403, provider=self._provider.name, access=by_access, id=by_id
        )

    async def _sign_out(self, request: Request) -> Response:
        """Sign out here, and lead to where the provider does, if it does."""
        session = await self._sessions.end(self.secret_of(request))
        way = ""
        if session is not None and session.lease is not None:
            way = session.lease.way_out(f"{self._base(request)}{ROOT}/sign-in")
        if way and self._provider is not None:
            answer = page(
                words_of(request), "signed_out.html", provider=self._provider.name, way=way
            )
            # Not a redirection: pages may send forms to this console alone, by whatever way.
            answer.headers["refresh"] = f"0; url={way}"
        else:
            answer = to("/sign-in")
        answer.delete_cookie(self._cookie, **self._how)
        return answer

    def _base(self, request: Request) -> str:
        return self._public_url or f"{self._scheme}://{request.headers.get('host', '')}"

    def _back_to(self, request: Request) -> str:
        return f"{self._base(request)}{ROOT}/sign-in/back"

    def _not(self, request: Request, why: NotSignedIn, after: str) -> Response:
        flaw = words_of(request).say(why.text, **why.facts)
        return self._asked(request, why.status, flaw=flaw, after=after)

    def _asked(
        self,
        request: Request,
        status: int,
        *,
        error: str = "",
        flaw: str = "",
        wrong: str = "",
        name: str = "",
        after: str = "",
    ) -> Response:
        """The page that asks who somebody is.

        :param error: what is wrong with the key; `flaw` with signing in at the provider, or why
            they are asked; `wrong` with the name that was typed, or its password.
        """
        there = "" if self._provider is None else f"{self._public_url}{ROOT}/sign-in/provider"
        return page(
            words_of(request),
            "sign_in.html",
            status,
            error=error,
            flaw=flaw,
            wrong=wrong,
            name=name,
            after=after,
            provider="" if self._provider is None else self._provider.name,
            there=there,
        )
