"""Enums of the wire as ours: their members by number."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

E = TypeVar("E", bound=StrEnum)

UNKNOWN = "UNKNOWN"  # the member for what only a newer service knows


def by_number(number_of: Callable[[str], int], prefix: str, kinds: type[E]) -> dict[int, E]:
    """Our members by their numbers on the wire; UNKNOWN has none.

    :param number_of: `Value` of the wire's enum.
    :param prefix: of the names there.
    """
    return {number_of(f"{prefix}_{kind}"): kind for kind in kinds if kind != UNKNOWN}
