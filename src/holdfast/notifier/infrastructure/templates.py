"""The words of mails, from Jinja templates: the operator's own before ours.

Each language has a folder, in it each kind of mail has three files: `confirmed.subject`,
`confirmed.txt` and `confirmed.html`. A file of the operator's folder takes the place of ours of the
same name. Where there is such a folder, all are tried at the start on two orders, one with
everything and one with only what every order has: so a slip is known then, and not when the first
such mail is due. Files that change afterwards count at the next start.
"""

import re
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from holdfast.client import Order
from holdfast.notifier.application.mails.ports import News, Rendered, TemplateFailed
from holdfast.notifier.domain.mail import Language, MailKind
from holdfast.notifier.infrastructure.example_order import examples
from holdfast.notifier.infrastructure.mail_words import (
    date_in,
    money_in,
    name_of,
    number_of,
    one_line,
    printable,
)

OURS = Path(__file__).with_name("templates")
PARTS = ("subject", "txt", "html")
SUBJECT_CHARACTERS_MAX = 200
CAUSE_CHARACTERS_MAX = 300


class Templates:
    """What is said in mails, in every language.

    A template sees `order` (as the client library gives it), `shipment`, `receipt` and `refund`
    (what the mail is about, else none), `number`, `name` and `shop_name`, and the filters `money`
    and `date`. It runs in Jinja's sandbox, HTML is escaped, and a variable that does not exist is
    an error.

    :param shop_name: who writes.
    :param folder: of templates that take the place of ours; None: none do.
    :param zone: whose days are told.
    :raises TemplateFailed: a template is broken, fails with an example, or is in no use.
    """

    def __init__(self, shop_name: str, folder: Path | None, zone: tzinfo) -> None:
        self._shop_name = shop_name
        self._environments = {
            language: _environment(language, folder, zone) for language in Language
        }
        if folder is not None:
            self._check(folder)

    def _check(self, folder: Path) -> None:
        """Read and try every template, since one of the operator's own may be a part of any."""
        _require_languages(folder)
        for language, environment in self._environments.items():
            _read_all(environment)
            for kind in MailKind:
                for order, news in examples(kind):
                    self._render(kind, language, order, news, in_full=True)
            if (folder / language).is_dir():
                _require_used(environment, folder / language)

    def render(self, kind: MailKind, language: Language, order: Order, news: News) -> Rendered:
        """Fill the templates of a kind.

        :raises TemplateFailed: one of them fails with this order; the message tells the kind of
            error, and no more: the rest may be the customer's.
        """
        return self._render(kind, language, order, news, in_full=False)

    def _render(
        self, kind: MailKind, language: Language, order: Order, news: News, *, in_full: bool
    ) -> Rendered:
        environment = self._environments[language]
        facts = {
            "order": order,
            "number": number_of(order),
            "name": name_of(order.customer.name),
            "shop_name": self._shop_name,
            **news._asdict(),
        }
        filled = []
        for name in (f"{kind}.{part}" for part in PARTS):
            with _told(environment, name, in_full=in_full):
                filled.append(environment.get_template(name).render(facts))
        subject, text, html = one_line(filled[0]), *map(_tidied, filled[1:])
        if not subject:
            raise TemplateFailed(f"{_place(environment, f'{kind}.subject')}: the subject is empty")
        if len(subject) > SUBJECT_CHARACTERS_MAX:
            subject = f"{subject[: SUBJECT_CHARACTERS_MAX - 1]}…"
        return Rendered(subject, text, html)


def _environment(language: Language, folder: Path | None, zone: tzinfo) -> jinja2.Environment:
    folders = [OURS / language] if folder is None else [folder / language, OURS / language]
    environment = ImmutableSandboxedEnvironment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=_is_html,
        undefined=jinja2.StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    environment.filters["money"] = money_in(language)
    environment.filters["date"] = date_in(language, zone)
    return environment


def _is_html(name: str | None) -> bool:
    return name is None or name.endswith(".html")


def _finalized(value: Any) -> Any:
    """What is printed, without control characters; what is escaped already stays as it is."""
    if value is None:
        raise TypeError("None would be printed: ask with `if` whether it is there")
    is_escaped = hasattr(value, "__html__")
    return printable(value) if isinstance(value, str) and not is_escaped else value


def _read_all(environment: jinja2.Environment) -> None:
    for name in environment.list_templates(filter_func=_is_template):
        with _told(environment, name, in_full=True):
            environment.get_template(name)


def _is_template(name: str) -> bool:
    return name.rpartition(".")[2] in PARTS and "/" not in name and not name.startswith(".")


def _tidied(text: str) -> str:
    """Leave one empty line of several."""
    return re.sub(r"\n\s*\n", "\n\n", text.strip()) + "\n"


@contextmanager
def _told(environment: jinja2.Environment, name: str, *, in_full: bool) -> Iterator[None]:
    """Turn whatever a template raises into one error that names file, line and cause.

    :param in_full: tell also what the error says, which may quote the order.
    """
    try:
        yield
    except Exception as error:
        place = _place_of(error, environment) or _place(environment, name)
        cause = _cause(error) if in_full else type(error).__name__
        raise TemplateFailed(f"{place}: {cause}") from error


def _place_of(error: Exception, environment: jinja2.Environment) -> str | None:
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"{error.filename or error.name}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    folders = tuple(f"{folder}/" for folder in _folders(environment))
    places = [frame for frame in frames if frame.filename.startswith(folders)]
    return f"{places[-1].filename}, line {places[-1].lineno}" if places else None


def _place(environment: jinja2.Environment, name: str) -> str:
    files = [Path(folder) / name for folder in _folders(environment)]
    return str(next((file for file in files if file.exists()), name))


def _folders(environment: jinja2.Environment) -> Sequence[str]:
    assert isinstance(environment.loader, jinja2.FileSystemLoader), "it was made so"
    return environment.loader.searchpath


def _cause(error: Exception) -> str:
    if isinstance(error, jinja2.TemplateNotFound):
        return f"there is no template {error.name}"
    if isinstance(error, UnicodeDecodeError):
        return "is not in UTF-8"
    if isinstance(error, OSError):
        return error.strerror or "can't be read"
    return f"{type(error).__name__}: {one_line(str(error))[:CAUSE_CHARACTERS_MAX]}"


def _require_languages(folder: Path) -> None:
    """See that what lies in the operator's folder lies in one of a language."""
    if not folder.is_dir():
        raise TemplateFailed(f"{folder}: there is no such folder")
    known = " or ".join(Language)
    for one in sorted(folder.iterdir()):
        if one.is_dir() and not one.name.startswith(".") and one.name not in set(Language):
            raise TemplateFailed(f"{one}: no language of mails; there are {known}")
        if _is_template(one.name) and one.is_file():
            raise TemplateFailed(f"{one}: belongs into the folder of its language, {known}")


def _require_used(environment: jinja2.Environment, folder: Path) -> None:
    """See that no file has a misspelt name: it would never be looked at."""
    assert environment.loader is not None, "it was made so"
    names = environment.list_templates(filter_func=_is_template)
    used: set[str | None] = {f"{kind}.{part}" for kind in MailKind for part in PARTS}
    for name in names:
        source, _, _ = environment.loader.get_source(environment, name)
        used.update(meta.find_referenced_templates(environment.parse(source)))
    if None in used:
        return  # a name is worked out while a mail is written
    lost = sorted(name for name in names if name not in used and (folder / name).exists())
    if lost:
        kinds = ", ".join(MailKind)
        raise TemplateFailed(
            f"{folder / lost[0]}: no mail uses it; kinds of mails are {kinds}, and each has "
            "a .subject, a .txt and a .html"
        )
