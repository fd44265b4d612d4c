"""Of RabbitMQ nodes that stay parted the one is restarted that the others don't trust."""

import pytest

from proof.chaos.broker_nodes import most_parted

ONE, TWO, THREE = "broker-0", "broker-1", "broker-2"


@pytest.mark.parametrize(
    ("parted", "restarted"),
    [
        ({ONE: set(), TWO: set(), THREE: set()}, None),
        ({ONE: {TWO}, TWO: {ONE, THREE}, THREE: {TWO}}, TWO),
        ({ONE: {TWO}, TWO: set(), THREE: {TWO}}, TWO),
        ({ONE: {THREE}, TWO: set(), THREE: set()}, THREE),
        ({ONE: {TWO}, TWO: {ONE}, THREE: set()}, ONE),
        ({}, None),
    ],
)
def test_whom_most_others_are_parted_from_is_restarted(
    parted: dict[str, set[str]], restarted: str | None
) -> None:
    assert most_parted(parted) == restarted
