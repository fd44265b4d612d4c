"""What the console says, in each language: catalogues in texts/, one file a language."""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from holdfast.client import Money

FIRST = "en"  # for whoever wants none of those that there are


class Words:
    """One language."""

    def __init__(self, language: str, catalogue: Mapping[str, str]) -> None:
        self.language = language
        self.catalogue = catalogue

    def say(self, name: str, /, **facts: object) -> str:
        """Return a text with its facts.

        :raises KeyError: there is no such text, or a fact of it is missing.
        """
        text = self.catalogue[name]
        return text.format(**facts) if facts else text

    def has(self, name: str) -> bool:
        return name in self.catalogue

    def number(self, value: int) -> str:
        return f"{value:,}".replace(",", self.catalogue["number.thousands"])

    def money(self, value: Money) -> str:
        """An amount with its currency, such as 1,234.50 GBP."""
        whole, point, rest = value.amount.partition(".")
        grouped = self.number(int(whole.lstrip("-")))
        sign = "-" if whole.startswith("-") else ""
        decimals = self.catalogue["number.point"] + rest if point else ""
        return f"{sign}{grouped}{decimals} {value.currency}"

    def decimal(self, value: float, decimals: int) -> str:
        """A number with so many decimals, such as 12.50."""
        return f"{value:.{decimals}f}".replace(".", self.catalogue["number.point"])

    def typed(self, value: Money) -> str:
        """An amount as people type it, without its currency: 1234.50."""
        return value.amount.replace(".", self.catalogue["number.point"])

    def time(self, value: datetime) -> str:
        """A time in UTC; where scripts run, browsers show their own zone in its place."""
        return value.strftime(self.catalogue["time.format"]) + " UTC"


@cache
def languages() -> Mapping[str, Words]:
    """All there are, by their codes."""
    found = {}
    for file in (files("holdfast.console") / "texts").iterdir():
        if file.name.endswith(".toml"):
            code = file.name.removesuffix(".toml")
            found[code] = Words(code, dict(_flat("", tomllib.loads(file.read_text("utf-8")))))
    return found


def chosen(wanted: str, accepted: str) -> Words:
    """Return the language that somebody asked for, or else the first that their browser accepts.

    :param wanted: its code; "": none.
    :param accepted: Accept-Language, as the browser sends it.
    """
    ranked = [wanted, *(part.partition(";")[0].strip() for part in accepted.split(","))]
    for code in ranked:
        found = languages().get(code.partition("-")[0].lower())
        if found is not None:
            return found
    return languages()[FIRST]


def _flat(before: str, table: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, str):
            yield before + name, value
        else:
            yield from _flat(f"{before}{name}.", value)
