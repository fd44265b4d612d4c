"""What commands say when something is wrong: what happened, to what, and what to do now."""

from pathlib import Path

import pytest

from holdfast.chassis.grpc.statuses import bad_request, refusal
from holdfast.cli.exits import (
    BUG,
    NOT_FOUND,
    REFUSED,
    UNAVAILABLE,
    USAGE,
    Failed,
    engine_errors,
)
from tests.unit.test_cli_commands import Code, holdfast
from tests.unit.test_client_network import Network, network

__all__ = ["network"]  # a fixture


@pytest.mark.parametrize(
    "typed",
    [
        "stock set MUG -1",
        "stock set -- MUG -1",
        "order list --limit -1",
        "order list --limit=-1",
        "order create --customer c MUG=1 --wait 1s MUG=-1",
        "up --orders-port -1",
        "stock set MUG 1 --expected-version -2",
    ],
)
def test_a_negative_number_is_no_option_but_a_number_that_is_too_small(
    network: Network, typed: str
) -> None:
    result = holdfast(network, *typed.split())

    assert result.exit_code == 2
    assert "is too small: it must be" in " ".join(result.stderr.split())
    assert "option: -" not in result.stderr


def test_beside_a_negative_number_a_misspelt_option_is_still_told(network: Network) -> None:
    result = holdfast(network, "stock", "adjust", "MUG", "-3", "--reason", "x", "--resaon", "y")

    assert result.exit_code == 2
    assert "--resaon" in result.stderr
    assert network.requests == []


def test_a_reused_request_id_shows_what_it_belongs_to_and_how_to_look_at_it(
    network: Network,
) -> None:
    for method, facts in (
        ("CreateOrder", {"order_id": "o-1"}),
        ("UpdateStock", {"product_id": "tea pot", "location_id": "main"}),
    ):
        answer = refusal(Code.ALREADY_EXISTS, "REQUEST_ID_REUSED", "look first", metadata=facts)
        network.answer(method, answer)

    order_said = holdfast(network, *"order create --customer c MUG=1 --request-id r".split())
    stock_said = holdfast(network, *"stock set MUG 1 --request-id r".split())

    assert order_said.stderr == "holdfast: look first\n  holdfast order get o-1\n"
    assert stock_said.stderr == "holdfast: look first\n  holdfast stock movements 'tea pot'\n"
    assert order_said.exit_code == stock_said.exit_code == 1


@pytest.mark.parametrize(
    ("typed", "method"),
    [
        ("order create --customer c-17 MUG=1 --no-wait", "CreateOrder"),
        ("stock set MUG 1", "UpdateStock"),
        ("stock adjust MUG -1 --reason broken", "AdjustStock"),
    ],
)
def test_where_nobody_knows_what_happened_the_request_id_for_a_safe_repeat_is_told(
    network: Network, typed: str, method: str
) -> None:
    network.answer(method, *[Code.DEADLINE_EXCEEDED] * 2)

    result = holdfast(network, *typed.split())
    again = holdfast(network, *typed.split(), "--request-id", "mine")

    first, second = (request.request_id for request in network.requests)  # type: ignore[attr-defined]
    assert result.exit_code == again.exit_code == 4
    assert f"--request-id {first} " in result.stderr
    assert second == "mine"
    assert "--request-id mine " in again.stderr


def test_an_empty_request_id_is_refused_as_it_would_protect_against_nothing(
    network: Network,
) -> None:
    result = holdfast(network, "order", "create", "--customer", "c", "MUG=1", "--request-id", "")

    assert result.exit_code == 2
    assert "request id: must not be empty" in result.stderr
    assert network.requests == []


def test_fields_are_told_as_people_call_them(network: Network) -> None:
    violations = [("lines[1].unit_price", "bad"), ("lines", "worse"), ("product.name", "worst")]
    network.answer("CancelOrder", bad_request(violations))

    result = holdfast(network, "order", "cancel", "o-1")

    told = result.stderr.splitlines()[1:]
    assert told == ["  line 2, unit price: bad", "  lines: worse", "  name: worst"]


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("amount.nanos", "amount"),
        ("amount.currency_code", "amount, currency"),
        ("lines[0].unit_price.nanos", "line 1, unit price"),
        ("charges[1].amount.units", "charge 2, amount"),
    ],
)
def test_an_amount_is_told_as_what_was_typed_and_not_as_it_is_sent(
    network: Network, field: str, told: str
) -> None:
    network.answer("RecordPayment", bad_request([(field, "GBP has only 2 digits after the point")]))

    order_id = "01a22e41-59c4-7f8f-9478-1510aacbc3e5"
    result = holdfast(network, *f"order pay {order_id} captured 1.005 --reference r".split())

    assert f"\n  {told}: GBP has only 2 digits after the point" in result.stderr


def test_help_tells_what_exit_codes_mean(network: Network) -> None:
    told = " ".join(holdfast(network, "--help").stdout.split())

    for code in (REFUSED, USAGE, NOT_FOUND, UNAVAILABLE, BUG):
        assert f" {code}: " in told


def test_a_folder_that_can_t_be_used_is_named_before_what_is_wrong_with_it() -> None:
    with pytest.raises(Failed) as failed, engine_errors():
        Path("/dev/null/holdfast-data").mkdir()

    assert str(failed.value) == "/dev/null/holdfast-data: not a directory"
