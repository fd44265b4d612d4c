"""The OpenAPI document of HTTP/JSON, made from the descriptors and comments of the protos."""

from collections.abc import Mapping, Sequence

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from holdfast.chassis.http.answers import MAKES
from holdfast.chassis.http.binding import Binding
from holdfast.chassis.http.json_values import short_names
from holdfast.chassis.http.pages import told
from holdfast.chassis.http.router import Route, inside, routes_of
from holdfast.chassis.http.service import HttpService
from proto.comments import as_prose, first_sentence
from proto.openapi_schemas import MONEY, PROBLEM_SCHEMA, SPECIAL, Schema

JSON, PATCH, PROBLEM = (
    "application/json",
    "application/merge-patch+json",
    "application/problem+json",
)
_WHOLE_MAX = 2**53 - 1  # what JavaScript's numbers hold exactly; all of ours stay below it
_STATUS, _ANY = "google.rpc.Status", "google.protobuf.Any"

_HEADERS: dict[str, tuple[str, Schema]] = {
    "Idempotency-Key": (
        "Names this request for ever, bare or quoted: a repeat is answered as the first.",
        {"type": "string", "maxLength": 130},
    ),
    "If-Match": (
        'The version that is changed, as the ETag told it, such as "7".',
        {"type": "string", "pattern": r'^(W/)?"[0-9]{1,18}(-[0-9a-f]+)?"$'},
    ),
    "If-None-Match": ("ETags that the caller has already.", {"type": "string"}),
    "Prefer": (
        "wait=10: wait so many seconds for the outcome, at most 60.",
        {"type": "string", "pattern": "^wait=[0-9]{1,2}$"},
    ),
    "Last-Event-ID of a feed": (
        "With `Accept: text/event-stream`: the cursor seen last, instead of `cursor`.",
        {"type": "string"},
    ),
    "Last-Event-ID": (
        "The version seen last: what is newer is sent.",
        {"type": "string", "pattern": "^[0-9]{1,18}$"},
    ),
}

_TOLD = {
    "ETag": "The version, for If-Match and If-None-Match; with 409 and 412: that there is now.",
    "Idempotent-Replayed": "true: the request had been done before.",
    "Link": 'The next page, <?...>; rel="next", where there is one.',
    "Location": "The path of what was made, where it has one.",
    "Preference-Applied": "wait=10: so long was waited at most, as was preferred.",
    "Retry-After": "With 429 and 503: seconds until it is worth another try.",
    "WWW-Authenticate": "With 401: how to say who calls.",
}


def document(
    services: Sequence[HttpService],
    events: Sequence[Descriptor],
    comments: Mapping[str, str],
    version: str,
) -> Schema:
    """Describe all paths of the services.

    :param events: all that may stand in a feed.
    """
    writer = Writer(comments, events)
    paths: dict[str, Schema] = {}
    for service in services:
        seen: dict[str, int] = {}
        for route in routes_of(service.descriptor):
            number = seen[route.method.name] = seen.get(route.method.name, 0) + 1
            binding = Binding(route, service.rules)
            operation = writer.operation(binding, number, route.method.name in service.rules.keyed)
            by_verb = paths.setdefault(told(route.template), {})
            if route.verb.lower() in by_verb:
                _offer_stream(by_verb[route.verb.lower()], operation)
            else:
                by_verb[route.verb.lower()] = operation
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Holdfast",
            "version": version,
            "summary": "Orders that are never lost, stock that is never oversold.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"bearer": []}],
        "tags": [{"name": name} for name in sorted({_tag(path) for path in paths})],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(writer.schemas.items())),
            "headers": {
                name: {"description": what, "schema": {"type": "string"}}
                for name, what in _TOLD.items()
            },
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _offer_stream(page: Schema, stream: Schema) -> None:
    """Add to what a path answers that it also streams the same, to whoever accepts events."""
    page["description"] += f"\n\nWith `Accept: text/event-stream`: {stream['description']}"
    names = {one["name"] for one in page["parameters"]}
    page["parameters"] += [one for one in stream["parameters"] if one["name"] not in names]
    page["responses"]["200"]["content"] |= stream["responses"]["200"]["content"]


def _tag(path: str) -> str:
    return path.split("/")[2]


def _short(route: Route) -> str:
    return str(route.method.containing_service.name).removesuffix("Service")


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


class Writer:
    """Writes operations, and gathers the schemas that they name."""

    def __init__(self, comments: Mapping[str, str], events: Sequence[Descriptor]) -> None:
        self._comments = comments
        self.schemas: dict[str, Schema] = {"Problem": PROBLEM_SCHEMA}
        self._full_names: dict[str, str] = {}
        self._operations: dict[str, str] = {}
        self._events = events

    def message(self, kind: Descriptor) -> Schema:
        """A message as it is told."""
        return self._message(kind, is_request=False)

    def operation(self, binding: Binding, number: int, needs_key: bool) -> Schema:
        route = binding.route
        prose = as_prose(self._comments[route.method.full_name])
        operation: Schema = {
            "operationId": self._operation_id(route, number),
            "tags": [_tag(route.template)],
            "summary": first_sentence(prose),
            "description": prose,
            "parameters": self._parameters(binding, needs_key),
            "responses": self._responses(binding),
        }
        if route.body:
            operation["requestBody"] = self._body(binding)
        return operation

    def _operation_id(self, route: Route, number: int) -> str:
        """The method's name; where both services have one of that name, with the service before."""
        name = route.method.name + (str(number) if number > 1 else "")
        owner = self._operations.setdefault(name, route.method.containing_service.name)
        return name if owner == route.method.containing_service.name else _short(route) + name

    def _parameters(self, binding: Binding, needs_key: bool) -> list[Schema]:
        route = binding.route
        found = [self._path_parameter(route, path) for path in route.variables.values()]
        found += [self._query_parameter(field) for field in binding.query.values()]
        names = []
        if binding.key_field:
            names.append("Idempotency-Key")
        if binding.version_field:
            names.append("If-Match")
        if route.verb == "GET" and _has_version(_answered(route)):
            names.append("If-None-Match")
        if route.method.server_streaming and _has_version(_answered(route)):
            names = ["Last-Event-ID"]
        if route.method.server_streaming and "cursor" in binding.query:
            names = ["Last-Event-ID of a feed"]
        if _may_wait(route):
            names.append("Prefer")
        for name in names:
            description, schema = _HEADERS[name]
            name = name.removesuffix(" of a feed")
            header = {"name": name, "in": "header", "description": description, "schema": schema}
            found.append(
                header | ({"required": True} if needs_key and name == "Idempotency-Key" else {})
            )
        return found

    def _path_parameter(self, route: Route, path: str) -> Schema:
        owner = route.method.input_type
        *owners, name = path.split(".")
        for one in owners:
            owner = inside(owner, one)
        schema = {"type": "string", "minLength": 1}
        return self._named(owner.fields_by_name[name], "path", schema) | {"required": True}

    def _query_parameter(self, field: FieldDescriptor) -> Schema:
        return self._named(field, "query", self._value(field, is_request=True))

    def _named(self, field: FieldDescriptor, where: str, schema: Schema) -> Schema:
        comment = as_prose(self._comments[field.full_name])
        return {"name": field.name, "in": where, "description": comment, "schema": schema}

    def _body(self, binding: Binding) -> Schema:
        route, owner = binding.route, binding.route.method.input_type
        if route.body != "*":
            owner = inside(owner, route.body)
        left_out = set(owner.fields_by_name).difference(binding.taken)
        schema = self._object(owner, is_request=True, left_out=left_out)
        name = owner.name
        if route.body != "*":
            name += "Patch" if binding.is_patch else "Input"
        elif left_out:  # others may refer to the message as a whole
            name = f"{name.removesuffix('Request')}Body"
        if self.schemas.setdefault(name, schema) != schema:
            raise ValueError(f"{route.template} has another body than others of the name {name}")
        kinds = (JSON, PATCH) if binding.is_patch else (JSON,)
        return {"content": {kind: {"schema": _ref(name)} for kind in kinds}}

    def _responses(self, binding: Binding) -> Schema:
        route = binding.route
        failed = {
            "description": "Refused or failed",
            "headers": _told(
                "Retry-After", "WWW-Authenticate", *(["ETag"] if binding.version_field else [])
            ),
            "content": {PROBLEM: {"schema": _ref("Problem")}},
        }
        answered = _answered(route)
        schema = self._message(answered, is_request=False)
        if route.method.server_streaming:
            events = {"text/event-stream": {"schema": {"type": "string"}, "x-event": schema}}
            done: Schema = {"200": {"description": "Events", "content": events}}
            if _has_version(answered):
                done["204"] = {"description": "All has been told already"}
            return done | {"default": failed}
        content = {JSON: {"schema": schema}}
        has_tag = _has_version(answered) or "level" in answered.fields_by_name
        tag = ["ETag"] if has_tag else []
        makes = route.verb == "POST" and route.method.name.startswith(MAKES)
        again = ["Idempotent-Replayed"] if binding.key_field or makes else []
        more = ["Link"] if "next_page_token" in answered.fields_by_name else []
        waited = ["Preference-Applied"] if _may_wait(route) else []
        done = {
            "200": _with_headers(
                {"description": "Done", "content": content}, tag + again + more + waited
            )
        }
        if makes:
            made = {"description": "Made", "content": content}
            done["201"] = _with_headers(made, [*tag, "Location", *waited])
        if route.verb == "GET" and _has_version(answered):
            done["304"] = _with_headers({"description": "The caller has it already"}, tag)
        return done | {"default": failed}

    def _message(self, kind: Descriptor, *, is_request: bool) -> Schema:
        if is_request and kind.full_name == "google.protobuf.Duration":
            return SPECIAL[kind.full_name] | {"type": ["string", "integer"]}  # of whole seconds
        if kind.full_name in SPECIAL:
            return SPECIAL[kind.full_name]
        if kind.full_name == _STATUS:
            return _ref("Problem")
        if kind.full_name == _ANY:
            return {"anyOf": [self._message(one, is_request=False) for one in self._events]}
        name = (
            f"{kind.name}Input" if is_request and not kind.name.endswith("Request") else kind.name
        )
        if self._full_names.setdefault(name, kind.full_name) != kind.full_name:
            raise ValueError(f"{kind.full_name} and {self._full_names[name]} have one name")
        if name not in self.schemas:
            self.schemas[name] = {}  # whoever meets it below refers to it
            self.schemas[name] = self._object(kind, is_request=is_request)
        return _ref(name)

    def _object(
        self,
        kind: Descriptor,
        *,
        is_request: bool,
        left_out: set[str] | frozenset[str] = frozenset(),
    ) -> Schema:
        if kind.full_name == "google.type.Money":
            return MONEY | _strictness(
                ["amount"] if is_request else ["amount", "currency"], is_request
            )
        properties = {
            field.name: self._property(field, is_request)
            for field in kind.fields
            if field.name not in left_out
        }
        always = [field.name for field in kind.fields if not field.has_presence]
        comment = as_prose(self._comments[kind.full_name])
        schema = {"type": "object", "description": comment, "properties": properties}
        return schema | _strictness([] if is_request else always, is_request)

    def _property(self, field: FieldDescriptor, is_request: bool) -> Schema:
        schema = self._value(field, is_request=is_request)
        if is_request:  # null is the same as left out; in a merge patch it empties the field
            kind = schema.get("type", [])
            kinds = kind if isinstance(kind, list) else [kind]
            or_null = schema | {"type": [*kinds, "null"]}
            schema = or_null if kinds else {"anyOf": [schema, {"type": "null"}]}
        return schema | {"description": as_prose(self._comments[field.full_name])}

    def _value(self, field: FieldDescriptor, *, is_request: bool) -> Schema:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return {"type": "object", "additionalProperties": {"type": "string"}}
        one = self._single(field, is_request)
        return {"type": "array", "items": one} if field.is_repeated else one

    def _single(self, field: FieldDescriptor, is_request: bool) -> Schema:
        if field.message_type is not None:
            return self._message(field.message_type, is_request=is_request)
        if field.enum_type is not None:
            return self._enum(field.enum_type)
        match field.type:
            case FieldDescriptor.TYPE_INT64:
                # All of 64 bits is taken; what is answered stays below what JavaScript holds.
                least, most = (-(2**63), 2**63 - 1) if is_request else (-_WHOLE_MAX, _WHOLE_MAX)
                limits = {"minimum": least, "maximum": most}
                return {"type": "integer", "format": "int64"} | limits
            case FieldDescriptor.TYPE_INT32:
                return {"type": "integer", "format": "int32"}
            case FieldDescriptor.TYPE_BOOL:
                return {"type": "boolean"}
        return {"type": "string"}

    def _enum(self, kind: EnumDescriptor) -> Schema:
        names = short_names(kind)
        lines = [as_prose(self._comments[kind.full_name]), ""]
        for value in kind.values:
            told_of = as_prose(self._comments[f"{kind.full_name}.{value.name}"])
            lines.append(f"- {names[value.number]}: {told_of}")
        description = "\n".join(lines)
        self.schemas[kind.name] = {
            "type": "string",
            "enum": list(names.values()),
            "description": description,
        }
        return _ref(kind.name)


def _strictness(required: list[str], is_request: bool) -> Schema:
    strict = {"additionalProperties": False} if is_request else {}
    return strict | ({"required": required} if required else {})


def _told(*names: str) -> Schema:
    """Headers of an answer, each of which is there where it applies."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in sorted(names)}


def _with_headers(answer: Schema, names: Sequence[str]) -> Schema:
    return answer | {"headers": _told(*names)} if names else answer


def _answered(route: Route) -> Descriptor:
    whole = route.method.output_type
    return inside(whole, route.answer) if route.answer else whole


def _may_wait(route: Route) -> bool:
    """Whether a caller may prefer to wait for an outcome."""
    return bool(route.body) and "wait" in route.method.input_type.fields_by_name


def _has_version(kind: Descriptor) -> bool:
    return "version" in kind.fields_by_name
