"""Tell a task that is asked to stop from one whose work was cancelled under it.

A CancelledError says both. Libraries cancel their own futures when a connection is lost; taken for
a request to stop, that would end a background loop for good, and asyncio would say nothing.
"""

import asyncio


def is_asked_to_stop() -> bool:
    """Whether somebody cancelled the current task; if not, a CancelledError is a failure of what it
    awaits.
    """
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


class Abandoned(Exception):
    """What was awaited was cancelled by nobody who asked us to stop; its outcome is unknown."""
