"""What the gate lets through: who is known, to what stands in the table; all else is closed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from holdfast.chassis.database.engines import connect
from holdfast.chassis.http.context import HttpContext
from holdfast.chassis.identity import principal
from holdfast.chassis.identity.gate import Gate
from holdfast.chassis.identity.known_keys import KnownKeys
from holdfast.chassis.identity.refusals import Forbidden
from holdfast.chassis.identity.store import KeyStore
from holdfast.chassis.identity.tokens import Tokens
from holdfast.home import in_folder
from testbed.oidc import Provider
from tests.integration.issuers.conftest import SkewedClock

READ = "shop.v1.Shop/Read"


@pytest.fixture
async def gate(tokens: Tokens, clock: SkewedClock, tmp_path: Path) -> AsyncIterator[Gate]:
    (tmp_path / "orders.db").touch()  # a token is checked without it
    async with connect(in_folder(tmp_path).urls["orders"]) as database:
        known = KnownKeys(KeyStore(database), b"pepper", clock)
        yield Gate(
            {READ: frozenset({"orders:read"}), "shop.v1.Shop/None": frozenset()}, known, tokens
        )


def call(token: str) -> HttpContext:
    return HttpContext({"authorization": f"Bearer {token}"}, "ipv4:127.0.0.1:4711", None)


async def test_who_has_the_scope_of_a_method_comes_through_and_is_known(
    gate: Gate, provider: Provider
) -> None:
    await gate.admit(READ, call(provider.token(scope="viewer")))

    assert principal.current.get().name == "anna@p0"


@pytest.mark.parametrize(
    "method", ["shop.v1.Shop/New", "shop.v1.Shop/None", "Read", "", f"/{READ}"]
)
@pytest.mark.parametrize("scope", ["admin", "customer", ""])
async def test_a_method_that_nobody_wrote_down_may_be_called_by_nobody(
    gate: Gate, provider: Provider, method: str, scope: str
) -> None:
    with pytest.raises(Forbidden):
        await gate.admit(method, call(provider.token(scope=scope)))


@pytest.mark.parametrize("scope", ["", "customer", "service", "orders:write", "orders:read:all"])
async def test_another_scope_is_none(gate: Gate, provider: Provider, scope: str) -> None:
    with pytest.raises(Forbidden, match="orders:read"):
        await gate.admit(READ, call(provider.token(scope=scope)))
