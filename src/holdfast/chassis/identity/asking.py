"""What an issuer answers when it is asked itself: over a way to be believed, and in bounds."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import orjson

from holdfast.chassis.identity.issuers import require_sound, stays_here

ANSWER_BYTES_MAX = 256 * 1024


class IssuerSilent(Exception):
    """An issuer told nothing of use: it is away, slow, or answers rubbish."""


@asynccontextmanager
async def asking(
    issuer: str, tls: ssl.SSLContext, within_s: float
) -> AsyncIterator[httpx2.AsyncClient]:
    """Ask an issuer in the block, which has so many seconds.

    :raises IssuerSilent: why the block came to nothing: what it raised of ValueError, too.
    """
    try:
        async with asyncio.timeout(within_s), client_for(issuer, tls) as client:
            yield client
    except TimeoutError:
        raise IssuerSilent(f"no answer within {within_s:g} s") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
        raise IssuerSilent(f"{type(error).__name__}: {error}") from error


def client_for(issuer: str, tls: ssl.SSLContext) -> httpx2.AsyncClient:
    """Return what goes where it is sent, and nowhere else; to this machine past any proxy."""
    return httpx2.AsyncClient(verify=tls, follow_redirects=False, trust_env=not stays_here(issuer))


async def discovered(client: httpx2.AsyncClient, issuer: str) -> dict[str, Any]:
    """Return what an issuer tells of itself (OpenID Connect Discovery 1.0, 4).

    :raises ValueError: nothing, or of another.
    """
    told = await object_at(client, issuer.rstrip("/") + "/.well-known/openid-configuration")
    if told.get("issuer") != issuer:
        raise ValueError(f"its discovery document is of issuer {told.get('issuer')!r:.200}")
    return told


def address_in(told: Mapping[str, Any], name: str, issuer: str) -> str:
    """Return one of the addresses that an issuer told.

    :raises ValueError: it told none of that name, or one that can't be believed.
    """
    url = told.get(name)
    if not isinstance(url, str):
        raise ValueError(f"its discovery document has no {name}")  # noqa: TRY004 - not our mistake
    return require_sound(url, may_be_loopback=stays_here(issuer))


async def object_at(client: httpx2.AsyncClient, url: str) -> dict[str, Any]:
    """:raises ValueError: there is no JSON object, or one of more than ANSWER_BYTES_MAX."""
    status, found = await answered(client, "GET", url)
    if status != httpx2.codes.OK:
        raise ValueError(f"{url} answers {status}")
    return found


async def answered(
    client: httpx2.AsyncClient, verb: str, url: str, **how: Any
) -> tuple[int, dict[str, Any]]:
    """Return a status, and the JSON object that came with it: with 200, 400 and 401 there is one.

    :raises ValueError: another status, no object, or one of more than ANSWER_BYTES_MAX.
    """
    # Packed, a small answer could become a huge one.
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    async with client.stream(verb, url, headers=headers, **how) as answer:
        if answer.status_code not in (200, 400, 401):
            raise ValueError(f"{url} answers {answer.status_code}")
        body = bytearray()
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > ANSWER_BYTES_MAX:
                raise ValueError(f"{url} answers more than {ANSWER_BYTES_MAX} bytes")
    found = orjson.loads(bytes(body))
    if not isinstance(found, dict):
        raise ValueError(f"{url} answers no JSON object")  # noqa: TRY004 - not our mistake
    return answer.status_code, found
