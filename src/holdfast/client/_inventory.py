"""Inventory as callers use it: keep products, set and read their stock, read the ledger."""

from collections.abc import Sequence

from holdfast.client import _requests, _stock_requests
from holdfast.client._batches import send_in_parts
from holdfast.client._checks import Checks, attempt
from holdfast.client._errors import HoldfastError
from holdfast.client._explaining import Explaining
from holdfast.client._locations import Locations
from holdfast.client._products import Products
from holdfast.client._status import error_from_status
from holdfast.client._stock_types import (
    StockInfo,
    StockLevel,
    StockReason,
)
from holdfast.client._transfers import Transfers
from holdfast.client._types import StockRequest, new_request_id
from holdfast.client._wire import (
    level_from_wire,
    stock_info_from_wire,
)
from holdfast.contracts.inventory.v1 import inventory_pb2


class Inventory(Locations, Explaining, Products, Transfers):
    """The verbs of Inventory. Every method may raise any `HoldfastError`; the likely are named."""

    async def set_stock(
        self,
        product_id: str,
        quantity: int,
        *,
        location_id: str = "main",
        expected_version: int | None = None,
        reason: str = "",
        reason_code: StockReason | None = None,
        request_id: str | None = None,
        displace: bool = False,
    ) -> StockLevel:
        """Set the on-hand quantity at one location (UpdateStock); the level after the change.

        Repeating with the same request id returns the recorded level and changes nothing. Without
        one the client makes one, which covers its own repeats.

        :param quantity: units, 0 or more.
        :param expected_version: refuse unless the level has this version; None: whatever it is.
        :param reason_code: why, as one of few, for counting; None: not said.
        :param displace: below what orders were promised there, the youngest promises give up what
            is missing and wait for stock.
        :raises Refused: less than what orders were promised there (BELOW_RESERVED), or the location
            is not active (LOCATION_INACTIVE).
        :raises StaleVersion: the level changed since `expected_version`.
        :raises NotFound: the product or the location does not exist.
        """
        request = StockRequest(
            product_id=product_id,
            quantity=quantity,
            location_id=location_id,
            expected_version=expected_version,
            reason=reason,
            reason_code=reason_code,
            request_id=new_request_id() if request_id is None else request_id,
            displace=displace,
        )
        answer = await self._calls.ask(
            self._stub.UpdateStock, _stock_requests.update_stock(request), repeatable=True
        )
        return level_from_wire(answer.level)

    async def set_stock_batch(
        self, requests: Sequence[StockRequest]
    ) -> Sequence[StockLevel | HoldfastError]:
        """Set many levels; each succeeds or fails alone.

        As many calls are made, one after the other, as the limits of one need: 1,000 levels and 4
        MiB. The levels of one call change in one transaction, those of several do not: somebody
        may see the first call's levels changed and the second's not yet. The results are in the
        order of the requests, and errors are returned in their place: `InvalidRequest` and
        `RequestTooLarge` without being sent. Should a call fail as a whole, its error stands in
        place of the results that are still due, and no further call is made; if it is the first
        call, the error is raised. Repeating with the same values changes nothing: they keep their
        ids.
        """
        checks = Checks()
        items = checks.items("requests", requests)
        checks.raise_any()
        return await send_in_parts(
            [attempt(_stock_requests.update_stock, one) for one in items],
            inventory_pb2.UpdateStockRequest.ByteSize,
            self._set_some,
            name="requests",
        )

    async def _set_some(
        self, requests: Sequence[inventory_pb2.UpdateStockRequest]
    ) -> Sequence[StockLevel | HoldfastError]:
        answer = await self._calls.ask(
            self._stub.BatchUpdateStock,
            inventory_pb2.BatchUpdateStockRequest(requests=requests),
            repeatable=True,
        )
        return [
            error_from_status(result.error)
            if result.HasField("error")
            else level_from_wire(result.updated.level)
            for result in answer.results
        ]

    async def adjust_stock(
        self,
        product_id: str,
        delta: int,
        *,
        reason: str,
        reason_code: StockReason | None = None,
        location_id: str = "main",
        reference: str = "",
        request_id: str | None = None,
        displace: bool = False,
    ) -> StockLevel:
        """Change the on-hand quantity by a delta; the level after the change.

        Repeating with the same request id returns the recorded level and changes nothing. Without
        one the client makes one, which covers its own repeats.

        :param delta: units to add, or to take away when negative; not 0.
        :param reason: why, for the ledger.
        :param reason_code: the same as one of few, for counting; None: not said.
        :param reference: your own document, such as a delivery note.
        :param displace: as in `set_stock`.
        :raises Refused: it would leave less than what orders were promised (BELOW_RESERVED), or the
            location is not active (LOCATION_INACTIVE).
        :raises NotFound: the product or the location does not exist.
        """
        answer = await self._calls.ask(
            self._stub.AdjustStock,
            _stock_requests.adjust_stock(
                product_id=product_id,
                delta=delta,
                location_id=location_id,
                reason=reason,
                reason_code=reason_code,
                reference=reference,
                request_id=new_request_id() if request_id is None else request_id,
                displace=displace,
            ),
            repeatable=True,
        )
        return level_from_wire(answer.level)

    async def quarantine(
        self,
        product_id: str,
        quantity: int,
        *,
        reason: str,
        reason_code: StockReason | None = None,
        location_id: str = "main",
        request_id: str | None = None,
        displace: bool = False,
    ) -> StockLevel:
        """Take units on hand out of sale; the level after the change.

        They stay on hand and can't be promised. Repeating with the same request id returns the
        recorded level and changes nothing. Without one the client makes one, which covers its own
        repeats.

        :param quantity: units, 1 or more.
        :param reason: why, for the ledger; at most 500 characters.
        :param reason_code: the same as one of few, for counting; None: not said.
        :param displace: also what orders were promised there, as in `set_stock`.
        :raises Refused: fewer units there are free (NOT_FREE).
        :raises NotFound: the product or the location does not exist.
        """
        answer = await self._calls.ask(
            self._stub.QuarantineStock,
            _stock_requests.quarantine(
                product_id,
                displace=displace,
                quantity=quantity,
                location_id=location_id,
                reason=reason,
                reason_code=reason_code,
                request_id=new_request_id() if request_id is None else request_id,
            ),
            repeatable=True,
        )
        return level_from_wire(answer.level)

    async def release_quarantine(
        self,
        product_id: str,
        quantity: int,
        *,
        reason: str,
        reason_code: StockReason | None = None,
        location_id: str = "main",
        write_off: bool = False,
        request_id: str | None = None,
    ) -> StockLevel:
        """Put units in quarantine back on sale; the level after the change.

        Takes and repeats what `quarantine` does.

        :param write_off: they are gone instead: on hand falls too.
        :raises Refused: fewer units there are in quarantine (NOT_QUARANTINED), or nothing is put
            back on sale there, as the location is not active (LOCATION_INACTIVE).
        :raises NotFound: the product or the location does not exist.
        """
        answer = await self._calls.ask(
            self._stub.ReleaseQuarantine,
            _stock_requests.release_quarantine(
                product_id,
                write_off=write_off,
                quantity=quantity,
                location_id=location_id,
                reason=reason,
                reason_code=reason_code,
                request_id=new_request_id() if request_id is None else request_id,
            ),
            repeatable=True,
        )
        return level_from_wire(answer.level)

    async def get_stock(self, product_id: str) -> StockInfo:
        """What there is of a product, in total and by location, with its details.

        :raises NotFound: the product does not exist.
        """
        answer = await self._calls.ask(
            self._stub.GetStockInfo,
            _requests.get_stock(product_id),
            repeatable=True,
        )
        return stock_info_from_wire(answer)

    async def get_stock_batch(
        self, product_ids: Sequence[str]
    ) -> Sequence[StockInfo | HoldfastError]:
        """What there is of these products, in their order; `NotFound` in place of some.

        As many calls are made, one after the other, as the limits of one need: 1,000 products, 4
        MiB, and 4 MiB of answer. Each call tells of a moment of its own. Should a call fail as a
        whole, its error stands in place of the results that are still due; if it is the first, the
        error is raised.
        """
        return await send_in_parts(
            _requests.product_ids(product_ids),
            lambda product_id: len(product_id.encode()),
            self._get_some,
            name="product_ids",
        )

    async def _get_some(self, product_ids: Sequence[str]) -> Sequence[StockInfo | HoldfastError]:
        found: dict[int, StockInfo | HoldfastError] = {}
        due = list(range(len(product_ids)))
        while due:
            answer = await self._calls.ask(
                self._stub.BatchGetStockInfo,
                inventory_pb2.BatchGetStockInfoRequest(product_ids=[product_ids[n] for n in due]),
                repeatable=True,
            )
            for number, result in zip(due, answer.results, strict=False):
                found[number] = (
                    error_from_status(result.error)
                    if result.HasField("error")
                    else stock_info_from_wire(result.info)
                )
            left = [number for number in due if _had_no_room(found.get(number))]
            if len(left) == len(due):
                break  # not even one came: that is for the caller to know
            due = left
        return [found[number] for number in sorted(found)]


def _had_no_room(found: StockInfo | HoldfastError | None) -> bool:
    return isinstance(found, HoldfastError) and found.reason == "ANSWER_FULL"
