"""The keys of a service as each of its processes knows them, to check one without asking anybody.

A key is looked up in memory, for every call; the database is asked once a second whether anything
has changed, and at once about a key that nobody knows yet.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import NamedTuple

import structlog

from holdfast.chassis.clock import Clock, jitter
from holdfast.chassis.database.seam import DatabaseUnavailable
from holdfast.chassis.identity import keys
from holdfast.chassis.identity.keys import Key, Network, WrittenKey
from holdfast.chassis.identity.principal import Principal
from holdfast.chassis.identity.refusals import IdentityUnavailable, Unauthenticated
from holdfast.chassis.identity.roles import known_scopes
from holdfast.chassis.identity.store import KeyStore
from holdfast.chassis.transient import Transient

LOOK_EVERY_S = 0.7
LOOK_EVERY_S_MAX = 1.5 * LOOK_EVERY_S  # as chance has it
LOOK_AGAIN_S = 0.2  # between looks for keys that nobody knows, however many are tried
TRUST_S_MAX = 60.0  # how long keys are good that could not be looked at
USED_EVERY_S = 60.0
FORGET_AFTER = timedelta(days=1)  # since it expired; clocks of services may differ

log = structlog.get_logger()


class _Known(NamedTuple):
    """A key, as a call needs it; times in seconds since 1970."""

    digest: bytes
    principal: Principal
    ends_at: float
    is_revoked: bool
    networks: tuple[Network, ...]


class KnownKeys:
    """Every key of a service, in the memory of one of its processes.

    :param own: who has a key that is in no database, with its digest: a service that calls this
        one.
    """

    def __init__(
        self,
        store: KeyStore,
        pepper: bytes,
        clock: Clock,
        own: Mapping[Principal, bytes] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._pepper, self._clock, self._now = store, pepper, clock, now
        self._own = {
            principal.credential_id: _Known(digest, principal, float("inf"), False, ())
            for principal, digest in (own or {}).items()
        }
        self._known: dict[str, _Known] = dict(self._own)
        self._used: dict[str, float] = {}
        self._revision = -1
        self._seen_at = self._asked_at = float("-inf")
        self._looking = asyncio.Lock()
        self.all: list[Key] = []
        self.changed = asyncio.Event()  # set when `all` is another one

    def find(self, key: WrittenKey, peer: str) -> Principal | None:
        """Return whose key it is; None: nobody here knows it, yet.

        :raises Unauthenticated: it is not good, or not from there.
        :raises IdentityUnavailable: for a minute nobody could see whether it still is.
        """
        known = self._known.get(key.key_id)
        if known is None:
            return None
        if not compare_digest(known.digest, keys.digest(self._pepper, key.secret)):
            raise _unknown()
        if key.key_id in self._own:
            return known.principal
        if self._now() - self._seen_at > TRUST_S_MAX:
            raise IdentityUnavailable("keys could not be looked up for a minute")
        at = self._clock.now().timestamp()
        _require_good(known, at)
        if known.networks and not keys.is_in(peer, known.networks):
            raise Unauthenticated("KEY_NETWORK", "the key may not be used from your address")
        self._used[key.key_id] = at
        return known.principal

    def require_good(self, principal: Principal) -> None:
        """See that the key or token that somebody came in with is still good.

        :raises Unauthenticated: it has ended since.
        """
        at = self._clock.now().timestamp()
        if at >= principal.ends_at:
            raise Unauthenticated("TOKEN_EXPIRED", "the token has expired; get a new one")
        known = self._known.get(principal.credential_id)
        if known is not None:
            _require_good(known, at)

    async def find_anew(self, key: WrittenKey, peer: str) -> Principal:
        """Look into the database for a key that nobody knows yet, and return whose it is.

        :raises Unauthenticated: nobody's, or as in `find`.
        :raises IdentityUnavailable: the database is away.
        """
        async with self._looking:
            if self._now() - self._asked_at > LOOK_AGAIN_S:
                try:
                    await self._look()
                except Transient as error:
                    raise IdentityUnavailable("the key can't be looked up now") from error
                finally:
                    self._asked_at = self._now()  # afterwards: whoever waited meanwhile does not
            elif self._seen_at < self._asked_at - LOOK_EVERY_S_MAX:
                raise IdentityUnavailable("the key can't be looked up now")
        found = self.find(key, peer)
        if found is None:
            raise _unknown()
        return found

    async def look(self) -> None:
        """Take what has changed from the database.

        :raises DatabaseUnavailable: it is away.
        """
        async with self._looking:
            await self._look()

    async def _look(self) -> None:
        at = self._now()
        revision = await self._store.revision()
        if revision != self._revision:
            # Read after the number: what is changed between is seen now and once more.
            self.all = await self._store.all()
            self._known = {key.key_id: _known(key) for key in self.all} | self._own
            self._revision = revision
            self.changed.set()
        self._seen_at = at

    async def run(self) -> None:
        """Look about every LOOK_EVERY_S, and now and then record which keys were used, and forget
        those of users that expired long ago.
        """
        recorded_at = self._now()
        while True:
            try:
                await self.look()
                if self._now() - recorded_at > USED_EVERY_S:
                    await self._record()
                    await self._forget()
                    recorded_at = self._now()
            except DatabaseUnavailable as error:
                log.warning("keys can't be looked up", error=str(error))
            await asyncio.sleep(jitter(LOOK_EVERY_S))

    async def _record(self) -> None:
        used, self._used = self._used, {}
        if used:
            await self._store.used({k: datetime.fromtimestamp(at, UTC) for k, at in used.items()})

    async def _forget(self) -> None:
        if await self._store.forget(self._clock.now(), FORGET_AFTER):
            self._revision = -1  # else the other service would be told of them again


def _known(key: Key) -> _Known:
    ends_at = float("inf") if key.expires_at is None else key.expires_at.timestamp()
    scopes = known_scopes(key.grants)
    is_revoked = key.revoked_at is not None
    return _Known(key.digest, key.principal(scopes), ends_at, is_revoked, key.networks)


def _require_good(known: _Known, at: float) -> None:
    if known.is_revoked:
        raise Unauthenticated("KEY_REVOKED", "the key was revoked: ask for another one")
    if at >= known.ends_at:
        raise Unauthenticated("KEY_EXPIRED", "the key has expired: ask for another one")


def _unknown() -> Unauthenticated:
    # The same for an id that nobody has and for a wrong secret: which it was is nobody's business.
    return Unauthenticated("KEY_UNKNOWN", "no such key: it is of another place, or was never one")
