"""Names into addresses, in threads of its own: a slow name server holds up nobody else's work."""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

LOOKUPS_MAX = 64  # at a time; one a name, however many ask for it

_NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


class NameUnknown(Exception):
    """A name has no addresses, or they can't be had now; the message says which."""


class Resolver(Protocol):
    """Where addresses of names come from."""

    async def addresses(self, host: str) -> Sequence[str]:
        """Return the addresses of a name, in the order to try them; of an address, itself.

        :raises NameUnknown: there are none, or they can't be had now.
        """

    def close(self) -> None:
        """Start no more lookups."""


class SystemResolver:
    """Asks as the machine is configured: its hosts file, then its name servers.

    Both the loop's own threads and uvloop's are few and shared: a name whose servers don't answer
    would stop files and other services with it.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS_MAX, thread_name_prefix="webhook-names")
        self._under_way: dict[str, asyncio.Future[list[str]]] = {}

    async def addresses(self, host: str) -> Sequence[str]:
        """Return them; whoever asks for a name meanwhile has the same answer.

        :raises NameUnknown: there are none, or they can't be had now.
        """
        lookup = self._under_way.get(host)
        if lookup is None:
            lookup = asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host)
            self._under_way[host] = lookup
            lookup.add_done_callback(lambda _: self._under_way.pop(host))
        try:
            # Who gives up waiting does not end it: others may wait for it.
            return await asyncio.shield(lookup)
        except socket.gaierror as error:
            if error.errno in _NO_SUCH_NAME:
                raise NameUnknown(f"there is no host {host}") from error
            raise NameUnknown(f"the name {host} could not be looked up just now") from error
        except (OSError, UnicodeError) as error:
            raise NameUnknown(f"the name {host} could not be looked up: {error}") from error

    def close(self) -> None:
        """Start no more lookups; those under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
