"""What is done with users: they sign in and out, and are made, changed and deleted."""

import hmac
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import structlog

from holdfast.chassis.clock import Clock, new_secret
from holdfast.chassis.database.seam import Database
from holdfast.chassis.identity import keys, principal
from holdfast.chassis.identity.guesses import OF_DEVICE, Guesses, accounts
from holdfast.chassis.identity.house import Identity
from holdfast.chassis.identity.keys import Key
from holdfast.chassis.identity.passwords import Passwords
from holdfast.chassis.identity.refusals import NotAUser, SignInOff, UserExists, UserNotFound
from holdfast.chassis.identity.servicer import require_own
from holdfast.chassis.identity.user_store import User, UserStore
from holdfast.chassis.validation import InvalidRequest

SESSION = timedelta(hours=12)
NONCE_LENGTH = 22  # of 62 characters: 131 bits

log = structlog.get_logger()


class WrongPassword(Exception):
    """There is no such user, or it is not their password, or they are locked.

    :param name: the user's; "": there is none, and what was typed may be a password.
    """

    def __init__(self, name: str) -> None:
        super().__init__("the name or the password is not right, or the user is locked")
        self.name = name


class SignedIn(NamedTuple):
    """A key of a user, its text, and what their device is to keep."""

    key: Key
    text: str
    device: str

    def __repr__(self) -> str:
        return f"SignedIn({self.key.key_id!r}, ...)"


class Users:
    """The users of Orders, who own keys."""

    def __init__(
        self,
        identity: Identity,
        database: Database,
        passwords: Passwords,
        clock: Clock,
        guesses: Guesses,
    ) -> None:
        self._identity, self._passwords, self._clock = identity, passwords, clock
        self._store, self._guesses = UserStore(database), guesses

    async def sign_in(self, name: str, password: str, device: str, address: str) -> SignedIn:
        """Make a key for who knows the password. No user and a wrong password take as long.

        :param device: what `SignedIn` told it; "": nothing.
        :raises WrongPassword: they don't.
        :raises TooMuch: too many tried.
        """
        if not self._identity.auth:
            raise SignInOff
        user = await self._store.find(name)
        nonce = self._nonce_of(user, device)
        self._guesses.take(accounts(name, address, nonce))
        is_right = await self._passwords.matches(user and user.password, password)
        if user is None or not is_right or user.locked_at is not None:
            raise WrongPassword(user.name if user else "")
        kept = user.password
        if self._passwords.is_outdated(kept):
            kept = await self._passwords.kept(password)
        text, key = self._key_for(user)
        if not await self._store.sign_in(user, kept, key):  # locked or changed a moment ago
            raise WrongPassword(user.name)
        await self._identity.known.look()
        log.info("signed in", name=user.name, credential_id=key.key_id, address=address)
        nonce = nonce or new_secret(NONCE_LENGTH, keys.DIGITS)
        return SignedIn(key, text, self._device(user._replace(password=kept), nonce))

    async def sign_out(self) -> None:
        """Revoke the key by which somebody calls.

        :raises NotAUser: it is not one of a user.
        """
        name, key_id = _caller()
        await self._identity.store.revoke(key_id, self._clock.now())
        await self._identity.known.look()
        log.info("signed out", name=name, credential_id=key_id)

    async def change_own(self, old: str, new: str) -> User:
        """Change the password of who calls, and revoke their other keys.

        :raises NotAUser: they came in otherwise.
        :raises InvalidRequest: the old one is not theirs.
        :raises TooMuch: too many tried.
        """
        name, key_id = _caller()
        self._guesses.take([(OF_DEVICE, ("own", name))])
        user = await self._store.find(name)
        if user is None or not await self._passwords.matches(user.password, old):
            raise _not_theirs()
        kept, now = await self._passwords.kept(new), self._clock.now()
        async with self._store.changing(name) as change:
            if change is None or change.user.password != user.password:
                raise _not_theirs()
            changed = change.user._replace(password=kept, password_at=now)
            await change.to(changed)
            await change.end_keys(now, but=key_id)
        await self._told("user changed their password", name)
        return changed

    async def create(self, name: str, grants: tuple[str, ...], password: str) -> User:
        """:raises UserExists: the name is taken. :raises Forbidden: see `require_own`."""
        require_own(grants, "the user")
        now = self._clock.now()
        user = User(name, await self._passwords.kept(password), grants, now, now)
        if not await self._store.add(user):
            raise UserExists(name)
        await self._told("user made", name)
        return user

    async def all(self) -> Sequence[User]:
        return await self._store.all()

    async def update(
        self, name: str, grants: tuple[str, ...], password: str, locked: bool | None
    ) -> User:
        """Change what is told; whatever takes something away revokes the user's keys.

        :raises UserNotFound: there is none.
        :raises Forbidden: the user may do what who calls may not, or would; locking alone is open
            to all who may call this.
        """
        kept = await self._passwords.kept(password) if password else ""
        now = self._clock.now()
        async with self._store.changing(name) as change:
            if change is None:
                raise UserNotFound(name)
            user = change.user
            if grants or kept or locked is False:
                require_own((*user.grants, *grants), "the user")
            if grants:
                user = user._replace(grants=grants)
            if kept:
                user = user._replace(password=kept, password_at=now)
            if locked is not None:
                user = user._replace(locked_at=(user.locked_at or now) if locked else None)
            await change.to(user)
            if grants or kept or locked:
                await change.end_keys(now)
        what = {"rights": grants, "password": kept, "lock": locked is not None}
        await self._told(
            "user changed", name, what=[part for part, is_new in what.items() if is_new]
        )
        return user

    async def delete(self, name: str) -> User:
        """:raises UserNotFound: there is none."""
        async with self._store.changing(name) as change:
            if change is None:
                raise UserNotFound(name)
            await change.end_keys(self._clock.now())
            await change.delete()
        await self._told("user deleted", name)
        return change.user

    async def _told(self, event: str, name: str, **facts: object) -> None:
        """Have the change known here, as it will be elsewhere, and log it."""
        await self._identity.known.look()
        known = principal.current.get(None)
        log.info(event, name=name, by="" if known is None else known.name, **facts)

    def _key_for(self, user: User) -> tuple[str, Key]:
        text, now = keys.make(), self._clock.now()
        written = keys.read(text)
        assert written is not None, "it was made so"
        digest = keys.digest(self._identity.pepper, written.secret)
        ends = now + SESSION
        key = Key(written.key_id, user.name, digest, user.grants, (), now, ends, user=user.name)
        return text, key

    def _nonce_of(self, user: User | None, device: str) -> str:
        """Return by what a device is known; "": nobody signed in there who is this user now."""
        nonce = device.partition(".")[0]
        if user is None or not nonce:
            return ""
        wanted = self._device(user, nonce)
        return nonce if hmac.compare_digest(wanted.encode(), device.encode()) else ""

    def _device(self, user: User, nonce: str) -> str:
        """By nothing that is kept but the password: with another one, no device is known."""
        key = self._identity.pepper + user.password.encode()
        return f"{nonce}.{hmac.digest(key, nonce.encode(), 'sha256').hex()}"


def _caller() -> tuple[str, str]:
    """Return the user who calls, and the id of their key.

    :raises NotAUser: they came in otherwise.
    """
    known = principal.current.get(None)
    if known is None or not known.user:
        raise NotAUser
    return known.user, known.credential_id


def _not_theirs() -> InvalidRequest:
    return InvalidRequest([("old_password", "is not your password")])
