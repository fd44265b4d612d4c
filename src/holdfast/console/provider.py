"""The identity provider that people sign in at: OpenID Connect, authorization code with PKCE."""

import asyncio
import ssl
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Any
from urllib.parse import quote, urlencode

import structlog

from holdfast.chassis.clock import Clock
from holdfast.chassis.identity.asking import (
    IssuerSilent,
    address_in,
    answered,
    asking,
    discovered,
)
from holdfast.chassis.identity.issuers import Issuer
from holdfast.chassis.identity.refusals import IdentityUnavailable, Unauthenticated
from holdfast.chassis.identity.tokens import Good, Tokens
from holdfast.console.sessions import NotSignedIn, ProviderAway
from holdfast.console.settings import SignInSettings

ASK_S_MAX = 5.0
FRESH_S = 600.0  # for so long what it tells of itself counts
LIFE_S = 300.0  # of a token, where the provider does not say
CODE_LENGTH_MAX = 4_096
ERROR_LENGTH_MAX = 100

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Granted:
    """What the provider gave for a code, or a refresh token.

    :param subject: who it is, as the ID token has it.
    :param id_token: "": a new one did not come with the rest.
    :param life_s: for how long all of it is good.
    :param refresh_token: for the next ones; "": there are none without the person.
    """

    access_token: str = field(repr=False)
    id_token: str = field(repr=False)
    subject: str
    life_s: float
    refresh_token: str = field(repr=False)


class Provider:
    """The provider, as this console is known to it; one for a process."""

    def __init__(self, settings: SignInSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._issuer = Issuer(
            issuer=settings.oidc_issuer,
            audiences=(settings.oidc_client_id,),
            types=("jwt",),
            ca=settings.oidc_ca,
        )
        self._tls = ssl.create_default_context(cafile=settings.oidc_ca)
        self._tokens = Tokens([self._issuer], clock)
        self._told: dict[str, Any] = {}
        self._told_at = 0.0
        self._asking: asyncio.Task[ProviderAway | None] | None = None

    @property
    def name(self) -> str:
        """What people are told it is called."""
        return self._issuer.label

    async def way_there(self, redirect_uri: str, state: str, nonce: str, challenge: str) -> str:
        """Return the address where somebody says to the provider who they are.

        :param challenge: the SHA-256 of what `redeem` is told as verifier (RFC 7636, S256).
        :raises ProviderAway: it does not tell where that is.
        """
        at = await self._address("authorization_endpoint")
        asked = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": redirect_uri,
            "scope": self._settings.oidc_scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{at}{'&' if '?' in at else '?'}{urlencode(asked)}"

    async def require_its_answer(self, issuer: str | None) -> None:
        """See that it was this provider who sent somebody back (RFC 9207).

        :param issuer: who says to have done so; None: nobody says.
        :raises NotSignedIn: it was another, or this one, which always says so, does not.
        """
        told = await self._discovered()
        must_say = told.get("authorization_response_iss_parameter_supported") is True
        if issuer != self._issuer.issuer and (must_say or issuer is not None):
            raise NotSignedIn("sign.elsewhere", 400, provider=self.name)

    async def redeem(self, code: str, redirect_uri: str, verifier: str, nonce: str) -> Granted:
        """Return what the provider gives for a code, once it is known for whom.

        :raises NotSignedIn: nothing, or what is not for this console and this attempt.
        """
        answer = await self._granted(
            {
                "grant_type": "authorization_code",
                "code": code[:CODE_LENGTH_MAX],
                "redirect_uri": redirect_uri,
                "code_verifier": verifier,
            }
        )
        good = await self._require_good(_text(answer, "id_token"))
        told = good.claims.get("nonce")
        if not isinstance(told, str) or not compare_digest(told.encode(), nonce.encode()):
            raise self._unsound("the ID token's nonce is not of this attempt")
        return _as_granted(answer, good, good.claims["sub"], "")

    async def renew(self, was: Granted) -> Granted:
        """Return what follows on what the provider gave.

        :raises NotSignedIn: nothing, or what is for somebody else.
        """
        answer = await self._granted(
            {"grant_type": "refresh_token", "refresh_token": was.refresh_token}
        )
        id_token = _text(answer, "id_token")
        good = await self._require_good(id_token) if id_token else None
        if good is not None and good.claims["sub"] != was.subject:
            raise self._unsound("the new ID token is of somebody else")
        return _as_granted(answer, good, was.subject, was.refresh_token)

    def way_out(self, back_to: str, id_token: str) -> str:
        """Return the address where somebody signs out of the provider (OpenID Connect RP-Initiated
        Logout 1.0); "": none is known.

        :param id_token: of whom; "": the provider asks them.
        """
        try:
            at = address_in(self._told, "end_session_endpoint", self._issuer.issuer)
        except ValueError:
            return ""
        asked = {
            "client_id": self._settings.oidc_client_id,
            "post_logout_redirect_uri": back_to,
            **({"id_token_hint": id_token} if id_token else {}),
        }
        return f"{at}{'&' if '?' in at else '?'}{urlencode(asked)}"

    async def close(self) -> None:
        """Stop asking."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait({self._asking})
        await self._tokens.close()

    async def _discovered(self) -> dict[str, Any]:
        """What it tells of itself, asked once for all who want to know: strangers cause this."""
        now = self._clock.now().timestamp()
        if not self._told or not 0 <= now - self._told_at < FRESH_S:
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask())
            asked = self._asking
            await asyncio.wait({asked})
            if (away := asked.result()) is not None:
                raise away
        return self._told

    async def _ask(self) -> ProviderAway | None:
        try:
            async with asking(self._issuer.issuer, self._tls, ASK_S_MAX) as client:
                self._told = await discovered(client, self._issuer.issuer)
        except IssuerSilent as error:
            return self._away(error)
        self._told_at = self._clock.now().timestamp()
        return None

    async def _address(self, name: str) -> str:
        told = await self._discovered()
        try:
            return address_in(told, name, self._issuer.issuer)
        except ValueError as error:
            raise self._away(error) from error

    async def _granted(self, form: dict[str, str]) -> dict[str, Any]:
        at = await self._address("token_endpoint")
        try:
            async with asking(self._issuer.issuer, self._tls, ASK_S_MAX) as client:
                how = self._as_client(form)
                status, answer = await answered(client, "POST", at, **how)
        except IssuerSilent as error:
            raise self._away(error) from error
        if status == 200 and _text(answer, "access_token"):
            return answer
        told = _text(answer, "error")[:ERROR_LENGTH_MAX] or str(status)
        log.warning("provider grants nothing", issuer=self._issuer.issuer, error=told)
        if told == "invalid_grant":
            raise NotSignedIn("sign.code", 400, provider=self.name)
        raise NotSignedIn("sign.refused", 502, provider=self.name, error=told)

    def _as_client(self, form: dict[str, str]) -> dict[str, Any]:
        """Say who asks, in the way that the provider takes (RFC 6749, 2.3.1)."""
        client_id = self._settings.oidc_client_id
        secret = self._settings.oidc_client_secret.get_secret_value()
        if not secret:
            return {"data": {**form, "client_id": client_id}}
        ways = self._told.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if "client_secret_basic" not in ways:
            return {"data": {**form, "client_id": client_id, "client_secret": secret}}
        return {"data": form, "auth": (quote(client_id, safe=""), quote(secret, safe=""))}

    async def _require_good(self, id_token: str) -> Good:
        """See that an ID token is for this console (OpenID Connect Core 1.0, 3.1.3.7)."""
        if not id_token:
            raise self._unsound("there is no ID token")
        try:
            good = await self._tokens.require_good(id_token)
        except Unauthenticated as error:
            raise self._unsound(str(error)) from error
        except IdentityUnavailable as error:
            raise self._away(error) from error
        client_id, audience = self._settings.oidc_client_id, good.claims.get("aud")
        is_for_several = isinstance(audience, list) and len(audience) > 1
        if good.claims.get("azp", None if is_for_several else client_id) != client_id:
            raise self._unsound("the ID token was made for another client")
        if not isinstance(good.claims.get("sub"), str):
            raise self._unsound("the ID token names nobody")
        return good

    def _away(self, error: Exception) -> ProviderAway:
        log.warning("provider does not answer", issuer=self._issuer.issuer, error=str(error))
        return ProviderAway("sign.away", 503, provider=self.name)

    def _unsound(self, why: str) -> NotSignedIn:
        log.warning("provider's token is not taken", issuer=self._issuer.issuer, why=why)
        return NotSignedIn("sign.unsound", 502, provider=self.name, why=why)


def _as_granted(
    answer: dict[str, Any], good: Good | None, subject: str, refresh_token: str
) -> Granted:
    told = answer.get("expires_in")
    life_s = LIFE_S
    if isinstance(told, int | float) and not isinstance(told, bool) and told > 0:
        life_s = float(told)
    if good is not None:
        life_s = min(life_s, good.expires_at - good.now)
    return Granted(
        _text(answer, "access_token"),
        "" if good is None else _text(answer, "id_token"),
        subject,
        life_s,
        _text(answer, "refresh_token") or refresh_token,
    )


def _text(answer: dict[str, Any], name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""
