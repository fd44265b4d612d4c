"""Lines that tell what is being done, so that a long run does not look hung."""

import sys
import time

_BEGUN = time.monotonic()


def say(what: str) -> None:
    """Tell on standard error what begins now, and when."""
    minutes, seconds = divmod(int(time.monotonic() - _BEGUN), 60)
    print(f"[{minutes:2d}:{seconds:02d}] {what}", file=sys.stderr, flush=True)
