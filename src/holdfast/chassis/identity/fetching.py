"""Fetches keys from the service that makes them, for one that it does not know the address of."""

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
from holdfast.chassis.identity.house import Identity
from holdfast.chassis.identity.servicer import key_of
from holdfast.chassis.transient import Transient
from holdfast.contracts.identity.v1 import keys_pb2 as pb
from holdfast.contracts.identity.v1 import keys_pb2_grpc

LOOK_S = 0.7
USED_EVERY_S = 60.0
DEADLINE_S = 5.0

log = structlog.get_logger()


class KeyFetching:
    """Asks about every LOOK_S whether anything has changed. While nobody answers, keys are good as
    they were; what was revoked here stays so.

    :param key: by which the other service knows who asks.
    """

    def __init__(
        self,
        identity: Identity,
        channel: aio.Channel | RenewingChannel,
        key: str,
        leadership: Leadership,
    ) -> None:
        self._known, self._store, self._leadership = identity.known, identity.store, leadership
        stub: Any = keys_pb2_grpc.KeyOfferServiceStub(channel)  # type: ignore[arg-type] # of a channel it needs one method
        self._offer = stub.OfferKeys
        self._metadata = [("authorization", f"Bearer {key}")]
        self._revision, self._used_at = 0, time.monotonic()

    async def run(self) -> None:
        """Fetch, for ever."""
        while True:
            try:
                if await self._leadership.held():
                    await self.fetch()
            except (grpc.RpcError, Transient) as error:
                told = error.code().name if isinstance(error, aio.AioRpcError) else str(error)
                log.warning("keys can't be fetched from orders, which is tried again", error=told)
            await asyncio.sleep(jitter(LOOK_S))

    async def fetch(self) -> None:
        """Take what has changed.

        :raises grpc.RpcError: the other service can't be reached, or won't tell.
        """
        request = pb.OfferKeysRequest(revision=self._revision)
        if time.monotonic() - self._used_at > USED_EVERY_S:
            for key in await self._store.all():
                if key.used_at is not None:
                    times.write(request.used.add(key_id=key.key_id).use_time, key.used_at)
            self._used_at = time.monotonic()
        answer = await self._asked(request)
        revision = answer.revision
        if revision == self._revision:
            return
        while answer.keys:
            await self._store.take(map(key_of, answer.keys))
            answer = await self._asked(pb.OfferKeysRequest(behind=answer.keys[-1].key.key_id))
        await self._known.look()
        self._revision = revision

    async def _asked(self, request: pb.OfferKeysRequest) -> pb.OfferKeysResponse:
        return await self._offer(request, timeout=DEADLINE_S, metadata=self._metadata)  # type: ignore[no-any-return]
