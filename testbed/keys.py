"""Who the programs of tests, benchmarks and proofs are: an operator, by a key that all know.

Services that the testbed starts are told of it, and clients find it in the environment, which the
import of this sets for this process and those that it starts.
"""

import os
from collections.abc import Callable
from typing import Any, cast

from grpc import aio
from pydantic import SecretStr

from holdfast.chassis.identity.issuers import Issuers
from holdfast.chassis.identity.keys import derived
from holdfast.chassis.identity.passwords import PasswordSettings
from holdfast.chassis.identity.settings import IdentitySettings


def bearer(key: str) -> tuple[tuple[str, str]]:
    """Return the metadata of a call that is made with a key."""
    return (("authorization", f"Bearer {key}"),)


KEY = derived("of the testbed", "operator")
BEARER = bearer(KEY)
SERVICE_KEY = "by which Orders is known to Inventory in tests"
PEPPER = "no more of a secret than the rest of this file"
SEALING_SECRET = "no-more-of-one-than-the-pepper-and-as-long-as-it-has-to-be"
IDENTITY = IdentitySettings(pepper=SecretStr(PEPPER), service_key=SecretStr(SERVICE_KEY))
QUICK = PasswordSettings(argon2_memory_kib=64, argon2_passes=1, argon2_lanes=1)
SERVED: dict[str, Any] = {  # for `service.running`
    "listen": "127.0.0.1:0",
    "identity": IDENTITY,
    "operator_key": SecretStr(KEY),
}
BESIDE_KEY = derived("of the testbed", "beside")
BESIDE = SERVED | {"operator_key": SecretStr(BESIDE_KEY)}  # on a database with another pepper
OF_COMMANDS = {"HOLDFAST_KEY": KEY, "HOLDFAST_UP_OPERATOR_KEY": KEY}

os.environ.update(OF_COMMANDS)


def served(issuers: Issuers) -> dict[str, Any]:
    """As SERVED, where tokens of these issuers are good beside the key."""
    return SERVED | {"identity": IDENTITY.model_copy(update={"issuers": issuers})}


def keyed(channel: aio.Channel, key: str = KEY) -> aio.Channel:
    """Return a channel whose calls say who makes them."""
    return cast(aio.Channel, _Keyed(channel, key))  # as far as generated stubs go


class _Keyed:
    """As a generated stub sees it."""

    def __init__(self, channel: Any, key: str) -> None:
        self._channel, self._key = channel, key

    def unary_unary(self, method: str, **how: Any) -> Callable[..., Any]:
        return _with_key(self._key, self._channel.unary_unary(method, **how))

    def unary_stream(self, method: str, **how: Any) -> Callable[..., Any]:
        return _with_key(self._key, self._channel.unary_stream(method, **how))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    async def __aenter__(self) -> "_Keyed":
        await self._channel.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._channel.__aexit__(*error)


def _with_key(key: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def called(*arguments: Any, metadata: Any = (), **options: Any) -> Any:
        given = tuple(metadata or ())
        if not any(name == "authorization" for name, _ in given):
            given += bearer(key)
        return call(*arguments, metadata=given, **options)

    return called
