"""An empty grpc.aio call to compare with: the services' own server, without anything to do.

`python -m bench.echo HOST:PORT` serves it until it is killed. Nothing is parsed and nobody stands
between: what it costs is what any answer costs.
"""

import asyncio
import sys
from typing import Any

import grpc
import uvloop
from grpc import aio

from holdfast.chassis.grpc.server import serving
from holdfast.chassis.messaging.local_broker import LocalBroker

SERVICE = "holdfast.bench.Echo"
METHOD = f"/{SERVICE}/Echo"


async def _echo(receive: Any, _context: object) -> bytes:
    request: bytes = await receive(False)
    return request


def _register(server: aio.Server) -> None:
    handlers: dict[str, Any] = {"Echo": grpc.unary_unary_rpc_method_handler(_echo)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, handlers)])


async def main(listen: str) -> None:
    """Serve for ever."""
    async with serving(listen, service=SERVICE, register=_register, bus=LocalBroker([])):
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
