"""Keys over gRPC: made at one service, told to another, and offered to a third."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from google.protobuf.duration_pb2 import Duration

from holdfast.chassis import times
from holdfast.chassis.clock import Clock
from holdfast.chassis.grpc.rpc_boundary import Context
from holdfast.chassis.identity import keys, principal
from holdfast.chassis.identity.house import TAKEN, Identity
from holdfast.chassis.identity.keys import Key, Network
from holdfast.chassis.identity.refusals import Forbidden, KeyEnded, KeyNotFound, KeyOfUser
from holdfast.chassis.identity.roles import SCOPES, known_scopes, scopes_of
from holdfast.chassis.validation import NANOS_PER_S, Violations
from holdfast.contracts.identity.v1 import keys_pb2 as pb
from holdfast.contracts.identity.v1 import keys_pb2_grpc

GRANTS_MAX = 20
NETWORKS_MAX = 20
LIFETIME_DAYS_MAX = 3_650
OVERLAP_DAYS_MAX = 90
OVERLAP = timedelta(days=1)
TAKEN_MAX = OFFERED_MAX = 1_000  # of one message: of any number it would be too large


class KeyServicer(keys_pb2_grpc.KeyServiceServicer):
    """Makes, lists and ends keys."""

    def __init__(self, identity: Identity, clock: Clock) -> None:
        self._pepper, self._store, self._known = identity.pepper, identity.store, identity.known
        self._clock = clock

    async def WhoAmI(self, request: pb.WhoAmIRequest, context: Context) -> pb.Caller:
        known = principal.current.get(None)
        if known is None:  # nobody is asked
            return pb.Caller(scopes=sorted(SCOPES))
        name, credential_id, scopes, customer_id, _, user = known
        return pb.Caller(
            name=name,
            credential_id=credential_id,
            scopes=sorted(scopes),
            customer_id=customer_id,
            user=user,
        )

    async def CreateKey(
        self, request: pb.CreateKeyRequest, context: Context
    ) -> pb.CreateKeyResponse:
        violations = Violations()
        name = violations.id("name", request.name)
        refuse_taken(name, violations)
        grants = checked_grants(request.grants, violations)
        networks = _networks(request.networks, violations)
        lifetime = None
        if request.HasField("lifetime"):
            lifetime = _period("lifetime", request.lifetime, LIFETIME_DAYS_MAX, violations)
        violations.raise_any()
        require_own(grants)
        now = self._clock.now()
        expires_at = None if lifetime is None else now + lifetime
        return await self._add(Key("", name, b"", grants, networks, now, expires_at))

    async def ListKeys(self, request: pb.ListKeysRequest, context: Context) -> pb.ListKeysResponse:
        return pb.ListKeysResponse(keys=map(message_of, await self._store.all()))

    async def RotateKey(
        self, request: pb.RotateKeyRequest, context: Context
    ) -> pb.CreateKeyResponse:
        violations = Violations()
        violations.id("key_id", request.key_id)
        overlap = OVERLAP
        if request.HasField("overlap"):
            overlap = _period("overlap", request.overlap, OVERLAP_DAYS_MAX, violations, zero=True)
        violations.raise_any()
        old, now = await self._found(request.key_id), self._clock.now()
        if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now):
            raise KeyEnded(old.key_id)
        if old.user:
            raise KeyOfUser(old.user)
        require_own(old.grants)
        # The new one is good for as long as the old one was meant to be.
        expires_at = None if old.expires_at is None else now + (old.expires_at - old.created_at)
        new = old._replace(created_at=now, expires_at=expires_at, version=1, used_at=None)
        return await self._add(new, ending=old._replace(expires_at=now + overlap))

    async def RevokeKey(self, request: pb.RevokeKeyRequest, context: Context) -> pb.Key:
        violations = Violations()
        violations.id("key_id", request.key_id)
        violations.raise_any()
        await self._found(request.key_id)
        await self._store.revoke(request.key_id, self._clock.now())
        await self._known.look()
        return message_of(await self._found(request.key_id))

    async def _add(self, key: Key, *, ending: Key | None = None) -> pb.CreateKeyResponse:
        text = keys.make()
        written = keys.read(text)
        assert written is not None, "it was made so"
        key = key._replace(key_id=written.key_id, digest=keys.digest(self._pepper, written.secret))
        is_added = await self._store.add(key, ending=ending)
        if ending is not None and not is_added:  # it was good a moment ago
            raise KeyEnded(ending.key_id)
        await self._known.look()
        return pb.CreateKeyResponse(key=message_of(key), text=text)

    async def _found(self, key_id: str) -> Key:
        for key in await self._store.all():
            if key.key_id == key_id:
                return key
        raise KeyNotFound(key_id)


class KeyIntakeServicer(keys_pb2_grpc.KeyIntakeServiceServicer):
    """Takes keys as the service has them where they are made."""

    def __init__(self, identity: Identity) -> None:
        self._store, self._known = identity.store, identity.known

    async def TakeKeys(self, request: pb.TakeKeysRequest, context: Context) -> pb.TakeKeysResponse:
        violations = Violations()
        violations.size("keys", len(request.keys), highest=TAKEN_MAX)
        violations.raise_any()
        await self._store.take(map(key_of, request.keys))
        await self._known.look()
        asked = {held.key.key_id for held in request.keys}
        used = [key for key in await self._store.all() if key.key_id in asked and key.used_at]
        return pb.TakeKeysResponse(used=map(message_of, used))


class KeyOfferServicer(keys_pb2_grpc.KeyOfferServiceServicer):
    """Tells of all keys, in parts, whoever has not heard of the newest change."""

    def __init__(self, identity: Identity) -> None:
        self._store = identity.store

    async def OfferKeys(
        self, request: pb.OfferKeysRequest, context: Context
    ) -> pb.OfferKeysResponse:
        if request.used:
            await self._store.used({key.key_id: times.read(key.use_time) for key in request.used})
        revision = await self._store.revision()
        if revision == request.revision:
            return pb.OfferKeysResponse(revision=revision)
        # Read after the number: what is changed between is told now and once more.
        some = await self._store.some(request.behind, OFFERED_MAX)
        return pb.OfferKeysResponse(keys=map(held_of, some), revision=revision)


def message_of(key: Key) -> pb.Key:
    """Write a key as people see it."""
    message = pb.Key(
        key_id=key.key_id,
        name=key.name,
        grants=key.grants,
        networks=map(str, key.networks),
        user=key.user,
    )
    for stamp, at in (
        (message.create_time, key.created_at),
        (message.expire_time, key.expires_at),
        (message.revoke_time, key.revoked_at),
        (message.use_time, key.used_at),
    ):
        if at is not None:
            times.write(stamp, at)
    return message


def held_of(key: Key) -> pb.HeldKey:
    """Write a key as services tell each other of it."""
    return pb.HeldKey(key=message_of(key), digest=key.digest, version=key.version)


def key_of(held: pb.HeldKey) -> Key:
    """Read what `held_of` wrote."""
    key = held.key

    def at(field: str) -> datetime | None:
        return times.read(getattr(key, field)) if key.HasField(field) else None  # type: ignore[arg-type] # a field of it

    return Key(
        key.key_id,
        key.name,
        held.digest,
        tuple(key.grants),
        (),
        times.read(key.create_time),
        at("expire_time"),
        at("revoke_time"),
        held.version,
        user=key.user,
    ).within(key.networks)


def refuse_taken(name: str, violations: Violations) -> None:
    """Let pass a name that nobody else has in a history: of no service, and no e-mail address."""
    if name in TAKEN or "@" in name:
        violations.add("name", "is one that others have, or has an @")


def checked_grants(names: Sequence[str], violations: Violations) -> tuple[str, ...]:
    """Check roles and scopes, of which there is at least one."""
    violations.size("grants", len(names), highest=GRANTS_MAX)
    for index, name in enumerate(names):
        try:
            scopes_of([name])
        except ValueError as error:
            violations.add(f"grants[{index}]", str(error))
    return tuple(names)


def _networks(texts: Sequence[str], violations: Violations) -> tuple[Network, ...]:
    if len(texts) > NETWORKS_MAX:
        violations.add("networks", f"has {len(texts)} items; at most {NETWORKS_MAX} are allowed")
    found = []
    for index, text in enumerate(texts):
        try:
            if "%" in text:  # a zone is of one machine; no caller's address has one
                raise ValueError(f"{text!r} has a zone")  # noqa: TRY301 - as the next line does
            found.append(keys.network_of(text))
        except ValueError as error:
            violations.add(f"networks[{index}]", f"{error}: write it as 10.1.0.0/16")
    return tuple(found)


def _period(
    field: str, value: Duration, days_max: int, violations: Violations, *, zero: bool = False
) -> timedelta:
    span_ns = violations.span_ns(field, value)
    if not (0 if zero else NANOS_PER_S) <= span_ns <= days_max * 86_400 * NANOS_PER_S:
        violations.add(field, f"must be at least a second and at most {days_max} days")
        return timedelta()
    return timedelta(seconds=value.seconds)


def require_own(grants: Sequence[str], what: str = "the key") -> None:
    """See that nobody gives others rights that they don't have.

    :raises Forbidden: they would.
    """
    known = principal.current.get(None)
    missing = known_scopes(grants) - (SCOPES if known is None else known.scopes)
    if missing:
        named = " ".join(sorted(missing))
        raise Forbidden(named, f"{what} could do what you may not: {named}")
