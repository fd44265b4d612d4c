"""A gRPC server as services run it: limits, health, reflection, a stop that finishes what began."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol, cast

import structlog
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha.reflection_pb2_grpc import add_ServerReflectionServicer_to_server

from holdfast.chassis.grpc.credentials import server_credentials
from holdfast.chassis.grpc.for_anybody import HEALTH, REFLECTION, ForAnybody, Health
from holdfast.chassis.grpc.receiving import METADATA_BYTES_MAX, Receiving
from holdfast.chassis.grpc.sizes import RECEIVE_BYTES_MAX
from holdfast.chassis.messaging.broker import BrokerUnavailable
from holdfast.chassis.process.addresses import AddressInUse
from holdfast.chassis.process.lifecycle import Loop, background, every
from holdfast.chassis.tls import Certificates, TlsFiles

CONCURRENT_RPCS_MAX = 10_000
STREAMS_MAX = 1_000  # of one connection: more wait at its caller's end
STOP_GRACE_S = 10.0
STOP_IDLE_S = 1.0  # for answers that are still on their way
STOP_LOOK_S = 0.2
BUS = "bus"  # the health service's name for the way to the broker
DEAD_LETTERS = "dead-letters"  # likewise, for there being none of this service
LOOK_S = 1.0
DECLARE_S_MAX = 5.0  # how long a start waits for a broker that doesn't answer
DECLARE_AGAIN_S = 10.0

_OPTIONS = (
    ("grpc.max_receive_message_length", RECEIVE_BYTES_MAX),
    # Else gRPC takes megabytes of each call, on a fast network, that nobody has begun to read.
    ("grpc.http2.bdp_probe", 0),
    # With the 64 KiB that are usual, unary calls take a fifth longer.
    ("grpc.http2.lookahead_bytes", 512 * 1024),
    # Above 1,000 calls not yet picked up, gRPC drops some at random as CANCELLED: our
    # queues refuse in better words.
    ("grpc.server.max_pending_requests", CONCURRENT_RPCS_MAX),
    ("grpc.server.max_pending_requests_hard_limit", 2 * CONCURRENT_RPCS_MAX),
    # Our clients ask every 5 s; who asks much more often is sent away.
    ("grpc.http2.min_ping_interval_without_data_ms", 2_500),
    ("grpc.max_concurrent_streams", STREAMS_MAX),
    ("grpc.max_metadata_size", METADATA_BYTES_MAX),
    ("grpc.absolute_max_metadata_size", METADATA_BYTES_MAX),
)

_OF_GRPC = (
    reflection.SERVICE_NAME,
    health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
)

log = structlog.get_logger()


class Bus(Protocol):
    """The way to the broker, as far as a server has to do with it; see `Broker`."""

    async def declare(self) -> None: ...

    def names(self) -> Mapping[str, str]: ...

    def is_up(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Listening:
    """A running server."""

    address: str
    health: Health


@asynccontextmanager
async def serving(
    listen: str,
    *,
    service: str,
    also: Sequence[str] = (),
    register: Callable[[aio.Server], None],
    bus: Bus | None = None,
    share_port: bool = False,
    tls: TlsFiles | None = None,
    private: str = "",
    parked: Callable[[], int] | None = None,
) -> AsyncIterator[Listening]:
    """Serve while the block runs; then refuse new calls, and give running ones STOP_GRACE_S to end.

    When none has been answered for STOP_IDLE_S, what is left is in nobody's hands, and sent away.

    :param listen: HOST:PORT; port 0 picks a free one, found in `Listening.address`.
    :param also: names of further services that `register` adds, for reflection.
    :param bus: declared before anybody is served, if it answers within DECLARE_S_MAX, and again
        every DECLARE_AGAIN_S; asked every LOOK_S for the health of "bus" and of "bus/NAME" for
        each of its names. The server serves without it.
    :param share_port: let other processes that share it too listen on the same port.
    :param tls: certificates; None: the port speaks no TLS.
    :param private: another address, for who is trusted by where it is: it speaks no TLS.
    :param parked: how many events are dead letters, asked every LOOK_S for the health of
        "dead-letters"; None: the service has none ever, and no such name.
    :raises AddressInUse: the address is taken.
    :raises CertificateUnusable: nobody could be served with these certificates.
    """
    server = aio.server(
        maximum_concurrent_rpcs=CONCURRENT_RPCS_MAX,
        options=[("grpc.so_reuseport", int(share_port)), *_OPTIONS],
    )
    receiving = Receiving(server)
    register(cast(aio.Server, receiving))  # as far as generated code goes
    health = Health()
    health_pb2_grpc.add_HealthServicer_to_server(health, ForAnybody(HEALTH).around(server))
    offered = reflection.aio.ReflectionServicer([service, *also, *_OF_GRPC])
    add_ServerReflectionServicer_to_server(  # type: ignore[no-untyped-call]
        offered, ForAnybody(REFLECTION).around(server)
    )
    try:
        port = _add_port(server, listen, tls)
        if private:
            server.add_insecure_port(private)
    except RuntimeError as error:
        raise AddressInUse(listen) from error
    await _declare_or_tell(bus)
    await server.start()
    listening = Listening(f"{listen.rpartition(':')[0]}:{port}", health)
    listening.health.report("", True)
    listening.health.report(service, True)

    try:
        loops = _bus_loops(bus, listening, service) | _parking_loops(parked, listening, service)
        async with background(loops):
            yield listening
    finally:
        health.stop()
        await _stop(server, receiving)


async def _stop(server: aio.Server, receiving: Receiving) -> None:
    """Stop, and wait for calls as long as there is somebody who will answer them.

    About once in some hundred stops under load, gRPC (1.83) takes a call that comes meanwhile and
    hands it to nobody: its caller and this server would wait for each other until the deadline.
    """
    stopping = asyncio.create_task(server.stop(STOP_GRACE_S))
    began = time.monotonic()
    while not (await asyncio.wait([stopping], timeout=STOP_LOOK_S))[0]:
        if min(receiving.answering.idle_s(), time.monotonic() - began) > STOP_IDLE_S:
            await server.stop(None)
    await stopping


def _add_port(server: aio.Server, listen: str, tls: TlsFiles | None) -> int:
    if tls is None:
        return server.add_insecure_port(listen)
    return server.add_secure_port(listen, server_credentials(Certificates(tls)))


async def _declare_or_tell(bus: Bus | None) -> None:
    """Have the exchanges there, if the broker is, before anybody finds us serving and binds."""
    if bus is None:
        return
    try:
        async with asyncio.timeout(DECLARE_S_MAX):
            await bus.declare()
    except (BrokerUnavailable, TimeoutError) as error:
        log.warning(
            "serving without the broker: orders are accepted, and wait until it is there",
            error=str(error) or f"no answer for {DECLARE_S_MAX:g} s",
        )


def _bus_loops(bus: Bus | None, listening: Listening, service: str) -> dict[str, Loop]:
    if bus is None:
        return {}

    async def report() -> int:
        problems = bus.names()
        listening.health.report(BUS, bus.is_up() and not any(problems.values()))
        for name, problem in problems.items():
            listening.health.report(f"{BUS}/{name}", not problem)
        return 0

    async def declare() -> int:
        with suppress(BrokerUnavailable):  # whoever has to send or hear something says so
            await bus.declare()
        return 0

    return {
        f"{service} health": every(LOOK_S, report),
        f"{service} names": every(DECLARE_AGAIN_S, declare),
    }


def _parking_loops(
    parked: Callable[[], int] | None, listening: Listening, service: str
) -> dict[str, Loop]:
    if parked is None:
        return {}

    async def report() -> int:
        listening.health.report(DEAD_LETTERS, not parked())
        return 0

    return {f"{service} dead letters": every(LOOK_S, report)}
