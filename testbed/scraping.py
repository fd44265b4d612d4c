"""What a process tells on its admin port, read as Prometheus reads it."""

import http.client
from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

SCRAPE_S_MAX = 5.0

Labels = frozenset[tuple[str, str]]


class Scrape:
    """One reading of one process.

    :param text: as it came.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = {
            f"{one.name}_total" if one.type == "counter" else one.name: one
            for one in text_string_to_metric_families(text)
        }
        self._values: dict[str, dict[Labels, float]] = {}
        for family in self.families.values():
            for sample in family.samples:
                series = self._values.setdefault(sample.name, {})
                series[frozenset(sample.labels.items())] = sample.value

    @property
    def samples(self) -> Mapping[str, Mapping[Labels, float]]:
        """Every series by its name and labels, those of a histogram by their own names."""
        return self._values

    def sum(self, name: str, **labels: str) -> float:
        """Add up the series of a name that have these labels; none of them is 0."""
        asked = set(labels.items())
        series = self._values.get(name, {})
        return sum(value for at, value in series.items() if asked <= at)


def get(address: str, path: str, *, accept: str = "") -> tuple[int, str]:
    """Ask the admin port for a path; return the status and the body."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=SCRAPE_S_MAX)
    try:
        connection.request("GET", path, headers={"Accept": accept} if accept else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def scrape(address: str) -> Scrape:
    """:raises OSError: nobody answers."""
    status, text = get(address, "/metrics")
    assert status == 200, text
    return Scrape(text)
