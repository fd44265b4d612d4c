"""TLS at the services' ports: who is let through, who is refused, and certificates renewed."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import grpc
import pytest
import structlog
from grpc import aio

from holdfast import embedded
from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.migrations import migrate
from holdfast.chassis.grpc.credentials import channel_credentials
from holdfast.chassis.messaging.local_broker import LocalBroker
from holdfast.chassis.process.ports import PortSettings
from holdfast.chassis.tls import LOOK_S, ReloadingContext, TlsFiles, read_material
from holdfast.client import Holdfast, Money, OrderLine, PermissionDenied, Tls, Unavailable
from holdfast.contracts.inventory.v1 import inventory_pb2 as inventory_pb
from holdfast.contracts.inventory.v1.inventory_pb2_grpc import InventoryServiceStub
from holdfast.home import in_folder
from holdfast.inventory import service as inventory_service
from holdfast.inventory.presentation.subscriptions import INVENTORY_TO_ORDERS, ORDERS_TO_INVENTORY
from holdfast.orders import service as orders_service
from holdfast.orders.settings import Limits
from testbed.authority import DAY, Authority, Pair
from testbed.keys import KEY, SERVED, keyed
from testbed.waiting import until
from tests.integration.conftest import refusal

ORDERS_NAME = "spiffe://shop/orders"
RENEWALS = 4
LOAD_PAUSE_S = 0.02
TAKEN_S_MAX = 30.0
REFUSED_WORDS = "hung up|UNKNOWN_CA|reset"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ours")


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "others")


def issue_all(authority: Authority) -> dict[str, Pair]:
    """What two services and a caller need; issued again, it is a renewal of all of them."""
    return {
        "orders": authority.issue("orders", "localhost", "127.0.0.1"),
        "inventory": authority.issue("inventory", "localhost", "127.0.0.1"),
        "orders as a caller": authority.issue("asking", ORDERS_NAME),
        "caller": authority.issue("caller", "anna"),
    }


@asynccontextmanager
async def two_services(
    folder: Path, authority: Authority, pairs: dict[str, Pair]
) -> AsyncIterator[embedded.Addresses]:
    """Orders and Inventory that know each other by their certificates alone."""
    home = in_folder(folder / "data")
    for service, url in home.urls.items():
        await asyncio.to_thread(migrate, service, url)
    names = [ORDERS_NAME, "anna"]
    orders_port, inventory_port = (
        PortSettings(
            tls_certificate=pairs[name].certificate,
            tls_key=pairs[name].key,
            tls_client_ca=authority.ca,
            tls_client_names=tuple(names),
        )
        for name in ("orders", "inventory")
    )
    broker = LocalBroker([ORDERS_TO_INVENTORY, INVENTORY_TO_ORDERS])
    async with (
        connect(home.orders) as orders_database,
        connect(home.inventory) as inventory_database,
        inventory_service.running(
            inventory_database,
            broker,
            **SERVED,
            port=inventory_port,
        ) as inventory,
        orders_service.running(
            orders_database,
            broker,
            inventory=inventory.address,
            inventory_tls=TlsFiles(*pairs["orders as a caller"], authority.ca),
            limits=Limits(),
            **SERVED,
            port=orders_port,
        ) as orders,
    ):
        yield embedded.Addresses(orders.address, inventory.address)


def client_of(addresses: embedded.Addresses, ca: Path, pair: Pair | None = None) -> Holdfast:
    tls = Tls(ca, *pair) if pair else Tls(ca)
    return Holdfast(addresses.orders, addresses.inventory, 5.0, retry_s=0.0, tls=tls)


async def place(client: Holdfast) -> None:
    await client.orders.create("c-1", [OrderLine("LAMP", 1)])


async def supply(client: Holdfast) -> None:
    await client.inventory.create_product("LAMP", unit_price=Money("GBP", 1_000))
    await client.inventory.set_stock("LAMP", 1_000_000)


async def test_certificates_renewed_under_load_fail_no_call(
    tmp_path: Path, authority: Authority
) -> None:
    """All of them at once, again and again: every caller's next connection gets the new ones."""
    pairs = issue_all(authority)
    done, over = 0, asyncio.Event()

    async def load(*, anew: bool) -> None:
        nonlocal done
        while not over.is_set():
            async with client_of(addresses, authority.ca, pairs["caller"]) as client:
                await place(client)
                done += 1
                while not anew and not over.is_set():
                    await place(client)
                    done += 1
            await asyncio.sleep(LOAD_PAUSE_S)

    with structlog.testing.capture_logs() as logs:
        async with two_services(tmp_path, authority, pairs) as addresses:
            async with client_of(addresses, authority.ca, pairs["caller"]) as client:
                await supply(client)
            async with asyncio.TaskGroup() as callers:
                for number in range(6):
                    callers.create_task(load(anew=number < 3))
                for _ in range(RENEWALS):
                    await asyncio.sleep(LOOK_S * 1.2)
                    logs.clear()
                    issue_all(authority)
                    await until(
                        lambda: len(taken(logs)) == 3, TAKEN_S_MAX, lambda: AssertionError(logs)
                    )
                await until(lambda: done > 100, TAKEN_S_MAX, lambda: AssertionError(done))
                over.set()


def taken(logs: Sequence[Mapping[str, object]]) -> set[object]:
    """Whose renewed certificates were taken: both ports', and the way's between them."""
    return {log["certificate"] for log in logs if log["event"] == "renewed certificate taken"}


async def test_a_renewed_certificate_is_what_the_next_connection_sees(
    tmp_path: Path, authority: Authority
) -> None:
    pairs = issue_all(authority)
    async with two_services(tmp_path, authority, pairs) as addresses:
        first = await shown_certificate(addresses.inventory, authority, pairs["caller"])
        again = await shown_certificate(addresses.inventory, authority, pairs["caller"])
        authority.issue("inventory", "localhost", "127.0.0.1")
        await asyncio.sleep(LOOK_S * 1.1)
        renewed = await shown_certificate(addresses.inventory, authority, pairs["caller"])

    assert first == again
    assert renewed != first


async def shown_certificate(address: str, authority: Authority, pair: Pair) -> bytes:
    context = ssl.create_default_context(cafile=authority.ca)
    context.load_cert_chain(*pair)
    return await handshake(address, context)


async def handshake(address: str, context: ssl.SSLContext) -> bytes:
    """Return the certificate that a server shows."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert isinstance(shown, bytes)
        # In TLS 1.3 a client is done before the server has looked at its certificate.
        with suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await reader.read(1)
        return shown
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


Issue = Callable[[Authority, Authority], Pair | None]

REFUSED_CALLERS: dict[str, tuple[Issue, grpc.StatusCode]] = {
    "no certificate": (lambda ours, others: None, grpc.StatusCode.UNAVAILABLE),
    "of another authority": (
        lambda ours, others: others.issue("foreign", ORDERS_NAME),
        grpc.StatusCode.UNAVAILABLE,
    ),
    "signed by itself": (
        lambda ours, others: ours.issue("own", ORDERS_NAME, by_itself=True),
        grpc.StatusCode.UNAVAILABLE,
    ),
    "expired": (
        lambda ours, others: ours.issue("old", ORDERS_NAME, age=2 * DAY),
        grpc.StatusCode.UNAVAILABLE,
    ),
    "not yet valid": (
        lambda ours, others: ours.issue("young", ORDERS_NAME, age=-DAY),
        grpc.StatusCode.UNAVAILABLE,
    ),
    "of another service": (
        lambda ours, others: ours.issue("billing", "spiffe://shop/billing"),
        grpc.StatusCode.PERMISSION_DENIED,
    ),
    "with a name that begins like a good one": (
        lambda ours, others: ours.issue("longer", f"{ORDERS_NAME}-2"),
        grpc.StatusCode.PERMISSION_DENIED,
    ),
}


async def test_only_certificates_of_the_authority_with_a_name_on_the_list_may_call(
    tmp_path: Path, authority: Authority, stranger: Authority
) -> None:
    pairs = issue_all(authority)
    async with two_services(tmp_path, authority, pairs) as addresses:
        found = {
            name: await stock_asked_with(addresses.inventory, authority, issue(authority, stranger))
            for name, (issue, _) in REFUSED_CALLERS.items()
        }
        good = await stock_asked_with(
            addresses.inventory, authority, authority.issue("good", "x", ORDERS_NAME)
        )

    assert found == {name: code for name, (_, code) in REFUSED_CALLERS.items()}
    assert good is grpc.StatusCode.NOT_FOUND  # no such product: the question was heard


async def stock_asked_with(
    address: str, authority: Authority, pair: Pair | None
) -> grpc.StatusCode:
    files = TlsFiles(*pair, authority.ca) if pair else TlsFiles(ca=authority.ca)
    async with aio.secure_channel(address, channel_credentials(read_material(files))) as channel:
        stub = InventoryServiceStub(keyed(channel))
        request = inventory_pb.GetStockInfoRequest(product_id="LAMP")
        return (await refusal(stub.GetStockInfo(request, timeout=5.0))).code


async def test_a_certificate_that_is_not_allowed_is_refused_in_words(
    tmp_path: Path, authority: Authority
) -> None:
    pairs = issue_all(authority)
    billing = authority.issue("billing", "spiffe://shop/billing")
    async with (
        two_services(tmp_path, authority, pairs) as addresses,
        client_of(addresses, authority.ca, billing) as client,
    ):
        with pytest.raises(PermissionDenied) as refused:
            await place(client)

    assert refused.value.reason == "CERTIFICATE_NOT_ALLOWED"
    assert "none of the names" in str(refused.value)


REFUSED_SERVERS: dict[str, tuple[Callable[[Authority, Authority], Pair], str]] = {
    "another name": (
        lambda ours, others: ours.issue("elsewhere", "orders.example"),
        "its certificate has another name than this address",
    ),
    "another authority": (
        lambda ours, others: others.issue("foreign", "127.0.0.1"),
        "its certificate is of nobody whom we trust",
    ),
    "signed by itself": (
        lambda ours, others: ours.issue("own", "127.0.0.1", by_itself=True),
        "its certificate is of nobody whom we trust",
    ),
    "expired": (
        lambda ours, others: ours.issue("old", "127.0.0.1", age=2 * DAY),
        "its certificate has expired",
    ),
}


@pytest.mark.parametrize("case", REFUSED_SERVERS)
async def test_a_client_talks_to_nobody_whose_certificate_is_not_good(
    tmp_path: Path, authority: Authority, stranger: Authority, case: str
) -> None:
    issue, words = REFUSED_SERVERS[case]
    certificate, key = issue(authority, stranger)
    port = PortSettings(tls_certificate=certificate, tls_key=key)
    async with (
        embedded.running(in_folder(tmp_path / "data"), port=port, operator_key=KEY) as addresses,
        client_of(addresses, authority.ca) as client,
    ):
        with pytest.raises(Unavailable, match=words):
            await client.orders.get("00000000-0000-0000-0000-000000000000")


async def test_plain_and_tls_that_meet_are_told_so(tmp_path: Path, authority: Authority) -> None:
    certificate, key = authority.issue("server", "127.0.0.1")
    port = PortSettings(tls_certificate=certificate, tls_key=key)
    async with (
        embedded.running(in_folder(tmp_path / "tls"), port=port, operator_key=KEY) as with_tls,
        embedded.running(in_folder(tmp_path / "plain"), operator_key=KEY) as plain,
        client_of(with_tls, authority.ca) as good,
        client_of(plain, authority.ca) as tls_to_plain,
        Holdfast(with_tls.orders, with_tls.inventory, 5.0, retry_s=0.0) as plain_to_tls,
    ):
        await supply(good)
        await place(good)  # Orders reaches Inventory too
        with pytest.raises(Unavailable, match="it speaks no TLS there: leave `tls` out"):
            await place(tls_to_plain)
        with pytest.raises(Unavailable, match="it may ask for TLS"):
            await place(plain_to_tls)


async def test_tls_older_than_1_2_is_not_spoken(tmp_path: Path, authority: Authority) -> None:
    certificate, key = authority.issue("server", "127.0.0.1")
    port = PortSettings(tls_certificate=certificate, tls_key=key)
    async with embedded.running(
        in_folder(tmp_path / "data"), port=port, operator_key=KEY
    ) as addresses:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            await handshake(addresses.orders, only(version, authority))
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            await handshake(addresses.orders, only(ssl.TLSVersion.TLSv1_1, authority))


def only(version: ssl.TLSVersion, authority: Authority) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.ca)
    context.set_ciphers("ALL:@SECLEVEL=0")  # or this end would not speak the old ones either
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = version
    return context


async def test_a_context_for_other_servers_takes_renewals_and_forgets_old_authorities(
    tmp_path: Path, authority: Authority, stranger: Authority
) -> None:
    """What an HTTP server is given: an ordinary `ssl.SSLContext`."""
    certificate, key = authority.issue("server", "127.0.0.1")
    trusted = tmp_path / "clients.pem"
    trusted.write_bytes(authority.ca.read_bytes())
    context = ReloadingContext(TlsFiles(certificate, key, trusted)).context
    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context)
    async with server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ours, theirs = authority.issue("a", "a"), stranger.issue("b", "b")
        first = await heard(address, authority, ours)
        with pytest.raises(OSError, match=REFUSED_WORDS):
            await heard(address, authority, theirs)

        authority.issue("server", "127.0.0.1")
        trusted.write_bytes(stranger.ca.read_bytes())
        await asyncio.sleep(LOOK_S * 1.1)

        second = await heard(address, authority, theirs)
        with pytest.raises(OSError, match=REFUSED_WORDS):
            await heard(address, authority, ours)
    assert first != second


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"good day\n")
    await writer.drain()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def heard(address: str, authority: Authority, pair: Pair) -> bytes:
    """Connect, wait for a greeting, and return the certificate that was shown."""
    context = ssl.create_default_context(cafile=authority.ca)
    context.load_cert_chain(*pair)
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
    try:
        if await reader.readline() != b"good day\n":
            raise ConnectionError("hung up")
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert isinstance(shown, bytes)
        return shown
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
