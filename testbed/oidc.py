"""A small OpenID Connect provider: discovery and keys over real HTTP, and tokens of any kind.

It can do what providers do on their bad days: turn their keys, go away, be slow, answer rubbish.
"""

import json
import ssl
import threading
import time
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeyParameters, OKPKey, RSAKey

from testbed.authority import Pair

DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/keys"

AUDIENCE = "holdfast"
LIFE_S = 900

_ALGORITHMS = {"RSA": "RS256", "EC": "ES256", "OKP": "Ed25519"}

Answer = Callable[[BaseHTTPRequestHandler], None]


class Provider:
    """An issuer on a free loopback port; it keeps the port while it is away.

    :param now: its clock.
    :param key: what it signs with at first; None: a new one of RSA, which takes a while to make.
    :param certificate: it speaks TLS, with this.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.time,
        key: Key | None = None,
        certificate: Pair | None = None,
    ) -> None:
        self._now = now
        self._certificate = certificate
        self._server = _server(self, 0, certificate)
        scheme = "http" if certificate is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self.keys: list[Key] = [key or new_key("RSA")]
        self.asked: Counter[str] = Counter()  # by path
        self.discovery: dict[str, Any] = {"issuer": self.url, "jwks_uri": self.url + JWKS}
        self.answers: dict[str, Answer] = {}  # by path, in place of the right ones
        self._start()

    def published(self) -> dict[str, Any]:
        """Return its key set."""
        return {"keys": [public(key) for key in self.keys]}

    def rotate(self, kind: str = "RSA", *, keep: bool = False) -> Key:
        """Sign with a new key from now on; publish the old ones too, or no longer."""
        key = new_key(kind)
        self.keys = [key, *self.keys] if keep else [key]
        return key

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return the claims of a sound token, but for these; None leaves one out."""
        now = int(self._now())
        sound = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "anna",
            "iat": now,
            "exp": now + LIFE_S,
            "jti": "token-1",
            "scope": "orders:read",
        }
        return {name: value for name, value in (sound | changed).items() if value is not None}

    def token(
        self, *, key: Key | None = None, header: Mapping[str, Any] | None = None, **changed: Any
    ) -> str:
        """Sign a token, a sound one but for what is said."""
        key = key or self.keys[0]
        algorithm = _ALGORITHMS[key.key_type]
        whole = {"alg": algorithm, "typ": "at+jwt", "kid": key.kid, **(header or {})}
        whole = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(whole, self.claims(**changed), key, algorithms=[whole["alg"]])

    def go_away(self) -> None:
        """Answer nobody: connections are refused."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def come_back(self) -> None:
        self._server = _server(self, self._server.server_port, self._certificate)
        self._start()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()


@contextmanager
def providing(
    now: Callable[[], float] = time.time, key: Key | None = None, certificate: Pair | None = None
) -> Iterator[Provider]:
    """Run a provider, and stop it in the end, away or not."""
    provider = Provider(now, key, certificate)
    try:
        yield provider
    finally:
        provider.go_away()


def new_key(kind: str) -> Key:
    """Make a private key: RSA, EC or OKP."""
    for_signatures: KeyParameters = {"use": "sig"}
    match kind:
        case "RSA":
            return RSAKey.generate_key(2_048, for_signatures, auto_kid=True)
        case "EC":
            return ECKey.generate_key("P-256", for_signatures, auto_kid=True)
        case _:
            return OKPKey.generate_key("Ed25519", for_signatures, auto_kid=True)


def public(key: Key) -> dict[str, Any]:
    """What a provider publishes of a key."""
    return dict(key.as_dict(private=False))


def part(value: object) -> str:
    """A part of a token: JSON or bytes, in base64url."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def answers(status: int, body: bytes, **headers: str) -> Answer:
    """What a request gets instead of the truth."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def _server(provider: Provider, port: int, certificate: Pair | None) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            provider.asked[path] += 1
            right = {DISCOVERY: provider.discovery, JWKS: provider.published()}
            if path in provider.answers:
                provider.answers[path](self)
            elif path in right:
                answers(200, json.dumps(right[path]).encode())(self)
            else:
                answers(404, b"")(self)

        do_POST = do_GET  # noqa: N815 - so it is called

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    return server
