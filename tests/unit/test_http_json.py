"""Messages as JSON and back: nothing is lost, and nothing passes that is not meant."""

import json
from importlib.resources import files
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.chassis.http.flaws import BadHttpRequest, Flaws
from holdfast.chassis.http.json_reading import DEPTH_MAX, FLAWED, ITEMS_MAX, parsed, reader_of
from holdfast.chassis.http.json_writing import written
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2

TYPES = [
    kind
    for file in (orders_pb2.DESCRIPTOR, inventory_pb2.DESCRIPTOR)
    for kind in file.message_types_by_name.values()
]
STATUS = "google.rpc.Status"  # is told as a problem, and never asked
TEXT = st.text(max_size=20)
NANOS = st.integers(0, 999_999_999)
SPECIAL: dict[str, Any] = {
    "google.protobuf.Timestamp": {
        "seconds": st.integers(-62_135_596_800, 253_402_300_799), "nanos": NANOS,
    },
    "google.type.Date": {
        "year": st.integers(0, 9999), "month": st.integers(0, 12), "day": st.integers(0, 31),
    },
    "google.protobuf.FieldMask": {
        "paths": st.lists(st.from_regex("[a-z_.]{1,9}", fullmatch=True), max_size=3),
    },
}  # fmt: skip


@st.composite
def signed(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """Seconds or units with nanos of the same sign."""
    sign = draw(st.sampled_from((1, -1)))
    whole, whole_max = ("units", 2**63 - 1) if "Money" in kind else ("seconds", 315_576_000_000)
    parts = {whole: sign * draw(st.integers(0, whole_max)), "nanos": sign * draw(NANOS)}
    currency = st.sampled_from(("GBP", "JPY", "BHD", "CLF", "QQQ", ""))
    return parts | ({"currency_code": draw(currency)} if "Money" in kind else {})


def messages(kind: Descriptor) -> st.SearchStrategy[Any]:
    """Messages of a type, with any values that a service answers or takes."""
    make = GetMessageClass(kind)
    if kind.full_name in ("google.type.Money", "google.protobuf.Duration"):
        return signed(kind.full_name).map(lambda parts: make(**parts))
    if found := SPECIAL.get(kind.full_name):
        return st.fixed_dictionaries(found).map(lambda parts: make(**parts))
    fields = {
        field.name: values(field)
        for field in kind.fields
        if field.message_type is None or field.message_type.full_name != STATUS
    }
    return st.fixed_dictionaries({}, optional=fields).map(lambda parts: make(**parts))


def values(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return st.dictionaries(TEXT, TEXT, max_size=2)
    one = single(field)
    return st.lists(one, max_size=2) if field.is_repeated else one


def single(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    match field.type:
        case FieldDescriptor.TYPE_MESSAGE:
            assert field.message_type is not None
            return messages(field.message_type)
        case FieldDescriptor.TYPE_ENUM:
            assert isinstance(field.enum_type, EnumDescriptor)
            return st.sampled_from([value.number for value in field.enum_type.values])
        case FieldDescriptor.TYPE_INT64:
            return st.integers(-(2**63), 2**63 - 1)
        case FieldDescriptor.TYPE_INT32:
            return st.integers(-(2**31), 2**31 - 1)
        case FieldDescriptor.TYPE_BOOL:
            return st.booleans()
    assert field.type == FieldDescriptor.TYPE_STRING, f"{field.full_name}: how is it written?"
    return TEXT


def read(kind: Descriptor, body: bytes) -> Message:
    flaws = Flaws()
    message = reader_of(kind)(parsed(body), "", flaws)
    flaws.raise_any()
    assert isinstance(message, Message)
    return message


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.full_name)
@settings(max_examples=25)
@given(data=st.data())
def test_what_is_written_is_read_as_it_was(kind: Descriptor, data: st.DataObject) -> None:
    message = data.draw(messages(kind))

    assert read(kind, written(message)) == message


def test_maps_are_of_strings_by_strings() -> None:
    for kind in TYPES:
        for field in kind.fields:
            if field.message_type is not None and field.message_type.GetOptions().map_entry:
                for part in field.message_type.fields:
                    assert part.type == FieldDescriptor.TYPE_STRING, field.full_name


ORDER = orders_pb2.CreateOrderRequest.DESCRIPTOR
LOCATION = inventory_pb2.Location.DESCRIPTOR


def pointers(kind: Descriptor, content: object) -> list[str]:
    flaws = Flaws()
    assert reader_of(kind)(content, "", flaws) is FLAWED
    return [flaw.name for flaw in flaws.found]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    line = {"product_id": 7, "quantity": 1.5, "unit_price": {"amount": 2, "currency": "GBP"}}
    content = {
        "customer_id": None, "lines": [line, "x"], "wait": "soon", "a/b~c": 1,
        "attributes": {"x": 1}, "sourcing": {"strategy": "NEVER", "may_split": "no"},
    }  # fmt: skip

    assert pointers(ORDER, content) == [
        "/lines/0/product_id",
        "/lines/0/quantity",
        "/lines/0/unit_price",
        "/lines/1",
        "/wait",
        "/a~1b~0c",
        "/attributes/x",
        "/sourcing/strategy",
        "/sourcing/may_split",
    ]


def test_a_body_of_rubbish_is_told_in_part() -> None:
    assert len(pointers(ORDER, {f"x{number}": 1 for number in range(5_000)})) == 100


def test_a_list_that_is_longer_than_any_may_be_becomes_no_messages() -> None:
    longest: list[object] = [{}] * ITEMS_MAX

    assert reader_of(ORDER)({"lines": longest}, "", Flaws()) is not FLAWED
    assert pointers(ORDER, {"lines": [*longest, "no line"]}) == ["/lines"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a":1,"a":1}', "twice"),
        ("[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1), "deeper"),
        ("[" * 200_000, "deeper"),
        ("NaN", "no number"),
        ("1e400", "no number"),
        ("-1e400", "no number"),
        ("9" * 21, "21 digits"),
        ("{", "no JSON"),
        ("", "no JSON"),
    ],
)
def test_what_json_should_not_say_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadHttpRequest, match=why):
        parsed(text.encode())


def test_a_name_given_twice_among_very_many_is_found_in_one_pass() -> None:
    names = [f'"{number:x}":0' for number in range(300_000)]  # 4 MB, as much as a body may have

    with pytest.raises(BadHttpRequest, match="'493df' twice"):
        parsed(f"{{{','.join([*names, names[-1]])}}}".encode())


def test_depth_32_is_read() -> None:
    text = "[" * DEPTH_MAX + "]" * DEPTH_MAX

    assert parsed(text.encode()) == json.loads(text)


def test_a_value_that_may_be_left_out_is_told_only_if_it_is_there() -> None:
    assert json.loads(written(inventory_pb2.Location(location_id="a"))) == {
        "location_id": "a", "name": "", "kind": "UNSPECIFIED", "version": 0,
    }  # fmt: skip
    there = json.loads(written(inventory_pb2.Location(priority=0, active=False)))
    assert (there["priority"], there["active"]) == (0, False)
    assert read(LOCATION, b'{"priority":0}') == inventory_pb2.Location(priority=0)
    assert not read(LOCATION, b'{"priority":null}').HasField("priority")


@pytest.mark.parametrize(
    ("amount", "currency", "told"),
    [
        ("2.5", "GBP", "2.50"), ("2", "JPY", "2"), ("2.5", "BHD", "2.500"), ("-1", "JPY", "-1"),
        ("2.555", "GBP", "2.555"), ("0002", "GBP", "2.00"), ("1.5", "", "1.50"),
    ],
)  # fmt: skip
def test_money_is_told_as_its_currency_is(amount: str, currency: str, told: str) -> None:
    kind = orders_pb2.Charge.DESCRIPTOR
    content = {"amount": {"amount": amount, "currency": currency}}

    charge = read(kind, json.dumps(content).encode())

    assert json.loads(written(charge))["amount"] == {"amount": told, "currency": currency}


@pytest.mark.parametrize(
    "money",
    [1, "1", {"amount": 1}, {"amount": "1,5"}, {"amount": "1e3"}, {"amount": "1" * 20}, {},
     {"amount": "9223372036854775808"}, {"amount": "1", "x": 1}, {"amount": "1", "currency": 3},
     {"amount": "\u0661"}, {"amount": "1.1234567890"}, {"amount": ""}, {"currency": "GBP"}],
)  # fmt: skip
def test_money_is_never_a_guess(money: object) -> None:
    assert pointers(orders_pb2.Charge.DESCRIPTOR, {"amount": money}) == ["/amount"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("created_from", "2026-02-30T00:00:00Z"), ("created_from", "2026-02-03"),
        ("created_from", "2026-02-03T00:00:00"), ("created_from", 1_700_000_000),
        ("created_from", "2026-02-03T25:00:00Z"), ("created_from", "0001-01-01T00:00:00+01:00"),
        ("page_size", "1_0"), ("page_size", " 1"), ("page_size", "\u0661"), ("page_size", True),
        ("page_size", 2**31), ("page_size", ""), ("request_ids", "x"), ("request_ids", [None]),
        ("status", 1), ("status", "confirmed"), ("status", ["CONFIRMED"]), ("customer_id", ["x"]),
    ],
)  # fmt: skip
def test_what_has_another_form_is_refused(name: str, value: object) -> None:
    (pointer,) = pointers(orders_pb2.ListOrdersRequest.DESCRIPTOR, {name: value})

    assert pointer.startswith(f"/{name}")


@pytest.mark.parametrize("wait", ["1", "s", "1.s", "1h", "1e3s", 1.5, True, 10**13, "9" * 12 + "s"])
def test_a_duration_is_in_seconds(wait: object) -> None:
    assert pointers(ORDER, {"wait": wait}) == ["/wait"]


def test_a_whole_number_of_seconds_is_a_duration_too() -> None:
    assert read(ORDER, b'{"wait":10}') == read(ORDER, b'{"wait":"10s"}')


@pytest.mark.parametrize(("beyond", "of"), [(-1, "minimum"), (1, "maximum")])
def test_whole_numbers_are_taken_as_far_as_the_document_says(beyond: int, of: str) -> None:
    document = json.loads((files("holdfast.contracts") / "openapi.json").read_text())
    schema = document["components"]["schemas"]["UpdateStockBody"]
    bound = schema["properties"]["quantity"][of]
    kind = inventory_pb2.UpdateStockRequest.DESCRIPTOR

    taken = read(kind, json.dumps({"quantity": bound}).encode())
    assert taken == inventory_pb2.UpdateStockRequest(quantity=bound)
    assert pointers(kind, {"quantity": bound + beyond}) == ["/quantity"]
