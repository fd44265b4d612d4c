"""The lock files hold what pyproject.toml asks for, checkably and from nowhere in particular."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EVERYTHING, RUNTIME = "requirements.lock", "requirements-runtime.lock"
CHARTS = "deploy/helm/requirements.lock"
_PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^ ]+)")


def blocks(file: str) -> list[str]:
    """Each pinned package with its hashes."""
    text = (ROOT / file).read_text()
    return re.findall(r"^[^#\s].*(?:\n {4}.*)*", text, flags=re.MULTILINE)


def pins(file: str) -> dict[str, str]:
    found = [_PIN.match(block) for block in blocks(file)]
    return {canonicalize_name(pin["name"]): pin["version"] for pin in found if pin}


@pytest.mark.parametrize(
    ("file", "requirements"),
    [
        (RUNTIME, PROJECT["dependencies"]),
        (EVERYTHING, PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]),
    ],
)
def test_every_requirement_is_pinned_to_a_version_it_accepts(
    file: str, requirements: list[str]
) -> None:
    locked = pins(file)

    unmet = [
        wanted
        for wanted in requirements
        if not (requirement := Requirement(wanted)).specifier.contains(
            locked.get(canonicalize_name(requirement.name), "0")
        )
        or canonicalize_name(requirement.name) not in locked
    ]

    assert not unmet, "run: make lock"


def test_what_runs_is_what_was_tested() -> None:
    assert pins(RUNTIME).items() <= pins(EVERYTHING).items()


@pytest.mark.parametrize("file", [EVERYTHING, RUNTIME, CHARTS])
def test_every_pin_has_hashes_and_no_address(file: str) -> None:
    text = (ROOT / file).read_text()

    assert all("--hash=sha256:" in block and _PIN.match(block) for block in blocks(file))
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
