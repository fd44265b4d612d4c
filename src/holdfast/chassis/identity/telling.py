"""Tells the service that does not make keys of every change to one."""

import asyncio
import time
from typing import Any

import grpc
import structlog
from grpc import aio

from holdfast.chassis import times
from holdfast.chassis.clock import jitter
from holdfast.chassis.database.seam import Leadership
from holdfast.chassis.grpc.channels import RenewingChannel
from holdfast.chassis.identity.house import ORDERS, Identity, service_key
from holdfast.chassis.identity.servicer import TAKEN_MAX, held_of
from holdfast.chassis.identity.settings import IdentitySettings
from holdfast.chassis.process.lifecycle import Loop
from holdfast.chassis.transient import Transient
from holdfast.contracts.identity.v1 import keys_pb2 as pb
from holdfast.contracts.identity.v1 import keys_pb2_grpc

LOOK_S = 0.7
TELL_ALL_EVERY_S = 60.0
DEADLINE_S = 5.0

log = structlog.get_logger()


class KeyTelling:
    """Tells what has changed, and all of it once a minute: whatever the other service lost, it has
    again. Where it is away, it is told when it is back.

    :param key: by which the other service knows who tells.
    """

    def __init__(
        self,
        identity: Identity,
        channel: aio.Channel | RenewingChannel,
        key: str,
        leadership: Leadership,
    ) -> None:
        self._known, self._store, self._leadership = identity.known, identity.store, leadership
        stub: Any = keys_pb2_grpc.KeyIntakeServiceStub(channel)  # type: ignore[arg-type] # of a channel it needs one method
        self._take = stub.TakeKeys
        self._metadata = [("authorization", f"Bearer {key}")]
        self._told: dict[str, int] = {}  # versions by id
        self._all_at = 0.0

    async def run(self) -> None:
        """Tell, for ever."""
        while True:
            try:
                async with asyncio.timeout(jitter(LOOK_S)):
                    await self._known.changed.wait()
            except TimeoutError:
                pass
            self._known.changed.clear()
            try:
                if await self._leadership.held():
                    await self.tell()
            except (grpc.RpcError, Transient) as error:
                told = error.code().name if isinstance(error, aio.AioRpcError) else str(error)
                log.warning("keys can't be told to inventory, which is tried again", error=told)

    async def tell(self) -> None:
        """Tell what the other service may not know.

        :raises grpc.RpcError: it can't be reached, or won't listen.
        """
        if time.monotonic() >= self._all_at:
            self._told = {}
            self._all_at = time.monotonic() + TELL_ALL_EVERY_S
        untold = [key for key in self._known.all if self._told.get(key.key_id) != key.version]
        for start in range(0, len(untold), TAKEN_MAX):
            some = untold[start : start + TAKEN_MAX]
            request = pb.TakeKeysRequest(keys=map(held_of, some))
            answer = await self._take(request, timeout=DEADLINE_S, metadata=self._metadata)
            self._told |= {key.key_id: key.version for key in some}
            if answer.used:
                at = {key.key_id: times.read(key.use_time) for key in answer.used}
                await self._store.used(at)


def key_loops(
    identity: Identity,
    channel: aio.Channel | RenewingChannel,
    settings: IdentitySettings,
    leadership: Leadership,
) -> dict[str, Loop]:
    """What Orders does about keys all the time: looks for changes, and tells Inventory of them."""
    loops: dict[str, Loop] = {"orders keys": identity.known.run}
    if key := service_key(settings, ORDERS):
        loops["orders telling keys"] = KeyTelling(identity, channel, key, leadership).run
    return loops
