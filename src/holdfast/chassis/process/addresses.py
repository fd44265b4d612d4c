"""Where a process listens: HOST:PORT, who reaches it there, and that it may be taken."""

from ipaddress import ip_address


class AddressInUse(Exception):
    """Another program listens on this address; choose another port, or 0 for a free one."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"can't listen on {address}: it is taken, or not of this machine; choose another port"
        )


def split(address: str) -> tuple[str, int]:
    """Take HOST:PORT apart; the host of an IPv6 address stands in brackets.

    :raises ValueError: it is none.
    """
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isascii() and port.isdecimal() and int(port) <= 65_535):
        raise ValueError(f"{address}: an address is HOST:PORT, such as 127.0.0.1:7009")
    return host.removeprefix("[").removesuffix("]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host; brackets and ports are no part of it."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
