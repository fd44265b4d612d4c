"""How commands read their words: a negative number is a number and no option."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand

_NEGATIVE_NUMBER = re.compile(r"-[0-9][0-9.,]*", re.ASCII)

Function = TypeVar("Function", bound=Callable[..., Any])


class Command(TyperCommand):
    """A command to which `-3` is a number; whether it may be so small is for its reader to say."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override] # typer's own context
        if any(map(_NEGATIVE_NUMBER.fullmatch, args)):
            ctx.ignore_unknown_options = True
        return super().parse_args(ctx, args)


class CommandGroup(typer.Typer):
    """Commands that belong together."""

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Function], Function]:
        return super().command(name, **{"cls": Command, **settings})
