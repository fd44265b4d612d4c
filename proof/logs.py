"""What the services' own logs tell of a run: notifications as the notifier had them, and errors."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from proof.run_record import Attempt


def attempts_of(logs: Iterable[Path]) -> list[Attempt]:
    """Every notification that was handed to the notifier, as often as it was."""
    return [
        Attempt(news["order_id"], news["version"], news["status"])
        for line in _lines(logs)
        if line.get("event") == "customers notified"
        for news in line["notifications"]
    ]


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
