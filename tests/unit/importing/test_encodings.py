"""Bytes to text: read where it is certain what they mean, else named with the cure."""

import codecs
import gzip
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.importing import encodings
from holdfast.importing.encodings import Encoding, Steadiness
from holdfast.importing.flaws import UnreadableFile, UnreadableText
from holdfast.importing.reading import read_orders
from tests.unit.importing.files import GENERAL, HEADER, line, numbers, read, read_bytes

TEXT = f"{HEADER}\n{line(description='Bürste für Tür · groß')}\n"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        gzip.compress(codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le")),
    ],
)
def test_unicode_is_recognised_by_its_mark(tmp_path: Path, content: bytes) -> None:
    file = read_bytes(tmp_path, content)

    assert file.flaws == []
    assert file.catalogue["LAMP"].name == "Bürste für Tür · groß"


@pytest.mark.parametrize("encoding", [Encoding.WINDOWS_1252, Encoding.UTF_16_LE, Encoding.GB18030])
def test_an_encoding_that_is_named_is_used(tmp_path: Path, encoding: Encoding) -> None:
    file = read_bytes(tmp_path, TEXT.encode(encoding), replace(GENERAL, encoding=encoding))

    assert file.catalogue["LAMP"].name == "Bürste für Tür · groß"


@pytest.mark.parametrize(
    ("encoding", "windows", "name"),
    [
        (Encoding.SHIFT_JIS, "cp932", "①㈱髙﨑"),
        (Encoding.EUC_KR, "cp949", "똠방각하"),
        (Encoding.BIG5, "cp950", "許功蓋€"),
        (Encoding.GB18030, "gbk", "中文名称"),
    ],
)
def test_what_windows_writes_in_the_far_east_is_read_by_the_name_that_people_have_for_it(
    tmp_path: Path, encoding: Encoding, windows: str, name: str
) -> None:
    text = f"{HEADER}\n{line(description=name)}\n"

    file = read_bytes(tmp_path, text.encode(windows), replace(GENERAL, encoding=encoding))

    assert file.catalogue["LAMP"].name == name


@pytest.mark.parametrize(
    ("content", "cure"),
    [
        (TEXT.encode("utf-16-le"), "without a mark: say --encoding utf-16-le"),
        (TEXT.encode("utf-16-be"), "without a mark: say --encoding utf-16-be"),
        ("注文注文注文".encode("utf-16-le"), "say --encoding utf-16-le, or utf-16-be"),
    ],
)
def test_utf_16_without_a_mark_is_told_though_it_was_named(
    tmp_path: Path, content: bytes, cure: str
) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read_bytes(tmp_path, content, replace(GENERAL, encoding=Encoding.UTF_16))

    assert cure in str(refused.value)


def test_every_encoding_that_may_be_named_is_known_to_python() -> None:
    for encoding in Encoding:
        assert codecs.getincrementaldecoder(encoding)("strict").decode(b"", final=True) == ""


def test_what_is_not_utf_8_is_told_with_line_column_byte_and_cure(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read_bytes(
            tmp_path, f"{HEADER}\r\n{line()}\r\n1,\N{LATIN SMALL LETTER U}ü".encode("cp1252")
        )

    assert "line 3, column 4: the byte 0xFC is not UTF-8" in str(refused.value)
    assert "--encoding windows-1252" in str(refused.value)
    assert 'save it as "CSV UTF-8"' in str(refused.value)


def test_the_place_of_a_bad_byte_is_right_wherever_the_pieces_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in range(1, 12):
        monkeypatch.setattr(encodings, "PIECE_BYTES", size)
        with pytest.raises(UnreadableFile, match="line 4, column 3: the byte 0xFF"):
            read_bytes(tmp_path, f"{HEADER}\r\nü\rx\nüü".encode() + b"\xff")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "0 bytes"),
        (codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), "UTF-32"),
        (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), "UTF-32"),
        (TEXT.encode("utf-16-le"), "--encoding utf-16-le"),
        (TEXT.encode("utf-16-be"), "--encoding utf-16-be"),
        (b"PK\x03\x04rest of a workbook", "a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel (xls), or one with a password"),
        (b"%PDF-1.7", "a PDF"),
        (b"<html><table>", "a web page"),
        (b'{"orders": []}', "JSON"),
        (gzip.compress(gzip.compress(TEXT.encode())), "packed with gzip twice"),
        (gzip.compress(b"PK\x03\x04", mtime=0), "a workbook"),
        (b"BZh91AY", "bzip2"),
    ],
)
def test_another_kind_of_file_is_named_with_the_cure(
    tmp_path: Path, content: bytes, kind: str
) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read_bytes(tmp_path, content)

    assert kind in str(refused.value)
    assert refused.value.is_there


def test_a_missing_file_and_a_folder_are_one_clear_message(tmp_path: Path) -> None:
    for path, problem in ((tmp_path / "missing.csv", "no such file"), (tmp_path, "is a directory")):
        with pytest.raises(UnreadableFile, match=problem) as refused:
            read_orders(path)
        assert not refused.value.is_there


def test_a_zipped_file_is_the_same_file_whatever_its_name(tmp_path: Path) -> None:
    plain = read(tmp_path, line())
    (tmp_path / "zipped.dat").write_bytes(gzip.compress((tmp_path / "orders.csv").read_bytes()))

    zipped = read_orders(tmp_path / "zipped.dat")

    assert (zipped.orders, zipped.digest) == (plain.orders, plain.digest)


@pytest.mark.parametrize("spoil", ["cut", "overwrite"])
def test_of_a_damaged_archive_nothing_is_used(tmp_path: Path, spoil: str) -> None:
    lines = [line(str(n), f"{n:05d}", customer=f"c-{n * 7919 % 10007}") for n in range(20_000)]
    packed = bytearray(gzip.compress("\n".join([HEADER, *lines]).encode()))
    middle = len(packed) // 2
    if spoil == "cut":
        del packed[middle:]
    else:
        packed[middle:] = b"\xff" * 1000

    with pytest.raises(UnreadableFile, match=r"the archive is damaged after line [0-9,]{4,}"):
        read_bytes(tmp_path, bytes(packed))


@given(cut=st.integers(min_value=0, max_value=400))
def test_an_archive_cut_anywhere_places_nothing(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    lines = [line(str(n), f"P-{n * 7919 % 10007}") for n in range(20)]
    packed = gzip.compress("\n".join([HEADER, *lines]).encode(), mtime=0)
    whole = cut >= len(packed)

    with suppress(UnreadableFile):
        file = read_bytes(tmp_path_factory.getbasetemp(), packed[:cut])
        assert whole
        assert len(numbers(file)) == 20


def test_a_file_that_is_written_while_it_is_read_is_no_file_to_use(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("half")
    steadiness = Steadiness(path)
    steadiness.require()

    path.write_text("the whole")

    with pytest.raises(UnreadableText, match="give the same command when it is whole"):
        steadiness.require()
