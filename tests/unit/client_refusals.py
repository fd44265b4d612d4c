"""Wrong values, by what is asked for with them; each is refused before anything is sent.

Nobody listens where they go: whatever were sent would come back as Unavailable.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from holdfast.client import HoldfastSync, InvalidRequest

Call = Callable[[HoldfastSync, Any], object]
Refused = tuple[str, list[Any], Call]  # the field that is named, wrong values, what is called


def cases(refused: Mapping[str, Refused]) -> list[ParameterSet]:
    return [
        pytest.param(field, bad, call, id=f"{name}: {_shown(bad)}")
        for name, (field, values, call) in refused.items()
        for bad in values
    ]


def _shown(bad: object) -> str:
    """The same in every process: tests may be shared out among several."""
    if isinstance(bad, int) and abs(bad) > 10**20:
        return "huge"
    return re.sub(" at 0x[0-9a-f]+", "", ascii(bad))[:30]


def names_its_field(nobody: HoldfastSync, field: str, bad: object, call: Call) -> None:
    with pytest.raises(InvalidRequest) as caught:
        call(nobody, bad)

    (violation,) = caught.value.violations
    assert violation.field == field
    assert caught.value.code == "INVALID_ARGUMENT"
    assert violation.description in caught.value.message
