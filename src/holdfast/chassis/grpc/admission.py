"""Who may begin a call: certificates by name, and so much at once and a second for each caller."""

from __future__ import annotations  # grpc's classes are generic only in their stubs

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import structlog

from holdfast.chassis import callers
from holdfast.chassis.process.ports import CallerLimits

BURST_S = 1.0  # the calls of so long may come at once
BUSY_S = 0.5  # when to try again, if others have to end first
ACCOUNTS_MAX = 10_000  # before those that no longer matter are looked for
NAMES = "x509_subject_alternative_name"

log = structlog.get_logger()


class TooMuch(Exception):
    """A caller asks more than one may: nothing was done; come again after `retry_after_s`."""

    def __init__(self, reason: str, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.reason, self.retry_after_s = reason, retry_after_s


class StrangeCertificate(Exception):
    """A caller's certificate is good, and of somebody who has no business here."""

    def __init__(self) -> None:
        super().__init__("your certificate has none of the names that may call this service")


class _Account:
    """What one caller, or one address, has under way."""

    __slots__ = ("calls", "due_at", "streams")

    def __init__(self) -> None:
        self.calls = self.streams = 0
        self.due_at = 0.0  # when the calls begun so far would be evenly spread


class Admission:
    """Counts what is under way for whom; belongs to one event loop.

    :param names: alternative names of certificates, of which a caller must have one; none: who got
        through TLS, or came without, may call.
    """

    def __init__(
        self,
        limits: CallerLimits,
        names: tuple[str, ...] = (),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self._names = frozenset(names)
        self._now = now
        # By caller; by address as the only part of a tuple, for all who call from there.
        self._accounts: dict[str | tuple[str], _Account] = {}
        self._accounts_max = ACCOUNTS_MAX

    def enter(self, context: Any, *, stream: bool) -> Entered:
        """Let a call begin; it is under way until `Entered` is left. It sets `callers.current`.

        :raises StrangeCertificate, TooMuch: it may not.
        """
        if len(self._accounts) > self._accounts_max:
            self._forget_idle()
        address = callers.address_of(context.peer())
        if self._names and address != callers.NOBODY:
            self._require_name(context)
        caller = callers.named(address)
        callers.current.set(caller)
        accounts: tuple[_Account, ...] = ()
        if caller != callers.NOBODY:
            accounts = (self._account(caller, 1, stream),)
            if address not in (caller, callers.NOBODY):
                several = self.limits.callers_per_address
                accounts += (self._account((address,), several, stream),)
            self._begin(accounts, stream)
        return Entered(accounts, stream)

    def _require_name(self, context: Any) -> None:
        told = {name.decode(errors="replace") for name in context.auth_context().get(NAMES, ())}
        if self._names.isdisjoint(told):
            log.warning("certificate refused", names=sorted(told)[:5])
            raise StrangeCertificate

    def _account(self, key: str | tuple[str], times: int, stream: bool) -> _Account:
        """Return an account that has room for one more."""
        account = self._accounts.get(key)
        if account is None:
            account = self._accounts[key] = _Account()
        limits = self.limits
        if stream and account.streams >= limits.caller_streams_max * times:
            raise TooMuch("TOO_MANY_STREAMS", "too many of your streams are open", BUSY_S)
        if not stream and account.calls >= limits.caller_calls_max * times:
            raise TooMuch("TOO_MANY_CALLS", "too many of your calls are under way", BUSY_S)
        early_s = account.due_at - self._now() - BURST_S
        if early_s > 0:
            raise TooMuch("TOO_MANY_REQUESTS", "you call more often than one may", early_s)
        return account

    def _begin(self, accounts: tuple[_Account, ...], stream: bool) -> None:
        now = self._now()
        for times, account in zip((1, self.limits.callers_per_address), accounts, strict=False):
            account.due_at = max(account.due_at, now)
            account.due_at += 1 / (self.limits.caller_requests_per_s * times)
            if stream:
                account.streams += 1
            else:
                account.calls += 1

    def _forget_idle(self) -> None:
        now = self._now()
        self._accounts = {
            key: account
            for key, account in self._accounts.items()
            if account.calls or account.streams or account.due_at > now
        }
        self._accounts_max = max(ACCOUNTS_MAX, 2 * len(self._accounts))  # or each call would look


class Entered:
    """A call under way, until the block ends."""

    __slots__ = ("_accounts", "_stream")

    def __init__(self, accounts: tuple[_Account, ...], stream: bool) -> None:
        self._accounts, self._stream = accounts, stream

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for account in self._accounts:
            if self._stream:
                account.streams -= 1
            else:
                account.calls -= 1
