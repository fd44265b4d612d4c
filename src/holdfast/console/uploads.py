"""Forms that bring a file along: the file goes to disk as it comes, never through memory."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from hashlib import sha256
from pathlib import Path
from typing import IO

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from holdfast.console.forms import Form, FormUnreadable, number_in
from holdfast.console.words import Words

FILE_BYTES_MAX = 100 * 1024 * 1024
FILE_S_MAX = 600.0  # for all of it to arrive
PART_S_MAX = 30.0  # and between two parts of it
FIELDS_MAX = 50
FIELD_BYTES_MAX = 64 * 1024
_AROUND_BYTES_MAX = 1024 * 1024  # of what stands around the file


class TooLarge(Exception):
    """The file has more than FILE_BYTES_MAX bytes."""


class TooSlow(Exception):
    """The file did not come within FILE_S_MAX, or nothing of it for PART_S_MAX."""


async def read_upload(request: Request, words: Words, name: str, path: Path) -> tuple[Form, str]:
    """Read a form with one file in it, named `file`, which is then at `path`.

    :return: the form, and what the file was called; "": none was chosen, and none is there.
    :raises FormUnreadable: it is no such form, or did not come in time.
    :raises TooLarge: nothing of it is kept.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise FormUnreadable
    told = number_in(request.headers.get("content-length", ""))
    if told is not None and told > FILE_BYTES_MAX + _AROUND_BYTES_MAX:
        raise TooLarge
    parser = MultiPartParser(
        request.headers,
        _bounded(request, FILE_BYTES_MAX + _AROUND_BYTES_MAX),
        max_files=1,
        max_fields=FIELDS_MAX,
        max_part_size=FIELD_BYTES_MAX,
    )
    try:
        found = await parser.parse()
    except (MultiPartException, ClientDisconnect, TooSlow) as error:
        raise FormUnreadable from error
    file = found.get("file")
    fields = {key: value for key, value in found.multi_items() if isinstance(value, str)}
    form = Form(words, name, {key: text.replace("\r\n", "\n") for key, text in fields.items()})
    try:
        if not isinstance(file, UploadFile) or not file.filename:
            return form, ""
        if (file.size or 0) > FILE_BYTES_MAX:
            raise TooLarge
        await asyncio.to_thread(_keep, file.file, path)
        return form, file.filename.replace("\\", "/").rpartition("/")[2]
    finally:
        await found.close()


async def keep_body(request: Request, path: Path) -> str:
    """Put the body of a request at a path, and return its SHA-256; what is there after an error is
    the caller's.

    :raises TooLarge, TooSlow: it has more than FILE_BYTES_MAX bytes, or did not come in time.
    """
    digest = sha256()
    with path.open("xb") as target:
        async for part in _bounded(request, FILE_BYTES_MAX):
            digest.update(part)
            await asyncio.to_thread(target.write, part)
    return digest.hexdigest()


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    taken, parts, now_s = 0, request.stream(), asyncio.get_running_loop().time
    end_s = now_s() + FILE_S_MAX
    while True:
        try:
            async with asyncio.timeout_at(min(now_s() + PART_S_MAX, end_s)):
                part = await anext(parts, None)
        except TimeoutError as error:
            raise TooSlow from error
        if part is None:
            return
        taken += len(part)
        if taken > most:
            raise TooLarge
        yield part


def _keep(source: IO[bytes], path: Path) -> None:
    with path.open("xb") as target:
        shutil.copyfileobj(source, target)
