"""What verify says of transfers: each of its questions is seen to find what it is there for."""

import pytest

from holdfast.chassis.database.seam import Engine
from holdfast.inventory.application.locations.create_location import CreateLocation
from holdfast.inventory.application.transfers.close_transfer import CloseTransfer
from holdfast.inventory.application.transfers.create_transfer import AskedTransfer, CreateTransfer
from holdfast.inventory.application.transfers.receive_transfer import ReceiveTransfer
from holdfast.inventory.domain.locations.location import Location
from holdfast.verification import verify
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.test_verification import live
from tests.integration.two_services import BOB, TwoServices

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls

OPEN = "(SELECT transfer_id FROM transfer WHERE request_id = 'open')"
ENDED = "(SELECT CAST(transfer_id AS text) FROM transfer WHERE request_id = 'ended')"

# A damage to a transfer of each end, and how it is named.
DAMAGES = {
    "a receipt that was forgotten": (
        f"DELETE FROM transfer_receipt_line WHERE transfer_id = {OPEN}",
        "has 2 of LAMP received; its receipts sum to 0",
    ),
    "a receipt of nothing": (
        f"DELETE FROM transfer_receipt_line WHERE transfer_id = {OPEN}",
        "has 1 receipts p-1, of which 0 have lines",
    ),
    "received when nothing came": (
        "UPDATE transfer_receipt SET received_at = '2020-01-01T00:00:00+00:00'"
        f" WHERE transfer_id = {OPEN}",
        "tells of 2 LAMP received at 2020-01-01",
    ),
    "lost when nothing was": (
        "UPDATE transfer SET closed_at = '2020-01-01T00:00:00+00:00' WHERE request_id = 'ended'",
        "tells of 3 LAMP lost at 2020-01-01",
    ),
    "units that nobody received": (
        f"UPDATE transfer_line SET received = 3 WHERE transfer_id = {OPEN}",
        "has 3 of LAMP received; its receipts sum to 2",
    ),
    "closed with units in transit": (
        "UPDATE transfer_line SET missing = 2 WHERE missing = 3",
        "with 1 of LAMP in transit and 2 missing",
    ),
    "closed at a time, and in transit": (
        "UPDATE transfer SET closed_at = created_at WHERE request_id = 'open'",
        "is IN_TRANSIT, closed at 2",
    ),
    "closed at no time": (
        "UPDATE transfer SET closed_at = NULL WHERE request_id = 'ended'",
        "is CLOSED, closed at None",
    ),
    "a state that there is not": (
        "UPDATE transfer SET state = 'DRAFT' WHERE request_id = 'open'",
        "is DRAFT, closed at None",
    ),
    "missing before the end": (
        f"UPDATE transfer_line SET missing = 1 WHERE transfer_id = {OPEN}",
        "is IN_TRANSIT, closed at None, with 1 of LAMP in transit and 1 missing",
    ),
    "a transfer of nothing": (
        f"DELETE FROM transfer_line WHERE transfer_id = {OPEN}",
        "from main to attic has no lines",
    ),
    "units that never left": (
        f"UPDATE transfer_line SET sent = 5 WHERE transfer_id = {OPEN}",
        "has a TRANSFER_OUT of -5 LAMP at main by its document; its movements sum to -4",
    ),
    "units that came to another place": (
        "UPDATE transfer SET target = 'cellar' WHERE request_id = 'open'",
        "has a TRANSFER_IN of 2 LAMP at cellar by its document; its movements sum to 0",
    ),
    "a movement of no transfer": (
        "UPDATE stock_movement SET reference = 'x'"
        f" WHERE kind = 'TRANSFER_OUT' AND reference = {ENDED}",
        "transfer x has a TRANSFER_OUT of 0 LAMP at main by its document",
    ),
    "a loss by another name": (
        "UPDATE stock_movement SET kind = 'ADJUSTMENT' WHERE kind = 'TRANSFER_LOSS'",
        "has a TRANSFER_LOSS of -3 LAMP at attic by its document; its movements sum to 0",
    ),
    "a loss of what did not come": (
        "UPDATE stock_movement SET kind = 'RECEIPT' WHERE on_hand_delta = 3",
        "is a TRANSFER_LOSS of -3 LAMP at attic; right before it stands RECEIPT of 3",
    ),
    "units that came by leaving": (
        "UPDATE stock_movement SET kind = 'TRANSFER_OUT' WHERE on_hand_delta = 3",
        "is a TRANSFER_OUT of 3 on hand",
    ),
    "units that left by coming": (
        "UPDATE stock_movement SET kind = 'TRANSFER_IN' WHERE on_hand_delta = -3",
        "is a TRANSFER_IN of -3 on hand",
    ),
    "a loss that is a gain": (
        "UPDATE stock_movement SET kind = 'TRANSFER_LOSS' WHERE on_hand_delta = 3",
        "is a TRANSFER_LOSS of 3 on hand",
    ),
    "a transfer for an order": (
        "UPDATE stock_movement SET order_id = '01a21e6a-0000-7000-8000-000000000000'"
        " WHERE kind = 'TRANSFER_LOSS'",
        "is a TRANSFER_LOSS of -3 on hand",
    ),
}


async def trade(shop: TwoServices) -> None:
    """A transfer that ended with three lamps missing, and one with two of four still to come."""
    await shop.supply(LAMP=20)
    begin, clock = shop.stock.begin, shop.clock
    for name in ("attic", "cellar"):
        await CreateLocation(begin)(Location(name))
    create = CreateTransfer(begin, clock, clock.new_id)
    receive = ReceiveTransfer(begin, clock, clock.new_id)
    for request_id, sent in (("ended", 5), ("open", 4)):
        asked = AskedTransfer(
            clock.new_id(), "main", "attic", {"LAMP": sent}, "", None, request_id, BOB
        )
        transfer = await create(asked)
        await receive(transfer.transfer_id, {"LAMP": 2}, "p-1", BOB)
        if request_id == "ended":
            await CloseTransfer(begin, clock)(transfer.transfer_id, BOB)
    await shop.deliver()


@pytest.mark.parametrize("damage", DAMAGES)
async def test_transfers_are_recomputed_from_their_records(shop: TwoServices, damage: str) -> None:
    live(shop)
    await trade(shop)
    sound = await verify(*shop.urls)

    sql, named = DAMAGES[damage]
    assert await shop.inventory.execute(sql) == 1
    report = await verify(*shop.urls)

    assert sound.contradictions == []
    assert sound.checked["transfers"] == 2
    assert any(named in one for one in report.contradictions), report.contradictions


async def test_no_transfer_brings_units_to_a_place_that_was_not_active(shop: TwoServices) -> None:
    live(shop)
    await trade(shop)

    await shop.inventory.execute(
        "UPDATE location SET active = false, inactive_after = 0 WHERE location_id = 'attic'"
    )
    report = await verify(*shop.urls)

    # The units that were missing at the end came and went: of those nothing is said.
    assert len(report.contradictions) == 2
    assert all(
        "is a TRANSFER_IN of LAMP at attic, which was not active" in one
        for one in report.contradictions
    )


async def test_what_references_would_refuse_is_named_where_nobody_asks_them(
    shop: TwoServices, engine: Engine
) -> None:
    live(shop)
    await trade(shop)

    if engine == "sqlite":
        await shop.inventory.execute("PRAGMA foreign_keys = OFF")  # as in tools of others
    async with shop.inventory.begin() as work:
        if engine == "postgresql":
            await work.fetch("SET LOCAL session_replication_role = replica")
        for table in ("product", "transfer"):
            await work.execute(f"DELETE FROM {table}")
    said = (await verify(*shop.urls)).contradictions

    assert "inventory: product LAMP has stock and is none" in said
    assert sum(" lines or receipts are of transfer " in one for one in said) == 2


async def test_more_received_than_sent_is_named_though_the_tables_refuse_it(
    shop: TwoServices, engine: Engine
) -> None:
    live(shop)
    await trade(shop)
    without_the_wall = {
        "postgresql": "ALTER TABLE transfer_line DROP CONSTRAINT transfer_line_check",
        "sqlite": "PRAGMA ignore_check_constraints = 1",
    }

    async with shop.inventory.begin() as work:
        await work.fetch(without_the_wall[engine])
        await work.fetch(f"UPDATE transfer_line SET received = 9 WHERE transfer_id = {OPEN}")
    report = await verify(*shop.urls)

    named = "has 4 of LAMP sent, 9 received and 0 missing"
    assert any(named in one for one in report.contradictions), report.contradictions
