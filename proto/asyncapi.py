"""The AsyncAPI document of all events: what there is to hear, and where it can be heard."""

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.descriptor import Descriptor

from holdfast.chassis.messaging.broker import exchange_of
from proto.comments import as_prose, first_sentence
from proto.openapi import Writer
from proto.openapi_schemas import Schema

# By the last word of their exchange, such as orders.
Events = Mapping[str, Sequence[Descriptor]]

_ENVELOPE: Schema = {
    "type": "object",
    "description": "A CloudEvent 1.0.",
    "required": ["specversion", "id", "source", "type", "subject", "time", "sequence", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "description": "Tells repeats."},
        "source": {"type": "string", "description": "The service."},
        "subject": {"type": "string", "description": "Id of what it is about."},
        "time": {"type": "string", "format": "date-time"},
        "sequence": {"type": "integer", "description": "The subject's version with it."},
        "traceparent": {"type": "string", "description": "W3C Trace Context."},
        "cursor": {"type": "string", "description": "The place behind it, in a feed."},
    },
}


def document(events: Events, repeats: Events, comments: Mapping[str, str], version: str) -> Schema:
    """Describe all events.

    :param events: those of each service's feed.
    :param repeats: those that are only published, because they tell again what was told.
    """
    every = [one for told in (events, repeats) for kinds in told.values() for one in kinds]
    writer = Writer(comments, every)
    messages = {one.full_name: _message(writer, one, comments) for one in every}
    channels: dict[str, Schema] = {}
    operations: dict[str, Schema] = {}
    for service, kinds in events.items():
        published = [*kinds, *repeats.get(service, ())]
        channels[f"{service}Feed"] = _feed(service, kinds)
        channels[f"{service}Exchange"] = _exchange(service, published)
        for channel in (f"{service}Feed", f"{service}Exchange"):
            name = f"tell{channel[0].upper()}{channel[1:]}"
            operations[name] = {
                "action": "send",
                "channel": {"$ref": f"#/channels/{channel}"},
                "summary": f"What {service.title()} tells.",
            }
    schemas = {name: schema for name, schema in writer.schemas.items() if name != "Problem"}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Holdfast",
            "version": version,
            "description": "What Orders and Inventory tell: in feeds that are read from a cursor"
            " on (docs/concepts/events.md), and on RabbitMQ, at least once.",
            "license": {"name": "Apache-2.0"},
        },
        "servers": {
            "http": {"host": "127.0.0.1:7000", "protocol": "http", "description": "Both feeds."},
            "rabbitmq": {"host": "127.0.0.1:5672", "protocol": "amqp", "protocolVersion": "0.9.1"},
        },
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": dict(sorted(schemas.items())) | {"CloudEvent": _ENVELOPE},
        },
    }


def _message(writer: Writer, kind: Descriptor, comments: Mapping[str, str]) -> Schema:
    prose = as_prose(comments[kind.full_name])
    inside = {"type": {"const": kind.full_name}, "data": writer.message(kind)}
    return {
        "name": kind.full_name,
        "title": kind.name,
        "summary": first_sentence(prose),
        "description": prose,
        "contentType": "application/json",
        "payload": {"allOf": [{"$ref": "#/components/schemas/CloudEvent"}, {"properties": inside}]},
    }


def _feed(service: str, kinds: Sequence[Descriptor]) -> Schema:
    return {
        "address": f"/v1/feeds/{service}/events",
        "title": f"The feed of {service.title()}",
        "description": "One order, without a gap, each event once: pages of JSON, or with `Accept:"
        " text/event-stream` Server-Sent Events whose id is the cursor.",
        "servers": [{"$ref": "#/servers/http"}],
        "messages": _named(kinds),
    }


def _exchange(service: str, kinds: Sequence[Descriptor]) -> Schema:
    exchange = exchange_of(kinds[0].full_name)
    return {
        "address": "#",
        "title": f"The exchange of {service.title()}",
        "description": "A message is a batch of events in protobuf"
        " (application/cloudevents-batch+protobuf, io.cloudevents.v1); the routing key is the full"
        " name of their type. At least once: the id tells repeats.",
        "servers": [{"$ref": "#/servers/rabbitmq"}],
        "messages": _named(kinds),
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": exchange, "type": "topic", "durable": True},
                "bindingVersion": "0.3.0",
            }
        },
    }


def _named(kinds: Sequence[Descriptor]) -> dict[str, Any]:
    return {one.name: {"$ref": f"#/components/messages/{one.full_name}"} for one in kinds}
