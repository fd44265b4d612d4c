"""The checks of request fields: what is refused, what is let through, and all of it at once."""

from datetime import UTC, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from holdfast.chassis.grpc import pages
from holdfast.chassis.validation import ID_CHARACTERS_MAX, InvalidRequest, Violations
from holdfast.contracts.orders.v1.orders_pb2 import ListOrdersRequest


def fields(violations: Violations) -> list[str]:
    return [field for field, _ in violations.refusal().violations]


def test_every_violation_of_a_request_is_found_at_once() -> None:
    violations = Violations()

    violations.id("customer_id", "")
    violations.id("product_id", "a\0b")
    violations.within("quantity", 0, lowest=1, highest=9)
    violations.text("name", "x" * 11, characters_max=10)

    with pytest.raises(InvalidRequest) as refusal:
        violations.raise_any()
    assert [field for field, _ in refusal.value.violations] == [
        "customer_id",
        "product_id",
        "quantity",
        "name",
    ]


def test_a_request_without_violations_passes() -> None:
    violations = Violations()

    violations.id("customer_id", "c-1")
    violations.raise_any()

    assert not violations


@pytest.mark.parametrize(
    "value",
    [
        "LAMP-RED",
        "85123A",
        "Größe 12/灯",
        "a b",
        "'; DROP TABLE orders; --",
        "x" * 128,
        "👋🏽",
        "%_\\",
    ],
)
def test_an_id_may_have_any_visible_characters(value: str) -> None:
    violations = Violations()

    assert violations.id("id", value) == value
    assert not violations


@pytest.mark.parametrize(
    "value",
    [
        "x" * (ID_CHARACTERS_MAX + 1),
        " lamp",
        "lamp ",
        "\u00a0lamp",
        "lamp\n",
        "la\0mp",
        "la\tmp",
        "la\x7fmp",
        "la\x85mp",
        "la\u202emp",
        "la\u2066mp",
        "cafe\u0301",
        "la\u200bmp",
        "la  mp",
        "la\u2011mp",
    ],
)
def test_an_id_that_looks_like_another_or_breaks_a_line_is_refused(value: str) -> None:
    violations = Violations()

    violations.optional_id("id", value)
    violations.id("id", value)

    assert fields(violations) == ["id", "id"]


def test_an_id_that_is_refused_for_a_character_is_told_which_and_where() -> None:
    violations = Violations()

    violations.id("customer_id", "\ufeffc-25")

    assert str(violations.refusal()) == (
        "customer_id: has an invisible character, "
        "U+FEFF ZERO WIDTH NO-BREAK SPACE (byte order mark), in place 1: remove it"
    )


def test_an_optional_id_may_be_empty_and_a_needed_one_may_not() -> None:
    violations = Violations()

    violations.optional_id("request_id", "")
    violations.id("customer_id", "")

    assert fields(violations) == ["customer_id"]


@given(st.text(max_size=ID_CHARACTERS_MAX))
def test_no_id_that_is_let_through_has_a_control_character_or_an_edge_of_space(
    value: str,
) -> None:
    violations = Violations()

    violations.optional_id("id", value)

    assert violations or not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in value)
    assert violations or value == value.strip()


def test_free_text_may_have_several_lines_but_no_control_characters() -> None:
    violations = Violations()

    violations.text("address", "1 High Street\r\n\tLondon", characters_max=100)
    violations.text("name", "क्\u200dष \u202e👩\u200d🚀\u00a0❤\ufe0f e\u0301", characters_max=100)
    assert not violations

    violations.text("address", "bell\a", characters_max=100)
    violations.text("name", "nul\0", characters_max=100)
    assert fields(violations) == ["address", "name"]


@pytest.mark.parametrize(("value", "is_within"), [(0, False), (1, True), (9, True), (10, False)])
def test_a_number_is_within_its_limits_both_included(value: int, is_within: bool) -> None:
    violations = Violations()

    violations.within("quantity", value, lowest=1, highest=9)

    assert (not violations) == is_within


def test_a_uuid_is_taken_in_any_case_and_only_in_its_usual_form() -> None:
    violations = Violations()
    usual = "0198c5f0-7a3b-7c1e-9d43-5a8f0b2c6d1e"

    assert violations.uuid("order_id", usual.upper()) == usual
    assert not violations

    others = ["", usual[:-1], usual.replace("-", ""), f"{{{usual}}}", usual + "\n", usual + "\0"]
    for other in others:
        violations.uuid("order_id", other)
    assert len(fields(violations)) == len(others)


def asked(start: Timestamp | None, end: Timestamp | None) -> ListOrdersRequest:
    return ListOrdersRequest(created_from=start, created_before=end)


def test_a_period_has_either_end_or_none_and_nothing_finer_than_a_microsecond() -> None:
    violations = Violations()
    second = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)

    assert violations.period(asked(None, None)) == (None, None)
    assert violations.period(asked(Timestamp(seconds=1), None)) == (second, None)
    assert violations.period(asked(None, Timestamp(seconds=1, nanos=1))) == (
        None,
        second.replace(microsecond=1),
    )
    assert not violations


def test_an_end_of_a_period_is_within_the_calendar() -> None:
    violations = Violations()

    for seconds in (-(10**12), 10**12):
        violations.period(asked(Timestamp(seconds=seconds), None))
    violations.period(asked(Timestamp(nanos=-1), Timestamp(nanos=10**9)))

    assert fields(violations) == ["created_from"] * 3 + ["created_before"]


def test_a_period_may_be_empty_but_does_not_end_before_it_starts() -> None:
    violations = Violations()

    violations.period(asked(Timestamp(nanos=2), Timestamp(nanos=1)))  # the same microsecond
    violations.period(asked(Timestamp(seconds=1), Timestamp(seconds=1)))
    assert not violations

    violations.period(asked(Timestamp(seconds=1, nanos=1), Timestamp(seconds=1)))
    assert fields(violations) == ["created_before"]


def test_a_page_has_the_size_asked_for_within_limits() -> None:
    violations = Violations()

    sizes = [pages.page_size(violations, size) for size in (0, 1, 1_000, 1_001)]
    assert sizes == [pages.PAGE_SIZE_DEFAULT, 1, 1_000, pages.PAGE_SIZE_MAX]
    assert not violations

    pages.page_size(violations, -1)
    assert fields(violations) == ["page_size"]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), st.text())
def test_a_page_token_gives_its_cursor_back_for_the_same_filter(
    cursor: str, filter_text: str
) -> None:
    violations = Violations()

    token = pages.make_token(cursor, filter_text)

    assert pages.read_token(violations, token, filter_text) == cursor
    assert not violations
    assert pages.read_token(violations, token, filter_text + "!") == ""
    assert fields(violations) == ["page_token"]


@given(st.text(alphabet=st.characters(codec="ascii"), min_size=1) | st.text(min_size=1))
def test_a_forged_page_token_is_refused(token: str) -> None:
    violations = Violations()

    assert pages.read_token(violations, token, "orders") == ""
    assert fields(violations) == ["page_token"]


def test_no_further_page_needs_no_token() -> None:
    violations = Violations()

    assert pages.make_token("", "orders") == ""
    assert pages.read_token(violations, "", "orders") == ""
    assert not violations
