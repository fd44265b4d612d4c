"""Schemas of the OpenAPI document that no proto tells: JSON's own forms, and problems."""

from typing import Any

Schema = dict[str, Any]

MONEY: Schema = {
    "type": "object",
    "description": "An exact decimal amount of an ISO 4217 currency.",
    "properties": {
        "amount": {
            "type": "string",
            "pattern": r"^-?[0-9]{1,19}(\.[0-9]{1,9})?$",
            "description": "A decimal number, no finer than the currency.",
            "examples": ["12.50"],
        },
        "currency": {
            "type": "string",
            "pattern": "^([A-Z]{3})?$",
            "description": "ISO 4217. Left out in a request: that of the product or the order.",
            "examples": ["GBP"],
        },
    },
}
SPECIAL: dict[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {
        "type": "string",
        "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$",
        "examples": ["10s"],
    },
    "google.type.Date": {"type": "string", "format": "date"},
}
PROBLEM_SCHEMA: Schema = {
    "type": "object",
    "description": "Why a request was refused, or failed (RFC 9457).",
    "properties": {
        "type": {"type": "string", "description": "urn:holdfast:REASON, or about:blank."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "The code that gRPC would have given."},
        "reason": {"type": "string", "description": "Part of the contract: see each method."},
        "facts": {"type": "object", "additionalProperties": {"type": "string"}},
        "current_version": {"type": "integer"},
        "correlation_id": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "What is wrong with the request, all of it.",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "Into the body (RFC 6901)."},
                    "parameter": {"type": "string"},
                    "header": {"type": "string"},
                    "detail": {"type": "string"},
                },
                "required": ["detail"],
            },
        },
        "violations": {
            "type": "array",
            "description": "What stands in the way, of each thing that does.",
            "items": {
                "type": "object",
                "properties": {
                    "type": {"type": "string"},
                    "subject": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "missing": {
            "type": "array",
            "description": "What does not exist.",
            "items": {
                "type": "object",
                "properties": {"type": {"type": "string"}, "name": {"type": "string"}},
            },
        },
    },
    "required": ["type", "title", "status", "detail"],
}
