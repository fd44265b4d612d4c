"""The chart's renderer, and the chart rendered for every set of values."""

from collections.abc import Iterator

import pytest

from tests.charts.chart import Chart, Rendered, ToolsMissing, running_chart
from tests.charts.value_sets import VALUE_SETS


@pytest.fixture(scope="session")
def chart() -> Iterator[Chart]:
    try:
        with running_chart() as running:
            yield running
    except ToolsMissing as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session", params=VALUE_SETS)
def rendered(chart: Chart, request: pytest.FixtureRequest) -> Rendered:
    """The chart for each set of values."""
    return chart.render(*VALUE_SETS[request.param], check=True)
