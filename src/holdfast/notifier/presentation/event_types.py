"""Which types of events there are: as the contract of events (asyncapi.json) has both feeds."""

import json
from functools import cache
from importlib.resources import files


@cache
def types_by_name() -> dict[str, str]:
    """Return the full names of all types, by full name and by last word."""
    contract = json.loads(files("holdfast.contracts").joinpath("asyncapi.json").read_bytes())
    found: dict[str, str] = {}
    for feed in ("orders", "inventory"):
        for name in contract["channels"][f"{feed}Feed"]["messages"]:
            full = f"holdfast.{feed}.v1.{name}"
            found |= {full: full, name: full}
    return found
