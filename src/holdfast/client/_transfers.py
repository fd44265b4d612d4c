"""The verbs of Inventory that are about transfers from one location to another."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime

from holdfast.client import _transfer_wire as wire
from holdfast.client._calls import Calls
from holdfast.client._checks import Checks
from holdfast.client._pages import PAGE_SIZE, walk
from holdfast.client._requests import page_bounds
from holdfast.client._transfer_types import Transfer, TransferState
from holdfast.client._types import new_request_id
from holdfast.contracts.inventory.v1 import inventory_pb2, inventory_pb2_grpc


class Transfers:
    """A part of `Inventory`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._stub = inventory_pb2_grpc.InventoryServiceStub(calls.channel)

    async def create_transfer(
        self,
        units: Mapping[str, int],
        *,
        origin: str,
        target: str,
        reference: str = "",
        expected_time: datetime | None = None,
        request_id: str | None = None,
    ) -> Transfer:
        """Send units from one location to another, all of them or none.

        They leave on hand at the origin at once and are in transit until they are received, or the
        transfer is closed. Repeating with the same request id and contents returns the transfer as
        it is then. Without one the client makes one, which covers its own repeats.

        :param units: by product id, such as {"LAMP": 5}; 1 to 1,000 products.
        :param origin: where they are; it need not be active.
        :param reference: your own document, at most 200 characters.
        :param expected_time: when they are to come; None: not said.
        :raises Refused: fewer units are free at the origin (NOT_FREE), or nothing comes to the
            target (LOCATION_INACTIVE).
        :raises RequestIdReused: the request id was used for another transfer.
        :raises NotFound: a product or a location does not exist.
        """
        request = wire.create_transfer(
            units,
            origin=origin,
            target=target,
            reference=reference,
            expected_time=expected_time,
            request_id=new_request_id() if request_id is None else request_id,
        )
        answer = await self._calls.ask(self._stub.CreateTransfer, request, repeatable=True)
        return wire.transfer_from_wire(answer)

    async def receive_transfer(
        self,
        transfer_id: str,
        units: Mapping[str, int] | None = None,
        *,
        request_id: str | None = None,
    ) -> Transfer:
        """Record that units of a transfer have come, in any number of parts.

        Repeating with the same request id and contents changes nothing. Without one the client
        makes one, which covers its own repeats.

        :param units: by product id; None: all that is still to come.
        :raises Refused: fewer units are still to come (OVER_RECEIPT) or none are
            (NOTHING_TO_RECEIVE), the transfer is closed (TRANSFER_CLOSED), or the target is not
            active (LOCATION_INACTIVE).
        :raises RequestIdReused: the request id was used for other contents.
        :raises NotFound: no such transfer.
        """
        request = wire.receive_transfer(
            transfer_id, units, new_request_id() if request_id is None else request_id
        )
        answer = await self._calls.ask(self._stub.ReceiveTransfer, request, repeatable=True)
        return wire.transfer_from_wire(answer)

    async def close_transfer(self, transfer_id: str) -> Transfer:
        """End a transfer: what has not come is missing from then on. A repeat changes nothing.

        :raises NotFound: no such transfer.
        """
        request = wire.close_transfer(transfer_id)
        answer = await self._calls.ask(self._stub.CloseTransfer, request, repeatable=True)
        return wire.transfer_from_wire(answer)

    async def transfer(self, transfer_id: str) -> Transfer:
        """A transfer as it is.

        :raises NotFound: no such transfer.
        """
        request = wire.get_transfer(transfer_id)
        answer = await self._calls.ask(self._stub.GetTransfer, request, repeatable=True)
        return wire.transfer_from_wire(answer)

    def list_transfers(
        self,
        *,
        state: TransferState | None = None,
        limit: int | None = None,
        page_size: int = PAGE_SIZE,
    ) -> AsyncGenerator[Transfer]:
        """Every transfer, newest first, fetched page by page.

        :param state: only in this state; None: whatever it is.
        :param limit: at most so many transfers; None: all.
        :param page_size: transfers per call, at most 1,000; fewer come where they are large.
        """
        size, wanted = page_bounds(page_size, limit)
        request = wire.list_transfers(state)

        async def page(size: int, token: str) -> tuple[Sequence[Transfer], str]:
            return await self._page(request, token, size)

        return walk(page, page_size=size, limit=wanted)

    async def transfer_page(
        self,
        page_token: str = "",
        *,
        state: TransferState | None = None,
        page_size: int = PAGE_SIZE,
    ) -> tuple[Sequence[Transfer], str]:
        """One page of what `list_transfers` walks over, and the next one's token, "" on the last.

        :param page_token: as the page before told it, with the same state; "": the first page.
        :raises InvalidRequest: the token is none of this filter.
        """
        checks = Checks()
        token, size = checks.page(page_token, page_size)
        checks.raise_any()
        return await self._page(wire.list_transfers(state), token, size)

    async def _page(
        self, request: inventory_pb2.ListTransfersRequest, token: str, size: int
    ) -> tuple[Sequence[Transfer], str]:
        request.page_size, request.page_token = size, token
        answer = await self._calls.ask(self._stub.ListTransfers, request, repeatable=True)
        return list(map(wire.transfer_from_wire, answer.transfers)), answer.next_page_token
