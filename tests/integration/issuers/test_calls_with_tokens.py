"""Callers with tokens of a provider, over gRPC and HTTP, in both modes: who may, who may not."""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pytest
from grpc import StatusCode
from joserfc.jwk import Key

from holdfast.chassis.identity import issuer_keys
from holdfast.chassis.identity.issuers import Issuer
from holdfast.contracts.inventory.v1 import inventory_pb2 as stock_pb
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from testbed.oidc import AUDIENCE, Provider, new_key, part, providing
from tests.integration.conftest import (
    ANYWHERE,
    CALL_S_MAX,
    Ground,
    Refusal,
    RunningHoldfast,
    create,
    line,
    refusal,
    running,
)
from tests.integration.over_http import Answer, Http, events

ALIKE = True
CUSTOMER = "c-17"


class Shop(NamedTuple):
    """Holdfast, and the provider whose tokens it takes."""

    holdfast: RunningHoldfast
    provider: Provider

    @property
    def http(self) -> Http:
        return Http(self.holdfast)

    async def grpc(self, method: str, request: Any, token: str) -> Any:
        """Call a method of either service with a token."""
        stub = self.holdfast.orders if hasattr(self.holdfast.orders, method) else None
        call = getattr(stub or self.holdfast.inventory, method)
        bearer = (("authorization", f"Bearer {token}"),)
        return await call(request, timeout=CALL_S_MAX, metadata=bearer)

    async def refusal(self, method: str, request: Any, token: str) -> Refusal:
        return await refusal(self.grpc(method, request, token))

    async def ask(
        self, verb: str, path: str, token: str, content: Mapping[str, Any] | None = None
    ) -> Answer:
        return await self.http.ask(verb, path, content, authorization=f"Bearer {token}")


@pytest.fixture
def wall(rsa_key: Key) -> Iterator[Provider]:
    """A provider by the wall's clock, as the services have it."""
    with providing(key=rsa_key) as provider:
        yield provider


@pytest.fixture
async def shop(ground: Ground, wall: Provider) -> AsyncIterator[Shop]:
    issuer = Issuer(
        issuer=wall.url,
        audiences=(AUDIENCE,),
        name="staff",
        rights_claim=("realm_access", "roles"),
        rights={"packing": ("warehouse",), "watch": ("viewer",), "buyer": ("customer",)},
    )
    async with running(ground, http_at=ANYWHERE, issuers=(issuer,)) as holdfast:
        await holdfast.product("LAMP", 10)
        yield Shop(holdfast, wall)


def of_role(provider: Provider, *roles: str, **changed: Any) -> str:
    return provider.token(realm_access={"roles": list(roles)}, **changed)


INFO = stock_pb.GetStockInfoRequest(product_id="LAMP")
SET = stock_pb.UpdateStockRequest(product_id="LAMP", quantity=7)
ORDER = {"customer_id": CUSTOMER, "lines": [{"product_id": "LAMP", "quantity": 1}]}
LEVEL = "/v1/products/LAMP/stock/main"


async def test_an_operator_may_what_the_role_allows_and_nothing_else(shop: Shop) -> None:
    viewer = of_role(shop.provider, "watch", "admin", "offline_access")
    packer = of_role(shop.provider, "packing")

    assert (await shop.grpc("GetStockInfo", INFO, viewer)).on_hand == 10
    denied = await shop.refusal("UpdateStock", SET, viewer)
    over_http = await shop.ask("PUT", LEVEL, viewer, {"quantity": 7})
    unsaid = await shop.refusal("GetStockInfo", INFO, of_role(shop.provider))

    for found in (denied, unsaid):
        assert (found.code, found.reason) == (StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")
    assert (over_http.status, over_http.json["reason"]) == (403, "SCOPE_MISSING")
    assert (await shop.holdfast.stock("LAMP")).on_hand == 10

    assert (await shop.grpc("UpdateStock", SET, packer)).level.on_hand == 7
    put = await shop.ask("PUT", LEVEL, packer, {"quantity": 8})
    assert (put.status, put.json["level"]["on_hand"]) == (200, 8)
    refused = await shop.refusal("CreateOrder", create(line("LAMP")), packer)
    assert refused.reason == "SCOPE_MISSING"


async def test_a_customer_orders_and_touches_no_stock(shop: Shop) -> None:
    buyer = of_role(shop.provider, "buyer", "packing", sub=CUSTOMER)
    order = create(line("LAMP"), customer_id=CUSTOMER, wait_s=15)

    placed = await shop.grpc("CreateOrder", order, buyer)
    over_http = await shop.ask("POST", "/v1/orders", buyer, ORDER)
    stock = await shop.refusal("UpdateStock", SET, buyer)
    listed = await shop.ask("GET", "/v1/customers", buyer)

    assert placed.status == pb.ORDER_STATUS_CONFIRMED
    assert over_http.status == 201
    assert (stock.code, stock.reason) == (StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")
    assert listed.status == 403


async def test_a_stream_is_watched_with_a_token(shop: Shop) -> None:
    buyer = of_role(shop.provider, "buyer", sub=CUSTOMER)
    placed = (await shop.ask("POST", "/v1/orders", buyer, ORDER | {"wait": "15s"})).json
    path = f"/v1/orders/{placed['order_id']}/watch"

    bearer = f"Bearer {buyer}"
    async with events(shop.http.address, path, authorization=bearer) as stream:
        event = await stream.next()
    unknown = await shop.ask("GET", path, "")

    assert json.loads(event["data"])["status"] == "CONFIRMED"
    assert unknown.status == 401


def with_header(provider: Provider, header: Mapping[str, Any]) -> str:
    """A sound token whose header is another one."""
    _, claims, signature = of_role(provider, "packing").split(".")
    return f"{part(dict(header))}.{claims}.{signature}"


FORGED: dict[str, tuple[Callable[[Provider], str], str]] = {
    "another issuer": (
        lambda p: of_role(p, "packing", iss="https://evil.example"),
        "TOKEN_ISSUER",
    ),
    "another audience": (lambda p: of_role(p, "packing", aud="shop"), "TOKEN_AUDIENCE"),
    "no algorithm": (
        lambda p: with_header(p, {"alg": "none", "kid": p.keys[0].kid}),
        "TOKEN_ALGORITHM",
    ),
    "another algorithm": (
        lambda p: with_header(p, {"alg": "HS256", "kid": p.keys[0].kid}),
        "TOKEN_ALGORITHM",
    ),
    "another key": (
        lambda p: p.token(key=new_key("EC"), header={"kid": p.keys[0].kid}),
        "TOKEN_KEY_UNKNOWN",
    ),
    "another's signature": (
        lambda p: p.token(key=new_key("RSA"), header={"kid": p.keys[0].kid}),
        "TOKEN_SIGNATURE",
    ),
    "expired": (lambda p: of_role(p, "packing", exp=1_700_000_000), "TOKEN_EXPIRED"),
    "of the future": (
        lambda p: of_role(p, "packing", nbf=p.claims()["exp"] - 1),
        "TOKEN_NOT_YET_VALID",
    ),
    "too large": (lambda p: "e" * 9_000, "TOKEN_TOO_LARGE"),
    "rubbish": (lambda p: "rubbish", "TOKEN_MALFORMED"),
}


@pytest.mark.parametrize("forgery", FORGED)
async def test_who_brings_a_bad_token_is_not_let_in_and_told_why(shop: Shop, forgery: str) -> None:
    forge, reason = FORGED[forgery]
    token = forge(shop.provider)

    over_grpc = await shop.refusal("UpdateStock", SET, token)
    over_http = await shop.ask("PUT", LEVEL, token, {"quantity": 7})

    assert (over_grpc.code, over_grpc.reason) == (StatusCode.UNAUTHENTICATED, reason)
    assert (over_http.status, over_http.json["reason"]) == (401, reason)
    assert token not in over_http.body.decode()
    assert (await shop.holdfast.stock("LAMP")).on_hand == 10


async def test_while_the_provider_is_away_keys_of_ours_are_good_and_tokens_are_told_to_wait(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer_keys, "AGAIN_S", 0.0)
    token = of_role(shop.provider, "packing")
    shop.provider.go_away()

    over_grpc = await shop.refusal("UpdateStock", SET, token)
    over_http = await shop.ask("PUT", LEVEL, token, {"quantity": 7})
    ours = await shop.holdfast.stock("LAMP")

    assert (over_grpc.code, over_grpc.reason) == (StatusCode.UNAVAILABLE, "IDENTITY_UNAVAILABLE")
    assert over_grpc.retry_delay.seconds >= 1
    assert over_http.status == 503
    assert int(over_http.headers["retry-after"]) >= 1
    assert ours.on_hand == 10

    shop.provider.come_back()
    assert (await shop.grpc("UpdateStock", SET, token)).level.on_hand == 7


async def test_a_key_that_turns_under_use_keeps_nobody_out(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer_keys, "UNKNOWN_S_MIN", 0.0)
    before = of_role(shop.provider, "packing", jti="before")
    assert (await shop.grpc("UpdateStock", SET, before)).level.on_hand == 7

    shop.provider.rotate("EC", keep=True)
    after = of_role(shop.provider, "packing", jti="after")

    for token in (after, before):
        assert (await shop.grpc("GetStockInfo", INFO, token)).on_hand == 7
        assert (await shop.ask("GET", "/v1/products/LAMP", token)).status == 200
