"""The methods of InventoryService that are about transfers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from holdfast.chassis.grpc import pages
from holdfast.chassis.grpc.rpc_boundary import Context, tell_replay
from holdfast.chassis.validation import UUID_FORM, Violations
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.contracts.inventory.v1 import inventory_pb2_grpc
from holdfast.inventory.application.ports import StockReader
from holdfast.inventory.application.transfers.create_transfer import AskedTransfer
from holdfast.inventory.application.transfers.receive_transfer import ReceivedBefore
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.errors import TransferNotFound
from holdfast.inventory.domain.transfers.transfer import Transfer
from holdfast.inventory.presentation import transfers_wire as wire
from holdfast.inventory.presentation.caller import caller_of


@dataclass(frozen=True, slots=True)
class TransferCases:
    """What is done with transfers."""

    create: Callable[[AskedTransfer], Awaitable[Transfer]]
    receive: Callable[[str, Mapping[str, int], str, Caller], Awaitable[Transfer]]
    close: Callable[[str, Caller], Awaitable[Transfer]]
    new_id: Callable[[], str]


class TransferMethods(inventory_pb2_grpc.InventoryServiceServicer):
    """A part of `InventoryServicer`."""

    _transfers: TransferCases
    _reader: StockReader

    async def CreateTransfer(
        self, request: pb.CreateTransferRequest, context: Context
    ) -> pb.Transfer:
        violations = Violations()
        caller = caller_of(context)
        asked = wire.read_transfer(request, caller, violations, self._transfers.new_id)
        violations.raise_any()
        transfer = await self._transfers.create(asked)
        if transfer.transfer_id != asked.transfer_id:
            tell_replay(context)
        return wire.transfer_message(transfer)

    async def ReceiveTransfer(
        self, request: pb.ReceiveTransferRequest, context: Context
    ) -> pb.Transfer:
        violations = Violations()
        transfer_id = violations.uuid("transfer_id", request.transfer_id)
        units = wire.read_units(request.lines, violations) if request.lines else {}
        request_id = violations.optional_id("request_id", request.request_id)
        violations.raise_any()
        caller = caller_of(context)
        transfer = await self._transfers.receive(transfer_id, units, request_id, caller)
        if isinstance(transfer, ReceivedBefore):
            tell_replay(context)
        return wire.transfer_message(transfer)

    async def CloseTransfer(
        self, request: pb.CloseTransferRequest, context: Context
    ) -> pb.Transfer:
        violations = Violations()
        transfer_id = violations.uuid("transfer_id", request.transfer_id)
        violations.raise_any()
        return wire.transfer_message(await self._transfers.close(transfer_id, caller_of(context)))

    async def GetTransfer(self, request: pb.GetTransferRequest, context: Context) -> pb.Transfer:
        violations = Violations()
        transfer_id = violations.uuid("transfer_id", request.transfer_id)
        violations.raise_any()
        found = await self._reader.transfer(transfer_id)
        if found is None:
            raise TransferNotFound(transfer_id)
        return wire.transfer_message(found)

    async def ListTransfers(
        self, request: pb.ListTransfersRequest, context: Context
    ) -> pb.ListTransfersResponse:
        violations = Violations()
        state = wire.read_state(request.state, violations)
        filter_text = f"transfers {state}"
        start = pages.read_token(violations, request.page_token, filter_text, cursor_form=UUID_FORM)
        size = pages.page_size(violations, request.page_size)
        violations.raise_any()

        async def read(before: str, limit: int) -> list[Transfer]:
            return await self._reader.transfers(state, before=before, limit=limit)

        page = await pages.fill(
            size,
            read,
            wire.transfer_message,
            lambda transfer: transfer.transfer_id,
            start=start or wire.BEHIND_ALL,
        )
        return pb.ListTransfersResponse(
            transfers=page.messages, next_page_token=pages.make_token(page.cursor, filter_text)
        )
