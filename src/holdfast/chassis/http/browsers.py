"""Which page of a browser a request comes from, and whether that may change something here.

A page of anywhere can have a browser send a POST, though it never reads the answer. Where nobody is
asked who they are, or a cookie says it, the page would do here what it likes.
"""

from collections.abc import Mapping

_SAFE = ("GET", "HEAD")
_TOLD = ("sec-fetch-site", "origin")


def is_of_ours(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request that may change something comes from one of our pages.

    Browsers say so in Sec-Fetch-Site; old ones in Origin. Who says neither is no browser, and then
    no cookie counts.
    """
    if method in _SAFE:
        return True
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    scheme, separator, host = headers.get("origin", "").partition("://")
    return scheme in ("http", "https") and bool(separator) and host == headers.get("host")


def is_of_others(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a page of another place would change something: for what programs ask, too."""
    return any(name in headers for name in _TOLD) and not is_of_ours(method, headers)
