"""Types of events by the names that people may write."""

from functools import cache

from holdfast.client import event_types


@cache
def types_by_name() -> dict[str, str]:
    """Return the full names of all types, by full name and by last word."""
    full = [name for names in event_types().values() for name in names]
    return {short: name for name in full for short in (name, name.rpartition(".")[2])}
