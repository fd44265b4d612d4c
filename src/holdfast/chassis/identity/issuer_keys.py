"""The public keys of one issuer: read over HTTPS, kept for a while, read again when they turn.

Old keys serve while the issuer is away, for an hour: about as long as the last token that it made.
Then, and before they were first read, nobody is let in by a token.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key
from joserfc.util import base64_to_int

from holdfast.chassis.clock import Clock
from holdfast.chassis.identity.asking import (
    IssuerSilent,
    address_in,
    asking,
    discovered,
    object_at,
)
from holdfast.chassis.identity.issuers import Issuer
from holdfast.chassis.identity.refusals import IdentityUnavailable, Unauthenticated

FRESH_S = 600.0  # older keys serve too, but new ones are asked for
IDLE_S_MAX = 660.0  # keys that nobody needed for longer serve only if the issuer is away
STALE_S_MAX = 3_600.0
UNKNOWN_S_MIN = 60.0  # between two looks for keys that only a caller's token names
AGAIN_S = 5.0  # between two looks while there are none, or they are no longer fresh
FETCH_S_MAX = 5.0  # for discovery and keys together
KEYS_MAX = 100
RSA_BITS = range(2_048, 8_193)

log = structlog.get_logger()


# What tells the keys of one algorithm from those of another: RSA's have no curve.
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "Ed25519": "Ed25519"}


class IssuerKeys:
    """The keys of an issuer, for everybody in this process.

    A look for them is a task of its own: whoever waits for it may leave, and it goes on.

    :param changed: is told when keys are no longer what they were.
    """

    def __init__(self, issuer: Issuer, clock: Clock, changed: Callable[[], None]) -> None:
        self._issuer, self._clock, self._changed = issuer, clock, changed
        self._tls = ssl.create_default_context(cafile=issuer.ca)
        self._keys: tuple[Key, ...] = ()
        self._read_at: float | None = None
        self._looked_at: float | None = None
        self._failed = False
        self._looking: asyncio.Task[None] | None = None

    async def find(self, algorithm: str, kid: str | None) -> Key:
        """Return the key that a token says it is signed by.

        Waits for the issuer, at most five seconds, only where there is no such key yet or nobody
        has looked for long.

        :raises Unauthenticated: the issuer has no such key.
        :raises IdentityUnavailable: it could not be asked.
        """
        if not self._is_younger(self._read_at, FRESH_S):
            looking = self._look(no_sooner_s=AGAIN_S)
            is_late = not self._is_younger(self._read_at, IDLE_S_MAX) and not self._failed
            if looking is not None and is_late:
                await asyncio.wait({looking})
        found = self._found(algorithm, kid)
        if found is None and (looking := self._look(no_sooner_s=UNKNOWN_S_MIN)) is not None:
            await asyncio.wait({looking})
            found = self._found(algorithm, kid)
        if found is not None:
            return found
        if self._failed or not self._is_younger(self._read_at, STALE_S_MAX):
            raise IdentityUnavailable(
                f"the keys of {self._issuer.issuer} can't be read now; try again in a moment"
            )
        raise Unauthenticated(
            "TOKEN_KEY_UNKNOWN",
            f"{self._issuer.issuer} has no single key for {algorithm} that the token names",
        )

    async def close(self) -> None:
        """Stop asking."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    def _found(self, algorithm: str, kid: str | None) -> Key | None:
        if not self._is_younger(self._read_at, STALE_S_MAX):
            return None
        fitting = [
            key
            for key in self._keys
            if _fits(key, algorithm) and (kid is None or key.get("kid") == kid)
        ]
        return fitting[0] if len(fitting) == 1 else None

    def _is_younger(self, at: float | None, s_max: float) -> bool:
        """Whether something is less than so old; what lies ahead was before the clock was set."""
        return at is not None and 0 <= self._clock.now().timestamp() - at < s_max

    def _look(self, *, no_sooner_s: float) -> asyncio.Task[None] | None:
        """Ask the issuer, once for all who want to know; None: it was asked just now."""
        if self._looking is None or self._looking.done():
            if self._is_younger(self._looked_at, no_sooner_s):
                return None
            self._looked_at = self._clock.now().timestamp()
            self._looking = asyncio.create_task(self._read())
        return self._looking

    async def _read(self) -> None:
        try:
            keys = await fetch_keys(self._issuer, self._tls)
        except IssuerSilent as error:
            self._failed = True
            log.warning("issuer's keys not read", issuer=self._issuer.issuer, error=str(error))
            return
        was, self._keys = self._keys, keys
        self._failed, self._read_at = False, self._clock.now().timestamp()
        if was != keys:
            log.info("issuer's keys read", issuer=self._issuer.issuer, keys=len(keys))
            self._changed()


def _fits(key: Key, algorithm: str) -> bool:
    return key.get("crv") == CURVES.get(algorithm) and key.get("alg", algorithm) == algorithm


async def fetch_keys(issuer: Issuer, tls: ssl.SSLContext) -> tuple[Key, ...]:
    """Ask an issuer for its keys.

    :raises IssuerSilent: why not.
    """
    async with asking(issuer.issuer, tls, FETCH_S_MAX) as client:
        url = issuer.jwks_url
        if not url:
            told = await discovered(client, issuer.issuer)
            url = address_in(told, "jwks_uri", issuer.issuer)
        return keys_in(await object_at(client, url))


def keys_in(jwks: dict[str, Any]) -> tuple[Key, ...]:
    """Return the keys of a set that can verify a token here. Others are left out (RFC 7517, 5).

    :raises ValueError: it is no set of keys.
    """
    listed = jwks.get("keys")
    if not isinstance(listed, list) or len(listed) > KEYS_MAX:
        raise ValueError(f"is no set of at most {KEYS_MAX} keys")
    return tuple(key for key in map(_usable, listed) if key is not None)


# What verifying takes. The rest may be wrong, or there for others, without harm.
_READ = ("kty", "n", "e", "crv", "x", "y", "kid", "alg")


def _usable(jwk: object) -> Key | None:
    if not isinstance(jwk, dict) or jwk.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or "verify" not in str(operations):
        return None
    if "d" in jwk:  # a private key for all to see: whoever signs with it may be anybody
        log.warning("issuer publishes a private key, which is not used", kid=jwk.get("kid"))
        return None
    try:
        if jwk["kty"] == "RSA" and base64_to_int(jwk["n"]).bit_length() not in RSA_BITS:
            return None
        return import_key({name: jwk[name] for name in _READ if name in jwk})
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("issuer's key is not used", kid=jwk.get("kid"), error=repr(error))
        return None
