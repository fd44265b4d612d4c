"""By which names a server on a loopback address is spoken to: those of this machine.

A page of anywhere can give its own name the address 127.0.0.1 (DNS rebinding), and the browser then
takes this server for the page's own. What the browser says in `Host` is still the page's name.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from holdfast.chassis.process.addresses import is_loopback

_HOST = re.compile(r"(?:\[([^\[\]]+)\]|([^:\[\]]+))(?::[0-9]*)?")

IsOurs = Callable[[str | None], bool]


def hosts_of(listen: str, names: Iterable[str] = ()) -> IsOurs | None:
    """Return what tells whether a request's Host is meant for this server.

    :param listen: HOST:PORT of the server.
    :param names: further names, as a proxy on the same machine may pass them on.
    :return: None: the server listens for other machines, which may call it anything.
    """
    if not _is_loopback(_name_in(listen)):
        return None
    allowed = frozenset(_name_in(name) for name in names)

    @lru_cache(maxsize=1_000)
    def is_ours(host: str | None) -> bool:
        """No Host at all: no browser."""
        if host is None:
            return True
        name = _name_in(host)
        return name in allowed or _is_loopback(name)

    return is_ours


def _name_in(host: str) -> str:
    """HOST, HOST:PORT or [HOST]:PORT without its port, as names are compared; "": it is none."""
    found = _HOST.fullmatch(host)
    return (found[1] or found[2]).lower().removesuffix(".") if found else ""


def _is_loopback(name: str) -> bool:
    return is_loopback(name) or name.endswith(".localhost")  # RFC 6761, 6.3: nobody else's
