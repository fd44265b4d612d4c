"""JWTs: whom a token names, and what it allows them, if its issuer is one of those configured.

Nothing in a token is believed before its signature is, and what it says about how to check it never
is: which key, which algorithm, where to look for either (RFC 8725).
"""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

import orjson
from joserfc import jws
from joserfc.errors import JoseError

from holdfast.chassis.clock import Clock
from holdfast.chassis.identifiers import flaw_in
from holdfast.chassis.identity.issuer_keys import IssuerKeys
from holdfast.chassis.identity.issuers import Issuer, claim
from holdfast.chassis.identity.principal import Principal
from holdfast.chassis.identity.refusals import Unauthenticated
from holdfast.chassis.identity.roles import CUSTOMER
from holdfast.chassis.validation import ID_CHARACTERS_MAX

TOKEN_BYTES_MAX = 8_192  # as much as fits into the headers of a call
KNOWN_S_MAX = 60.0
KNOWN_MAX = 10_000  # tokens; about 5 MB
SUBJECT_LENGTH_MAX = 255  # OpenID Connect Core 1.0, 2

TIME_MAX = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


class Known(NamedTuple):
    """A token that was found good, for so long."""

    since: float
    until: float
    principal: Principal


class Tokens:
    """The tokens of some issuers; one for a process, and for one event loop."""

    def __init__(self, issuers: Sequence[Issuer], clock: Clock) -> None:
        self._clock = clock
        self._known: dict[bytes, Known] = {}
        self._verifiers = {
            issuer.issuer: Verifier(issuer, clock, self._known.clear) for issuer in issuers
        }

    def known(self, token: str) -> Principal | None:
        """Return whom a token names if it was found good less than a minute ago and has not
        expired; None: ask `principal`.
        """
        if len(token) > TOKEN_BYTES_MAX or not token.isascii():
            return None
        known = self._known.get(sha256(token.encode()).digest())
        if known is None or not known.since <= self._clock.now().timestamp() < known.until:
            return None
        return known.principal

    async def principal(self, token: str) -> Principal:
        """Return whom a token names.

        :raises Unauthenticated: it names nobody: its reason is TOKEN_MALFORMED, TOKEN_TOO_LARGE,
            TOKEN_TYPE, TOKEN_ISSUER, TOKEN_ALGORITHM, TOKEN_KEY_UNKNOWN, TOKEN_SIGNATURE,
            TOKEN_AUDIENCE, TOKEN_EXPIRED, TOKEN_NOT_YET_VALID, TOKEN_LIFETIME or TOKEN_CLAIMS.
        :raises IdentityUnavailable: its issuer's keys could not be read.
        """
        if (known := self.known(token)) is not None:
            return known
        good = await self.require_good(token)
        digest = sha256(token.encode()).digest()
        principal = good.verifier.principal(good.claims, digest, good.expires_at)
        until = min(good.expires_at, good.now + KNOWN_S_MAX)
        self._remember(digest, Known(good.now, until, principal))
        return principal

    async def require_good(self, token: str) -> "Good":
        """See that a token is its issuer's, meant for us and now; return what it says.

        :raises Unauthenticated, IdentityUnavailable: as `principal`.
        """
        if len(token) > TOKEN_BYTES_MAX:
            raise Unauthenticated(
                "TOKEN_TOO_LARGE", f"the token is longer than {TOKEN_BYTES_MAX} bytes"
            )
        signed = _opened(token)
        claims = _claims(signed.payload)
        verifier = self._verifiers.get(_text(claims, "iss"))
        if verifier is None:
            raise Unauthenticated("TOKEN_ISSUER", "the token is of an issuer not known here")
        await verifier.require_signature(signed)
        now = self._clock.now().timestamp()
        return Good(verifier, claims, now, verifier.require_claims(claims, now))

    async def close(self) -> None:
        """Stop asking issuers for their keys."""
        for verifier in self._verifiers.values():
            await verifier.keys.close()

    def _remember(self, digest: bytes, known: Known) -> None:
        self._known.pop(digest, None)
        if len(self._known) >= KNOWN_MAX:
            del self._known[next(iter(self._known))]  # the oldest
        self._known[digest] = known


class Good(NamedTuple):
    """A token that was found good at a moment, and when it expires."""

    verifier: "Verifier"
    claims: dict[str, Any]
    now: float
    expires_at: float


class _Registry(jws.JWSRegistry):
    """How much joserfc reads; headers that it doesn't know are nobody's business (RFC 7515, 4)."""

    max_header_length = TOKEN_BYTES_MAX
    max_payload_length = TOKEN_BYTES_MAX


class Verifier:
    """What makes a token of one issuer good."""

    def __init__(self, issuer: Issuer, clock: Clock, changed: Callable[[], None]) -> None:
        self._issuer = issuer
        self._registry = _Registry(algorithms=issuer.algorithms, strict_check_header=False)
        self._types = [kind.lower() for kind in issuer.types]
        self.keys = IssuerKeys(issuer, clock, changed)

    async def require_signature(self, token: jws.CompactSignature) -> None:
        """See that the issuer signed a token, and as what.

        :raises Unauthenticated: it did not.
        """
        header = token.headers()
        kind = str(header.get("typ", "jwt")).lower().removeprefix("application/")
        if kind not in self._types:
            raise Unauthenticated("TOKEN_TYPE", f"typ must be one of: {', '.join(self._types)}")
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in self._issuer.algorithms:
            allowed = ", ".join(self._issuer.algorithms)
            raise Unauthenticated("TOKEN_ALGORITHM", f"alg must be one of: {allowed}")
        if kid is not None and not isinstance(kid, str):
            raise Unauthenticated("TOKEN_MALFORMED", "kid must be text")
        key = await self.keys.find(algorithm, kid)
        try:
            is_good = jws.validate_compact(token, key, registry=self._registry)
        except (JoseError, ValueError) as error:
            raise Unauthenticated("TOKEN_MALFORMED", "the token's header is unsound") from error
        if not is_good:
            raise Unauthenticated("TOKEN_SIGNATURE", "the token's signature is not its issuer's")

    def require_claims(self, claims: dict[str, Any], now: float) -> float:
        """See that a token is meant for us and now; return when it expires.

        :raises Unauthenticated: it is not.
        """
        audience = claims.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        if not any(one in named for one in self._issuer.audiences):
            raise Unauthenticated("TOKEN_AUDIENCE", "the token is not meant for this service")
        leeway_s = self._issuer.leeway_s
        expires_at = _time(claims, "exp")
        if expires_at is None:
            raise Unauthenticated("TOKEN_CLAIMS", "the token has no exp: it would never expire")
        if expires_at + leeway_s <= now:
            raise Unauthenticated("TOKEN_EXPIRED", "the token has expired; get a new one")
        for name in ("nbf", "iat"):
            begins_at = _time(claims, name)
            if begins_at is not None and begins_at - leeway_s > now:
                raise Unauthenticated(
                    "TOKEN_NOT_YET_VALID", f"{name} is in the future; whose clock is wrong?"
                )
        if expires_at - now > self._issuer.lifetime_s_max + leeway_s:
            lifetime_s_max = self._issuer.lifetime_s_max
            raise Unauthenticated(
                "TOKEN_LIFETIME", f"the token is good for longer than {lifetime_s_max} s"
            )
        return expires_at

    def principal(self, claims: dict[str, Any], digest: bytes, expires_at: float) -> Principal:
        """Return whom a good token names.

        :raises Unauthenticated: nobody whose name could be written down.
        """
        subject = _identifier("sub", claims.get("sub"))
        scopes = self._issuer.scopes_in(claims)
        customer_id = ""
        if CUSTOMER in scopes:
            wanted = self._issuer.customer_claim
            name, value = str(wanted), claim(claims, wanted)
            customer_id = _identifier(name, value, length_max=ID_CHARACTERS_MAX)
        jti = claims.get("jti")
        is_readable = isinstance(jti, str) and 0 < len(jti) <= 100 and flaw_in(jti) is None
        credential_id = f"jti:{jti}" if is_readable else f"sha256:{digest.hex()[:16]}"
        name = f"{subject}@{self._issuer.label}"
        ends_at = expires_at + self._issuer.leeway_s
        return Principal(name, credential_id, scopes, customer_id, ends_at)


def _opened(token: str) -> jws.CompactSignature:
    """Take a token apart. Nothing of it is true yet."""
    try:
        signed = jws.extract_compact(token.encode("ascii"), registry=_Registry())
        header = signed.headers()
        if not isinstance(header, dict) or "b64" in header:
            raise ValueError("no header of a JWT (RFC 7797, 7)")  # noqa: TRY301 - as below
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Unauthenticated("TOKEN_MALFORMED", "the token is no signed JWT") from error
    if "crit" in header:  # extensions that must be understood, and here is none
        raise Unauthenticated("TOKEN_MALFORMED", "the token has `crit`, which is not understood")
    return signed


def _claims(payload: bytes | None) -> dict[str, Any]:
    try:
        claims = orjson.loads(payload or b"")
    except orjson.JSONDecodeError as error:
        raise Unauthenticated("TOKEN_MALFORMED", "the token's claims are no JSON") from error
    if not isinstance(claims, dict):
        raise Unauthenticated("TOKEN_MALFORMED", "the token's claims are no JSON object")
    return claims


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def _time(claims: dict[str, Any], name: str) -> float | None:
    """A NumericDate (RFC 7519, 2): no text, no truth, and before the year 9999."""
    value = claims.get(name)
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not 0 <= value < TIME_MAX:
        raise Unauthenticated("TOKEN_CLAIMS", f"{name} is no time in seconds since 1970")
    return float(value)


def _identifier(name: str, value: object, length_max: int = SUBJECT_LENGTH_MAX) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= length_max:
        raise Unauthenticated(
            "TOKEN_CLAIMS", f"{name} must be text of 1 to {length_max} characters"
        )
    if (flaw := flaw_in(value)) is not None:
        raise Unauthenticated("TOKEN_CLAIMS", f"{name} {flaw}")
    return value
