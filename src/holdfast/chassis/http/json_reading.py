"""JSON as messages: one function a message type, made once from its descriptor.

Strict, since a typo must not pass for a wish: unknown and repeated names, other types, numbers that
are none and texts that are not Unicode are refused, each with a pointer, all of them at once.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Any, NoReturn

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from google.rpc.status_pb2 import Status

from holdfast.chassis.http.flaws import Flaws, pointer_to, refused
from holdfast.chassis.http.json_values import READERS, short_names

DEPTH_MAX = 32
ITEMS_MAX = 10_000  # of a list: none may have as many, and making messages takes long
_DIGITS_MAX = 20  # of a whole number: no field takes more, and Python's own limit is another error

Read = Callable[[Any, str, Flaws], Any]
FLAWED = object()  # in place of a value that is none


def parsed(body: bytes) -> Any:
    """Return what a JSON text says.

    :raises BadHttpRequest: it is none; a name is repeated in an object; a number is none, such as
        NaN or 1e400; it is nested deeper than DEPTH_MAX.
    """
    try:
        value = _PARSER.decode(body.decode())
    except RecursionError:
        raise refused(f"is nested deeper than {DEPTH_MAX}") from None
    except UnicodeDecodeError as error:
        raise refused(f"is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise refused(
            f"is no JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    if body.count(b"[") + body.count(b"{") > DEPTH_MAX and _is_deep(value):
        raise refused(f"is nested deeper than {DEPTH_MAX}")
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise refused(f"names {_first_repeated(pairs)!r} twice in one object")
    return members


def _first_repeated(pairs: list[tuple[str, Any]]) -> str:
    seen = set[str]()
    for name, _ in pairs:
        if name in seen:
            break
        seen.add(name)
    return name


def _whole(text: str) -> int:
    if len(text) > _DIGITS_MAX:
        raise refused(f"has a number of {len(text)} digits")
    return int(text)


def _not_finite(text: str) -> NoReturn:
    raise refused(f"{text} is no number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    return number if abs(number) != float("inf") else _not_finite(text[:_DIGITS_MAX])


_PARSER = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_int=_whole,
    parse_float=_finite,
    parse_constant=_not_finite,
)


@cache
def reader_of(descriptor: Descriptor) -> Read:
    """Return what turns JSON's objects into messages of this type.

    It is given a value, the pointer to it and where to put flaws, and returns FLAWED if it is none.
    """
    if special := READERS.get(descriptor.full_name):
        return _special(special)
    if descriptor.full_name == Status.DESCRIPTOR.full_name:
        return _only_answered
    make, names, reads = GetMessageClass(descriptor), names_of(descriptor), _reads(descriptor)

    def read(value: Any, pointer: str, flaws: Flaws) -> Any:
        if not isinstance(value, dict):
            flaws.add(pointer, "must be an object")
            return FLAWED
        known: dict[str, Any] = {}
        before = flaws.count
        for given, member in value.items():
            at, name = pointer_to(pointer, given), names.get(given)
            if name is None:
                flaws.add(at, "is not known here")
            elif name in known:
                flaws.add(at, f"is given twice, also as {name}")
            else:
                known[name] = None if member is None else reads[name](member, at, flaws)
        if flaws.count > before:
            return FLAWED
        return make(**{name: one for name, one in known.items() if one is not None})

    return read


@cache
def names_of(descriptor: Descriptor) -> dict[str, str]:
    """The fields of a message type by the names that JSON may have for them."""
    by_name = {field.name: field.name for field in descriptor.fields}
    return {field.json_name: field.name for field in descriptor.fields} | by_name


def _reads(descriptor: Descriptor) -> dict[str, Read]:
    return {field.name: read_field(field) for field in descriptor.fields}


def read_field(field: FieldDescriptor) -> Read:
    """Return what reads a field's value."""
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return _map
    one = _of_value(field)
    return _list_of(one) if field.is_repeated else one


def _of_value(field: FieldDescriptor) -> Read:
    kinds = FieldDescriptor
    if field.message_type is not None:
        return reader_of(field.message_type)
    if field.enum_type is not None:
        return _enum(short_names(field.enum_type), dict(field.enum_type.values_by_name))
    match field.type:
        case kinds.TYPE_INT32:
            return _int(31)
        case kinds.TYPE_INT64:
            return _int(63)
        case kinds.TYPE_BOOL:
            return _bool
        case kinds.TYPE_STRING:
            return _text
    raise NotImplementedError(f"{field.full_name}: no JSON is agreed on for its type")


def _special(convert: Callable[[Any], Any]) -> Read:
    def read(value: Any, pointer: str, flaws: Flaws) -> Any:
        try:
            return convert(value)
        except ValueError as error:
            flaws.add(pointer, str(error))
            return FLAWED

    return read


def _only_answered(_value: Any, pointer: str, flaws: Flaws) -> Any:
    flaws.add(pointer, "is in answers only")
    return FLAWED


def _list_of(one: Read) -> Read:
    def read(value: Any, pointer: str, flaws: Flaws) -> Any:
        if not isinstance(value, list):
            flaws.add(pointer, "must be an array")
            return FLAWED
        if len(value) > ITEMS_MAX:
            flaws.add(pointer, f"has {len(value):,} items; no list here has over {ITEMS_MAX:,}")
            return FLAWED
        items = [one(item, f"{pointer}/{place}", flaws) for place, item in enumerate(value)]
        return FLAWED if any(item is FLAWED for item in items) else items

    return read


def _map(value: Any, pointer: str, flaws: Flaws) -> Any:
    if not isinstance(value, dict):
        flaws.add(pointer, "must be an object")
        return FLAWED
    read = {
        _text(name, pointer, flaws): _text(text, pointer_to(pointer, name), flaws)
        for name, text in value.items()
    }
    return FLAWED if FLAWED in read or FLAWED in read.values() else read


def _text(value: Any, pointer: str, flaws: Flaws) -> Any:
    if not isinstance(value, str):
        flaws.add(pointer, "must be a string")
        return FLAWED
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            flaws.add(pointer, "has half of a character (a lone surrogate)")
            return FLAWED
    return value


def _bool(value: Any, pointer: str, flaws: Flaws) -> Any:
    if isinstance(value, bool):
        return value
    flaws.add(pointer, "must be true or false")
    return FLAWED


def _int(bits: int) -> Read:
    def read(value: Any, pointer: str, flaws: Flaws) -> Any:
        if isinstance(value, str) and len(value) <= _DIGITS_MAX and value.isascii():
            digits = value.removeprefix("-")
            value = int(value) if digits.isdigit() else None
        if not isinstance(value, int) or isinstance(value, bool):
            flaws.add(pointer, "must be a whole number")
            return FLAWED
        if not -(2**bits) <= value < 2**bits:
            flaws.add(pointer, f"is {value}, which no number here can be")
            return FLAWED
        return value

    return read


def _enum(names: dict[int, str], by_long_name: dict[str, Any]) -> Read:
    numbers = {name: number for number, name in names.items()}
    numbers |= {name: value.number for name, value in by_long_name.items()}

    def read(value: Any, pointer: str, flaws: Flaws) -> Any:
        if isinstance(value, str) and value in numbers:
            return numbers[value]
        flaws.add(pointer, f"must be one of {', '.join(names.values())}")
        return FLAWED

    return read
