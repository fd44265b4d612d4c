"""What the services' own logs tell of a run: errors."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any


def errors_of(logs: Iterable[Path]) -> dict[str, int]:
    """How often the services logged which error."""
    errors = Counter(
        str(line.get("event")) for line in _lines(logs) if line.get("level") == "error"
    )
    return dict(errors.most_common())


def _lines(logs: Iterable[Path]) -> Iterator[Mapping[str, Any]]:
    """The lines that are events. A traceback is none, nor what a kill has cut off."""
    for log in logs:
        with log.open(errors="replace") as lines:
            for line in lines:
                if line.startswith("{"):
                    with suppress(json.JSONDecodeError):
                        yield json.loads(line)
