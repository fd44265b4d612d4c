"""Addresses as people type them, in parts or from a file, and as they read them."""

import json
import re
from dataclasses import asdict, fields
from pathlib import Path

import typer

from holdfast.client import Address

FILE_BYTES_MAX = 65_536

PARTS = tuple(part.name for part in fields(Address))
_KNOWN = ", ".join(PARTS)
EXAMPLE = "name=Ada,street=1 High Street,city=London"
# A comma begins a part only if a name and = follow it: other commas belong to a value.
_NAME = re.compile(r"(?:^|,)\s*(\w+)\s*=")


def address(text: str) -> Address:
    """Read PART=TEXT,PART=TEXT,... or @FILE; an empty text is an address without any part."""
    if text.startswith("@"):
        return _of_file(text.removeprefix("@"))
    before, *found = _NAME.split(text.strip())
    if before:
        raise typer.BadParameter(
            f"{text!r} is no address: write its parts, such as {EXAMPLE!r} in quotes, or @FILE "
            f"with a JSON object; the parts are {_KNOWN}"
        )
    parts: dict[str, str] = {}
    for name, value in zip(found[::2], found[1::2], strict=True):
        if name in parts:
            raise typer.BadParameter(f"{name} is there twice; a part has one text")
        parts[_known(name)] = value.strip()
    return Address(**parts)


def address_line(address: Address | None) -> str:
    """An address on one line; empty if nothing is known of it."""
    if address is None:
        return ""
    town = f"{address.postal_code} {address.city}".strip()
    before = address.name, address.company, *address.street.splitlines()
    return ", ".join(filter(None, (*before, town, address.region, address.country)))


def _of_file(name: str) -> Address:
    try:
        with Path(name).open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"can't read {name!r}: {error}") from error
    if len(content) > FILE_BYTES_MAX:
        raise typer.BadParameter(f"{name} is too large for an address: at most 64 KiB")
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        example = json.dumps(asdict(Address("Ada", city="London", country="GB")))
        raise typer.BadParameter(f"{name} must hold a JSON object of texts in UTF-8: {example}")
    return Address(**{_known(part): value for part, value in found.items()})


def _known(name: str) -> str:
    if name not in PARTS:
        raise typer.BadParameter(
            f"{name} is no part of an address; there are {_KNOWN} (a text that has ,{name}= in "
            "it goes into @FILE)"
        )
    return name
