"""An HTTP request as the request message of a method: path, query, body and headers together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message_factory import GetMessageClass

from holdfast.chassis.http import headers as asked
from holdfast.chassis.http.flaws import Flaws, pointer_to, refused
from holdfast.chassis.http.headers import Headers, Precondition
from holdfast.chassis.http.json_reading import FLAWED, names_of, parsed, read_field, reader_of
from holdfast.chassis.http.router import WRONG_ESCAPE, Route, inside

KEY_FIELDS = ("request_id", "shipment_id")  # what names a request for ever
VERSION_FIELDS = ("version", "expected_version")
CONTROLS = frozenset({"update_mask", "validate_only", "wait", *KEY_FIELDS, *VERSION_FIELDS})
PARAMETERS_MAX = 2_000  # of a query: 1,000 products and as many locations


class Bound(NamedTuple):
    """A request that can be asked.

    :param by_header: the header that named the version, if one did.
    :param places: where fields came from that are not the body's own; see `problems.located`.
    :param wait_s: how long the caller preferred to wait, where the method can.
    """

    message: Any
    by_header: str
    places: dict[str, dict[str, str]]
    wait_s: int | None


@dataclass(frozen=True, slots=True)
class Rules:
    """What a service says of its methods beside their annotations.

    :param merged: messages that a patch changes field by field; others are replaced as a whole.
    :param keyed: methods that are refused without a key for repeats.
    :param again: methods that a repeat does again, and that have no key for repeats: where one is
        sent, nobody would look at it. Without a key of their own, others may be repeated as they
        are.
    :param drifting: fields of answers that move on while the version stays.
    :param awaited: fields of a patch whose outcome can be waited for; who prefers to wait where
        none of them is there is passed over (RFC 7240, 2).
    :param patched: by method, what a patch may name of the message that it changes; of one that is
        not there, all of its body.
    """

    merged: frozenset[str] = frozenset()
    keyed: frozenset[str] = frozenset()
    again: frozenset[str] = frozenset()
    drifting: frozenset[str] = frozenset()
    awaited: frozenset[str] = frozenset()
    patched: Mapping[str, Collection[str]] = field(default_factory=dict)


class Binding:
    """How requests of one route become messages."""

    def __init__(self, route: Route, rules: Rules) -> None:
        self.route, self._rules = route, rules
        self._input: Descriptor = route.method.input_type
        fields = self._input.fields_by_name
        self._make: Any = GetMessageClass(self._input)
        self._variables = route.variables
        taken = {path.partition(".")[0] for path in self._variables.values()}
        whole = route.body in ("", "*")
        self._body_type = self._input if whole else inside(self._input, route.body)
        self.query: dict[str, FieldDescriptor] = {
            field.name: field
            for field in self._input.fields
            if route.body != "*" and field.name not in {route.body, "update_mask"} | taken
        }
        self._query_names = names_of(self._input)
        self._reads = {name: read_field(field) for name, field in self.query.items()}
        self.key_field = self._found(KEY_FIELDS) if route.body else ""
        owner = self._input if whole else self._body_type
        # Elsewhere a version is not looked at, or not always: none may think that it is.
        versioned = owner.fields_by_name if route.verb in ("PATCH", "PUT") else {}
        self.version_field = next((n for n in VERSION_FIELDS if n in versioned), "")
        self.is_patch = route.verb == "PATCH" and "update_mask" in fields
        self._in_path = {path.rpartition(".")[2] for path in self._variables.values()}
        self.taken = self._taken()
        self._is_batch = "requests" in fields
        self._places = self._fixed_places()

    def _found(self, names: Sequence[str]) -> str:
        taken = self._variables.values()
        return next((n for n in names if n in self._input.fields_by_name and n not in taken), "")

    def _taken(self) -> list[str]:
        """The members of a body that are taken, in the order of the proto."""
        left_out = self._in_path | {"update_mask"}
        names = [one.name for one in self._body_type.fields if one.name not in left_out]
        patched = self._rules.patched.get(self.route.method.name, names)
        return [name for name in names if name in CONTROLS or name in patched]

    def _fixed_places(self) -> dict[str, dict[str, str]]:
        paths = {p: {"parameter": p.rpartition(".")[2]} for p in self._variables.values()}
        queries = {name: {"parameter": name} for name in self.query}
        body = {} if self.route.body in ("", "*") else {self.route.body: {"pointer": ""}}
        return paths | queries | {"update_mask": {"pointer": ""}} | body

    def bound(self, segments: Sequence[str], query: bytes, headers: Headers, body: bytes) -> Bound:
        """Return what the request asks for.

        :raises BadHttpRequest: with everything that is wrong, as far as it can be told.
        """
        flaws = Flaws()
        content = parsed(body) if self.route.body and body.strip() else {}
        message = self._read_body(content, flaws)
        self._read_query(message, query, flaws)
        self._read_path(message, segments, flaws)
        places = dict(self._places)
        self._read_key(message, headers, places, flaws)
        version = self._read_version(message, content, headers, flaws)
        if version.version is not None:  # before all others: its body is one of them
            within = f"{self.route.body}." if self.route.body not in ("", "*") else ""
            places = {f"{within}{self.version_field}": {"header": version.header}} | places
        wait_s = self._read_wait(message, headers)
        flaws.raise_any()
        return Bound(message, version.header, places, wait_s)

    def _read_body(self, content: Any, flaws: Flaws) -> Any:
        if isinstance(content, dict):
            self._refuse_mask(content, flaws)
        read = reader_of(self._body_type)(content, "", flaws)
        request = self._make()
        if read is not FLAWED and self.route.body == "*":
            request = read
        elif read is not FLAWED and self.route.body:
            getattr(request, self.route.body).CopyFrom(read)
        if self.is_patch and isinstance(content, dict):
            request.update_mask.paths.extend(self._mask(content, flaws))
            if not (request.update_mask.paths or flaws.found):
                flaws.add("", "names nothing that is to change")
        return request

    def _refuse_mask(self, content: dict[str, Any], flaws: Flaws) -> None:
        for name in ("update_mask", "updateMask"):
            if self.is_patch and name in content:
                flaws.add(pointer_to("", name), "is made of the names that are there: leave it out")
                del content[name]

    def _mask(self, content: dict[str, Any], flaws: Flaws) -> list[str]:
        """The fields that a merge patch changes: those that are there."""
        names = names_of(self._body_type)
        unchanged = CONTROLS | self._in_path
        paths: list[str] = []
        for given, value in content.items():
            name = names.get(given)
            if name is None or name in unchanged:
                continue
            if name not in self.taken:
                changed = ", ".join(one for one in self.taken if one not in CONTROLS)
                flaws.add(pointer_to("", given), f"can't be changed; what can is {changed}")
            elif name in self._rules.merged and isinstance(value, dict):
                inner = names_of(inside(self._body_type, name))
                paths += [f"{name}.{inner[one]}" for one in value if one in inner]
            else:
                paths.append(name)
        return paths

    def _read_query(self, message: Any, query: bytes, flaws: Flaws) -> None:
        given: dict[str, list[str]] = {}
        for told, value in _parameters(query):
            given.setdefault(self._query_names.get(told, told), []).append(value)
        for name, values in given.items():
            field = self.query.get(name)
            if field is None:
                flaws.add(name, "is not known here", place="parameter")
            elif not field.is_repeated and len(values) > 1:
                flaws.add(name, "is given twice", place="parameter")
            else:
                self._set_query(message, field, name, values, flaws)

    def _set_query(
        self, message: Any, field: FieldDescriptor, name: str, values: list[str], flaws: Flaws
    ) -> None:
        inner = Flaws()
        given = [_typed(field, value) for value in values]
        read = self._reads[field.name](given if field.is_repeated else given[0], "", inner)
        for flaw in inner.found:
            flaws.add(name, flaw.detail, place="parameter")
        if read is FLAWED:
            return
        if field.is_repeated:
            getattr(message, field.name).extend(read)
        elif field.message_type is not None:
            getattr(message, field.name).CopyFrom(read)
        else:
            setattr(message, field.name, read)

    def _read_path(self, message: Any, segments: Sequence[str], flaws: Flaws) -> None:
        for place, path in self._variables.items():
            *owners, name = path.split(".")
            owner = message
            for one in owners:
                owner = getattr(owner, one)
            given = getattr(owner, name)
            if given and given != segments[place]:
                pointer = pointer_to("", name)
                flaws.add(pointer, f"is {given}, but the path says {segments[place]}")
            setattr(owner, name, segments[place])

    def _read_key(
        self, message: Any, headers: Headers, places: dict[str, dict[str, str]], flaws: Flaws
    ) -> None:
        if not self.key_field:
            self._refuse_key(headers, flaws)
            return
        key = asked.idempotency_key(headers, flaws)
        given = getattr(message, self.key_field)
        if key and given and key != given:
            flaws.add(
                "Idempotency-Key", f"differs from {self.key_field} in the body", place="header"
            )
        elif key:
            setattr(message, self.key_field, key)
            places[self.key_field] = {"header": "Idempotency-Key"}
        elif not given and self.route.method.name in self._rules.keyed:
            detail = "is missing: without it, a repeat would do it again"
            flaws.add("Idempotency-Key", detail, place="header")

    def _refuse_key(self, headers: Headers, flaws: Flaws) -> None:
        if "idempotency-key" not in headers:
            return
        if self._is_batch:
            detail = "names one request: give each of the batch its own request_id"
            flaws.add("Idempotency-Key", detail, place="header")
        elif self.route.method.name in self._rules.again:
            detail = "is not known here: a repeat would do it again"
            flaws.add("Idempotency-Key", detail, place="header")

    def _read_version(
        self, message: Any, content: Any, headers: Headers, flaws: Flaws
    ) -> Precondition:
        if not self.version_field:
            # Of what is read, the answer looks at If-None-Match.
            for name in asked.preconditions_in(headers) if self.route.verb != "GET" else ():
                flaws.add(name, "is not known here", place="header")
            return Precondition(None)
        wanted = asked.precondition(headers, flaws)
        owner = message if self.route.body == "*" else getattr(message, self.route.body or "", None)
        is_told = isinstance(content, dict) and content.get(self.version_field) is not None
        if wanted.version is None:
            if self.is_patch and not is_told and not wanted.header:
                raise refused(
                    "name the version that you change: If-Match with the ETag that was read",
                    428,
                    name="If-Match",
                    place="header",
                )
        elif is_told and getattr(owner, self.version_field) != wanted.version:
            flaws.add(wanted.header, "differs from the version in the body", place="header")
        else:
            setattr(owner, self.version_field, wanted.version)
        return wanted

    def _read_wait(self, message: Any, headers: Headers) -> int | None:
        wait_s = asked.preferred_wait_s(headers)
        if wait_s is None or "wait" not in self._input.fields_by_name or message.HasField("wait"):
            return None
        if self.is_patch and self._rules.awaited.isdisjoint(message.update_mask.paths):
            return None
        message.wait.seconds = wait_s
        return wait_s


def _typed(field: FieldDescriptor, value: str) -> Any:
    """What JSON would have: in a query, all that is not text is text too."""
    if field.type == field.TYPE_BOOL:
        return {"true": True, "false": False}.get(value, value)
    if field.message_type is Duration.DESCRIPTOR and value.isdigit():
        return f"{value}s"
    return value


def _parameters(query: bytes) -> list[tuple[str, str]]:
    """Return the names and values of a query.

    :raises BadHttpRequest: it is no UTF-8, wrongly escaped, or has too many.
    """
    if WRONG_ESCAPE.search(query):
        raise refused("has a % that escapes nothing", name="query", place="parameter")
    try:
        return parse_qsl(
            query.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=PARAMETERS_MAX,
        )
    except ValueError:
        raise refused(
            f"is no UTF-8, or has more than {PARAMETERS_MAX:,} parameters",
            name="query",
            place="parameter",
        ) from None
