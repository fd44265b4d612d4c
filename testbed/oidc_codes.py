"""The provider of `testbed.oidc` with its pages: codes for those whom it knows, tokens for codes.

It is as strict as the standards want it, so that a console that leaves something out gets nothing;
and it can be told what to do wrong.
"""

import json
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from joserfc.jwk import Key

from holdfast.chassis.identity.issuers import Issuer
from holdfast.console.settings import SignInSettings
from testbed.oidc import AUDIENCE, Provider, answers

CLIENT_ID = "holdfast-console"
CLIENT_SECRET = "s3cret: of a test%"
AUTHORIZE, TOKEN, LOGOUT = "/authorize", "/token", "/logout"


class CodeProvider(Provider):
    """A provider that signs people in.

    :param redirect_uris: where people may be sent back to, to the letter.
    """

    def __init__(self, redirect_uris: list[str], key: Key) -> None:
        super().__init__(time.time, key)
        self.redirect_uris = redirect_uris
        self.secret = CLIENT_SECRET  # "": the client is public
        self.denies = ""  # an error to send people back with
        self.life_s = 900
        self.access: dict[str, Any] = {}  # claims of access tokens that differ; None: left out
        self.identity: dict[str, Any] = {}  # likewise of ID tokens
        self.opaque = False  # access tokens are no JWTs
        self.refreshes = True
        self.renews_identity = True
        self.renewed = 0
        self._numbers = count(1)
        self._codes: dict[str, dict[str, str]] = {}
        self._refresh_tokens: set[str] = set()
        self.discovery |= {
            "authorization_endpoint": self.url + AUTHORIZE,
            "token_endpoint": self.url + TOKEN,
            "end_session_endpoint": self.url + LOGOUT,
            "authorization_response_iss_parameter_supported": True,
        }
        self.answers |= {AUTHORIZE: self._authorize, TOKEN: self._token}

    def _authorize(self, handler: BaseHTTPRequestHandler) -> None:
        """Send somebody back at once: who they are is known from a moment ago."""
        asked = dict(parse_qsl(urlsplit(handler.path).query))
        right = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "code_challenge_method": "S256",
        }
        is_right = all(asked.get(name) == value for name, value in right.items())
        needed = all(asked.get(name) for name in ("state", "nonce", "code_challenge"))
        if asked.get("redirect_uri") not in self.redirect_uris or not is_right or not needed:
            answers(400, f"not what was agreed: {asked}".encode())(handler)
            return
        told = {"state": asked["state"], "iss": self.url}
        if self.denies:
            told["error"] = self.denies
        else:
            told["code"] = f"code-{next(self._numbers)}"
            self._codes[told["code"]] = asked
        answers(302, b"", location=f"{asked['redirect_uri']}?{urlencode(told)}")(handler)

    def _token(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["content-length"])).decode()
        form = dict(parse_qsl(body))
        if not self._is_client(handler, form):
            _tell(handler, 401, {"error": "invalid_client"})
            return
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self._refresh_tokens:
                _tell(handler, 400, {"error": "invalid_grant"})
                return
            self._refresh_tokens.discard(form["refresh_token"])
            self.renewed += 1
            _tell(handler, 200, self._granted("", identity=self.renews_identity))
            return
        asked = self._codes.pop(form["code"], None)
        digest = sha256(form["code_verifier"].encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or asked["redirect_uri"] != form["redirect_uri"]
            or asked["code_challenge"] != challenge
        ):
            _tell(handler, 400, {"error": "invalid_grant"})
            return
        _tell(handler, 200, self._granted(asked["nonce"], identity=True))

    def _is_client(self, handler: BaseHTTPRequestHandler, form: dict[str, str]) -> bool:
        if not self.secret:
            return form.get("client_id") == CLIENT_ID
        if "client_secret_post" in self.discovery.get("token_endpoint_auth_methods_supported", []):
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, self.secret)
        basic = handler.headers.get("authorization", "").removeprefix("Basic ")
        client_id, _, secret = b64decode(basic).decode().partition(":")
        return (unquote(client_id), unquote(secret)) == (CLIENT_ID, self.secret)

    def _granted(self, nonce: str, *, identity: bool) -> dict[str, Any]:
        number, until = next(self._numbers), int(self._now()) + self.life_s
        granted: dict[str, Any] = {"token_type": "Bearer", "expires_in": self.life_s}
        named: dict[str, Any] = {"jti": f"token-{number}", "exp": until}
        access = self.token(**(named | self.access))
        granted["access_token"] = f"opaque-{number}" if self.opaque else access
        if self.refreshes:
            granted["refresh_token"] = f"refresh-{number}"
            self._refresh_tokens.add(granted["refresh_token"])
        if identity:
            of_it: dict[str, Any] = {"aud": CLIENT_ID, "nonce": nonce or None, "scope": None}
            header = {"typ": "JWT"}
            granted["id_token"] = self.token(header=header, **(named | of_it | self.identity))
        return granted


def sign_in_at(provider: CodeProvider, **differs: str) -> dict[str, Any]:
    """Settings of embedded services and their console, for people who sign in there.

    :param differs: what is set otherwise of the console's.
    """
    issuer = Issuer(issuer=provider.url, audiences=(AUDIENCE,), name="staff")
    settings = {
        "oidc_issuer": provider.url,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
    }
    sign_in = SignInSettings.model_validate(settings | differs)
    return {"issuers": (issuer,), "sign_in": sign_in}


@contextmanager
def signing_people_in(redirect_uris: list[str], key: Key) -> Iterator[CodeProvider]:
    """Run a provider, and stop it in the end, away or not."""
    provider = CodeProvider(redirect_uris, key)
    try:
        yield provider
    finally:
        provider.go_away()


def _tell(handler: BaseHTTPRequestHandler, status: int, told: dict[str, Any]) -> None:
    answers(status, json.dumps(told).encode())(handler)
