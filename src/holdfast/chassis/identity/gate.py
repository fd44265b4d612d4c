"""Whoever calls is asked here who they are, and whether they may; nobody else asks."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import structlog

from holdfast.chassis import callers
from holdfast.chassis.identity import keys, principal
from holdfast.chassis.identity.known_keys import KnownKeys
from holdfast.chassis.identity.principal import Principal
from holdfast.chassis.identity.refusals import Forbidden, IdentityUnavailable, Unauthenticated
from holdfast.chassis.identity.roles import ANYBODY
from holdfast.chassis.metrics import AUTH_REFUSALS

Rights = Mapping[str, frozenset[str]]
"""By the full name of a method, the scopes of which one is needed to call it."""

NOBODY: frozenset[str] = frozenset()
LINES_MAX = 20  # about refusals, in a second; the metric counts all


def named(service: str, rights: Rights) -> dict[str, frozenset[str]]:
    """Return the rights to the methods of a service by their full names."""
    return {f"{service}/{method}": needed for method, needed in rights.items()}


log = structlog.get_logger()


class TokenChecks(Protocol):
    """Tokens of issuers; see `tokens.Tokens`."""

    async def principal(self, token: str) -> Principal: ...


class Gate:
    """Stands before every method of a service.

    :param rights: a method that is not in it may be called by nobody.
    :param tokens: who checks tokens; None: there is no issuer, and a token is of nobody.
    """

    def __init__(self, rights: Rights, known: KnownKeys, tokens: TokenChecks | None = None) -> None:
        self._rights, self._keys, self._tokens = rights, known, tokens

    async def admit(self, method: str, context: Any) -> None:
        """Let a call through, and set `principal.current` for it.

        :param method: its full name.
        :raises Unauthenticated, Forbidden, IdentityUnavailable: it may not come through.
        """
        if self.is_for_anybody(method):
            return
        needed = self._rights.get(method, NOBODY)
        try:
            found = await self._principal(context)
            if found.scopes.isdisjoint(needed):
                raise _forbidden(method, needed)
        except Unauthenticated as refused:
            tell_refusal(refused.reason, method, context)
            raise
        except Forbidden:
            tell_refusal("SCOPE_MISSING", method, context, name=found.name, key=found.credential_id)
            raise
        except IdentityUnavailable:
            tell_refusal("IDENTITY_UNAVAILABLE", method, context)
            raise
        principal.current.set(found)

    def is_for_anybody(self, method: str) -> bool:
        """Whether nobody is asked who they are."""
        return ANYBODY in self._rights.get(method, NOBODY)

    def require_still(self) -> None:
        """See, in the middle of a stream or after a wait, that whoever asked may still come in.

        :raises Unauthenticated: their key or token has ended since.
        """
        self._keys.require_good(principal.current.get())

    async def _principal(self, context: Any) -> Principal:
        credential = bearer_of(context.invocation_metadata() or ())
        if not credential.startswith("hf_"):
            if self._tokens is None:
                raise Unauthenticated("NOT_A_KEY", "a key of Holdfast begins with hf_live_")
            return await self._tokens.principal(credential)
        key = keys.read(credential)
        if key is None:
            raise Unauthenticated("KEY_MALFORMED", "the key is incomplete, or mistyped")
        peer = context.peer()
        return self._keys.find(key, peer) or await self._keys.find_anew(key, peer)


class OpenGate:
    """Lets everybody through: for `--no-auth`, on a loopback address."""

    async def admit(self, method: str, context: Any) -> None:
        """Let a call through; nobody is known."""

    def is_for_anybody(self, method: str) -> bool:
        """No method more than others: all who reach this address are let in."""
        return False

    def require_still(self) -> None:
        """Let a stream go on, and a wait be answered."""


def bearer_of(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """Return the one credential that a call brings.

    :raises Unauthenticated: it brings none, several, or one of another kind.
    """
    found: str | bytes | None = None
    for name, value in metadata:
        if name == "authorization":
            if found is not None:
                raise _several()
            found = value
    if found is None:
        raise Unauthenticated(
            "NO_CREDENTIAL", "who are you? send a key: `authorization: Bearer hf_live_...`"
        )
    scheme, _, credential = str(found).strip().partition(" ")
    if "," in credential:
        raise _several()
    credential = credential.strip()
    if scheme.lower() != "bearer" or not credential or " " in credential:
        raise Unauthenticated(
            "CREDENTIAL_MALFORMED", "the header is to be `authorization: Bearer hf_live_...`"
        )
    return credential


def _several() -> Unauthenticated:
    return Unauthenticated("CREDENTIALS_SEVERAL", "there is more than one credential: send one")


def _forbidden(method: str, needed: frozenset[str]) -> Forbidden:
    named = " or ".join(sorted(needed)) or "a right that nobody has"
    what = method.rpartition("/")[2]
    return Forbidden(" ".join(sorted(needed)), f"{what} needs {named}, which you don't have")


def tell_refusal(reason: str, method: str, context: Any, **known: str) -> None:
    """Count that somebody was not let in, and log it, within bounds."""
    AUTH_REFUSALS.labels(reason).inc()
    if _lines.may_tell():
        address = callers.address_of(context.peer())
        log.warning("refused", reason=reason, method=method, address=address, **known)


class _Lines:
    """How many lines refusals may have in the log: whoever tries much must not fill it."""

    def __init__(self) -> None:
        self._begun, self._told = 0.0, 0

    def may_tell(self) -> bool:
        """Whether there is room for one more line in this second."""
        now = time.monotonic()
        if now - self._begun >= 1.0:
            self._begun, self._told = now, 0
        self._told += 1
        return self._told <= LINES_MAX


_lines = _Lines()
