"""API keys as callers use them: made, listed, rotated and revoked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from google.protobuf.duration_pb2 import Duration

from holdfast.client._calls import Calls
from holdfast.client._checks import SECONDS_MAX, Checks
from holdfast.client._times import time_from_wire
from holdfast.contracts.identity.v1 import keys_pb2 as pb
from holdfast.contracts.identity.v1 import keys_pb2_grpc


@dataclass(frozen=True, slots=True)
class Key:
    """What is told of a key: all but its text.

    :param grants: its roles and scopes.
    :param networks: from where it may be used; none: from anywhere.
    :param use_time: about when it was last used.
    :param user: who signed in for it; empty: it was made for somebody to keep.
    """

    key_id: str
    name: str
    grants: tuple[str, ...]
    networks: tuple[str, ...]
    create_time: datetime | None
    expire_time: datetime | None
    revoke_time: datetime | None
    use_time: datetime | None
    user: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as the services know them.

    :param name: empty: nobody is asked who they are, and everybody may do everything.
    :param scopes: all that may be done, such as orders:read.
    :param customer_id: whose orders alone are there; empty: everybody's.
    :param user: who signed in by a password; empty: nobody did.
    """

    name: str
    credential_id: str
    scopes: frozenset[str]
    customer_id: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made; its text can't be read again."""

    key: Key
    text: str = field(repr=False)


class Keys:
    """The verbs about keys. Every method may raise any `HoldfastError`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._stub = keys_pb2_grpc.KeyServiceStub(calls.channel)

    async def create(
        self,
        name: str,
        grants: Sequence[str],
        *,
        lifetime: timedelta | None = None,
        networks: Sequence[str] = (),
    ) -> NewKey:
        """Make a key. Never repeated after an unknown outcome: list the keys to see whether it is
        there, and revoke it, since nobody has its text.

        :param grants: roles and scopes; none that the caller has not.
        :param lifetime: how long it is good; None: until it is revoked.
        :param networks: from where it may be used, such as 10.0.0.0/8; none: from anywhere.
        """
        checks = Checks()
        request = pb.CreateKeyRequest(
            name=checks.text("name", name),
            grants=[checks.text("grants", one) for one in checks.items("grants", grants)],
            networks=checks.texts("networks", networks),
            lifetime=None if lifetime is None else _duration(checks, "lifetime", lifetime),
        )
        checks.raise_any()
        return _new(await self._calls.ask(self._stub.CreateKey, request, repeatable=False))

    async def who_am_i(self) -> Caller:
        """Who calls, and what they may do; whoever may come in at all may ask.

        :raises Unauthenticated: the credential is not good.
        """
        answer = await self._calls.ask(self._stub.WhoAmI, pb.WhoAmIRequest(), repeatable=True)
        return Caller(
            answer.name,
            answer.credential_id,
            frozenset(answer.scopes),
            answer.customer_id,
            answer.user,
        )

    async def list(self) -> list[Key]:
        """Every key there ever was, the oldest first; those of users are forgotten a day after they
        have expired.
        """
        answer = await self._calls.ask(self._stub.ListKeys, pb.ListKeysRequest(), repeatable=True)
        return list(map(key_of, answer.keys))

    async def rotate(self, key_id: str, *, overlap: timedelta = timedelta(days=1)) -> NewKey:
        """Make a key that does the same, and have this one end after `overlap`.

        :raises NotFound: there is no such key.
        :raises Refused: it was revoked, or has expired.
        """
        checks = Checks()
        request = pb.RotateKeyRequest(
            key_id=checks.text("key_id", key_id), overlap=_duration(checks, "overlap", overlap)
        )
        checks.raise_any()
        return _new(await self._calls.ask(self._stub.RotateKey, request, repeatable=False))

    async def revoke(self, key_id: str) -> Key:
        """Revoke a key for good: within 5 s no service takes it any more. A repeat changes nothing.

        :raises NotFound: there is no such key.
        """
        checks = Checks()
        request = pb.RevokeKeyRequest(key_id=checks.text("key_id", key_id))
        checks.raise_any()
        return key_of(await self._calls.ask(self._stub.RevokeKey, request, repeatable=True))


def _duration(checks: Checks, name: str, value: object) -> Duration:
    found = Duration()
    if not isinstance(value, timedelta):
        checks.is_a(name, value, timedelta)
    elif not 0 <= value.total_seconds() <= 10 * SECONDS_MAX:
        checks.add(name, "must be between nothing and ten years")
    else:
        found.FromTimedelta(value)
    return found


def _new(message: pb.CreateKeyResponse) -> NewKey:
    return NewKey(key_of(message.key), message.text)


def key_of(message: pb.Key) -> Key:
    """Read what is told of a key."""

    def at(name: str) -> datetime | None:
        return time_from_wire(getattr(message, name)) if name in told else None

    told = {found.name for found, _ in message.ListFields()}
    return Key(
        message.key_id,
        message.name,
        tuple(message.grants),
        tuple(message.networks),
        at("create_time"),
        at("expire_time"),
        at("revoke_time"),
        at("use_time"),
        message.user,
    )
