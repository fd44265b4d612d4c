"""Files in: brought, looked at, taken in; each step is shown as it goes."""

import asyncio
from collections.abc import AsyncIterator, Collection
from enum import StrEnum
from typing import Any, TypeVar

from starlette.responses import Response, StreamingResponse

from holdfast.chassis.money import DIGITS as CURRENCIES
from holdfast.client import new_request_id
from holdfast.console.forms import Form
from holdfast.console.intake import BATCH, Full, Intake, Intakes, owner_of
from holdfast.console.screens.files import MEGABYTES_MAX, may_bring, shown
from holdfast.console.uploads import TooLarge, read_upload
from holdfast.console.visit import Visit, to
from holdfast.exchange.files import FileOptions
from holdfast.exchange.imports import ImportOptions
from holdfast.exchange.kinds import LineNote
from holdfast.exchange.values import ValueOptions
from holdfast.importing.dates import DateOrder
from holdfast.importing.encodings import Encoding
from holdfast.importing.locales import Locale
from holdfast.importing.tables import TableOptions

TELL_EVERY_S = 0.5
STREAM_S_MAX = 300.0  # the browser asks again
NOTES_SHOWN = 200

Choice = TypeVar("Choice", bound=StrEnum)


async def bring(visit: Visit) -> Response:
    """Keep a file, and look what would become of it."""
    intakes, owner, intake_id = visit.intakes, owner_of(visit.caller), new_request_id()
    path = intakes.place(intake_id)
    is_kept = False
    try:
        with intakes.coming(owner):
            form, name = await read_upload(visit.request, visit.words, "bring", path)
        known = intakes.brought(form.text("request_id"), owner)
        if known is not None:
            return to(f"/imports/{known.intake_id}")
        kind, options = form.text("kind"), options_of(form, may_bring(visit))
        if not name:
            form.errors["file"] = visit.words.say("files.choose")
        if not form.errors:
            _require_room(intakes, owner, form)
        if form.errors:
            form.errors.setdefault("file", visit.words.say("files.once_more"))
            return shown(visit, form, 400)
        intake = Intake(
            intake_id,
            owner,
            visit.caller.name,
            form.text("request_id"),
            kind,
            name,
            path,
            options,
            visit.session.another,
        )
        is_kept = True
    except TooLarge:
        form = Form(visit.words, "bring")
        form.errors["file"] = visit.words.say("files.too_large", megabytes=MEGABYTES_MAX)
        return shown(visit, form, 413)
    except Full:
        form = Form(visit.words, "bring")
        form.errors[""] = visit.words.say("files.full")
        return shown(visit, form, 429)
    finally:
        if not is_kept:
            path.unlink(missing_ok=True)
    intakes.take_up(intake)
    return to(f"/imports/{intake_id}")


def _require_room(intakes: Intakes, owner: str, form: Form) -> None:
    try:
        intakes.require_room(owner)
    except Full:
        form.errors[""] = form.words.say("files.full")


def options_of(form: Form, kinds: Collection[str]) -> FileOptions:
    """What was chosen, of one of these kinds, to be looked at; errors of it are in the form."""
    kind = form.text("kind")
    if kind not in kinds:
        form.errors["kind"] = form.words.say("files.kind_not")
    currency = form.text("currency").upper() or "GBP"
    if currency not in CURRENCIES:
        form.errors["currency"] = form.words.say("files.currency_not")
    values = ValueOptions(
        _chosen(form, "locale", Locale), _chosen(form, "dates", DateOrder), currency
    )
    table = TableOptions(
        _chosen(form, "encoding", Encoding), ignore_unknown=bool(form.text("ignore_unknown"))
    )
    is_stock = kind == "stock"
    how = ImportOptions(dry_run=True, values=values, batch=BATCH)
    return FileOptions(
        table=table,
        how=how,
        again=is_stock and bool(form.text("again")),
        displace=is_stock and bool(form.text("displace")),
    )


def _chosen(form: Form, name: str, kind: type[Choice]) -> Choice | None:
    text = form.text(name)
    found = next((one for one in kind if one.value == text), None)
    if text and found is None:
        form.errors[name] = form.words.say("files.none_of")
    return found


async def one(visit: Visit) -> Response:
    """Show how far a file is, and what can be done with it."""
    intake = _found(visit)
    if intake is None:
        return _gone(visit)
    return visit.show("import.html", 200, **_facts(intake))


async def take(visit: Visit) -> Response:
    """Take a file in, or go on with what was broken off."""
    intake = _found(visit)
    if intake is None:
        return _gone(visit)
    intake.open_client = visit.session.another
    if intake.look is None:
        visit.intakes.look(intake)
    else:
        visit.intakes.take(intake)
    return to(f"/imports/{intake.intake_id}")


async def stop(visit: Visit) -> Response:
    """Break off what is under way."""
    intake = _found(visit)
    if intake is None:
        return _gone(visit)
    await visit.intakes.stop(intake, visit.words.say("files.stopped"))
    return to(f"/imports/{intake.intake_id}")


async def remove(visit: Visit) -> Response:
    """Forget a file."""
    intake = _found(visit)
    if intake is not None:
        visit.intakes.remove(intake)
    return to("/files")


async def live(visit: Visit) -> Response:
    """Send how far a file is, until it moves no more."""
    intake = _found(visit)
    if intake is None:
        return Response("event: over\ndata:\n\n", media_type="text/event-stream")
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_steps(visit, intake), 200, headers, "text/event-stream")


async def _steps(visit: Visit, intake: Intake) -> AsyncIterator[str]:
    over = asyncio.create_task(visit.session.over.wait())
    ends_s = asyncio.get_running_loop().time() + STREAM_S_MAX
    try:
        while not over.done() and asyncio.get_running_loop().time() < ends_s:
            text = visit.part("import_facts.html", **_facts(intake))
            yield "".join(f"data: {line}\n" for line in text.splitlines()) + "\n"
            if not intake.is_moving:
                yield "event: over\ndata:\n\n"
                return
            waited_for = {over, intake.task} if intake.task is not None else {over}
            await asyncio.wait(
                waited_for, timeout=TELL_EVERY_S, return_when=asyncio.FIRST_COMPLETED
            )
    finally:
        over.cancel()


def _found(visit: Visit) -> Intake | None:
    return visit.intakes.find(visit.path("intake_id"), owner_of(visit.caller))


def _gone(visit: Visit) -> Response:
    return visit.show("error.html", 404, detail=visit.words.say("files.gone"), again="")


def _facts(intake: Intake) -> dict[str, Any]:
    report = intake.report or intake.look
    notes: dict[str, list[LineNote]] = {"problems": [], "warnings": []}
    if report is not None:
        notes["problems"] = report.problems[:NOTES_SHOWN]
        notes["warnings"] = report.warnings[:NOTES_SHOWN]
    return {"intake": intake, "report": report, "notes_shown": NOTES_SHOWN, **notes}
