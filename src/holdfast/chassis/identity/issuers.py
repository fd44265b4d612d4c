"""Whose tokens are good, and what their words mean here: the setting `issuers`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from holdfast.chassis.identity.roles import CUSTOMER, ROLES, SCOPES, scopes_of
from holdfast.chassis.process.addresses import is_loopback
from holdfast.chassis.tls import TlsFiles, read_material

# A public key verifies and can't sign. So neither HS256, whose secret would have to lie here, and
# which takes a public key for a secret, nor "none" can even be set.
Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519"
]
Claim = str | tuple[str, ...]

OURS = frozenset({CUSTOMER, *ROLES, *SCOPES})
# Claims that are granted for one audience, this one. What stands in others, such as "admin" in a
# company's list of everybody's roles, may mean something else, and so is always translated.
OURS_ALREADY = ("scope", "scp")


class UnsoundUrl(ValueError):
    """An address whose answer anybody on the way could have written."""


def require_sound(url: str, *, may_be_loopback: bool = True) -> str:
    """Return the address of an issuer if an answer from there can be believed.

    :raises UnsoundUrl: it is not https://HOST..., or http:// and a loopback address.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - it is read only now
    except ValueError as error:
        raise UnsoundUrl(f"{url!r} is no address: {error}") from None
    if parts.username is not None or parts.fragment or not url.isascii() or not url.isprintable():
        raise UnsoundUrl(f"{url!r}: has a user, a fragment or characters that no URL has")
    is_sound = parts.scheme == "https" and bool(parts.hostname)
    if not is_sound and not (may_be_loopback and stays_here(url)):
        raise UnsoundUrl(f"{url!r} is not https://HOST...; http is for loopback addresses alone")
    return url


def stays_here(url: str) -> bool:
    """Whether it is an http address of this machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and is_loopback(parts.hostname or "")


class Issuer(BaseModel):
    """An issuer of JWTs, such as Keycloak, Entra ID, Auth0 or a shop's own.

    :param issuer: its URL, to the letter as `iss` has it.
    :param audiences: what `aud` must name one of: this Holdfast, as the issuer calls it.
    :param name: what stands behind the "@" in a caller's name; "": the host of the URL.
    :param algorithms: signatures that are accepted; the token's own word never counts.
    :param jwks_url: where its keys are; "": where its discovery document says.
    :param ca: file in PEM with the authorities of its certificate; None: those everybody knows.
    :param rights_claim: the claim that holds scopes or roles; a list is a path through objects, as
        ["realm_access", "roles"].
    :param rights: what the issuer's words mean: a word, and the roles and scopes it stands for, or
        "customer". Empty: our own names count as they are; only in `scope` and `scp`.
    :param customer_claim: of those who are a "customer": the claim with their customer id.
    :param types: of tokens, as `typ` has it; one without any counts as "jwt".
    :param leeway_s: by how much its clock and ours may differ.
    :param lifetime_s_max: a token that is good for longer is refused: it can't be revoked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: Annotated[str, AfterValidator(require_sound)]
    audiences: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=1)
    name: str = Field(default="", pattern=r"^[A-Za-z0-9.:_-]{0,100}$")
    algorithms: tuple[Algorithm, ...] = Field(
        default=("RS256", "PS256", "ES256", "Ed25519"), min_length=1
    )
    jwks_url: str = ""
    ca: Path | None = None
    rights_claim: Claim = Field(default="scope", min_length=1)
    rights: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    customer_claim: Claim = Field(default="sub", min_length=1)
    types: tuple[str, ...] = Field(default=("at+jwt", "jwt"), min_length=1)
    leeway_s: int = Field(default=30, ge=0, le=60)
    lifetime_s_max: int = Field(default=86_400, ge=60)

    @model_validator(mode="after")
    def _is_sound(self) -> "Issuer":
        if self.jwks_url:
            require_sound(self.jwks_url, may_be_loopback=stays_here(self.issuer))
        if not self.rights and self.rights_claim not in OURS_ALREADY:
            raise ValueError(
                f"rights: say what the words in {self.rights_claim!r} mean; only in "
                f"{' and '.join(OURS_ALREADY)} are they Holdfast's own"
            )
        for names in self.rights.values():
            scopes_of(name for name in names if name != CUSTOMER)
        read_material(TlsFiles(ca=self.ca))
        return self

    @property
    def label(self) -> str:
        """What its callers' names end with."""
        return self.name or urlsplit(self.issuer).hostname or ""

    def scopes_in(self, claims: Mapping[str, Any]) -> frozenset[str]:
        """Return what a token's claims allow. A customer is allowed nothing else, whatever else
        the token names: its holder is somebody in a browser.
        """
        found: set[str] = set()
        for word in _words(claim(claims, self.rights_claim)):
            found.update(self.rights.get(word, ()) if self.rights else OURS & {word})
        return frozenset({CUSTOMER}) if CUSTOMER in found else scopes_of(found)


def claim(claims: Mapping[str, Any], wanted: Claim) -> object:
    """Return what a claim holds, or None where there is none."""
    found: object = claims
    for name in (wanted,) if isinstance(wanted, str) else wanted:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _words(value: object) -> list[str]:
    """A list of words, as `roles` is one, or text with spaces between them, as `scope` is."""
    if isinstance(value, str):
        return value.split(" ")
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _from_json(value: object) -> object:
    """A variable of the environment is text; a table of a TOML file is not."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else ()
    except ValueError as error:
        raise ValueError(f"is a list in JSON, [{{...}}, ...]: {error}") from None


def _each_once(issuers: tuple[Issuer, ...]) -> tuple[Issuer, ...]:
    for what in ("issuer", "label"):
        seen = [getattr(each, what) for each in issuers]
        if twice := next((one for one in seen if seen.count(one) > 1), None):
            hint = "; give each a `name` of its own" if what == "label" else ""
            raise ValueError(f"{twice!r} stands for two issuers{hint}")
    return issuers


Issuers = Annotated[tuple[Issuer, ...], BeforeValidator(_from_json), AfterValidator(_each_once)]
