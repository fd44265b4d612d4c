"""`order edit` and `order cancel LINE=QTY`: what they ask for, and what people are told."""

import json

import pytest
from google.type.money_pb2 import Money

from holdfast.chassis.grpc.statuses import bad_request, refusal
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from tests.unit.test_cli_commands import FOUR_FIFTY, Code, holdfast, short_of_stock, whole_order
from tests.unit.test_client_network import Network, network

__all__ = ["network"]  # a fixture

ASKED, APPLIED = pb.EDIT_STATE_ASKED, pb.EDIT_STATE_APPLIED
REFUSED, DROPPED = pb.EDIT_STATE_REFUSED, pb.EDIT_STATE_DROPPED
DISCOUNT, SHIPPING = pb.CHARGE_KIND_DISCOUNT, pb.CHARGE_KIND_SHIPPING
Line = tuple[int, str, int]


def basket() -> pb.Order:
    """Version 2, with MUG twice; a discount of the whole order and of line 4, and shipping."""
    found = whole_order()
    del found.lines[:]
    for line_no, product_id, quantity in ((1, "LAMP", 3), (2, "MUG", 1), (4, "MUG", 2)):
        found.lines.add(
            product_id=product_id, quantity=quantity, unit_price=FOUR_FIFTY, line_no=line_no
        )
    for kind, line_no in ((DISCOUNT, 0), (DISCOUNT, 4), (SHIPPING, 0)):
        found.charges.add(kind=kind, line_no=line_no, amount=FOUR_FIFTY, code="SPRING")
    return found


def with_edit(state: pb.EditState.ValueType, request_version: int = 3) -> pb.Order:
    found = basket()
    found.version = 4
    edit = found.edit
    edit.edition, edit.state, edit.request_version = 2, state, request_version
    edit.total.CopyFrom(FOUR_FIFTY)
    if state is not APPLIED:
        edit.lines.add(product_id="VASE", quantity=7, unit_price=FOUR_FIFTY, line_no=5)
    if state is REFUSED:
        edit.missing.add(product_id="VASE", wanted=7, available=6)
    return found


def asked_for(network: Network, *typed: str) -> pb.UpdateOrderRequest:
    network.answer("GetOrderDetails", basket())
    network.answer("UpdateOrder", with_edit(APPLIED))
    result = holdfast(network, "order", "edit", "o-1", *typed)
    assert result.exit_code == 0, result.stderr
    (request,) = network.asked(pb.UpdateOrderRequest)
    return request


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        ("LAMP=5", [(1, "LAMP", 5), (2, "MUG", 1), (4, "MUG", 2)]),
        ("LAMP=0", [(2, "MUG", 1), (4, "MUG", 2)]),
        ("VASE=7", [(1, "LAMP", 3), (2, "MUG", 1), (4, "MUG", 2), (0, "VASE", 7)]),
        ("--line 4=9", [(1, "LAMP", 3), (2, "MUG", 1), (4, "MUG", 9)]),
        ("MUG=0", [(1, "LAMP", 3)]),
        ("LAMP=0 --line 2=0 --line 4=1 A=B=1", [(4, "MUG", 1), (0, "A=B", 1)]),
    ],
)
def test_what_is_named_gets_its_units_and_the_rest_stays(
    network: Network, typed: str, lines: list[Line]
) -> None:
    request = asked_for(network, *typed.split())

    assert [(one.line_no, one.product_id, one.quantity) for one in request.lines] == lines
    assert not any(one.HasField("unit_price") for one in request.lines), "prices stay as they were"
    assert list(request.update_mask.paths) == ["lines"]
    assert (request.version, request.wait.seconds, request.validate_only) == (2, 10, False)


def test_a_price_that_is_given_is_in_the_order_s_currency(network: Network) -> None:
    request = asked_for(network, "LAMP=3@9.99", "--line", "4=2@1", "--version", "2", "--no-wait")

    prices = {one.line_no: one.unit_price for one in request.lines if one.HasField("unit_price")}
    assert prices == {1: Money(units=9, nanos=990_000_000), 4: Money(units=1)}
    assert not request.HasField("wait")


def test_charges_of_the_whole_order_replace_their_own_kind_and_nought_takes_one_away(
    network: Network,
) -> None:
    request = asked_for(network, "--discount", "0", "--tax", "1.50")

    assert list(request.update_mask.paths) == ["charges"]
    assert [(one.kind, one.line_no, one.code) for one in request.charges] == [
        (DISCOUNT, 4, "SPRING"),
        (SHIPPING, 0, "SPRING"),
        (pb.CHARGE_KIND_TAX, 0, ""),
    ]


def test_a_charge_of_any_kind_replaces_those_of_its_kind_and_line(network: Network) -> None:
    request = asked_for(
        network,
        *("--charge", "discount:4=2.50:AUTUMN", "--charge", "tax-included=1.20"),
        *("--charge", "fee:2=0.30:gift: wrap", "--charge", "shipping=0"),
    )

    assert list(request.update_mask.paths) == ["charges"]
    assert [
        (one.kind, one.line_no, one.code, one.amount.units, one.amount.nanos)
        for one in request.charges
    ] == [
        (DISCOUNT, 0, "SPRING", *whole(request.charges[0])),
        (DISCOUNT, 4, "AUTUMN", 2, 500_000_000),
        (pb.CHARGE_KIND_TAX_INCLUDED, 0, "", 1, 200_000_000),
        (pb.CHARGE_KIND_FEE, 2, "gift: wrap", 0, 300_000_000),
    ]


def whole(charge: pb.Charge) -> tuple[int, int]:
    return charge.amount.units, charge.amount.nanos


def test_charges_of_a_line_that_goes_go_with_it(network: Network) -> None:
    request = asked_for(network, "--line", "4=0", "--tax", "1.50")

    assert list(request.update_mask.paths) == ["lines", "charges"]
    assert [(one.kind, one.line_no) for one in request.charges] == [
        (DISCOUNT, 0),
        (SHIPPING, 0),
        (pb.CHARGE_KIND_TAX, 0),
    ]


def test_a_version_that_is_given_is_sent_in_place_of_the_one_that_was_read(
    network: Network,
) -> None:
    assert asked_for(network, "LAMP=5", "--version", "1").version == 1


def test_a_preview_says_that_nothing_is_changed_and_tells_no_earlier_edit(
    network: Network,
) -> None:
    network.answer("GetOrderDetails", *[with_edit(REFUSED)] * 2)
    network.answer("UpdateOrder", *[with_edit(REFUSED)] * 2)
    typed = ("order", "edit", "o-1", "LAMP=5", "--preview")

    for_people = holdfast(network, *typed)
    for_programs = holdfast(network, *typed, "--output", "json")

    assert for_people.exit_code == for_programs.exit_code == 0
    assert for_people.stdout.startswith("as it would be; nothing is changed\n")
    assert "VASE" not in for_people.stdout
    assert json.loads(for_programs.stdout)["order_id"] == "o-1"
    assert all(one.validate_only for one in network.asked(pb.UpdateOrderRequest))


@pytest.mark.parametrize(
    ("state", "exit_code", "words"),
    [
        (APPLIED, 0, []),
        (REFUSED, 1, ["edit 2 was refused", "  VASE: wanted 7, available 6"]),
        (DROPPED, 1, ["edit 2 was dropped"]),
        (ASKED, 0, ["edit 2 is under way", "VASE", "look again: holdfast order get o-1"]),
    ],
)
@pytest.mark.parametrize(
    ("method", "typed"),
    [("UpdateOrder", "edit o-1 LAMP=5"), ("CancelOrder", "cancel o-1 1=2 --reason broken")],
)
def test_what_became_of_an_edit_is_told_and_a_refusal_ends_with_1(
    network: Network,
    state: pb.EditState.ValueType,
    exit_code: int,
    words: list[str],
    method: str,
    typed: str,
) -> None:
    network.answer("GetOrderDetails", *[basket()] * 2)
    network.answer(method, *[with_edit(state)] * 2)

    for_people = holdfast(network, "order", *typed.split())
    for_programs = holdfast(network, "order", *typed.split(), "--output", "json")

    assert for_people.exit_code == for_programs.exit_code == exit_code
    assert all(word in for_people.stdout for word in words), for_people.stdout
    told = json.loads(for_programs.stdout)["edit"]
    assert told["state"] == pb.EditState.Name(state).removeprefix("EDIT_STATE_")
    assert [one["wanted"] for one in told["missing"]] == ([7] if state is REFUSED else [])


def test_an_edit_that_changes_nothing_does_not_fail_for_an_earlier_refusal(
    network: Network,
) -> None:
    network.answer("GetOrderDetails", with_edit(REFUSED))
    network.answer("UpdateOrder", with_edit(REFUSED))

    assert holdfast(network, "order", "edit", "o-1", "LAMP=3").exit_code == 0


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("edit o-1 MUG=5", "MUG stands on lines 2 and 4; say which: --line 2=5"),
        ("edit o-1 VASE=0", "no line of VASE"),
        ("edit o-1 --line 3=1", "no line 3"),
        ("edit o-1 LAMP=1 LAMP=2", "line 1 is named twice"),
        ("edit o-1 LAMP=1 --line 1=2", "line 1 is named twice"),
        ("edit o-1 VASE=1 VASE=1", "VASE is named twice"),
        ("edit o-1 LAMP=0 MUG=0", "holdfast order cancel o-1"),
        ("cancel o-1 3=1", "no line 3"),
        ("cancel o-1 1=1 1=1", "line 1 is named twice"),
        ("cancel o-1 2=2", "line 2 has only 1 units"),
    ],
)
def test_what_the_order_does_not_allow_is_told_before_it_is_asked_for(
    network: Network, typed: str, words: str
) -> None:
    network.answer("GetOrderDetails", basket())

    result = holdfast(network, "order", *typed.split())

    assert (result.exit_code, words in result.stderr) == (2, True), result.stderr
    assert len(network.requests) == 1


@pytest.mark.parametrize(
    "typed",
    [
        "edit o-1",
        "edit o-1 MUG",
        "edit o-1 MUG=-1",
        "edit o-1 --line MUG=1",
        "edit o-1 --line 0=1",
        "edit o-1 --line 1",
        "edit o-1 --discount much",
        "edit o-1 MUG=1 --wait 61s",
        "cancel o-1 MUG=1",
        "cancel o-1 1=0",
        "cancel o-1 --version 2",
    ],
)
def test_what_makes_no_sense_ends_with_2_and_reaches_no_service(
    network: Network, typed: str
) -> None:
    result = holdfast(network, "order", *typed.split())

    assert (result.exit_code, network.requests) == (2, []), result.stderr


def test_a_product_in_place_of_a_line_s_number_is_told_as_that(network: Network) -> None:
    for typed in ("cancel o-1 MUG=1", "edit o-1 --line MUG=1"):
        said = holdfast(network, "order", *typed.split()).stderr
        assert "write its number" in " ".join(said.replace("│", " ").split())


def test_units_are_cancelled_by_line_number(network: Network) -> None:
    network.answer("GetOrderDetails", basket())
    network.answer("CancelOrder", with_edit(APPLIED))

    holdfast(network, *"order cancel o-1 4=1 1=3 --reason broken --wait 5s".split())

    (request,) = network.asked(pb.CancelOrderRequest)
    assert [(one.line_no, one.quantity) for one in request.lines] == [(4, 1), (1, 3)]
    assert (request.version, request.reason, request.wait.seconds) == (2, "broken", 5)


def test_a_whole_cancellation_asks_for_nothing_else(network: Network) -> None:
    network.answer("CancelOrder", whole_order())

    assert holdfast(network, "order", "cancel", "o-1").exit_code == 0
    assert network.requests == [pb.CancelOrderRequest(order_id="o-1")]


def test_errors_of_an_edit_are_told_by_line_number(network: Network) -> None:
    network.answer("GetOrderDetails", *[basket()] * 3)
    fields = [("lines[1].unit_price", "too fine"), ("lines[2].unit_price", "too fine")]
    network.answer("UpdateOrder", bad_request(fields), short_of_stock())
    network.answer("UpdateOrder", refusal(Code.ABORTED, "EDIT_UNDER_WAY", "being edited"))

    wrong = holdfast(network, *"order edit o-1 LAMP=0 --line 4=2@1.999 VASE=1@1.999".split())
    short = holdfast(network, *"order edit o-1 LAMP=5".split())
    busy = holdfast(network, *"order edit o-1 LAMP=5".split())

    assert wrong.exit_code == 2
    assert wrong.stderr.splitlines()[1:] == [
        "  line 4, unit price: too fine",
        "  new line 1, unit price: too fine",
    ]
    assert (short.exit_code, busy.exit_code) == (1, 1)
    assert "MUG: wanted 3, available 1" in short.stderr
    assert "nothing was done" in short.stderr
    assert busy.stderr == "holdfast: being edited\n"


def test_an_order_shows_the_numbers_of_its_lines_and_what_is_charged_for_them(
    network: Network,
) -> None:
    network.answer("GetOrderDetails", with_edit(ASKED))

    shown = holdfast(network, "order", "get", "o-1").stdout

    rows = [line.split() for line in shown.splitlines()]
    assert ["4", "MUG", "2", "4.50", "GBP"] in rows
    assert ["5", "VASE", "7", "4.50", "GBP"] in rows
    assert "discount of line 4: 4.50 GBP SPRING" in shown
    assert "total with it: 4.50 GBP" in shown
