"""The chart as its tests see it: rendered by Helm in an environment of its own, read as objects."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
HELM = ROOT / "deploy" / "helm"
CHART = HELM / "holdfast"
PYTHON = ROOT / "build" / "charts" / "bin" / "python"
PARTS = ("inventory", "orders", "notifier")

Document = Mapping[str, Any]
Secrets = Mapping[str, Mapping[str, str]]


class ChartRefused(Exception):
    """Helm does not render these values; the message says why."""


class ToolsMissing(Exception):
    """The chart's own environment is not there."""


@dataclass(frozen=True)
class Rendered:
    """What a cluster would be given."""

    documents: Sequence[Document]
    notes: str
    problems: Sequence[str]

    def of_kind(self, kind: str) -> list[Document]:
        return [one for one in self.documents if one["kind"] == kind]

    def one(self, kind: str, name: str) -> Document:
        (found,) = [one for one in self.of_kind(kind) if one["metadata"]["name"] == name]
        return found

    def deployment(self, part: str) -> Document:
        (found,) = [one for one in self.of_kind("Deployment") if part_of(one) == part]
        return found

    def pods(self) -> Iterator[Document]:
        """The pod of everything that has pods."""
        for kind in ("Deployment", "Job"):
            for one in self.of_kind(kind):
                yield one["spec"]["template"]

    def secrets(self) -> dict[str, dict[str, str]]:
        """The Secrets that the chart makes itself, by name."""
        return {one["metadata"]["name"]: one["stringData"] for one in self.of_kind("Secret")}


def part_of(document: Document) -> str:
    part: str = document["metadata"]["labels"]["app.kubernetes.io/component"]
    return part


def container(workload: Document) -> Document:
    """The one container of a Deployment or Job."""
    (found,) = workload["spec"]["template"]["spec"]["containers"]
    return dict(found)


def environment(workload: Document, secrets: Secrets) -> dict[str, str]:
    """The environment that Kubernetes would make of it.

    :raises KeyError: a Secret or a key is not there, and has to be.
    """
    found = {}
    for variable in container(workload)["env"]:
        if "value" in variable:
            found[variable["name"]] = variable["value"]
            continue
        wanted = variable["valueFrom"]["secretKeyRef"]
        held = secrets[wanted["name"]]
        if wanted["key"] in held or not wanted.get("optional"):
            found[variable["name"]] = held[wanted["key"]]
    return found


class Chart:
    """A running renderer."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def render(
        self, *values: Mapping[str, Any], name: str = "holdfast", check: bool = False
    ) -> Rendered:
        """Render for values, later ones over earlier ones.

        :param check: find the problems too, which takes a second.
        :raises ChartRefused: by the schema, or by the chart itself.
        """
        request = {"name": name, "namespace": "shop", "check": check}
        answer = self._ask(request | {"values": merged(*values)})
        if "refused" in answer:
            raise ChartRefused(answer["refused"])
        return Rendered(**answer)

    def read(self, file: Path, *, schema: Path | None = None) -> tuple[Any, list[str]]:
        """Return what a file of YAML says, and where that is not what the schema allows."""
        answer = self._ask({"read": str(file)} | ({"schema": str(schema)} if schema else {}))
        return answer["content"], answer["problems"]

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


def merged(*values: Mapping[str, Any]) -> dict[str, Any]:
    """Values over values, as Helm lays them: maps are merged, all else is replaced."""
    result: dict[str, Any] = {}
    for layer in values:
        for name, value in layer.items():
            below = result.get(name)
            both = isinstance(value, Mapping) and isinstance(below, Mapping)
            result[name] = merged(below, value) if both else value  # type: ignore[arg-type]  # both are
    return result


@contextmanager
def running_chart() -> Iterator[Chart]:
    """:raises ToolsMissing: say how to get them."""
    if not PYTHON.exists():
        raise ToolsMissing("Helm is not there; run: make charts")
    with subprocess.Popen(
        [PYTHON, HELM / "render.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Chart(process)
        assert process.stdin is not None
        process.stdin.close()
