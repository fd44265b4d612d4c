"""Where things stand in a file: the first line and the last, whatever their number."""

import resource
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from holdfast.exchange.line_index import LineIndex, Span
from holdfast.importing.flaws import UnreadableText


def test_the_first_line_and_the_last_are_known() -> None:
    with LineIndex() as index:
        for name, line in (("a", 2), ("b", 3), ("a", 5), ("a", 9)):
            index.put(name, line)

        assert (index.find("a"), index.find("b")) == (Span(2, 9), Span(3, 3))
        assert index.find("c") is None


def test_they_are_put_in_one_thread_and_found_in_another() -> None:
    """As an import reads: in a thread, and in whichever is free."""
    with LineIndex() as index, ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(index.put, "a", 2).result()
        index.put("a", 3)

        assert elsewhere.submit(index.find, "a").result() == Span(2, 3)


def test_it_may_be_closed_while_a_thread_still_uses_it() -> None:
    """An import that is broken off does not wait for its reader."""
    with ThreadPoolExecutor(1) as elsewhere:
        with LineIndex() as index:
            filling = elsewhere.submit(fill, index, 10_000_000)
            while index.find("1000") is None:
                pass

        with pytest.raises(UnreadableText, match="closed"):
            filling.result()


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB there")
def test_many_take_no_more_memory_than_some() -> None:
    filler = "x" * 200
    with LineIndex() as index:
        for number in range(50_000):
            index.put(f"{number:06} {filler}", number)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(50_000, 200_000):
            index.put(f"{number:06} {filler}", number)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

        assert index.find(f"000007 {filler}") == Span(7, 7)
    assert grown < 20_000, "three times as many, of 30 MB"


def test_no_room_for_them_is_told_with_what_to_do() -> None:
    with LineIndex() as index:
        index._database.execute("PRAGMA max_page_count = 5")
        with pytest.raises(UnreadableText, match="make room for temporary files"):
            fill(index)


def fill(index: LineIndex, count: int = 1_000) -> None:
    for number in range(count):
        index.put(str(number), number)
