"""What a service refused has an HTTP status of its own in the console."""

import pytest

import holdfast.client as client
from holdfast.client import HoldfastError, InternalError
from holdfast.console.statuses import status_of


@pytest.mark.parametrize(
    "kind",
    [
        one
        for one in vars(client).values()
        if isinstance(one, type) and issubclass(one, HoldfastError) and one is not HoldfastError
    ],
)
def test_only_an_error_of_ours_is_told_as_one(kind: type[HoldfastError]) -> None:
    status = status_of(kind.__new__(kind))

    assert (status == 500) == issubclass(kind, InternalError)
