"""An attempt to sign in at a provider: what binds who comes back to the browser that was sent.

All of it is in a cookie, and what the provider is told follows from that by a key that only this
process has: nothing is kept here that strangers could fill up, and who has only the address that
leads back, or only another browser, can do nothing with it.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256

from holdfast.chassis.clock import new_secret

ATTEMPT_S_MAX = 600
AFTER_LENGTH_MAX = 1_500  # a cookie holds 4 KB


class NoAttempt(Exception):
    """No attempt of this browser, and this process, leads here."""


class AttemptOver(Exception):
    """The attempt took longer than ATTEMPT_S_MAX."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt.

    :param cookie: for the browser.
    :param after: where it wanted to go; "": nowhere in particular.
    :param state: tells the provider's answer from one to somebody else.
    :param nonce: likewise its ID token.
    :param verifier: proves to the provider who asked (RFC 7636).
    """

    cookie: str
    after: str
    state: str
    nonce: str
    verifier: str

    @property
    def challenge(self) -> str:
        return _packed(sha256(self.verifier.encode()).digest())


class Attempts:
    """Those of this process.

    :param now_s: is given to each method by a clock that only goes forward.
    """

    def __init__(self) -> None:
        self._key = new_secret(43, _LETTERS).encode()

    def begin(self, after: str, now_s: float) -> Attempt:
        """Return a new one."""
        kept = after if len(after) <= AFTER_LENGTH_MAX else ""
        return self._of(f"{int(now_s)}.{new_secret(43, _LETTERS)}.{_packed(kept.encode())}", kept)

    def find(self, cookie: str, state: str, now_s: float) -> Attempt:
        """Return the one that a browser came back from.

        :raises NoAttempt: `state` is not that of its cookie.
        :raises AttemptOver: it began too long ago.
        """
        try:
            began_s, _, packed = cookie.split(".")
            after = urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
            attempt = self._of(cookie, after)
            if not hmac.compare_digest(attempt.state.encode(), state.encode()):
                raise NoAttempt
        except ValueError:
            raise NoAttempt from None
        if now_s - int(began_s) > ATTEMPT_S_MAX:
            raise AttemptOver
        return attempt

    def _of(self, cookie: str, after: str) -> Attempt:
        def derived(use: str) -> str:
            return _packed(hmac.digest(self._key, f"{use} {cookie}".encode(), "sha256"))

        return Attempt(cookie, after, derived("state"), derived("nonce"), derived("verifier"))


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def _packed(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
