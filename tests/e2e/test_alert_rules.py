"""Alerts on series as they come in practice: what is healthy is silent, a first failure is told.

`test_alerts` causes each alert on real servers; here are the shapes that those do not have.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from testbed.promtool import promtool
from tests.e2e.test_watching import ALERTS

CALLS = "rpc_server_call_duration_seconds"
METHOD = 'rpc_method="holdfast.orders.v1.OrderService'
REQUESTS = "http_server_request_duration_seconds"
WEBHOOKS = 'http_route="/v1/webhooks"'
DATABASE = "holdfast_database_up"

Series = Sequence[tuple[str, str]]


def firing(series: Series, alert: str, minutes: int, folder: Path) -> bool:
    """Whether it fires after so many minutes; values are 15 s apart."""
    case = {
        "rule_files": [str(ALERTS)],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "15s",
                "input_series": [{"series": name, "values": values} for name, values in series],
                "promql_expr_test": [
                    {
                        "expr": f'group(ALERTS{{alertname="{alert}",alertstate="firing"}})',
                        "eval_time": f"{minutes}m",
                    }
                ],
            }
        ],
    }
    file = folder / "case.yaml"
    file.write_text(json.dumps(case))  # which is YAML, too
    code, said = promtool("test", "rules", str(file))
    assert code == 0 or "got: {} 1E+00" in said, said
    return code != 0


@pytest.mark.parametrize("method", ["ReadEvents", "StreamEvents", "WatchOrder"])
def test_whoever_waits_for_news_is_not_slow(method: str, tmp_path: Path) -> None:
    """The Notifier asks for five seconds of them, one time after the other."""
    at = f'{METHOD}/{method}",rpc_status_code="OK",instance="a"'
    waits = [
        (f'{CALLS}_bucket{{{at},le="1.0"}}', "0x80"),
        (f'{CALLS}_bucket{{{at},le="10.0"}}', "0+3x80"),
        (f'{CALLS}_bucket{{{at},le="+Inf"}}', "0+3x80"),
    ]

    assert not firing(waits, "HoldfastSlow", 15, tmp_path)
    assert firing(
        [(name.replace(method, "GetOrder"), at) for name, at in waits], "HoldfastSlow", 15, tmp_path
    )


@pytest.mark.parametrize(
    ("alert", "series"),
    [
        ("HoldfastInternalErrors", f'{CALLS}_count{{{METHOD}/GetOrder",rpc_status_code="INTERNAL"'),
        ("HoldfastInternalErrors", f'{REQUESTS}_count{{{WEBHOOKS},http_response_status_code="500"'),
        ("HoldfastLoopFailing", 'holdfast_loop_failures_total{loop="orders relay"'),
        ("HoldfastFeedLost", 'holdfast_notifier_feed_losses_total{feed="orders"'),
    ],
)
def test_the_first_failures_of_a_process_are_told(alert: str, series: str, tmp_path: Path) -> None:
    """There is no series before, which it would rise from; another process has failed long ago."""
    first = (f'{series},instance="a"}}', "_x300 2x60")
    another = (f'{series},instance="b"}}', "7x360")

    assert firing([first, another], alert, 80, tmp_path)
    assert not firing([another], alert, 80, tmp_path)
    assert not firing([first, another], alert, 74, tmp_path)


def test_two_releases_in_one_prometheus_have_a_leader_each(tmp_path: Path) -> None:
    def leaders(shop: str, staging: str) -> Series:
        of = 'holdfast_relay_leader{service="orders",namespace='
        return [(f'{of}"shop",instance="a"}}', shop), (f'{of}"staging",instance="b"}}', staging)]

    assert not firing(leaders("1x40", "1x40"), "HoldfastRelayLeader", 9, tmp_path)
    assert firing(leaders("1x40", "0x40"), "HoldfastRelayLeader", 9, tmp_path)


def test_a_service_without_a_process_left_is_told(tmp_path: Path) -> None:
    def pods(*values: str) -> Series:
        of = f'{DATABASE}{{service="inventory",instance='
        return [(f'{of}"{number}"}}', value) for number, value in enumerate(values)]

    assert firing(pods("1x20 stale _x60", "1x20 stale _x60"), "HoldfastGone", 12, tmp_path)
    assert not firing(pods("1x20 stale _x60", "_x20 1x60"), "HoldfastGone", 12, tmp_path)
