"""What is asked of browsers: where a request comes from; and told to them: what pages may do."""

from collections.abc import Mapping

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
ALWAYS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_SAFE = ("GET", "HEAD")


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
