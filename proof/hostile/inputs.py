"""Requests that nobody would send: made from the descriptors, so that no new field is forgotten.

All chance comes from the dice that are passed in: from a seed, or from Hypothesis, which then finds
the smallest input that does harm.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from holdfast.contracts.identity.v1 import keys_pb2, users_pb2
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.notifier.v1 import notifier_pb2
from holdfast.contracts.orders.v1 import orders_pb2
from testbed.keys import KEY

# By whom they are served.
SERVICES = {
    "orders": (
        orders_pb2.DESCRIPTOR.services_by_name["OrderService"],
        keys_pb2.DESCRIPTOR.services_by_name["KeyService"],
        users_pb2.DESCRIPTOR.services_by_name["UserService"],
    ),
    "inventory": (
        inventory_pb2.DESCRIPTOR.services_by_name["InventoryService"],
        keys_pb2.DESCRIPTOR.services_by_name["KeyIntakeService"],
    ),
    "notifier": (notifier_pb2.DESCRIPTOR.services_by_name["NotifierService"],),
}
KNOWN_MAX = 200  # of each kind
DEPTH_MAX = 5

TEXTS = (
    "", " ", "x", "main", "LAMP", "' OR 1=1--", "%", "../../etc/passwd", "${jndi:ldap://x}", "*",
    "LA\0MP", "LA\u202eMP", "LAMP ", "\U0001f6d2", "CAFE\u0301", "\u0410MP", "a\r\nb: c", "-1",
    "00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000000}", "1e400",
    "GBP", "gbp", "XYZ", "a@b", "GB", "customer.name", "x" * 129, "x" * 10_001, "\ufeff", "\u200b",
    "\x7f", "[]", "null",
)  # fmt: skip
# Where hardly any text is good, and a made up one never.
GOOD = {
    "page_token": ("",),
    "cursor": ("",),
    "email": ("",),
    "url": ("http://127.0.0.1:9/hook", "http://127.0.0.1:9/"),  # where nobody listens
    "types": ("OrderConfirmed", "OrderCancelled"),
    "orders": ("", "earliest"),
    "inventory": ("", "earliest"),
}
INTEGERS = (0, 1, -1, 2, 3, 5, 99, 2**31 - 1, 2**31, 2**32, 2**53, 10**9, 10**12, 10**18, 2**63 - 1)
SMALL = (0, 1, 1, 2, 3, 10)


class Known:
    """Names of things that are there, by what their fields are called: most requests go astray
    without. But for the key by which all is asked: nothing would get in once it is revoked.
    """

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}

    def learn(self, message: Message) -> None:
        """Take note of the names in an answer."""
        for field, value in message.ListFields():
            values = value if field.is_repeated else [value]
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                for one in list(values)[:3]:
                    if isinstance(one, Message):
                        self.learn(one)
            elif field.type == FieldDescriptor.TYPE_STRING and field.name.endswith(
                ("_id", "token")
            ):
                names = self._names.setdefault(field.name, [])
                names += [one for one in values if one not in names and one not in KEY]
                del names[:-KNOWN_MAX]

    def of(self, field: str) -> list[str]:
        """The names for a field: `product_ids` are product ids too, and any token may be tried."""
        name = "next_page_token" if field == "page_token" else field.removesuffix("s")
        return self._names.get(name, [])


class Inputs:
    """An endless supply of hostile requests."""

    def __init__(self, dice: Random, known: Known) -> None:
        self._dice, self._known = dice, known
        self._methods = list(methods())
        self._tame = False  # values that may well be good: else nothing would get past the edge

    def method(self) -> MethodDescriptor:
        return self._dice.choice(self._methods)

    def body(self, method: MethodDescriptor) -> bytes:
        """The bytes of a request: well formed ones, damaged ones, and plain rubbish."""
        kind = self._dice.random()
        self._tame = self._dice.random() < 0.6
        if kind < 0.04:
            return self._dice.randbytes(self._dice.choice((0, 1, 5, 50, 500)))
        if kind < 0.08:
            method = self.method()  # another method's request
        body = self.request(method.input_type).SerializeToString()
        return self._damaged(body) if kind < 0.40 else body

    def request(self, kind: Descriptor | None, depth: int = 0) -> Message:
        """A message, whose fields have values of the right type at least."""
        assert kind is not None, "a field of messages says of which"
        message: Message = GetMessageClass(kind)()
        special = _SPECIAL.get(kind.full_name)
        if special is not None:
            special(self._dice, message, self._tame and self._dice.random() < 0.95)
            return message
        share = 0.7 if self._tame else self._dice.choice((0.2, 0.5, 0.9))
        for field in kind.fields:
            if self._dice.random() < share and depth < DEPTH_MAX:
                self._fill(message, field, depth)
        return message

    def _fill(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        dice = self._dice
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            self._fill_map(message, field)
        elif field.is_repeated:
            count = dice.choice((1, 1, 2) if self._tame else (1, 1, 1, 2, 3, 40))
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                many = [self.request(field.message_type, depth + 1) for _ in range(count)]
                getattr(message, field.name).extend(many)
            else:
                getattr(message, field.name).extend(self._value(field) for _ in range(count))
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            made = self.request(field.message_type, depth + 1)
            getattr(message, field.name).CopyFrom(made)
        else:
            setattr(message, field.name, self._value(field))

    def _fill_map(self, message: Message, field: FieldDescriptor) -> None:
        assert field.message_type is not None, "a map's entries are messages"
        key, value = field.message_type.fields_by_number[1], field.message_type.fields_by_number[2]
        for _ in range(self._dice.choice((1, 2, 60))):
            getattr(message, field.name)[self._value(key)] = self._value(value)

    def _value(self, field: FieldDescriptor) -> str | bytes | int | float | bool:
        dice = self._dice
        match field.type:
            case FieldDescriptor.TYPE_STRING:
                return self._text(field.name)
            case FieldDescriptor.TYPE_BYTES:
                return dice.randbytes(dice.choice((0, 1, 100)))
            case FieldDescriptor.TYPE_BOOL:
                return dice.random() < 0.5
            case FieldDescriptor.TYPE_DOUBLE | FieldDescriptor.TYPE_FLOAT:
                return dice.choice((0.0, -1.0, 1e-9, 1e300, float("inf"), float("nan")))
            case FieldDescriptor.TYPE_ENUM:
                assert field.enum_type is not None, "as its type says"
                known = [value.number for value in field.enum_type.values]
                return dice.choice(known if self._tame else [*known, 99, -1, 2**31 - 1])
        return self._integer(field)

    def _text(self, name: str) -> str:
        known = self._known.of(name)
        if known and self._dice.random() < (0.9 if self._tame else 0.5):
            return self._dice.choice(known)
        if self._tame and name in GOOD:
            return self._dice.choice(GOOD[name])
        if self._dice.random() < (0.98 if self._tame else 0.2):
            return f"{name[:20]}-{self._dice.randrange(1_000)}"
        return self._dice.choice(TEXTS)

    def _integer(self, field: FieldDescriptor) -> int:
        if self._tame:
            return self._dice.choice(SMALL)
        value = self._dice.choice(INTEGERS) * self._dice.choice((1, 1, -1))
        bits = 32 if "32" in _TYPE_NAMES[field.type] else 64
        if "U" in _TYPE_NAMES[field.type]:
            return abs(value) % (1 << bits)
        half = 1 << (bits - 1)
        return (value + half) % (2 * half) - half

    def _damaged(self, body: bytes) -> bytes:
        """Bytes that were well formed, changed in one or several places."""
        for _ in range(self._dice.choice((1, 1, 2, 5))):
            at = self._dice.randrange(len(body) + 1)
            body = self._dice.choice(_DAMAGES)(self._dice, body, at)
        return body[:1_000_000]


Damage = Callable[[Random, bytes, int], bytes]
_DAMAGES: tuple[Damage, ...] = (
    lambda _, body, at: body[:at],
    lambda dice, body, at: body[:at] + bytes([dice.randrange(256)]) + body[at + 1 :],
    lambda dice, body, at: body[:at] + dice.randbytes(3) + body[at:],
    lambda _, body, at: body[:at] + body[at + 1 :],
    lambda _, body, at: body + body[:at],  # singular fields twice
    lambda _, body, at: body[:at] + b"\xff" * 11 + body[at:],  # an endless varint
    lambda _, body, at: body[:at] + b"\x80" * 5 + b"\x00" + body[at:],  # longer than it need be
    lambda _, body, at: body + b"\xa3\x06" * 200 + b"\xa4\x06" * 200,  # deep groups
    lambda _, body, at: body + b"\xf8\x7f\x01" * 1_000,  # fields that nobody knows
    lambda _, body, at: body + b"\x12\x02\xc3\x28",  # no UTF-8
    lambda _, body, at: body + b"\x02\x00",  # field number 0
)
_TYPE_NAMES = {
    getattr(FieldDescriptor, name): name
    for name in dir(FieldDescriptor)
    if name.startswith("TYPE_")
}


def _money(dice: Random, message: Any, tame: bool) -> None:
    currencies = ("GBP",) if tame else ("GBP", "", "gbp", "JPY", "XYZ", "x" * 50)
    message.currency_code = dice.choice(currencies)
    message.units = dice.choice((0, 1, 12) if tame else (0, -1, 2**53, 2**63 - 1))
    message.nanos = dice.choice((0, 500_000_000) if tame else (0, 1, -1, 10**9))


def _span(dice: Random, message: Any, tame: bool) -> None:
    # Short, for most: a call that waits holds up the campaign and tells nothing new.
    far = (-1, 2**40, -(2**40), 253_402_300_800)
    message.seconds = dice.choice((0, 0, 1) if tame else far)
    message.nanos = dice.choice((0, 1_000_000) if tame else (0, 999_999_999, -1, 10**9))


def _mask(dice: Random, message: Any, tame: bool) -> None:
    paths = ("customer", "name", "description", "unit_price", "active", "url", "types", "state")
    wrong = () if tame else ("*", "", "x.y", "details")
    message.paths.extend(dice.choice(paths + wrong) for _ in range(dice.randrange(1, 4)))


_SPECIAL: dict[str, Callable[[Random, Any, bool], None]] = {
    "google.type.Money": _money,
    "google.protobuf.Timestamp": _span,
    "google.protobuf.Duration": _span,
    "google.protobuf.FieldMask": _mask,
}


def service_of(method: MethodDescriptor) -> str:
    """The short name of the service that serves a method."""
    return next(name for name, those in SERVICES.items() for one in those if method in one.methods)


def methods() -> Iterator[MethodDescriptor]:
    """Every method of every service."""
    for those in SERVICES.values():
        for one in those:
            yield from one.methods
