"""Files out: what there is, as `holdfast export` writes it, sent while it is read."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack
from datetime import datetime
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO

from anyio import to_thread
from starlette.responses import Response, StreamingResponse

from holdfast.chassis import times
from holdfast.client import Holdfast
from holdfast.console.forms import Form
from holdfast.console.screens.files import STATUSES, may_fetch, shown
from holdfast.console.visit import Visit
from holdfast.exchange.exports import COLUMNS, Row, Wanted, behind, rows
from holdfast.exchange.writing import CannotWrite, writer
from holdfast.importing.tables import FileKind

PIECE_BYTES = 64 * 1024
_TYPES = {
    FileKind.CSV: "text/csv; charset=utf-8",
    FileKind.JSON_LINES: "application/x-ndjson",
    FileKind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


async def export(visit: Visit) -> Response:
    """Send a file; what is wrong with the form, or with the first rows, is a page instead."""
    form = Form(visit.words, "export", dict(visit.request.query_params))
    if form.text("kind") not in may_fetch(visit):
        form.errors["kind"] = visit.words.say("files.kind_not")
    return await exported(visit.client, form, visit.now) or shown(visit, form, 400)


async def exported(client: Holdfast, form: Form, now: datetime) -> StreamingResponse | None:
    """Build the file that a form asks for; None: errors are in the form."""
    kind, wanted = form.text("kind"), Wanted()
    asked = form.text("format") or FileKind.CSV
    ending = next((one for one in FileKind if one == asked), FileKind.CSV)
    if asked != ending:
        form.errors["format"] = form.words.say("files.none_of")
    if kind == "orders":
        wanted = _wanted(form)
    if form.errors:
        return None
    found = rows(client, kind, wanted)
    first = await anext(found, None)
    if ending is FileKind.XLSX:
        try:
            pieces = _workbook(await _written(kind, first, found))
        except CannotWrite as error:
            form.errors[""] = str(error)
            return None
    else:
        pieces = _texts(kind, ending, first, found)
    name = f"{kind}-{now:%Y-%m-%d}.{ending}"
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store",
        "x-accel-buffering": "no",
    }
    return StreamingResponse(pieces, 200, headers, _TYPES[ending])


def _wanted(form: Form) -> Wanted:
    status = next((one for one in STATUSES if one == form.text("status")), None)
    if form.text("status") and status is None:
        form.errors["status"] = form.words.say("files.none_of")
    first = last = None
    try:
        first = times.parse(form.text("from")) if form.text("from") else None
    except ValueError:
        form.errors["from"] = form.words.say("filter.time")
    try:
        last = behind(form.text("to")) if form.text("to") else None
    except ValueError:
        form.errors["to"] = form.words.say("filter.time")
    if first is not None and last is not None and last <= first:  # it is behind what was typed
        form.errors["to"] = form.words.say("filter.order")
    return Wanted(first, last, status)


async def _texts(
    kind: str, ending: FileKind, first: Row | None, found: AsyncIterator[Row]
) -> AsyncGenerator[bytes]:
    """Pieces of a file of text. Where it can't be read to its end it breaks off, and the browser
    tells so: no file looks whole that is not.
    """
    stream = BytesIO()
    with writer(stream, ending, COLUMNS[kind]) as out:
        if first is not None:
            out.row(first)
        async for row in found:
            out.row(row)
            if stream.tell() >= PIECE_BYTES:
                yield _taken(stream)
    yield _taken(stream)


def _taken(stream: BytesIO) -> bytes:
    piece = stream.getvalue()
    stream.seek(0)
    stream.truncate()
    return piece


async def _written(kind: str, first: Row | None, found: AsyncIterator[Row]) -> IO[bytes]:
    """A workbook on disk: it is packed when all its rows are there.

    :raises CannotWrite: a sheet can't hold this.
    """
    with ExitStack() as unless_done, ExitStack() as book:
        stream = unless_done.enter_context(TemporaryFile())
        out = book.enter_context(writer(stream, FileKind.XLSX, COLUMNS[kind]))
        if first is not None:
            out.row(first)
        async for row in found:
            out.row(row)
        await to_thread.run_sync(book.pop_all().close)
        unless_done.pop_all()
    return stream


async def _workbook(stream: IO[bytes]) -> AsyncGenerator[bytes]:
    with stream:
        stream.seek(0)
        while piece := await to_thread.run_sync(stream.read, PIECE_BYTES):
            yield piece
