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
        _require_url(args)
        if any(map(_NEGATIVE_NUMBER.fullmatch, args)):
            ctx.ignore_unknown_options = True
        return super().parse_args(ctx, args)


def _require_url(args: list[str]) -> None:
    """--database is another name of --data: a name alone would be taken for that of a folder."""
    for place, option in enumerate(args):
        name, is_joined, joined = option.partition("=")
        value = joined if is_joined else "".join(args[place + 1 : place + 2])
        if name == "--database" and "://" not in value:
            raise typer.BadParameter(
                "takes a URL, such as postgresql://USER@HOST/NAME", param_hint="--database"
            )


class CommandGroup(typer.Typer):
    """Commands that belong together."""

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Function], Function]:
        return super().command(name, **{"cls": Command, **settings})
