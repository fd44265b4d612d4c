"""Bytes to text: what a file is made of, recognised where it can be and named where it can't."""

import codecs
import gzip
import hashlib
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from io import BufferedReader
from pathlib import Path

from holdfast.importing.flaws import UnreadableFile, UnreadableText, why

PIECE_BYTES = 65_536

_GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04", b"PK\x05\x06"  # with something in it, or nothing; a column may be called PK
# Byte order marks; the longer ones first, since UTF-32's begins like UTF-16's.
_NOT_READ = "which is not read here"
_MARKS = (
    (b"\xff\xfe\0\0", None),
    (b"\0\0\xfe\xff", None),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAVE_AS = 'save it as "CSV UTF-8"'
_UNPACK = "unpack it, or pack it with gzip"
_JSON = "JSON"
_OTHER_KINDS = (
    (ZIP, "a workbook (xlsx, ods) or a zip archive", f"open it and {_SAVE_AS}"),
    (
        b"\xd0\xcf\x11\xe0",
        "a workbook of an old Excel (xls), or one with a password",
        f"open it and {_SAVE_AS}",
    ),
    (b"%PDF", "a PDF", "ask for the table as CSV"),
    (b"{\\rtf", "a text document (RTF)", f"open it and {_SAVE_AS}"),
    (b"PAR1", "a Parquet file", "write it as CSV"),
    (b"SQLite format 3\0", "a SQLite database", "write the table as CSV"),
    (b"BZh", "packed with bzip2", _UNPACK),
    (b"\xfd7zXZ\0", "packed with xz", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (_GZIP, "packed with gzip twice", "unpack it once"),
    (b"<", "a web page or XML", f"open it in a spreadsheet and {_SAVE_AS}"),
    (b"{", _JSON, "write it as CSV"),
    (b"[", _JSON, "write it as CSV"),
)


class Encoding(StrEnum):
    """The encodings that a person may name; without one it is UTF-8, or what a BOM says."""

    UTF_8 = "utf-8"
    UTF_16 = "utf-16"
    UTF_16_LE = "utf-16-le"
    UTF_16_BE = "utf-16-be"
    WINDOWS_1250 = "windows-1250"
    WINDOWS_1251 = "windows-1251"
    WINDOWS_1252 = "windows-1252"
    ISO_8859_1 = "iso-8859-1"
    ISO_8859_2 = "iso-8859-2"
    ISO_8859_15 = "iso-8859-15"
    MACINTOSH = "macintosh"
    SHIFT_JIS = "shift_jis"
    EUC_KR = "euc-kr"
    GB18030 = "gb18030"
    BIG5 = "big5"


# What Windows writes under these names, which has all of theirs and more: NEC's and IBM's letters,
# all of Hangul, the euro sign.
_CODECS: Mapping[str, str] = {
    Encoding.SHIFT_JIS: "cp932",
    Encoding.EUC_KR: "cp949",
    Encoding.BIG5: "cp950",
}


class TextOfFile:
    """The text of a file, plain or gzipped, piece by piece; no more than a piece is in memory."""

    def __init__(
        self, path: Path, encoding: Encoding | None = None, *, is_json: bool = False
    ) -> None:
        self._path, self._wanted, self._is_json = path, encoding, is_json
        self._hash = hashlib.sha256()
        self._place = _Place()

    @property
    def digest(self) -> str:
        """Of the bytes read so far, unpacked: whatever the file is called, and however packed."""
        return self._hash.hexdigest()

    def pieces(self) -> Iterator[str]:
        """The text, without a byte order mark at its front.

        :raises UnreadableFile: it cannot be opened.
        :raises UnreadableText: it is of another kind, in another encoding, or damaged.
        """
        with opened(self._path) as stream:
            head = self._read(stream)
            encoding, mark = _recognised(head, self._wanted, is_json=self._is_json)
            decoder = codecs.getincrementaldecoder(_CODECS.get(encoding, encoding))("strict")
            piece, is_last = head[len(mark) :], not head
            while True:
                try:
                    text = decoder.decode(piece, is_last)
                except UnicodeDecodeError as error:
                    raise self._undecodable(error, encoding) from error
                self._place.pass_over(text)
                yield text
                if is_last:
                    return
                piece = self._read(stream)
                is_last = not piece

    def _read(self, stream: BufferedReader | gzip.GzipFile) -> bytes:
        try:
            piece = stream.read(PIECE_BYTES)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableText(
                f"the archive is damaged after line {self._place.line:,} ({error}); nothing of it "
                "is used: get the file again"
            ) from error
        self._hash.update(piece)
        return piece

    def _undecodable(self, error: UnicodeDecodeError, encoding: str) -> UnreadableText:
        sound = error.object[: error.start]
        self._place.pass_over(sound.decode(_CODECS.get(encoding, encoding), "replace"))
        cure = (
            f"{_SAVE_AS}, or name its encoding: --encoding windows-1252 if it comes from Excel on "
            "Windows in Western Europe or America"
        )
        if self._wanted:
            cure = f"name another --encoding, or {_SAVE_AS}"
        return UnreadableText(
            f"line {self._place.line:,}, column {self._place.column:,}: the byte "
            f"0x{error.object[error.start]:02X} is not {encoding.upper()}; nothing of the file is "
            f"used: {cure}"
        )


class _Place:
    """Line and column (in characters, from 1) of what comes next."""

    def __init__(self) -> None:
        self.line, self.column = 1, 1
        self._after_cr = False

    def pass_over(self, text: str) -> None:
        if not text:
            return
        breaks = text.count("\n") + text.count("\r") - text.count("\r\n")
        if self._after_cr and text[0] == "\n":
            breaks -= 1
        self.line += breaks
        last = max(text.rfind("\n"), text.rfind("\r"))
        self.column = len(text) - last if last >= 0 else self.column + len(text)
        self._after_cr = text[-1] == "\r"


class Steadiness:
    """Whether a file is still the one that it was, or half of it was read of another."""

    def __init__(self, path: Path) -> None:
        """Look at it before anything of it is read.

        :raises UnreadableFile: it is not there.
        """
        self._path, self._before = path, _look(path)

    def require(self) -> None:
        """To be asked behind reading, and before anything is done with what was read.

        :raises UnreadableText: somebody wrote it meanwhile.
        """
        if _look(self._path) != self._before:
            raise UnreadableText(
                "somebody changed it while it was read, so nothing more of it was used: give the "
                "same command when it is whole"
            )


def _look(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise UnreadableFile(path, why(error), is_there=False) from error
    return found.st_ino, found.st_size, found.st_mtime_ns


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader | gzip.GzipFile]:
    """The bytes of a file, unpacked if they are packed with gzip.

    :raises UnreadableFile: it cannot be opened, or what is read of it is damaged.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            problem = "no regular file, and it is read more than once: save it first"
            raise UnreadableFile(path, problem, is_there=False)
        with path.open("rb") as plain:
            zipped = plain.peek(len(_GZIP)).startswith(_GZIP)
            with gzip.GzipFile(fileobj=plain) if zipped else plain as stream:
                yield stream
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableFile(path, f"it is damaged ({error}): get the file again") from error
    except OSError as error:
        raise UnreadableFile(path, why(error), is_there=False) from error


def _recognised(head: bytes, wanted: Encoding | None, *, is_json: bool) -> tuple[str, bytes]:
    """The encoding of a file that begins so, and its byte order mark."""
    if not head:
        raise UnreadableText("there is nothing in it: 0 bytes")
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            if encoding is None:
                raise UnreadableText(f"it is UTF-32, {_NOT_READ}: {_SAVE_AS}")
            return encoding, mark  # a mark is certain, whatever was named
    for signature, kind, cure in _OTHER_KINDS:
        if head.startswith(signature) and not (is_json and kind is _JSON):
            raise UnreadableText(f"it is {kind}, {_NOT_READ}: {cure}")
    if wanted in (None, Encoding.UTF_16):
        _require_no_utf_16(head)
    if wanted is Encoding.UTF_16:
        raise UnreadableText(
            "it has no mark that says which UTF-16 it is: say --encoding utf-16-le, or utf-16-be, "
            f"or {_SAVE_AS}"
        )
    return wanted or Encoding.UTF_8, b""


def _require_no_utf_16(head: bytes) -> None:
    sample = head[:200]
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(sample) > 1 and sample[first::2].count(0) * 2 > len(sample[first::2]):
            raise UnreadableText(
                f"it looks like UTF-16 without a mark: say --encoding {encoding}, or {_SAVE_AS}"
            )
