"""Users as callers use them: people who sign in by a name and a password."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from holdfast.client._calls import Calls
from holdfast.client._checks import Checks
from holdfast.client._keys import Key, key_of
from holdfast.client._times import time_from_wire
from holdfast.contracts.identity.v1 import users_pb2 as pb
from holdfast.contracts.identity.v1 import users_pb2_grpc


@dataclass(frozen=True, slots=True)
class User:
    """What is told of a user: all but the password.

    :param grants: their roles and scopes.
    :param lock_time: since when they can't sign in; None: they can.
    :param sign_in_time: when they last did.
    :param password_time: when they got the password that they have.
    """

    name: str
    grants: tuple[str, ...]
    create_time: datetime | None
    lock_time: datetime | None
    sign_in_time: datetime | None
    password_time: datetime | None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A key for a user, good until `key.expire_time`; its text can't be read again.

    :param device: to be kept on the device, and given back with the user's next `sign_in` there.
    """

    key: Key
    text: str = field(repr=False)
    device: str = field(repr=False)


class Users:
    """The verbs about users. Every method may raise any `HoldfastError`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._stub = users_pb2_grpc.UserServiceStub(calls.channel)

    async def sign_in(self, name: str, password: str, *, device: str = "") -> SignedIn:
        """Make a key for a user; who asks needs none. Of more than ten the oldest is revoked.

        :param device: what an earlier sign-in on this device told: guesses of others don't keep it
            out.
        :raises Unauthenticated: there is no such user, it is another's password, or the user is
            locked: which, is not told.
        :raises Overloaded: too many tried; `retry_after_s` tells when one more may.
        """
        checks = Checks()
        request = pb.SignInRequest(
            name=checks.text("name", name),
            password=checks.text("password", password),
            device=checks.text("device", device),
        )
        checks.raise_any()
        answer = await self._calls.ask(self._stub.SignIn, request, repeatable=False)
        return SignedIn(key_of(answer.key), answer.text, answer.device)

    async def sign_out(self) -> None:
        """Revoke the key of `sign_in` by which this client calls.

        :raises Refused: it calls by another key, or a token.
        """
        await self._calls.ask(self._stub.SignOut, pb.SignOutRequest(), repeatable=False)

    async def change_password(self, old_password: str, new_password: str) -> User:
        """Change the password of the user who calls, and revoke their other keys.

        :raises InvalidRequest: the old one is not theirs, or the new one can't be one.
        :raises Refused: who calls did not sign in by a password.
        """
        checks = Checks()
        request = pb.ChangePasswordRequest(
            old_password=checks.text("old_password", old_password),
            new_password=checks.text("new_password", new_password),
        )
        checks.raise_any()
        return _user(await self._calls.ask(self._stub.ChangePassword, request, repeatable=False))

    async def create(self, name: str, grants: Sequence[str], password: str) -> User:
        """Make a user.

        :param name: in lower case.
        :param grants: roles and scopes; none that the caller has not.
        :param password: 12 characters or more.
        :raises AlreadyExists: there is a user of this name.
        """
        checks = Checks()
        request = pb.CreateUserRequest(
            name=checks.text("name", name),
            grants=[checks.text("grants", one) for one in checks.items("grants", grants)],
            password=checks.text("password", password),
        )
        checks.raise_any()
        return _user(await self._calls.ask(self._stub.CreateUser, request, repeatable=False))

    async def list(self) -> list[User]:
        """All users, by name."""
        request = pb.ListUsersRequest()
        answer = await self._calls.ask(self._stub.ListUsers, request, repeatable=True)
        return list(map(_user, answer.users))

    async def update(
        self,
        name: str,
        *,
        grants: Sequence[str] | None = None,
        password: str = "",
        locked: bool | None = None,
    ) -> User:
        """Change what is told, and nothing else; but for unlocking, it revokes the user's keys. A
        repeat comes to the same.

        :raises NotFound: there is no such user.
        :raises PermissionDenied: the user could do what the caller may not.
        """
        checks = Checks()
        request = pb.UpdateUserRequest(
            name=checks.text("name", name),
            password=checks.text("password", password),
            locked=None if locked is None else checks.flag("locked", locked),
        )
        if grants is not None:
            items = checks.items("grants", grants)
            request.grants.extend(checks.text("grants", one) for one in items)
        checks.raise_any()
        return _user(await self._calls.ask(self._stub.UpdateUser, request, repeatable=True))

    async def delete(self, name: str) -> User:
        """Delete a user, and revoke their keys.

        :raises NotFound: there is no such user, also for a repeat.
        """
        checks = Checks()
        request = pb.DeleteUserRequest(name=checks.text("name", name))
        checks.raise_any()
        return _user(await self._calls.ask(self._stub.DeleteUser, request, repeatable=False))


def _user(message: pb.User) -> User:
    def at(name: str) -> datetime | None:
        return time_from_wire(getattr(message, name)) if name in told else None

    told = {found.name for found, _ in message.ListFields()}
    return User(
        message.name,
        tuple(message.grants),
        at("create_time"),
        at("lock_time"),
        at("sign_in_time"),
        at("password_time"),
    )
