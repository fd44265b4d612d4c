"""What a service needs to know who calls, put together."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

from pydantic import SecretStr

from holdfast.chassis.clock import Clock
from holdfast.chassis.database.seam import Database, DatabaseUnavailable
from holdfast.chassis.grpc.rpc_boundary import Gate
from holdfast.chassis.identity import gate, keys
from holdfast.chassis.identity.keys import Key
from holdfast.chassis.identity.known_keys import KnownKeys
from holdfast.chassis.identity.principal import Principal
from holdfast.chassis.identity.roles import HELD_KEYS, SERVICE
from holdfast.chassis.identity.settings import IdentitySettings
from holdfast.chassis.identity.store import KeyStore

ORDERS, NOTIFIER = "orders", "notifier"  # the services that call others
OPERATOR = "operator"
# Names that nobody is given: histories have them.
TAKEN = frozenset({ORDERS, "inventory", NOTIFIER, OPERATOR, "anonymous"})

_SERVICES = {
    ORDERS: frozenset({"stock:read", SERVICE}),
    NOTIFIER: frozenset({"orders:read", "customers:read", "events:read", HELD_KEYS}),
}


class Identity(NamedTuple):
    """The keys of a service, and who stands at its door.

    :param auth: callers are asked who they are.
    :param close: stops what asks others who a caller is.
    """

    store: KeyStore
    known: KnownKeys
    gate: Gate
    pepper: bytes
    auth: bool
    close: Callable[[], Awaitable[None]]


def identity_of(
    settings: IdentitySettings, database: Database, clock: Clock, rights: gate.Rights
) -> Identity:
    pepper = settings.pepper.get_secret_value().encode()
    store = KeyStore(database)
    known = KnownKeys(store, pepper, clock, _of_services(settings, pepper))
    if not settings.auth:
        return Identity(store, known, gate.OpenGate(), pepper, False, _nothing_to_close)
    if not settings.issuers:
        return Identity(store, known, gate.Gate(rights, known), pepper, True, _nothing_to_close)
    # What checks tokens is half a second and many megabytes to load, and few need it.
    from holdfast.chassis.identity.tokens import Tokens

    tokens = Tokens(settings.issuers, clock)
    return Identity(store, known, gate.Gate(rights, known, tokens), pepper, True, tokens.close)


async def _nothing_to_close() -> None:
    pass


def service_key(settings: IdentitySettings, service: str) -> str:
    """Return the key by which a service calls others; "" where nobody asks for it."""
    secret = settings.service_key.get_secret_value()
    return keys.derived(secret, service) if settings.auth and secret else ""


def _of_services(settings: IdentitySettings, pepper: bytes) -> dict[Principal, bytes]:
    found = {}
    for service, scopes in _SERVICES.items():
        if (key := keys.read(service_key(settings, service))) is not None:
            principal = Principal(service, key.key_id, scopes)
            found[principal] = keys.digest(pepper, key.secret)
    return found


async def add_operator(identity: Identity, operator_key: SecretStr | None, clock: Clock) -> None:
    """Add the first key, which may do everything, unless it is there or was."""
    key = None if operator_key is None else keys.read(operator_key.get_secret_value())
    if key is not None:
        digest = keys.digest(identity.pepper, key.secret)
        await identity.store.add(Key(key.key_id, OPERATOR, digest, ("admin",), (), clock.now()))


async def learn(identity: Identity) -> None:
    """Know the keys before anybody comes; where the database is away, they are learnt later."""
    with suppress(DatabaseUnavailable):
        await identity.known.look()
