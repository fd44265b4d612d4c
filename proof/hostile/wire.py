"""Rubbish below the messages: frames of HTTP/2 that are damaged, cut off or out of turn."""

import asyncio
from random import Random

from testbed.http2 import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    PING,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    RawConnection,
    frame,
    message,
    request_headers,
)

PATHS = (
    "/holdfast.orders.v1.OrderService/CreateOrder",
    "/holdfast.inventory.v1.InventoryService/UpdateStock",
    "/grpc.health.v1.Health/Check",
    "/",
)
AT_ONCE = 20
FRAMES_MAX = 12
LISTEN_S = 0.05


async def storm(address: str, *, connections: int, seed: int) -> None:
    """Open connections and say rubbish on each; what comes back is of no interest.

    Whether the service lived through it is for whoever calls it next to see.
    """
    dice, free = Random(seed), asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with free:
            await rubbish(address, Random(f"{seed} {number}"))

    async with asyncio.TaskGroup() as group:
        for number in range(connections):
            group.create_task(one(number))
            if dice.random() < 0.1:
                await asyncio.sleep(0)


async def rubbish(address: str, dice: Random) -> None:
    """Say a few frames on one connection, most of them wrong, and hang up."""
    async with await RawConnection.open(address, greet=dice.random() < 0.9) as connection:
        said = b"".join(_frame(dice, connection) for _ in range(dice.randrange(1, FRAMES_MAX)))
        if dice.random() < 0.5:
            at = dice.randrange(len(said) + 1)
            said = said[:at] + dice.randbytes(dice.choice((0, 1, 4))) + said[at + 1 :]
        await connection.send(said)
        await connection.hear(1, within_s=LISTEN_S)


def _frame(dice: Random, connection: RawConnection) -> bytes:
    stream = dice.choice((0, 1, 1, 1, 2, 3, 5, 2**31 - 1))
    rubbish = dice.randbytes(dice.choice((0, 1, 8, 100)))
    flags = dice.choice((0, END_STREAM, END_HEADERS, END_STREAM | END_HEADERS, 0xFF))
    kinds = (
        lambda: connection.begin(stream, request_headers(dice.choice(PATHS)), flags=flags),
        lambda: connection.begin(stream, request_headers(dice.choice(PATHS))),
        lambda: frame(DATA, flags & END_STREAM, stream, message(rubbish)),
        lambda: frame(DATA, flags, stream, message(rubbish, length=2**32 - 1)),
        lambda: frame(SETTINGS, flags, stream, rubbish),
        lambda: frame(PING, 0, 0, rubbish[:8].ljust(8)),
        lambda: frame(RST_STREAM, 0, stream, rubbish[:4].ljust(4)),
        lambda: frame(WINDOW_UPDATE, 0, stream, b"\x7f\xff\xff\xff"),
        lambda: frame(GOAWAY, 0, 0, bytes(8)),
        lambda: frame(CONTINUATION, flags, stream, rubbish),
        lambda: frame(dice.randrange(256), flags, stream, rubbish),
        lambda: PREFACE,
    )
    return dice.choice(kinds)()
