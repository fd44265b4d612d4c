"""The comments of the protos, by the full names of what they stand before."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

_MESSAGE, _ENUM, _SERVICE, _FIELD, _NESTED, _VALUE, _METHOD = 4, 5, 6, 2, 3, 2, 2


def comments_of(protos: Iterable[Path], includes: Iterable[Path]) -> dict[str, str]:
    """Return them as they stand; a value of an enum has the enum's name before its own."""
    with tempfile.NamedTemporaryFile() as built:
        command = [sys.executable, "-m", "grpc_tools.protoc", f"--descriptor_set_out={built.name}"]
        command += ["--include_source_info", *(f"-I{folder}" for folder in includes)]
        subprocess.run([*command, *map(str, protos)], check=True)
        found = FileDescriptorSet.FromString(Path(built.name).read_bytes())
    return {name: text for file in found.file for name, text in _comments(file)}


def _comments(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    names = dict(_names(file))
    for location in file.source_code_info.location:
        name = names.get(tuple(location.path))
        if name and location.leading_comments:
            yield name, location.leading_comments


def _names(file: FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    for place, message in enumerate(file.message_type):
        yield from _in_message(message, f"{file.package}.{message.name}", (_MESSAGE, place))
    for place, enum in enumerate(file.enum_type):
        name = f"{file.package}.{enum.name}"
        yield (_ENUM, place), name
        for inner, value in enumerate(enum.value):
            yield (_ENUM, place, _VALUE, inner), f"{name}.{value.name}"
    for place, service in enumerate(file.service):
        name = f"{file.package}.{service.name}"
        yield (_SERVICE, place), name
        for inner, method in enumerate(service.method):
            yield (_SERVICE, place, _METHOD, inner), f"{name}.{method.name}"


def _in_message(
    message: DescriptorProto, name: str, path: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], str]]:
    yield path, name
    for place, field in enumerate(message.field):
        yield (*path, _FIELD, place), f"{name}.{field.name}"
    for place, inner in enumerate(message.nested_type):
        yield from _in_message(inner, f"{name}.{inner.name}", (*path, _NESTED, place))


def as_prose(comment: str) -> str:
    """Join the lines of a comment as Markdown reads them: what is indented stays as it stands."""
    lines = [line.removeprefix(" ") for line in comment.rstrip().splitlines()]
    text = ""
    for line in lines:
        is_indented = line.startswith(" ")
        joins = text and not text.endswith("\n") and not is_indented and line
        text += f" {line}" if joins else f"\n{line}" if text else line
    return re.sub(r"\n +", lambda gap: "\n" + " " * (len(gap[0]) - 1), text)


def first_sentence(prose: str) -> str:
    """The first sentence of a comment, for a table."""
    return re.split(r"(?<=[^.]\w)\.(?=\s|$)|(?<=\))\.(?=\s|$)|;(?=\s)|:(?=\s)", prose, maxsplit=1)[
        0
    ]
