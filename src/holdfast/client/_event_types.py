"""The types of events that there are, as the contract of the feeds names them."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def event_types() -> Mapping[str, tuple[str, ...]]:
    """Full names of all types that this version of the library knows, by feed: orders, inventory.

    A service that is newer may tell of more.
    """
    contract = json.loads(files("holdfast.contracts").joinpath("asyncapi.json").read_bytes())
    return {
        feed: tuple(
            f"holdfast.{feed}.v1.{name}" for name in contract["channels"][f"{feed}Feed"]["messages"]
        )
        for feed in ("orders", "inventory")
    }
