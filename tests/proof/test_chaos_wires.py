"""Wires: what passes, when, and how it ends, in all conditions; on real sockets."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest

from proof.chaos.link_conditions import BLACK_HOLE, GOOD, LinkConditions, Way
from proof.chaos.wires import Wires, wires

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
ARRIVE_S_MAX = 10.0
SILENCE_S = 0.3


@pytest.fixture(scope="module")
def all_wires(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wires]:
    with wires(tmp_path_factory.mktemp("wires"), seed=1) as opened:
        yield opened


class Far:
    """A server that keeps what comes, by connection, and the streams to answer on."""

    def __init__(self) -> None:
        self.streams: asyncio.Queue[Streams] = asyncio.Queue()
        self._ends: list[asyncio.StreamWriter] = []

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.append(writer)
        self.streams.put_nowait((reader, writer))

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._take, "127.0.0.1", port)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for end in self._ends:
                end.transport.abort()


class Ends:
    """Both ends of one connection through the wire ("near", "far-<n>")."""

    def __init__(self, wires: Wires, far_name: str, far: Far) -> None:
        self.wires, self.name, self._far = wires, far_name, far
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self) -> tuple[Streams, Streams]:
        near = await asyncio.open_connection("127.0.0.1", self.wires.port("near", self.name))
        self._writers.append(near[1])
        async with asyncio.timeout(ARRIVE_S_MAX):
            return near, await self._far.streams.get()

    def set(self, conditions: LinkConditions) -> None:
        self.wires.set("near", self.name, conditions)

    def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


@pytest.fixture
async def ends(all_wires: Wires) -> AsyncIterator[Ends]:
    far, name = Far(), f"far-{len(list(all_wires))}"
    async with far.listening() as port:
        all_wires.open("near", name, port)
        ends = Ends(all_wires, name, far)
        yield ends
        ends.close()


async def arrives(reader: asyncio.StreamReader, data: bytes) -> None:
    async with asyncio.timeout(ARRIVE_S_MAX):
        assert await reader.readexactly(len(data)) == data


async def nothing_arrives(reader: asyncio.StreamReader) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SILENCE_S):
            await reader.read(1)


async def test_a_good_link_carries_everything_both_ways_and_the_end(ends: Ends) -> None:
    (near_in, near_out), (far_in, far_out) = await ends.connect()
    much = bytes(range(256)) * 20_000

    near_out.write(much)
    await arrives(far_in, much)
    far_out.write(much)
    await arrives(near_in, much)
    near_out.close()

    async with asyncio.timeout(ARRIVE_S_MAX):
        assert await far_in.read() == b""
    assert ends.wires.traffic("near", ends.name).moved_bytes == 2 * len(much)


async def test_what_is_held_comes_later_and_nobody_is_told(ends: Ends) -> None:
    (near_in, near_out), (far_in, far_out) = await ends.connect()

    ends.set(BLACK_HOLE)
    near_out.write(b"question")
    far_out.write(b"tale")
    await nothing_arrives(far_in)
    far_out.close()  # of which the near end hears nothing either
    await nothing_arrives(near_in)
    ends.set(GOOD)

    await arrives(near_in, b"tale")
    async with asyncio.timeout(ARRIVE_S_MAX):
        assert await near_in.read() == b""


async def test_one_way_may_be_held_while_the_other_goes(ends: Ends) -> None:
    (near_in, near_out), (far_in, far_out) = await ends.connect()

    ends.set(LinkConditions(to_client=Way(is_held=True)))
    near_out.write(b"question")
    await arrives(far_in, b"question")
    far_out.write(b"answer")
    await nothing_arrives(near_in)
    ends.set(GOOD)

    await arrives(near_in, b"answer")


async def test_what_is_late_comes_whole_and_in_order(ends: Ends) -> None:
    (_, near_out), (far_in, _) = await ends.connect()
    ends.set(LinkConditions(to_server=Way(latency_s=0.2, jitter_s=0.2)))

    started = time.monotonic()
    pieces = [b"%d," % number for number in range(50)]
    for piece in pieces:
        near_out.write(piece)
        await asyncio.sleep(0.001)
    await arrives(far_in, b"".join(pieces))

    assert time.monotonic() - started >= 0.2


async def test_a_narrow_way_lets_so_many_bytes_pass_in_a_second(ends: Ends) -> None:
    (_, near_out), (far_in, _) = await ends.connect()
    ends.set(LinkConditions(to_server=Way(bytes_per_s=100_000)))

    started = time.monotonic()
    near_out.write(bytes(50_000))
    await arrives(far_in, bytes(50_000))

    assert time.monotonic() - started > 0.4


async def test_a_way_breaks_in_the_middle_of_a_frame(ends: Ends) -> None:
    (near_in, near_out), (far_in, _) = await ends.connect()
    ends.set(LinkConditions(to_server=Way(cut_after_bytes=1_234)))

    near_out.write(bytes(5_000))

    await arrives(far_in, bytes(1_234))
    for reader in (far_in, near_in):
        with pytest.raises(ConnectionResetError):
            await arrives(reader, b"any")


async def test_a_cut_resets_both_ends_at_once(ends: Ends) -> None:
    (near_in, _), (far_in, _) = await ends.connect()
    await ends.connect()

    assert ends.wires.cut("near", ends.name) == 2

    for reader in (far_in, near_in):
        with pytest.raises(ConnectionResetError):
            await arrives(reader, b"any")
    assert ends.wires.traffic("near", ends.name).connections == 0


async def test_new_connections_are_refused_and_old_ones_stay(ends: Ends) -> None:
    (_, near_out), (far_in, _) = await ends.connect()

    ends.set(LinkConditions(is_refused=True))
    with pytest.raises(ConnectionRefusedError):
        await ends.connect()
    near_out.write(b"still here")
    await arrives(far_in, b"still here")
    ends.set(GOOD)

    await ends.connect()


async def test_a_wire_refuses_while_its_server_does(all_wires: Wires) -> None:
    far = Far()
    async with far.listening() as port:
        pass
    near = all_wires.open("near", "nobody", port)

    with suppress(ConnectionResetError):  # the first one shows that nobody is there
        reader, writer = await asyncio.open_connection("127.0.0.1", near)
        await reader.read()
        writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", near)

    async with far.listening(port), asyncio.timeout(ARRIVE_S_MAX):
        while True:
            with suppress(ConnectionRefusedError):
                _, writer = await asyncio.open_connection("127.0.0.1", near)
                break
            await asyncio.sleep(0.02)
        await far.streams.get()
        await far.streams.get()  # one of them was the wire's own look
        writer.transport.abort()
