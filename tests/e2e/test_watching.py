"""Dashboards and alerts speak of what there is: every expression parses, every name is scraped."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import promql_parser
import pytest
import yaml

from testbed.promtool import promtool
from tests.e2e.conftest import Embedded
from tests.e2e.test_metrics import scrapes, some_trade

ROOT = Path(__file__).parents[2]
DASHBOARDS = sorted((ROOT / "deploy" / "grafana").glob("*.json"))
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
RUNBOOKS = ROOT / "docs" / "runbooks"
OF_PROMETHEUS = {"up"}  # it tells that itself


def rules() -> list[dict[str, object]]:
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    found: list[dict[str, object]] = group["rules"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression, and where it stands."""
    for file in DASHBOARDS:
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{file.name}: {panel['title']}", target["expr"]
    for rule in rules():
        yield str(rule["alert"]), str(rule["expr"])


def selectors(node: object) -> Iterator[promql_parser.VectorSelector]:
    """All that an expression reads."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        if (child := getattr(node, name, None)) is not None:
            yield from selectors(child)
    for child in getattr(node, "args", None) or ():
        yield from selectors(child)


def test_there_are_three_dashboards_and_about_fifteen_alerts() -> None:
    assert [file.stem for file in DASHBOARDS] == [
        "holdfast-messages",
        "holdfast-traffic",
        "holdfast-trouble",
    ]
    assert 12 <= len(rules()) <= 18


async def test_every_expression_reads_what_a_scrape_has(embedded: Embedded) -> None:
    embedded.start_all()
    await some_trade(embedded)
    (told,) = scrapes(embedded)
    # A family without a series yet, such as failures of loops, is there by its name alone.
    names = set(told.samples) | set(told.families)
    for name, family in told.families.items():
        if family.type == "histogram":
            names |= {f"{name}_{part}" for part in ("bucket", "count", "sum")}
    labels = {
        name: {label for at in series for label, _ in at} for name, series in told.samples.items()
    }

    count = 0
    for where, text in expressions():
        parsed = promql_parser.parse(text.replace("$__rate_interval", "5m"))
        for selector in selectors(parsed):
            count += 1
            assert selector.name in names | OF_PROMETHEUS, f"{where}: nobody tells {selector.name}"
            matched = {one.name for one in selector.matchers.matchers}
            known = labels.get(selector.name, matched) | {"job", "instance"}
            assert matched <= known, f"{where}: {selector.name} has no {matched - known}"

    assert count > len(list(expressions())) / 2


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_a_dashboard_is_one_that_grafana_takes(file: Path) -> None:
    board = json.loads(file.read_text())
    panels = board["panels"]

    assert board["uid"] == file.stem
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["description"] and panel["targets"] for panel in panels)
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels)
    cells = [
        (column, row)
        for at in (panel["gridPos"] for panel in panels)
        for column in range(at["x"], at["x"] + at["w"])
        for row in range(at["y"], at["y"] + at["h"])
    ]
    assert len(set(cells)) == len(cells), "panels lie on each other"
    assert max(column for column, _ in cells) < 24


def test_prometheus_takes_the_alerts_and_finds_nothing_to_mend() -> None:
    code, said = promtool("check", "rules", "--lint=all", "--lint-fatal", str(ALERTS))

    assert (code, "FAILED" in said) == (0, False), said


def test_prometheus_takes_our_part_of_its_configuration() -> None:
    code, said = promtool("check", "config", str(ALERTS.with_name("scrape.yaml")))

    assert code == 0, said


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    pages = {path.name: path.read_text() for path in RUNBOOKS.glob("*.md")}
    index = pages.pop("README.md")

    for rule in rules():
        annotations = rule["annotations"]
        assert isinstance(annotations, dict)
        assert annotations["summary"]
        place = Path(annotations["runbook_url"])
        page = pages.pop(place.name)
        assert place == (RUNBOOKS / place.name).relative_to(ROOT)
        assert page.startswith(f"# {rule['alert']}\n")
        assert f"[{rule['alert']}]({place.name})" in index
        parts = ("means", "people notice", "to look at", "to do", "it was tried")
        assert all(re.search(rf"\*\*.*{part}\.\*\*", page) for part in parts), place
    assert not pages
