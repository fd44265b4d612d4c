"""How services say that they are: gRPC's own health service, which asks nobody for a key."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from holdfast.client._calls import Calls
from holdfast.client._errors import HoldfastError

HEALTH_S = 3.0


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """How one service is.

    :param service: Orders, Inventory or Notifier.
    :param serving: whether it answers, and says that it serves.
    :param broker: whether its way to the broker works; None: it has none, or did not answer.
    :param dead_letters: whether events were set aside that it could not handle (`holdfast
        dead-letters list`), as of some seconds ago; None: it has none ever, or did not answer.
    :param problem: why it does not serve, for people; "": it does.
    """

    service: str
    serving: bool
    broker: bool | None
    problem: str = ""
    dead_letters: bool | None = None


async def health_of(services: Iterable[Calls]) -> list[ServiceHealth]:
    """Ask all at once, each once, for HEALTH_S at most."""
    return list(await asyncio.gather(*map(_health, services)))


async def _health(calls: Calls) -> ServiceHealth:
    try:
        async with asyncio.timeout(HEALTH_S):
            names = "", "bus", "dead-letters"
            serving, broker, no_letters = await asyncio.gather(*(_says(calls, n) for n in names))
    except (HoldfastError, TimeoutError) as error:
        problem = str(error) or f"no answer within {HEALTH_S:g} s"
        return ServiceHealth(calls.service, False, None, problem)
    problem = "" if serving else "it is stopping"
    letters = None if no_letters is None else not no_letters
    return ServiceHealth(calls.service, bool(serving), broker, problem, letters)


async def _says(calls: Calls, name: str) -> bool | None:
    """Whether what has this name serves; None: there is nothing of this name."""
    check = health_pb2_grpc.HealthStub(calls.channel).Check  # type: ignore[attr-defined]
    request = health_pb2.HealthCheckRequest(service=name)
    try:
        with calls.while_open():
            answer = await check(request, timeout=HEALTH_S)
    except grpc.aio.AioRpcError as failed:
        if failed.code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise calls.error(failed, HEALTH_S) from failed
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
