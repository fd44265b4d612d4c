"""Named points in the life of a batch where a proof may make something happen.

Off unless code arms them. No setting, variable or argument of a service reaches this module, and
nothing that is shipped calls `arm`: the crash points in `proof/`, which are not shipped, do.
"""

from collections.abc import Awaitable, Callable

Action = Callable[[str], Awaitable[None]]

_action: Action | None = None


async def failpoint(name: str) -> None:
    """Do what was armed for this point, which may kill, raise or wait; nothing, in production."""
    if _action is not None:
        await _action(name)


def arm(action: Action | None) -> None:
    """Have `action` called with the name of every point that is reached; None: no more."""
    global _action
    _action = action


def is_armed() -> bool:
    """Whether points do anything: ask before work that only a point needs."""
    return _action is not None
