"""What is the same in two modes is tried in one of them on every change."""

import pytest


def mostly(fixture: str, usual: str, other: str) -> pytest.MarkDecorator:
    """The fixture as `usual` on every change, and by `make proof` as `other`, too."""
    modes = [usual, pytest.param(other, marks=pytest.mark.proof)]
    return pytest.mark.parametrize(fixture, modes, indirect=True)
