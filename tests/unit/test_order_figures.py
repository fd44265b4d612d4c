"""Orders by day, as the client library and `holdfast order figures` ask for them and show them."""

import json
from datetime import UTC, date, datetime

import pytest
from google.protobuf.duration_pb2 import Duration
from google.type.money_pb2 import Money as WireMoney

from holdfast.client import Holdfast, HoldfastSync, InvalidRequest, Money, Sales, ShortProduct
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from tests.unit.test_cli_commands import holdfast
from tests.unit.test_client_network import Network, network

__all__ = ["network"]  # a fixture

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 2)


def told() -> pb.OrderFigures:
    busy = pb.OrdersOfDay(
        day="2026-03-01",
        orders=9,
        at_once=4,
        waited=1,
        rejected=2,
        ended=1,
        undecided=1,
        promised_p50=Duration(nanos=120_000_000),
        promised_p95=Duration(seconds=3),
    )
    for currency, units in ("GBP", 12), ("JPY", 900):
        revenue = WireMoney(currency_code=currency, units=units)
        busy.sales.append(pb.Sales(orders=3, revenue=revenue))
    short = pb.ShortProduct(product_id="[b]LAMP", rejected=2, missing=3, waiting=1, waited_for=5)
    return pb.OrderFigures(days=[busy, pb.OrdersOfDay(day="2026-03-02")], shortages=[short])


def test_days_come_as_they_were_told(network: Network) -> None:
    network.answer("GetOrderFigures", told())
    with HoldfastSync(network.address, network.address, deadline_s=5.0) as client:
        found = client.orders.figures(FIRST, LAST)
    busy, quiet = found.days
    assert network.requests == [
        pb.GetOrderFiguresRequest(first_day="2026-03-01", last_day="2026-03-02")
    ]
    assert busy.sales == {"GBP": Sales(3, Money("GBP", 1200)), "JPY": Sales(3, Money("JPY", 900))}
    assert (busy.promised_p50_s, busy.promised_p95_s) == (0.12, 3.0)
    assert (quiet.day, quiet.orders, quiet.promised_p50_s) == (LAST, 0, None)
    assert found.shortages == (ShortProduct("[b]LAMP", 2, 3, 1, 5),)


@pytest.mark.parametrize("day", [None, "2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)])
async def test_what_is_no_day_is_refused_before_it_is_sent(network: Network, day: object) -> None:
    async with Holdfast(network.address, network.address) as client:
        with pytest.raises(InvalidRequest) as refused:
            await client.orders.figures(day, day)  # type: ignore[arg-type]
    assert [one.field for one in refused.value.violations] == ["first_day", "last_day"]
    assert network.requests == []


def test_the_command_shows_a_table_or_json(network: Network) -> None:
    network.answer("GetOrderFigures", told(), told(), told())
    days = "--from", "2026-03-01", "--to", "2026-03-02"

    table = holdfast(network, "order", "figures", *days)
    whole = json.loads(holdfast(network, "order", "figures", *days, "--output", "json").stdout)
    usual = holdfast(network, "order", "figures", "--to", "2026-03-30")

    assert "12.00 GBP, 900 JPY" in table.stdout
    assert "[b]LAMP" in table.stdout
    assert whole["days"][0]["sales"]["GBP"]["revenue"] == {"currency": "GBP", "minor": 1200}
    assert whole["days"][1]["promised_p50_s"] is None
    assert usual.exit_code == 0
    assert network.asked(pb.GetOrderFiguresRequest)[-1].first_day == "2026-03-01"
    assert holdfast(network, "order", "figures", "--from", "rubbish").exit_code == 2
