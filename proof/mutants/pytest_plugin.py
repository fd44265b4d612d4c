"""A pytest plugin that plants one bug for a whole run; nobody loads it but this package."""

import os
from contextlib import ExitStack

import pytest

from proof.mutants.catalogue import BUGS
from proof.mutants.hunt import VARIABLE

_planted = ExitStack()


def pytest_configure() -> None:
    """Plant the bug that the environment names, if it names one."""
    name = os.environ[VARIABLE]
    if name:
        _planted.enter_context(BUGS[name].planted())


def pytest_report_header() -> str:
    return f"planted bug: {os.environ[VARIABLE] or 'none'}"


def pytest_unconfigure(config: pytest.Config) -> None:
    _planted.close()
