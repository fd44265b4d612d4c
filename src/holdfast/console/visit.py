"""One request of somebody who is signed in: who they are, what they may, how pages are shown."""

from collections.abc import Callable, Coroutine, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from holdfast.chassis.turns import Turns
from holdfast.client import Caller, Holdfast, new_request_id
from holdfast.console.forms import Form, read_form
from holdfast.console.intake import Intakes
from holdfast.console.sessions import Session
from holdfast.console.static_files import static_files
from holdfast.console.views import LISTS, Views, filter_of
from holdfast.console.words import Words, chosen, languages

ROOT = "/console"
LANGUAGE = "holdfast-language"  # a cookie that says which one somebody chose

T = TypeVar("T")


@cache
def environment() -> Environment:
    """All templates; a name that is not there is an error, and everything is escaped."""
    made = Environment(
        loader=PackageLoader("holdfast.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static"] = lambda name: f"{ROOT}/static/{static_files()[name].path}"
    made.globals["query"] = lambda **names: urlencode([(k, v) for k, v in names.items() if v])
    made.globals["languages"] = languages
    made.globals["new_id"] = new_request_id
    made.globals["root"] = ROOT
    return made


def rendered(words: Words, template: str, facts: Mapping[str, Any]) -> str:
    """Return a page or a part of one."""
    told = {
        "t": words.say,
        "words": words,
        "said": "",
        "caller": None,
        "here": "",
        "title": "",
        "sought": "",
    }
    return environment().get_template(template).render(told | dict(facts))


def page(words: Words, template: str, status: int = 200, **facts: Any) -> Response:
    """Answer with a page for whoever it is."""
    headers = {"cache-control": "no-store", "content-language": words.language}
    return HTMLResponse(rendered(words, template, facts), status, headers)


def to(path: str, **query: str) -> Response:
    """Send the browser to a page of ours, which it asks for by GET."""
    asked = urlencode({name: value for name, value in query.items() if value})
    return RedirectResponse(f"{ROOT}{path}{'?' if asked else ''}{asked}", 303)


def words_of(request: Request) -> Words:
    """Return the language for a browser."""
    accepted = request.headers.get("accept-language", "")
    return chosen(request.cookies.get(LANGUAGE, ""), accepted)


def own(path: str) -> str:
    """A path of ours, or else the first page: nobody is sent elsewhere by what a URL says."""
    is_own = path.startswith(f"{ROOT}/") and "\\" not in path and path.isprintable()
    return path if is_own and "/enter/" not in path and "/sign-in" not in path else ROOT


@dataclass(frozen=True, slots=True)
class Visit:
    """What a screen is given."""

    request: Request
    session: Session
    words: Words
    now: datetime
    intakes: Intakes
    views: Views
    turns: Turns

    @property
    def client(self) -> Holdfast:
        return self.session.client

    @property
    def caller(self) -> Caller:
        return self.session.caller

    def may(self, scope: str) -> bool:
        return scope in self.caller.scopes

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def asked(self, name: str) -> str:
        return self.request.query_params.get(name, "").strip()

    async def form(self, name: str) -> Form:
        """:raises FormUnreadable: what was sent is no form."""
        return await read_form(self.request, self.words, name)

    async def once(self, form: Form, act: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do what a form says, once however often it is sent: for what has no request id of its
        own with the services. Whatever differs in it makes it another one.
        """
        # Not what it says itself: there may be a password in it.
        values = repr(sorted(form.values.items())).encode("utf-8", "surrogatepass")
        said = (self.request.url.path, sha256(values).digest())
        return await self.session.once(said, act)

    async def answer_once(
        self, form: Form, act: Callable[[], Coroutine[Any, Any, Response]]
    ) -> Response:
        """Likewise, where what came of it is an answer."""
        kept = await self.once(form, act)
        answer = copy(kept)
        answer.raw_headers = list(kept.raw_headers)  # whoever sends it writes into them
        return answer

    def show(self, template: str, status: int = 200, **facts: Any) -> Response:
        return page(self.words, template, status, **self.told(), **facts)

    def part(self, template: str, **facts: Any) -> str:
        return rendered(self.words, template, self.told() | facts)

    def told(self) -> dict[str, Any]:
        """What every page of somebody who is signed in knows."""
        said = self.asked("said")
        known = self.words.has(f"said.{said}")
        return {
            "caller": self.caller,
            "may": self.may,
            "said": self.words.say(f"said.{said}") if known else "",
            "here": self.request.url.path,
            "saved": self._saved(),
        }

    def _saved(self) -> dict[str, Any] | None:
        """Saved views of the list that is shown; None: it is no list."""
        path = self.request.url.path.removeprefix(ROOT)
        if path not in LISTS:
            return None
        try:
            query = filter_of(self.request.url.query)
        except ValueError:
            query = ""
        found = [one for one in self.views.of(self.caller.name) if one.path == path]
        return {"path": path, "query": query, "views": found}
