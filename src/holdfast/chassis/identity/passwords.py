"""Passwords: which can be one, and what is kept of it: argon2id of what the pepper makes of it.

It takes a tenth of a second and much memory, for whoever guesses too; so it is done in threads,
few at once, and who finds too many waiting is sent away.
"""

import asyncio
import hmac
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import BaseModel, Field

from holdfast.chassis.clock import new_secret_bytes
from holdfast.chassis.grpc.admission import TooMuch
from holdfast.chassis.validation import Violations

LENGTH_MIN, LENGTH_MAX = 12, 256  # characters
DIFFERENT_MIN = 5  # characters; aaaaaaaaaaaa and 121212121212 are tried first
BESIDE_NAME_MIN = 8  # characters that are left without the name
AT_ONCE_MAX = 2
WAITING_MAX = 20
BUSY_S = 1.0

# Each beyond the shortest length, and in no other by the rules here.
_COMMONEST = frozenset(
    """
    passwordpassword password1234 password12345 password123456 passw0rd1234 mypassword123
    administrator administrator1 adminadminadmin admin1234567 welcome12345 welcome123456
    changeme1234 changemeplease letmeinletmein letmein12345 qwertyuiopas qwertyuiop12
    qwertyuiop123 qwertyuiop[] qwerty123456 qwertyqwerty 1q2w3e4r5t6y 1qaz2wsx3edc qazwsxedcrfv
    zaq12wsxcde3 asdfghjkl123 asdfghjkl;'\\ 1234567890ab 123456789abc 123456789012 1234567890123
    12345678901234 123456789123 1234567891011 0123456789012 0987654321098 abcdefghijkl abcdefghijklm
    abcd12345678 abc123456789 iloveyou1234 iloveyouiloveyou sunshine1234 football1234 baseball1234
    princess1234 superman1234 holdfast1234 holdfastholdfast passwort1234 passwortpasswort
    hallo1234567 qwertzuiop12 qwertzuiop123 qwertzuiopü+ ichliebedich schalke04schalke
    """.split()
)

P = ParamSpec("P")
T = TypeVar("T")


class PasswordSettings(BaseModel):
    """What a password costs whoever checks or guesses it: at most two at once in each process.

    :param argon2_memory_kib: for each; 64 MiB, three passes and four lanes are the second
        recommendation of RFC 9106.
    """

    argon2_memory_kib: int = Field(default=65_536, ge=64, le=1_048_576)
    argon2_passes: int = Field(default=3, ge=1, le=20)
    argon2_lanes: int = Field(default=4, ge=1, le=16)


PASSWORD_DEFAULTS = PasswordSettings()


class Passwords:
    """Makes and checks what is kept of passwords."""

    def __init__(self, settings: PasswordSettings, pepper: bytes) -> None:
        self._pepper = pepper
        self._argon2 = PasswordHasher(
            time_cost=settings.argon2_passes,
            memory_cost=max(settings.argon2_memory_kib, 8 * settings.argon2_lanes),
            parallelism=settings.argon2_lanes,
        )
        self._threads = ThreadPoolExecutor(AT_ONCE_MAX, "passwords")
        self._under_way: set[Future[Any]] = set()

    async def kept(self, password: str) -> str:
        """Return what is to be kept.

        :raises TooMuch: too many wait.
        """
        return await self._threaded(self._argon2.hash, self._peppered(password))

    async def matches(self, kept: str | None, password: str) -> bool:
        """Whether a password is the one of what is kept.

        :param kept: None: nothing is; to find that out takes as long.
        :raises TooMuch: too many wait.
        """
        return await self._threaded(self._check, kept or self._nobody_s(), self._peppered(password))

    def is_outdated(self, kept: str) -> bool:
        """Whether it was made with other settings."""
        return self._argon2.check_needs_rehash(kept)

    def close(self) -> None:
        """Begin no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _check(self, kept: str, peppered: bytes) -> bool:
        try:
            return self._argon2.verify(kept, peppered)
        except (VerificationError, InvalidHashError):
            return False

    def _peppered(self, password: str) -> bytes:
        # As in keys: a stolen table alone is of no use. Composed, as keyboards differ in that.
        return hmac.digest(self._pepper, normalize("NFC", password).encode(), "sha256")

    def _nobody_s(self) -> str:
        """What could be kept, and is nobody's."""
        made = self._argon2
        parts = map(new_secret_bytes, (made.salt_len, made.hash_len))
        written = "$".join(b64encode(part).decode().rstrip("=") for part in parts)
        costs = f"m={made.memory_cost},t={made.time_cost},p={made.parallelism}"
        return f"$argon2id$v=19${costs}${written}"

    async def _threaded(self, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if len(self._under_way) >= AT_ONCE_MAX + WAITING_MAX:
            raise TooMuch("TOO_MANY_GUESSES", "too many sign in at once", BUSY_S)
        # Of the threads, not of the caller: who leaves does not make room for another one.
        future = self._threads.submit(do, *args, **kwargs)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        return await asyncio.wrap_future(future)


def check(violations: Violations, field: str, password: str, name: str) -> None:
    """Check that a password can be one of a user; what it is made of is no business of ours."""
    length = len(password)
    plain, name = password.casefold(), name.casefold()
    if not LENGTH_MIN <= length <= LENGTH_MAX:
        violations.add(
            field, f"has {length} characters; it must have between {LENGTH_MIN} and {LENGTH_MAX}"
        )
    elif len(set(plain)) < DIFFERENT_MIN or plain in _COMMONEST:
        violations.add(field, "is one that everybody tries first: take another one")
    elif name and name in plain and len(plain.replace(name, "")) < BESIDE_NAME_MIN:
        violations.add(field, "is hardly more than the name: take another one")
