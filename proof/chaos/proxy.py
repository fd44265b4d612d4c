"""A process through which TCP connections pass that are to be delayed, throttled, held and cut.

It is told what to do over a Unix socket, by `proof.chaos.wires`.
"""

import asyncio
import json
import random
import socket
import struct
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import uvloop

from proof.chaos.link_conditions import GOOD, LinkConditions, Way

WAITING_BYTES_MAX = 256 * 1024  # of one direction of one connection
PIECE_S = 0.05  # a throttled way sends what it may in so long at once
SERVER_LOOK_S = 0.05
CONNECT_S_MAX = 10.0
RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER for no time at all


class Flow:
    """One direction of one connection: what has come and may not leave yet, in its order."""

    def __init__(self, connection: "Connection", way: Way, chance: random.Random) -> None:
        self._connection, self._chance = connection, chance
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[float, bytes | None]] = deque()  # None: the end
        self._waiting_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._last_due = self._free_at = 0.0
        self._is_full = self._is_over = False
        self._source: asyncio.Transport | None = None
        self._target: asyncio.Transport | None = None
        self.moved_bytes = 0
        self.change(way)

    def change(self, way: Way) -> None:
        self._way, self._is_plain = way, way == Way()
        self._left_bytes = way.cut_after_bytes
        self._last_due = self._free_at = 0.0
        self._move()

    def comes_from(self, source: asyncio.Transport) -> None:
        self._source = source

    def goes_to(self, target: asyncio.Transport) -> None:
        self._target = target
        self._move()

    def feed(self, data: bytes) -> None:
        if self._is_over:
            return
        if self._is_plain and not self._waiting and self._target and not self._is_full:
            self._target.write(data)
            self.moved_bytes += len(data)
            return
        self._queue(data)
        self._waiting_bytes += len(data)
        self._move()

    def end(self) -> None:
        """The source has closed; the target hears of it when all before it has arrived."""
        self._source = None
        self._queue(None)
        self._move()

    def stop(self) -> None:
        """The target has gone: what comes for it is lost."""
        self._target = None
        self._is_over = True
        self._waiting.clear()
        self._waiting_bytes = 0
        self._move()

    def stall(self, is_full: bool) -> None:
        """The target takes no more for now, or takes it again."""
        self._is_full = is_full
        self._move()

    def _queue(self, data: bytes | None) -> None:
        delay_s = self._way.latency_s + self._way.jitter_s * self._chance.random()
        due = max(self._loop.time() + delay_s, self._last_due) if delay_s else self._last_due
        self._last_due = due
        self._waiting.append((due, data))

    def _move(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting and self._target and not self._is_full and not self._way.is_held:
            due, data = self._waiting[0]
            starts_at = max(due, self._free_at)
            if starts_at > self._loop.time():
                self._timer = self._loop.call_at(starts_at, self._move)
                break
            self._waiting.popleft()
            if data is None:
                self._connection.finish(self._target)
                return
            self._waiting_bytes -= len(data)
            self._send(data, self._target)
        self._regulate()

    def _send(self, data: bytes, target: asyncio.Transport) -> None:
        rate = self._way.bytes_per_s
        if rate is not None:
            piece, rest = data[: (most := max(1, int(rate * PIECE_S)))], data[most:]
            self._free_at = self._loop.time() + len(piece) / rate
            if rest:
                self._waiting.appendleft((0.0, rest))
                self._waiting_bytes += len(rest)
            data = piece
        if self._left_bytes is not None:
            data, is_last = data[: self._left_bytes], len(data) >= self._left_bytes
            self._left_bytes -= len(data)
            if is_last:
                target.write(data)
                self._connection.reset()
                return
        target.write(data)
        self.moved_bytes += len(data)

    def _regulate(self) -> None:
        if self._source is None or self._source.is_closing():
            return
        if self._is_full or self._waiting_bytes > WAITING_BYTES_MAX:
            self._source.pause_reading()
        else:
            self._source.resume_reading()


class End(asyncio.Protocol):
    """One of the two sockets of a connection."""

    def __init__(self, connection: "Connection", outward: Flow, inward: Flow) -> None:
        self._connection, self._outward, self._inward = connection, outward, inward

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's own classes are none by descent
        self._connection.join(transport)
        self._outward.comes_from(transport)
        self._inward.goes_to(transport)

    def data_received(self, data: bytes) -> None:
        self._outward.feed(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.is_broken |= exc is not None
        self._inward.stop()
        self._outward.end()

    def pause_writing(self) -> None:
        self._inward.stall(True)

    def resume_writing(self) -> None:
        self._inward.stall(False)


class Connection:
    """A client's connection and its other half to the server."""

    def __init__(self, wire: "Wire", accepted: socket.socket) -> None:
        self._wire, self._accepted = wire, accepted
        self._transports: list[asyncio.Transport] = []
        self._is_reset = False
        self.is_broken = False
        self.to_server = Flow(self, wire.conditions.to_server, wire.chance)
        self.to_client = Flow(self, wire.conditions.to_client, wire.chance)
        self._opening = asyncio.create_task(self._open())

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        client = End(self, self.to_server, self.to_client)
        await loop.connect_accepted_socket(lambda: client, self._accepted)
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                server = End(self, self.to_client, self.to_server)
                await loop.create_connection(lambda: server, *self._wire.server)
        except OSError as error:
            self.reset()
            if isinstance(error, ConnectionRefusedError):
                self._wire.await_server()

    def join(self, transport: asyncio.Transport) -> None:
        self._transports.append(transport)
        if self._is_reset:
            self.reset()

    def change(self, conditions: LinkConditions) -> None:
        self.to_server.change(conditions.to_server)
        self.to_client.change(conditions.to_client)

    def finish(self, target: asyncio.Transport) -> None:
        """One end has closed and the other has got all of it; so it closes too, in the same way."""
        self._wire.forget(self)
        if self.is_broken:
            self.reset()
        else:
            target.close()

    def reset(self) -> None:
        """End both halves as a broken network would: with RST."""
        self._is_reset = True
        self._wire.forget(self)
        for flow in (self.to_server, self.to_client):
            flow.stop()
        for transport in self._transports:
            if not transport.is_closing():
                sock = transport.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
                transport.abort()


class Wire:
    """The way from one client to one server, with a port of its own; it refuses while the server
    refuses, as if the client had met the server itself.
    """

    def __init__(self, port: int, server: tuple[str, int], chance: random.Random) -> None:
        self.server, self.chance = server, chance
        self.conditions = GOOD
        self._connections: set[Connection] = set()
        self._moved_bytes = 0
        self._loop = asyncio.get_running_loop()
        self._is_listening = False
        self._looking: asyncio.Task[None] | None = None
        # Bound for good: while it doesn't listen, connections are refused and the port stays ours.
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setblocking(False)
        self._socket.bind(("127.0.0.1", port))
        self._listen()

    def change(self, conditions: LinkConditions) -> None:
        self.conditions = conditions
        self._listen()
        for connection in list(self._connections):
            connection.change(conditions)

    def cut(self) -> int:
        victims = list(self._connections)
        for connection in victims:
            connection.reset()
        return len(victims)

    def forget(self, connection: Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
            self._moved_bytes += connection.to_server.moved_bytes + connection.to_client.moved_bytes

    def state(self) -> dict[str, int]:
        moved = sum(c.to_server.moved_bytes + c.to_client.moved_bytes for c in self._connections)
        return {"connections": len(self._connections), "moved_bytes": self._moved_bytes + moved}

    def await_server(self) -> None:
        """The server has refused; refuse too until it takes connections again."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_for_server())
            self._listen()

    async def _look_for_server(self) -> None:
        while True:
            await asyncio.sleep(SERVER_LOOK_S)
            with suppress(OSError):
                async with asyncio.timeout(CONNECT_S_MAX):
                    _, writer = await asyncio.open_connection(*self.server)
                writer.transport.abort()
                break
        self._looking = None
        self._listen()

    def _listen(self) -> None:
        wanted = self._looking is None and not self.conditions.is_refused
        if wanted and not self._is_listening:
            self._socket.listen(100)
            self._loop.add_reader(self._socket, self._accept)
        elif self._is_listening and not wanted:
            self._loop.remove_reader(self._socket)
            self._socket.shutdown(socket.SHUT_RDWR)
        self._is_listening = wanted

    def _accept(self) -> None:
        with suppress(BlockingIOError, ConnectionAbortedError):
            accepted, _ = self._socket.accept()
            accepted.setblocking(False)
            self._connections.add(Connection(self, accepted))


class Proxy:
    """All wires of one process, and what may be asked of them."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._wires: dict[str, Wire] = {}

    def open(self, name: str, port: int, host: str, server_port: int) -> None:
        chance = random.Random(self._chance.random())
        self._wires[name] = Wire(port, (host, server_port), chance)

    def change(self, name: str, conditions: dict[str, Any]) -> None:
        self._wires[name].change(LinkConditions.from_json(conditions))

    def cut(self, name: str) -> int:
        return self._wires[name].cut()

    def states(self) -> dict[str, dict[str, int]]:
        return {name: wire.state() for name, wire in self._wires.items()}

    async def obey(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer orders, each a line of JSON: a method's name and its arguments."""
        while line := await reader.readline():
            method, *arguments = json.loads(line)
            try:
                answer = {"answer": getattr(self, method)(*arguments)}
            except OSError as error:  # such as a port that is taken
                answer = {"error": str(error)}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()


async def main(control: Path, seed: int) -> None:
    proxy = Proxy(seed)
    server = await asyncio.start_unix_server(proxy.obey, control)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), int(sys.argv[2])))
