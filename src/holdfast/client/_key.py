"""Who one is: the key that goes with every call."""

import os
from pathlib import Path

from holdfast.client._checks import Checks

VARIABLE = "HOLDFAST_KEY"
KEPT = Path("holdfast-data") / "operator.key"  # where `holdfast up` keeps the operator's
LENGTH_MAX = 8_192  # of tokens; more does not fit into a call
_LOCAL = ("127.0.0.1:", "localhost:", "[::1]:")


def key_for(address: str, key: object) -> str:
    """Return the key for a service: the one that is told, or that of the environment. What
    `holdfast up` has put beside its data is for services on this machine, and never sent elsewhere.

    :raises InvalidRequest: it can't be sent.
    """
    if key is None:
        key = os.environ.get(VARIABLE)
    if key is None and address.startswith(_LOCAL):
        key = _kept()
    checks = Checks()
    if not isinstance(key, str | None):
        checks.is_a("key", key, str)
    elif key and not (key.isascii() and key.isprintable()):
        checks.add("key", "has characters that no key has")
    elif key and len(key) > LENGTH_MAX:
        checks.add("key", f"has {len(key):,} characters; no key or token has over {LENGTH_MAX:,}")
    checks.raise_any()
    return str(key or "")


def _kept() -> str | None:
    try:
        return KEPT.read_text(errors="replace").strip()
    except OSError:
        return None
