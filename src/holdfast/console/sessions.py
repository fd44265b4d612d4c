"""Who is signed in: in memory, under the hash of what their browser has; and links that work once.

A session has the credential of whoever signed in, and may do what that may, nothing else. None is
written down anywhere: whoever steals a disk finds none, and a restart signs everybody out.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from string import ascii_letters, digits
from typing import Any, Protocol, TypeVar

import structlog

from holdfast.chassis.clock import new_secret
from holdfast.client import Caller, Holdfast, HoldfastError, Unauthenticated
from holdfast.console.jobs import Jobs

IDLE_S_MAX = 30 * 60.0
SESSION_S_MAX = 12 * 3_600.0
SESSIONS_MAX = 1_000  # the one that was idle longest makes room
LINK_S_MAX = 3_600.0
KNOWN_S_MAX = 5.0  # until all services know a key that is new
KNOWN_AGAIN_S = 0.3
SIGN_OUT_S_MAX = 3.0
ASKED_AGAIN_S = 5.0  # who somebody is, where no service that is called would tell
ASK_S_MAX = 3.0
DONE_MAX = 20  # forms of a session whose outcome is kept, the newest

T = TypeVar("T")

log = structlog.get_logger()

Tell = Callable[[], float]
"""Seconds by a clock that only goes forward."""
Open = Callable[[str], Holdfast]
"""Make a client that calls with a credential."""


class NotSignedIn(Exception):
    """Somebody could not be signed in, for a reason that they are told.

    :param text: of the console's words, which says why.
    :param status: of the answer.
    :param facts: that the text names.
    """

    def __init__(self, text: str, status: int, **facts: str) -> None:
        super().__init__(f"{text} {facts}")
        self.text, self.status, self.facts = text, status, facts


class ProviderAway(NotSignedIn):
    """The provider does not answer, or not as one; it may later."""


class Lease(Protocol):
    """A credential that ends soon, and that its provider may renew."""

    @property
    def token(self) -> str: ...

    def is_due(self) -> bool:
        """Whether it is time to renew it, which its provider may do."""

    def is_over(self) -> bool:
        """Whether services refuse it."""

    async def renew(self) -> None:
        """:raises ProviderAway: not now. :raises NotSignedIn: no more."""

    def way_out(self, back_to: str) -> str:
        """Return where its provider signs out whoever has it; "": nowhere."""


@dataclass(slots=True)
class Session:
    """Somebody who is signed in.

    :param another: makes one more such client, for work that goes on when the session has ended.
    :param began_s: when, and `seen_s` when they last asked for something.
    :param told_s: when a service last told who they are.
    :param over: set when it ends, so that streams end with it.
    :param jobs: what is being done with many orders; it ends with the session.
    :param lease: where the client's credential comes from; None: it was told, and stays.
    :param before: the client with the credential before, for calls that began by it.
    """

    client: Holdfast
    another: Callable[[], Holdfast]
    caller: Caller
    began_s: float
    seen_s: float
    told_s: float
    over: asyncio.Event = field(default_factory=asyncio.Event)
    done: dict[Hashable, asyncio.Task[Any]] = field(default_factory=dict)
    jobs: Jobs = field(default_factory=Jobs)
    lease: Lease | None = None
    before: Holdfast | None = None
    renewing: asyncio.Task[None] | None = None

    def is_good(self, now_s: float) -> bool:
        return (
            not self.over.is_set()
            and now_s - self.seen_s < IDLE_S_MAX
            and now_s - self.began_s < SESSION_S_MAX
        )

    async def once(self, form: Hashable, act: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do what a form says, or tell what came of it where it was sent before.

        Of two that are sent at once, both are told the same: a key that is made is shown by the
        answer that the browser keeps. What failed is done again. Who leaves ends nothing.

        :param form: all that it says, with its request id.
        """
        task = self.done.get(form)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self.done[form] = asyncio.create_task(act())
            for oldest in list(self.done)[:-DONE_MAX]:
                del self.done[oldest]
        found: T = await asyncio.shield(task)
        return found


class Sessions:
    """All sessions of this process."""

    def __init__(self, open_client: Open, tell_s: Tell) -> None:
        self._open, self._tell_s = open_client, tell_s
        self._by_hash: dict[str, Session] = {}
        self._links: dict[str, tuple[str, float]] = {}

    async def begin(self, credential: str, lease: Lease | None = None) -> str:
        """Sign somebody in, and return the secret for their browser.

        :param credential: "": nobody is asked for any.
        :param lease: that it is of.
        :raises HoldfastError: it is not good, or nobody can tell now.
        """
        client = self._open(credential)
        try:
            caller = await client.keys.who_am_i()
        except BaseException:
            await client.close()
            raise
        await self._make_room()
        secret, now_s = _new_secret(), self._tell_s()

        def another() -> Holdfast:
            return self._open(lease.token if lease is not None else credential)

        self._by_hash[_hash(secret)] = Session(
            client, another, caller, began_s=now_s, seen_s=now_s, told_s=now_s, lease=lease
        )
        return secret

    async def begin_by_password(self, name: str, password: str, device: str) -> tuple[str, str]:
        """Sign in a user, by a key that ends with the session; see `begin`.

        :param device: what their browser kept of it when they last signed in; "": nothing.
        :return: the secret for their browser, and what it is to keep.
        """
        stranger = self._open("")
        try:
            found = await stranger.users.sign_in(name, password, device=device)
        finally:
            await stranger.close()
        secret = await self.begin(found.text)
        await _until_known(self._by_hash[_hash(secret)].client)
        return secret, found.device

    async def find(self, secret: str, *, acts: bool = True, asks: bool = False) -> Session | None:
        """Return the session of a browser; None: there is none any more.

        :param acts: somebody did something: it is not idle.
        :param asks: no service will be called that would refuse them: one is asked who they are.
        :raises ProviderAway: its credential has ended, and can't be renewed now.
        """
        session = self._by_hash.get(_hash(secret))
        if session is None:
            return None
        if session.is_good(self._tell_s()):
            await self._keep(session)
        if asks and session.is_good(self._tell_s()):
            await self._ask(session)
        if not session.is_good(self._tell_s()):
            await self.end(secret)
            return None
        if acts:
            session.seen_s = self._tell_s()
        return session

    async def end(self, secret: str) -> Session | None:
        """Sign somebody out, and return the session that they had. A repeat changes nothing."""
        return await self._end(_hash(secret))

    async def close(self) -> None:
        """Sign everybody out."""
        self._links.clear()
        for hashed in list(self._by_hash):
            await self._end(hashed, revokes=False)  # services may be ending, too

    def stop(self) -> None:
        """End all streams: they begin again where somebody serves."""
        for session in self._by_hash.values():
            session.over.set()

    def link(self, credential: str) -> str:
        """Return the last part of a link that signs one browser in, within LINK_S_MAX."""
        secret = _new_secret()
        self._links[_hash(secret)] = credential, self._tell_s() + LINK_S_MAX
        return secret

    def take(self, secret: str) -> str | None:
        """Return the credential of a link, once; None: it was used, or is too old."""
        credential, ends_s = self._links.pop(_hash(secret), ("", 0.0))
        return credential if self._tell_s() < ends_s else None

    async def _make_room(self) -> None:
        now_s = self._tell_s()
        for hashed in [one for one, it in self._by_hash.items() if not it.is_good(now_s)]:
            await self._end(hashed)
        if len(self._by_hash) >= SESSIONS_MAX:
            await self._end(min(self._by_hash, key=lambda one: self._by_hash[one].seen_s))

    async def _ask(self, session: Session) -> None:
        """Ask who somebody is, if that was not told just now; where nobody can tell, it stays."""
        if self._tell_s() - session.told_s < ASKED_AGAIN_S:
            return
        try:
            async with asyncio.timeout(ASK_S_MAX):
                session.caller = await session.client.keys.who_am_i()
        except Unauthenticated:
            session.over.set()
        except (HoldfastError, TimeoutError) as error:
            log.info("who a session is can't be asked", name=session.caller.name, why=str(error))
        session.told_s = self._tell_s()

    async def _keep(self, session: Session) -> None:
        """See that a session's credential is good, once for all who ask: who asks may leave."""
        lease = session.lease
        if lease is None or not lease.is_due():
            return
        if session.renewing is None or session.renewing.done():
            session.renewing = asyncio.create_task(self._renew(session, lease))
        await asyncio.wait({session.renewing})
        if lease.is_over() and not session.over.is_set():
            raise ProviderAway("sign.away", 503)

    async def _renew(self, session: Session, lease: Lease) -> None:
        """Go on with a new credential; the session is over where it is refused, or another's."""
        try:
            await lease.renew()
        except ProviderAway:
            return  # the next request tries again
        except NotSignedIn as refused:
            log.info("session is not renewed", name=session.caller.name, why=str(refused))
            session.over.set()
            return
        client = self._open(lease.token)
        try:
            caller = await client.keys.who_am_i()
        except Unauthenticated:
            caller = None
        except HoldfastError:
            caller = session.caller  # what they may is asked again with the next credential
        if caller is None or caller.name != session.caller.name:
            log.warning("session's new token is not taken", name=session.caller.name)
            session.over.set()
            await client.close()
            return
        left, session.before = session.before, session.client
        session.client, session.caller = client, caller
        if left is not None:
            await left.close()

    async def _end(self, hashed: str, *, revokes: bool = True) -> Session | None:
        session = self._by_hash.pop(hashed, None)
        if session is None:
            return None
        session.over.set()
        if session.caller.user and revokes:
            await _revoke(session)
        session.done.clear()
        await session.jobs.close()
        if session.renewing is not None:
            session.renewing.cancel()
            await asyncio.wait({session.renewing})
        for client in (session.client, session.before):
            if client is not None:
                await client.close()
        return session


async def _until_known(client: Holdfast) -> None:
    """Wait until no service takes a new key for nobody's: Orders tells the others within a second.
    One that is away says so on its pages.
    """

    async def known(ask: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await ask()
            except Unauthenticated:
                await asyncio.sleep(KNOWN_AGAIN_S)
                continue
            except HoldfastError:
                pass
            return

    asking = (
        lambda: client.inventory.product_page(page_size=1),
        lambda: client.webhooks.page(page_size=1),
    )
    with suppress(TimeoutError):
        async with asyncio.timeout(KNOWN_S_MAX):
            await asyncio.gather(*map(known, asking))


async def _revoke(session: Session) -> None:
    """End the key that was made for a session; if that fails, it ends by itself."""
    try:
        async with asyncio.timeout(SIGN_OUT_S_MAX):
            await session.client.users.sign_out()
    except (HoldfastError, TimeoutError) as error:
        log.info("key of a session is not revoked", name=session.caller.name, why=str(error))


def _new_secret() -> str:
    return new_secret(43, ascii_letters + digits)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
