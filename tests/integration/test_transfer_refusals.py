"""What transfers refuse, in both modes: by name, and with nothing changed."""

from grpc import StatusCode

from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from tests.integration.conftest import CALL_S_MAX, RunningHoldfast, line, refusal
from tests.integration.test_transfers import (
    activity,
    close,
    everything,
    get,
    levels,
    receive,
    send,
    sending,
    shop,
    sound,
    units_of,
)

ALIKE = True
NOBODY = "01a21e6a-0000-7000-8000-000000000000"


async def test_a_request_id_names_one_transfer_and_one_receipt_for_ever(
    holdfast: RunningHoldfast,
) -> None:
    await shop(holdfast)
    await holdfast.location("attic")
    sent = await send(holdfast, {"LAMP": 3})
    await receive(holdfast, sent.transfer_id, {"LAMP": 1})
    other_note = sending({"LAMP": 3})
    other_note.reference = ""
    other_time = sending({"LAMP": 3})
    other_time.expected_time.GetCurrentTime()
    before = await everything(holdfast)

    for call in (
        send(holdfast, {"LAMP": 2}),
        send(holdfast, {"MUG": 3}),
        send(holdfast, {"LAMP": 3, "MUG": 1}),
        send(holdfast, {"LAMP": 3}, target="attic"),
        send(holdfast, {"LAMP": 3}, origin="main", target="shop"),
        holdfast.inventory.CreateTransfer(other_note, timeout=CALL_S_MAX),
        holdfast.inventory.CreateTransfer(other_time, timeout=CALL_S_MAX),
        receive(holdfast, sent.transfer_id, {"LAMP": 2}),
        receive(holdfast, sent.transfer_id, {}),
    ):
        found = await refusal(call)
        assert (found.code, found.reason) == (StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
        assert found.facts == {"transfer_id": sent.transfer_id}

    assert await everything(holdfast) == before


async def test_what_is_promised_or_quarantined_does_not_leave(holdfast: RunningHoldfast) -> None:
    await shop(holdfast)
    await holdfast.place(line("LAMP", 2))
    hold = pb.QuarantineStockRequest(
        product_id="LAMP", quantity=1, location_id="shop", reason="wet"
    )
    await holdfast.inventory.QuarantineStock(hold, timeout=CALL_S_MAX)
    before = await everything(holdfast)

    found = await refusal(send(holdfast, {"MUG": 1, "LAMP": 3}))

    assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, "NOT_FREE")
    assert found.facts == {"wanted": "3", "free": "2"}
    assert await everything(holdfast) == before
    await send(holdfast, {"MUG": 1, "LAMP": 2})
    await sound(holdfast)


async def test_what_is_promised_or_on_its_way_is_not_quarantined(
    holdfast: RunningHoldfast,
) -> None:
    await shop(holdfast)
    await holdfast.place(line("LAMP", 2))
    sent = await send(holdfast, {"LAMP": 2})
    before = await everything(holdfast)

    for place, wanted, free in (("shop", 2, "1"), ("main", 1, "0")):
        aside = pb.QuarantineStockRequest(
            product_id="LAMP", quantity=wanted, location_id=place, reason="wet"
        )
        found = await refusal(holdfast.inventory.QuarantineStock(aside, timeout=CALL_S_MAX))
        assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, "NOT_FREE")
        assert found.facts == {"wanted": str(wanted), "free": free}

    assert await everything(holdfast) == before
    await close(holdfast, sent.transfer_id)
    await sound(holdfast)


async def test_all_products_that_cannot_be_moved_are_named_at_once(
    holdfast: RunningHoldfast,
) -> None:
    await shop(holdfast)
    sent = await send(holdfast, {"LAMP": 2, "MUG": 1})
    before = await everything(holdfast)

    short = await refusal(send(holdfast, {"MUG": 9, "LAMP": 4}, "t-2"))
    beyond = await refusal(receive(holdfast, sent.transfer_id, {"MUG": 2, "LAMP": 3}, "p-2"))
    unknown = await refusal(send(holdfast, {"VASE": 1, "LAMP": 1, "JUG": 1}, "t-2"))

    for found, reason in ((short, "NOT_FREE"), (beyond, "OVER_RECEIPT")):
        assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, reason)
        named = [(kind, product) for kind, product, _ in found.unmet]
        assert named == [(reason, "LAMP"), (reason, "MUG")]
        assert found.message.endswith("; nor can these: MUG")
    assert short.facts == {"wanted": "4", "free": "3"}
    assert unknown.missing == [("product", "JUG"), ("product", "VASE")]
    assert await everything(holdfast) == before


async def test_all_places_that_are_none_are_named_at_once(holdfast: RunningHoldfast) -> None:
    await shop(holdfast)
    sourcing = pb.Sourcing(
        strategy=pb.SOURCING_STRATEGY_PINNED, location_ids=["atlantis", "main", "utopia"]
    )
    basket = pb.CheckAvailabilityRequest(
        lines=[pb.BasketLine(product_id="LAMP", quantity=1)], sourcing=sourcing
    )

    for call in (
        send(holdfast, {"LAMP": 1}, origin="atlantis", target="utopia"),
        holdfast.inventory.CheckAvailability(basket, timeout=CALL_S_MAX),
    ):
        found = await refusal(call)
        assert found.missing == [("location", "atlantis"), ("location", "utopia")]


async def test_a_transfer_is_between_two_places_that_are_there(holdfast: RunningHoldfast) -> None:
    await shop(holdfast)
    await holdfast.location("attic", active=False)
    before = await everything(holdfast)

    for call, missing in (
        (send(holdfast, {"LAMP": 1}, origin="atlantis"), ("location", "atlantis")),
        (send(holdfast, {"LAMP": 1}, target="atlantis"), ("location", "atlantis")),
        (send(holdfast, {"LAMP": 1, "VASE": 1}), ("product", "VASE")),
        (get(holdfast, NOBODY), ("transfer", NOBODY)),
        (receive(holdfast, NOBODY, {}), ("transfer", NOBODY)),
        (close(holdfast, NOBODY), ("transfer", NOBODY)),
    ):
        found = await refusal(call)
        assert (found.code, found.missing) == (StatusCode.NOT_FOUND, [missing])
    for call, reason, place in (
        (send(holdfast, {"LAMP": 1}, origin="Shop"), "LOCATION_SPELLED_OTHERWISE", "shop"),
        (send(holdfast, {"LAMP": 1}, target="MAIN"), "LOCATION_SPELLED_OTHERWISE", "main"),
        (send(holdfast, {"LAMP": 1}, target="SHOP"), "LOCATION_SPELLED_OTHERWISE", "shop"),
        (send(holdfast, {"LAMP": 1}, target="attic"), "LOCATION_INACTIVE", "attic"),
    ):
        found = await refusal(call)
        assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, reason)
        assert found.facts == {"location_id": place}

    assert await everything(holdfast) == before


async def test_all_that_is_wrong_with_a_request_is_told_at_once(holdfast: RunningHoldfast) -> None:
    await shop(holdfast)
    before = await everything(holdfast)
    twice = sending({"LAMP": 1})
    twice.lines.add(product_id="LAMP", quantity=1)
    never = sending({"LAMP": 1})
    never.expected_time.seconds = 10**15
    too_long = sending({"LAMP": 1})
    too_long.reference = "x" * 201
    many = pb.ListTransfersRequest(state=9)  # type: ignore[arg-type] # that is the point

    for call, fields in (
        (sending({"LAMP": 1}, target="shop"), ["target"]),
        (sending({"LAMP": 0, "": 1}, origin=""), ["origin", "lines[0].quantity", None]),
        (sending({"LAMP": 10**12 + 1}), ["lines[0].quantity"]),
        (sending({}), ["lines"]),
        (sending({f"p-{n}": 1 for n in range(1_001)}), ["lines"]),
        (twice, ["lines[1].product_id"]),
        (never, ["expected_time"]),
        (too_long, ["reference"]),
    ):
        found = await refusal(holdfast.inventory.CreateTransfer(call, timeout=CALL_S_MAX))
        wanted = [field or "lines[1].product_id" for field in fields]
        assert (found.code, sorted(found.fields)) == (StatusCode.INVALID_ARGUMENT, sorted(wanted))
    found = await refusal(receive(holdfast, "t-1", {"LAMP": 0}))
    assert sorted(found.fields) == ["lines[0].quantity", "transfer_id"]
    assert (await refusal(close(holdfast, ""))).fields == ["transfer_id"]
    assert (await refusal(get(holdfast, "t-1"))).fields == ["transfer_id"]
    found = await refusal(holdfast.inventory.ListTransfers(many, timeout=CALL_S_MAX))
    assert found.fields == ["state"]

    assert await everything(holdfast) == before


async def test_never_more_comes_than_was_sent_and_nothing_after_the_end(
    holdfast: RunningHoldfast,
) -> None:
    await shop(holdfast)
    sent = await send(holdfast, {"LAMP": 3})
    await receive(holdfast, sent.transfer_id, {"LAMP": 1})
    before = await everything(holdfast)

    too_many = await refusal(receive(holdfast, sent.transfer_id, {"LAMP": 3}, "p-2"))
    foreign = await refusal(receive(holdfast, sent.transfer_id, {"LAMP": 1, "MUG": 1}, "p-2"))
    untouched = await everything(holdfast)
    await close(holdfast, sent.transfer_id)
    at_the_end = await everything(holdfast)
    late = await refusal(receive(holdfast, sent.transfer_id, {"LAMP": 1}, "p-2"))

    assert (too_many.code, too_many.reason) == (StatusCode.FAILED_PRECONDITION, "OVER_RECEIPT")
    assert too_many.facts == {"product_id": "LAMP", "wanted": "3", "coming": "2"}
    assert foreign.facts == {"product_id": "MUG", "wanted": "1", "coming": "0"}
    assert untouched == before
    assert (late.code, late.reason) == (StatusCode.FAILED_PRECONDITION, "TRANSFER_CLOSED")
    assert late.facts == {"transfer_id": sent.transfer_id}
    assert await everything(holdfast) == at_the_end
    await sound(holdfast)


async def test_a_place_that_is_not_active_is_emptied_and_not_filled(
    holdfast: RunningHoldfast,
) -> None:
    await shop(holdfast)
    await holdfast.location("attic")
    sent = await send(holdfast, {"LAMP": 3}, target="attic")
    await receive(holdfast, sent.transfer_id, {"LAMP": 1})
    await activity(holdfast, "attic", active=False)
    await activity(holdfast, "shop", active=False)
    before = await everything(holdfast)

    found = await refusal(receive(holdfast, sent.transfer_id, {"LAMP": 1}, "p-2"))
    untouched = await everything(holdfast)
    ended = await close(holdfast, sent.transfer_id)
    await send(holdfast, {"LAMP": 2, "MUG": 3}, "t-2")

    assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, "LOCATION_INACTIVE")
    assert found.facts == {"location_id": "attic"}
    assert untouched == before
    assert units_of(ended) == [("LAMP", 3, 1, 2)]
    assert await levels(holdfast, "LAMP") == {
        "attic": (1, 0, 0),
        "main": (0, 0, 2),
        "shop": (0, 0, 0),
    }
    await sound(holdfast)


async def test_a_level_holds_no_more_than_it_may_by_transfers_either(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", {"main": 10**12, "shop": 1})
    sent = await send(holdfast, {"LAMP": 1})

    found = await refusal(receive(holdfast, sent.transfer_id, {}))
    await close(holdfast, sent.transfer_id)

    assert found.reason == "QUANTITY_TOO_LARGE"
    assert await levels(holdfast, "LAMP") == {"main": (10**12, 10**12, 0), "shop": (0, 0, 0)}
    await sound(holdfast)
