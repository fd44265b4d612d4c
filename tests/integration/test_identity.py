"""Who may call what: every method, by every path there is to it, with every kind of credential."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from grpc import StatusCode, aio
from structlog.testing import capture_logs

from holdfast.chassis.grpc.rpc_boundary import WAITED_S
from holdfast.chassis.http.router import routes_of
from holdfast.chassis.identity import keys
from holdfast.chassis.identity.keys import Key
from holdfast.chassis.identity.roles import ANYBODY, ROLES, scopes_of
from holdfast.chassis.identity.store import KeyStore
from holdfast.client import (
    Caller,
    Holdfast,
    Money,
    PermissionDenied,
    Refused,
    Unauthenticated,
)
from holdfast.contracts.identity.v1 import keys_pb2, users_pb2
from holdfast.contracts.identity.v1.keys_pb2_grpc import KeyServiceStub
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.notifier.v1 import notifier_pb2
from holdfast.contracts.orders.v1 import orders_pb2
from holdfast.contracts.orders.v1.orders_pb2_grpc import OrderServiceStub
from holdfast.inventory.presentation.rights import RIGHTS as INVENTORY_RIGHTS
from holdfast.notifier.presentation.rights import RIGHTS as NOTIFIER_RIGHTS
from holdfast.orders.presentation.rights import RIGHTS as ORDERS_RIGHTS
from testbed.keys import KEY
from tests.integration.conftest import ANYWHERE, CALL_S_MAX, Ground, refusal, running
from tests.integration.over_http import Http, answer_of, raw, request_bytes

NOTIFIES = True
OF_ORDERS = (
    orders_pb2.DESCRIPTOR.services_by_name["OrderService"],
    keys_pb2.DESCRIPTOR.services_by_name["KeyService"],
    keys_pb2.DESCRIPTOR.services_by_name["KeyOfferService"],
    users_pb2.DESCRIPTOR.services_by_name["UserService"],
)
OF_INVENTORY = (
    inventory_pb2.DESCRIPTOR.services_by_name["InventoryService"],
    keys_pb2.DESCRIPTOR.services_by_name["KeyIntakeService"],
)
OF_NOTIFIER = (notifier_pb2.DESCRIPTOR.services_by_name["NotifierService"],)
ALL = (*OF_ORDERS, *OF_INVENTORY, *OF_NOTIFIER)
NO_PATH = ("KeyIntakeService", "KeyOfferService")
RIGHTS = {**ORDERS_RIGHTS, **INVENTORY_RIGHTS, **NOTIFIER_RIGHTS}
FOR_ANYBODY = {method for method, needed in RIGHTS.items() if ANYBODY in needed}
KNOWN_S_MAX = 30.0


@pytest.fixture
async def http(ground: Ground) -> AsyncIterator[Http]:
    async with running(ground, http_at=ANYWHERE) as holdfast:
        yield Http(holdfast)


async def bad_credentials(client: Holdfast) -> dict[str, str]:
    """What `authorization` may say that lets nobody in, by the reason that is told."""
    revoked = await client.keys.create("revoked", ["admin"])
    await client.keys.revoke(revoked.key.key_id)
    expired = await client.keys.create("expired", ["admin"], lifetime=timedelta(seconds=1))
    foreign = await client.keys.create("foreign", ["admin"], networks=["10.0.0.0/8"])
    known = keys.read(foreign.text)
    assert known is not None
    return {
        "NO_CREDENTIAL": "",
        "CREDENTIAL_MALFORMED": "Basic YTpi",
        "CREDENTIALS_SEVERAL": f"Bearer {KEY}, Bearer {KEY}",
        "NOT_A_KEY": "Bearer eyJhbGciOiJub25lIn0.e30.",
        "KEY_MALFORMED": f"Bearer {KEY[:-1]}",
        "KEY_UNKNOWN": f"Bearer {keys.written(known.key_id, 43 * '0')}",
        "KEY_REVOKED": f"Bearer {revoked.text}",
        "KEY_EXPIRED": f"Bearer {expired.text}",
        "KEY_NETWORK": f"Bearer {foreign.text}",
    }


def methods(http: Http) -> Iterator[tuple[aio.Channel, ServiceDescriptor, MethodDescriptor]]:
    at = http.holdfast.addresses
    served = {at.orders: OF_ORDERS, at.inventory: OF_INVENTORY, at.notifier: OF_NOTIFIER}
    for address, services in served.items():
        for service in services:
            for method in service.methods:
                yield aio.insecure_channel(address), service, method


def name_of(method: MethodDescriptor) -> str:
    """As the table of rights has it."""
    return f"{method.containing_service.full_name}/{method.name}"


async def code_over_grpc(
    channel: aio.Channel, path: str, header: str, *, streams: bool
) -> StatusCode:
    """What is answered to bytes that are no message, which only those in are told of."""
    metadata = (("authorization", header),) if header else ()
    how: dict[str, Any] = {"timeout": CALL_S_MAX, "metadata": metadata}
    try:
        if streams:
            stream: aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(path)
            async for _ in stream(b"\xff\xff", **how):
                pass
        else:
            call: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
            await call(b"\xff\xff", **how)
    except aio.AioRpcError as error:
        return error.code()
    return StatusCode.OK


@contextmanager
def no_secret_logged(*secrets: str) -> Iterator[None]:
    with capture_logs() as lines:
        yield
    text = str(lines)
    assert not [one[:25] for one in secrets if one in text]


async def known_by_all(http: Http, text: str, *, code: StatusCode) -> None:
    """Wait until all services say so of a key."""
    at = http.holdfast.addresses
    wanted = {
        at.orders: "/holdfast.orders.v1.OrderService/ListOrders",
        at.inventory: "/holdfast.inventory.v1.InventoryService/ListProducts",
        at.notifier: "/holdfast.notifier.v1.NotifierService/ListWebhooks",
    }
    async with asyncio.timeout(KNOWN_S_MAX):
        for address, path in wanted.items():
            async with aio.insecure_channel(address) as channel:
                while await code_over_grpc(channel, path, f"Bearer {text}", streams=False) != code:
                    await asyncio.sleep(0.05)


async def test_nobody_gets_past_the_door_with_a_bad_credential(http: Http) -> None:
    bad = await bad_credentials(http.holdfast.client)
    for reason in ("KEY_REVOKED", "KEY_EXPIRED", "KEY_NETWORK", "KEY_UNKNOWN"):
        text = bad[reason].removeprefix("Bearer ")
        await known_by_all(http, text, code=StatusCode.UNAUTHENTICATED)
    secrets = [KEY, *(header.removeprefix("Bearer ") for header in bad.values() if "hf_" in header)]
    # Until it has expired for all, and all know why each of them is bad.
    await asyncio.sleep(2.5)

    with no_secret_logged(*secrets):
        for channel, service, method in methods(http):
            async with channel:
                path, read = f"/{service.full_name}/{method.name}", name_of(method) in FOR_ANYBODY
                wanted = StatusCode.INVALID_ARGUMENT if read else StatusCode.UNAUTHENTICATED
                for reason, header in bad.items():
                    found = await code_over_grpc(
                        channel, path, header, streams=method.server_streaming
                    )
                    assert found == wanted, (path, reason)
        for service in ALL:
            for route in () if service.name in NO_PATH else routes_of(service):
                path = route.template.replace("{", "x").replace("}", "x")
                for reason, header in bad.items():
                    given = {"authorization": header}
                    asked = request_bytes(route.verb, path, b"{", given if header else {})
                    if not header:
                        asked = asked.replace(f"authorization: Bearer {KEY}\r\n".encode(), b"")
                    answer = answer_of(await raw(http.address, asked))
                    if name_of(route.method) in FOR_ANYBODY:
                        assert answer.status == 400
                        continue
                    assert (answer.status, answer.json["reason"]) == (401, reason), path
                    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("role", ROLES)
async def test_every_role_may_do_what_the_table_says_and_nothing_else(
    http: Http, role: str
) -> None:
    made = await http.holdfast.client.keys.create("somebody", [role])
    await no_more_unknown(http, made.text)
    header = f"Bearer {made.text}"

    for channel, service, method in methods(http):
        name = f"{service.full_name}/{method.name}"
        may = bool(RIGHTS[name] & (scopes_of([role]) | {ANYBODY}))
        wanted = StatusCode.INVALID_ARGUMENT if may else StatusCode.PERMISSION_DENIED
        async with channel:
            found = await code_over_grpc(
                channel, f"/{name}", header, streams=method.server_streaming
            )
        assert found == wanted, (role, name)
    for service in ALL:
        for route in () if service.name in NO_PATH else routes_of(service):
            needed = RIGHTS[f"{service.full_name}/{route.method.name}"]
            may = bool(needed & (scopes_of([role]) | {ANYBODY}))
            path = route.template.replace("{", "x").replace("}", "x")
            # What is no UTF-8 is no request for those who may ask.
            asked = request_bytes(route.verb, f"{path}?x=1", b"{", {"authorization": header})
            answer = answer_of(await raw(http.address, asked))
            assert (answer.status == 403) is not may, (role, route.verb, path, answer)
            assert answer.status != 401


@pytest.mark.parametrize("role", ROLES)
async def test_whoever_is_known_is_told_who_they_are_and_what_they_may_do(
    http: Http, role: str
) -> None:
    made = await http.holdfast.client.keys.create("somebody", [role])
    at = http.holdfast.addresses

    async with Holdfast(at.orders, at.inventory, key=made.text) as client:
        told = await client.keys.who_am_i()
    async with Holdfast(at.orders, at.inventory, key=f"{made.text[:-1]}") as stranger:
        with pytest.raises(Unauthenticated):
            await stranger.keys.who_am_i()

    assert told == Caller("somebody", made.key.key_id, scopes_of([role]), "")


async def no_more_unknown(http: Http, text: str) -> None:
    """Wait until no service finds a key unknown."""
    at = http.holdfast.addresses
    for address, path in (
        (at.orders, "/holdfast.identity.v1.KeyService/ListKeys"),
        (at.inventory, "/holdfast.identity.v1.KeyIntakeService/TakeKeys"),
        (at.notifier, "/holdfast.notifier.v1.NotifierService/ListWebhooks"),
    ):
        async with asyncio.timeout(KNOWN_S_MAX), aio.insecure_channel(address) as channel:
            header = f"Bearer {text}"
            while (
                await code_over_grpc(channel, path, header, streams=False)
                == StatusCode.UNAUTHENTICATED
            ):
                await asyncio.sleep(0.05)


async def test_a_key_is_known_to_all_services_and_a_revoked_one_to_none(http: Http) -> None:
    client = http.holdfast.client
    made = await client.keys.create("scanner-3", ["integrator"])
    await known_by_all(http, made.text, code=StatusCode.INVALID_ARGUMENT)

    await client.keys.revoke(made.key.key_id)
    await client.keys.revoke(made.key.key_id)

    await known_by_all(http, made.text, code=StatusCode.UNAUTHENTICATED)
    listed = {key.key_id: key for key in await client.keys.list()}
    assert listed[made.key.key_id].revoke_time is not None
    assert made.text not in repr(made)


async def test_a_key_that_is_revoked_while_it_is_rotated_has_none_to_follow_it(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = http.holdfast.client
    old = await admin.keys.create("scanner", ["warehouse"])
    add = KeyStore.add

    async def revoked_before(self: KeyStore, key: Key, *, ending: Key | None = None) -> bool:
        await self.revoke(old.key.key_id, datetime.now(UTC))
        return await add(self, key, ending=ending)

    monkeypatch.setattr(KeyStore, "add", revoked_before)
    with pytest.raises(Refused, match="was revoked"):
        await admin.keys.rotate(old.key.key_id)

    found = [key.key_id for key in await admin.keys.list() if key.name == "scanner"]
    assert found == [old.key.key_id]


async def test_a_key_is_rotated_while_it_is_used_and_no_call_fails(http: Http) -> None:
    at, admin = http.holdfast.addresses, http.holdfast.client
    await http.holdfast.product("LAMP", 1)
    texts = [(await admin.keys.create("shop", ["integrator"])).text]
    await known_by_all(http, texts[0], code=StatusCode.INVALID_ARGUMENT)
    calls, over = 0, asyncio.Event()

    async def use() -> None:
        nonlocal calls
        while not over.is_set():
            async with Holdfast(at.orders, at.inventory, key=texts[-1], retry_s=0.0) as shop:
                await shop.inventory.get_stock("LAMP")
                assert [one async for one in shop.orders.list(limit=1)] == []
            calls += 1

    async with asyncio.TaskGroup() as users:
        for _ in range(4):
            users.create_task(use())
        for _ in range(3):
            key = keys.read(texts[-1])
            assert key is not None
            new = await admin.keys.rotate(key.key_id)
            await known_by_all(http, new.text, code=StatusCode.INVALID_ARGUMENT)
            texts.append(new.text)
        over.set()

    assert calls > 10
    assert len([key for key in await admin.keys.list() if key.name == "shop"]) == 4


async def test_nobody_makes_a_key_that_may_do_more_than_they_may(http: Http) -> None:
    at, admin = http.holdfast.addresses, http.holdfast.client
    made = await admin.keys.create("clerk", ["keys:manage", "orders:read"])
    async with Holdfast(at.orders, at.inventory, key=made.text) as clerk:
        await clerk.keys.create("reader", ["orders:read"])

        with pytest.raises(PermissionDenied) as refused:
            await clerk.keys.create("boss", ["admin"])
        operator = next(key for key in await clerk.keys.list() if key.name == "operator")
        with pytest.raises(PermissionDenied):
            await clerk.keys.rotate(operator.key_id)

    assert "orders:write" in refused.value.details["scope"]


async def test_a_client_without_a_key_is_told_so(
    http: Http, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.delenv("HOLDFAST_KEY")
    monkeypatch.chdir(tmp_path)
    at = http.holdfast.addresses
    async with Holdfast(at.orders, at.inventory) as nobody:
        with pytest.raises(Unauthenticated) as refused:
            await nobody.inventory.create_product("X", unit_price=Money.parse("1.00", "GBP"))

    assert refused.value.reason == "NO_CREDENTIAL"
    kept = tmp_path / "holdfast-data" / "operator.key"
    kept.parent.mkdir()
    kept.write_text(KEY + "\n")
    async with Holdfast(at.orders, at.inventory) as operator:
        await operator.inventory.create_product("X", unit_price=Money.parse("1.00", "GBP"))


async def test_a_stream_sends_nothing_after_its_key_was_revoked(http: Http) -> None:
    at, admin = http.holdfast.addresses, http.holdfast.client
    await http.product("LAMP", 5)
    order_id = await http.placed("LAMP")
    made = await admin.keys.create("watcher", ["integrator"])
    async with aio.insecure_channel(at.orders) as channel:
        watch = OrderServiceStub(channel).WatchOrder(
            orders_pb2.WatchOrderRequest(order_id=order_id),
            metadata=(("authorization", f"Bearer {made.text}"),),
            timeout=60.0,
        )
        first = await watch.read()
        await admin.keys.revoke(made.key.key_id)
        await known_by_all(http, made.text, code=StatusCode.UNAUTHENTICATED)

        await admin.orders.cancel(order_id)

        with pytest.raises(aio.AioRpcError) as ended:
            await watch.read()
    assert isinstance(first, orders_pb2.Order)
    assert first.order_id == order_id
    assert ended.value.code() == StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("key_id", ["", "x" * 10_001, "a\u200bb", "nobody"])
async def test_a_key_id_that_is_none_is_refused_in_words_that_reach_who_asked(
    http: Http, key_id: str
) -> None:
    stub = KeyServiceStub(http.holdfast.orders_channel)
    wanted = "NOT_FOUND" if key_id == "nobody" else "INVALID_ARGUMENT"

    for told in (
        await refusal(stub.RevokeKey(keys_pb2.RevokeKeyRequest(key_id=key_id))),
        await refusal(stub.RotateKey(keys_pb2.RotateKeyRequest(key_id=key_id))),
    ):
        assert told.code.name == wanted
        assert told.fields == ([] if wanted == "NOT_FOUND" else ["key_id"])


async def test_who_waits_for_events_gets_none_after_their_key_was_revoked(http: Http) -> None:
    admin = http.holdfast.client
    await http.holdfast.product("LAMP", 1)
    made = await admin.keys.create("follower", ["events:read"])
    path, bearer = "/v1/feeds/orders/events?wait=20s&cursor=latest", f"Bearer {made.text}"
    asking = asyncio.create_task(http.ask("GET", path, authorization=bearer))
    await asyncio.sleep(0.2)
    await admin.keys.revoke(made.key.key_id)
    await asyncio.sleep(WAITED_S)
    assert not asking.done()

    await http.placed()

    answer = await asking
    assert (answer.status, answer.json["reason"]) == (401, "KEY_REVOKED")
