"""Calls between simulated processes: bytes in, the real handler, bytes out, and what gets lost.

It stands where gRPC's library stands: outside of the services, which see a channel and a context.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from types import SimpleNamespace
from typing import Any, NoReturn

import grpc
from grpc import aio

from proof.simulation.fault_rates import FaultRates
from proof.simulation.loop import Process, SimulatedLoop

Metadata = Sequence[tuple[str, str | bytes]]

OK, CANCELLED, UNKNOWN, UNAVAILABLE, DEADLINE = (
    grpc.StatusCode.OK,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
)
RESET_SEEN_S_MAX = 0.05
DEADLINE_S = 30.0  # of a call that names none: a lost message must not be waited for for ever


@dataclass(frozen=True, slots=True)
class Reply:
    """How a call ended on the server."""

    code: grpc.StatusCode
    body: bytes = b""
    details: str = ""
    trailer: Metadata = ()


class Gatherer:
    """A server as generated code sees it: keeps the handlers that it is given."""

    def __init__(self) -> None:
        self._generic: list[grpc.GenericRpcHandler] = []

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        self._generic += handlers

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Do nothing: the same methods are added by name."""

    def handler(self, path: str) -> Any:
        """The handler of a method."""
        details: Any = SimpleNamespace(method=path, invocation_metadata=())
        found = [handler for one in self._generic if (handler := one.service(details))]
        assert found, f"nobody serves {path}"
        return found[0]


@dataclass(eq=False, slots=True)
class Endpoint:
    """A service that a process offers."""

    service: str
    process: Process
    server: Gatherer
    exchanges: "list[Exchange]" = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Exchange:
    """One call on its way: the promise of its reply, and the handler's task once it has begun."""

    path: str
    body: bytes
    metadata: Metadata
    reply: "asyncio.Future[Reply]"
    task: "asyncio.Task[None] | None" = None

    def answer(self, reply: Reply) -> None:
        if not self.reply.done():
            self.reply.set_result(reply)

    def give_up(self) -> None:
        if self.task is not None and not self.task.done():
            self.task.cancel()


class Network:
    """Knows who serves what, and carries calls there."""

    def __init__(self, loop: SimulatedLoop, fault_rates: FaultRates, chance: Random) -> None:
        self._loop, self._fault_rates, self._chance = loop, fault_rates, chance
        self._endpoints: list[Endpoint] = []

    def serve(self, endpoint: Endpoint) -> None:
        """Take calls for it from now on."""
        self._endpoints.append(endpoint)

    async def stop(self, endpoint: Endpoint, grace_s: float) -> None:
        """Take no more calls for it; give those under way some time, then cancel them."""
        self._withdraw(endpoint)
        if tasks := [one.task for one in endpoint.exchanges if one.task]:
            _, late = await asyncio.wait(tasks, timeout=grace_s)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    def _withdraw(self, endpoint: Endpoint) -> None:
        if endpoint in self._endpoints:
            self._endpoints.remove(endpoint)

    def process_died(self, process: Process) -> None:
        """Reset the connections of a dead process, mostly; a vanished machine says nothing."""
        for endpoint in [one for one in self._endpoints if one.process is process]:
            self._withdraw(endpoint)
            for exchange in endpoint.exchanges:
                if self._chance.random() < 0.9:
                    wait_s = self._chance.random() * RESET_SEEN_S_MAX
                    reset = Reply(UNAVAILABLE, details="connection reset by peer")
                    self._loop.outside(wait_s, exchange.answer, reset)

    async def call(
        self, service: str, path: str, body: bytes, *, timeout_s: float, metadata: Metadata = ()
    ) -> Reply:
        """Make one call to any instance of the service; never raises."""
        endpoints = [one for one in self._endpoints if one.service == service]
        if not endpoints:
            await asyncio.sleep(self._fault_rates.network_wait_s())
            return Reply(UNAVAILABLE, details="connection refused")
        endpoint = self._chance.choice(endpoints)
        exchange = Exchange(path, body, metadata, self._loop.create_future())
        if not self._fault_rates.strikes("request dropped"):
            arrives_s = self._fault_rates.network_wait_s()
            self._loop.outside(arrives_s, self._arrive, endpoint, exchange)
        try:
            async with asyncio.timeout(timeout_s):
                return await exchange.reply
        except TimeoutError:
            self._loop.outside(self._fault_rates.network_wait_s(), exchange.give_up)
            return Reply(DEADLINE, details="no answer in time")

    def _arrive(self, endpoint: Endpoint, exchange: Exchange) -> None:
        if not endpoint.process.is_alive or endpoint not in self._endpoints:
            exchange.answer(Reply(UNAVAILABLE, details="connection refused"))
            return
        endpoint.exchanges.append(exchange)
        work = self._work(endpoint, exchange)
        exchange.task = endpoint.process.start(work, exchange.path)

    async def _work(self, endpoint: Endpoint, exchange: Exchange) -> None:
        """Run the handler, in the process that serves."""
        try:
            reply = await _handled(endpoint.server.handler(exchange.path), exchange)
        finally:
            endpoint.exchanges.remove(exchange)
        if not self._fault_rates.strikes("reply dropped"):
            self._loop.outside(self._fault_rates.network_wait_s(), exchange.answer, reply)


async def _handled(handler: Any, exchange: Exchange) -> Reply:
    context = ServerContext(exchange.metadata)

    async def receive(_for_anybody: bool) -> bytes:
        return exchange.body

    try:
        message = await handler.unary_unary(receive, context)
    except aio.AbortError:
        assert context.aborted is not None, "only `abort` raises it"
        return context.aborted
    except Exception as error:  # noqa: BLE001 - gRPC tells the caller of any error
        return Reply(UNKNOWN, details=repr(error))
    return Reply(OK, handler.response_serializer(message))


class ServerContext:
    """What a handler may ask of gRPC, as far as ours do."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata
        self.aborted: Reply | None = None

    def invocation_metadata(self) -> Metadata:
        return self._metadata

    def peer(self) -> str:
        """Nobody is counted here: who calls how often is for the simulation to say."""
        return "unix:simulated"

    def time_remaining(self) -> float | None:
        """Deadlines are kept at the caller's end of the network."""
        return None

    def set_trailing_metadata(self, trailing_metadata: Metadata) -> None:
        """Told beside an answer; nobody here looks."""

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Metadata = ()
    ) -> NoReturn:
        self.aborted = Reply(code, details=details, trailer=trailing_metadata)
        raise aio.AbortError


class SimulatedChannel:
    """A channel to one service, as generated stubs see it."""

    def __init__(self, network: Network, service: str) -> None:
        self._network, self._service = network, service

    def unary_unary(
        self,
        path: str,
        request_serializer: Callable[[Any], bytes],
        response_deserializer: Callable[[bytes], Any],
        _registered_method: bool = False,
    ) -> Callable[..., Any]:
        async def call(
            request: Any,
            *,
            timeout: float | None = None,  # noqa: ASYNC109 - gRPC's
            metadata: Metadata = (),
        ) -> Any:
            reply = await self._network.call(
                self._service,
                path,
                request_serializer(request),
                timeout_s=timeout or DEADLINE_S,
                metadata=metadata,
            )
            if reply.code is not OK:
                raise aio.AioRpcError(reply.code, None, aio.Metadata(*reply.trailer), reply.details)
            return response_deserializer(reply.body)

        return call

    def unary_stream(self, path: str, **_how: Any) -> None:
        """No stream is simulated: nobody calls WatchOrder here."""
