"""Render the chart for the tests: requests come as lines of JSON, and so do the answers.

It runs in the environment that `make charts` makes from requirements.lock: Helm and the schemas of
Kubernetes are large, and nobody else needs them. A request has the values, the release's name and
namespace, and whether to check what comes out; the answer has `refused`, or `documents`, `notes`
and `problems`. Or it has a file to `read`, and perhaps a `schema`; the answer has its `content` and
`problems`.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helm_python
import jsonschema
import kubernetes_validate
import yaml
from yamllint import linter
from yamllint.config import YamlLintConfig

CHART = Path(__file__).parent / "holdfast"
KUBERNETES = ("1.30", "1.37")  # the oldest that the chart names, and the newest with schemas

# These kinds belong to operators: Kubernetes itself has no schema of them.
FOREIGN = {
    ("gateway.networking.k8s.io/v1", "HTTPRoute"),
    ("monitoring.coreos.com/v1", "PodMonitor"),
    ("monitoring.coreos.com/v1", "PrometheusRule"),
}
# What YAML's readers pass over in silence.
LOOKS = YamlLintConfig("rules: {key-duplicates: enable, trailing-spaces: enable}")


def render(request: dict[str, Any]) -> dict[str, Any]:
    try:
        texts = helm_python.Chart.load(CHART).render(
            request["values"], name=request["name"], namespace=request["namespace"]
        )
    except helm_python.HelmError as error:
        return {"refused": str(error)}
    notes = [text for path, text in texts.items() if path.endswith("NOTES.txt")]
    manifests = {path: text for path, text in texts.items() if not path.endswith("NOTES.txt")}
    documents = [
        document
        for text in manifests.values()
        for document in yaml.safe_load_all(text)
        if document is not None
    ]
    problems = []
    if request["check"]:
        problems = [*_lint(request), *_looks(manifests), *_invalid(documents)]
    return {"documents": documents, "notes": "".join(notes), "problems": problems}


def read(request: dict[str, Any]) -> dict[str, Any]:
    content = yaml.safe_load(Path(request["read"]).read_text())
    schema = json.loads(Path(request["schema"]).read_text()) if "schema" in request else {}
    found = jsonschema.validators.validator_for(schema)(schema).iter_errors(content)
    problems = [f"{'.'.join(map(str, one.path))}: {one.message}" for one in found]
    return {"content": content, "problems": problems}


def _lint(request: dict[str, Any]) -> Iterator[str]:
    report = helm_python.lint(CHART, request["values"], strict=True)
    for message in report["messages"]:
        if message["severity"] > 1:  # 1 is what would be nice to have: an icon
            yield f"{message['path']}: {message['error']}"


def _looks(manifests: dict[str, str]) -> Iterator[str]:
    for path, text in manifests.items():
        for problem in linter.run(text, LOOKS):
            yield f"{path}:{problem.line}: {problem.desc}"


def _invalid(documents: list[dict[str, Any]]) -> Iterator[str]:
    for document in documents:
        what = f"{document['kind']} {document['metadata']['name']}"
        if (document["apiVersion"], document["kind"]) in FOREIGN:
            continue
        for version in KUBERNETES:
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.SchemaNotFoundError as error:
                yield f"{what}: {error.message}"
            except kubernetes_validate.ValidationError as error:
                where = ".".join(map(str, error.path))
                yield f"{what}: {version}: {where}: {error.message}"


def main() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        reply = read(request) if "read" in request else render(request)
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
