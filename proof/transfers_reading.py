"""Transfers are read, row by row, by SQL of the proof's own."""

from collections import defaultdict
from collections.abc import Mapping

from holdfast.chassis.database.seam import Reading
from proof.transfers import Transfer, TransferLine, TransferReceipt

_TRANSFERS = """
SELECT CAST(transfer_id AS text) AS transfer_id, request_id, origin, target,
       closed_at IS NOT NULL AS is_closed
  FROM transfer
"""

_LINES = """
SELECT CAST(transfer_id AS text) AS transfer_id, product_id, sent, received, missing
  FROM transfer_line
 ORDER BY transfer_line.transfer_id, product_id
"""

# A receipt of nothing has no line, and is one all the same.
_RECEIPTS = """
SELECT CAST(transfer_receipt.transfer_id AS text) AS transfer_id, transfer_receipt.request_id,
       is_rest, coalesce(product_id, '') AS product_id, coalesce(quantity, 0) AS quantity
  FROM transfer_receipt
  LEFT JOIN transfer_receipt_line
    ON transfer_receipt_line.transfer_id = transfer_receipt.transfer_id
   AND transfer_receipt_line.request_id = transfer_receipt.request_id
 ORDER BY transfer_receipt.transfer_id, transfer_receipt.request_id, product_id
"""


async def transfers_of(reading: Reading) -> Mapping[str, Transfer]:
    """Read all transfers, by id."""
    lines = defaultdict[str, list[TransferLine]](list)
    for row in await reading.fetch(_LINES):
        units = row["sent"], row["received"], row["missing"]
        lines[row["transfer_id"]].append(TransferLine(row["product_id"], *units))
    receipts = await _receipts(reading)
    return {
        row["transfer_id"]: Transfer(
            row["transfer_id"],
            row["request_id"],
            row["origin"],
            row["target"],
            bool(row["is_closed"]),
            tuple(lines[row["transfer_id"]]),
            tuple(receipts[row["transfer_id"]]),
        )
        for row in await reading.fetch(_TRANSFERS)
    }


async def _receipts(reading: Reading) -> Mapping[str, list[TransferReceipt]]:
    came = defaultdict[tuple[str, str, bool], list[tuple[str, int]]](list)
    for row in await reading.fetch(_RECEIPTS):
        units = [(row["product_id"], row["quantity"])] if row["quantity"] else []
        came[row["transfer_id"], row["request_id"], bool(row["is_rest"])] += units
    found = defaultdict[str, list[TransferReceipt]](list)
    for (transfer_id, request_id, is_rest), parts in came.items():
        found[transfer_id].append(TransferReceipt(request_id, tuple(parts), is_rest))
    return found
