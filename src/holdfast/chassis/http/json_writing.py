"""Messages as JSON: one function a message type, made once from its descriptor.

Names are those of the protos, numbers are numbers, enums have no prefix. What has a value is always
there, also when it is 0 or empty; a message or an optional value that is not set is left out.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
from google.protobuf import descriptor_pool
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.status_pb2 import Status

from holdfast.chassis.http.json_values import WRITERS, short_names
from holdfast.chassis.http.problems import problem_of

Write = Callable[[Any], Any]


def written(message: Message) -> bytes:
    """Return a message as JSON text in UTF-8."""
    return orjson.dumps(writer_of(message.DESCRIPTOR)(message))


@cache
def writer_of(descriptor: Descriptor) -> Write:
    """Return what turns messages of this type into what JSON has."""
    if special := WRITERS.get(descriptor.full_name):
        return special  # type: ignore[no-any-return]
    if descriptor.full_name == AnyMessage.DESCRIPTOR.full_name:
        return _inside
    if descriptor.full_name == Status.DESCRIPTOR.full_name:
        return lambda status: problem_of(status).content
    fields = [(field.name, field.has_presence, _of_field(field)) for field in descriptor.fields]

    def write(message: Any) -> dict[str, Any]:
        content = {}
        for name, has_presence, convert in fields:
            if has_presence and not message.HasField(name):
                continue
            value = getattr(message, name)
            content[name] = value if convert is None else convert(value)
        return content

    return write


def _inside(packed: AnyMessage) -> Any:
    """What a message of ours has that is packed into another one, which tells its type itself."""
    descriptor, kind = _packed(packed.type_url)
    return writer_of(descriptor)(kind.FromString(packed.value))


@cache
def _packed(type_url: str) -> tuple[Descriptor, type[Message]]:
    descriptor = descriptor_pool.Default().FindMessageTypeByName(type_url.rpartition("/")[2])
    return descriptor, GetMessageClass(descriptor)


def _of_field(field: FieldDescriptor) -> Write | None:
    """Return what turns a field's value into what JSON has; None: it is that already."""
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return dict  # of strings by strings: a test holds that there are no others
    one = _of_value(field)
    if not field.is_repeated:
        return one
    return list if one is None else lambda values: [one(value) for value in values]


def _of_value(field: FieldDescriptor) -> Write | None:
    if field.message_type is not None:
        return writer_of(field.message_type)
    if field.enum_type is not None:
        names = short_names(field.enum_type)
        return lambda number: names.get(number, number)
    return None
