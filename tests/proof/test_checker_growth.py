"""What is still growing after its time of warming up, and what only swings."""

import pytest

from proof.rules.resources import is_flat


@pytest.mark.parametrize(
    ("series", "flat"),
    [
        ([10.0] * 8, True),
        ([1.0, 5.0, 100.0, 100.0, 100.0, 101.0, 99.0, 100.0], True),  # warming up
        ([100.0] * 12 + [400.0] + [100.0] * 3, True),  # a peak
        ([100.0] * 8 + [100.0, 105.0, 110.0, 115.0, 120.0, 125.0, 130.0, 135.0], False),
        ([2.0] * 8 + [9.0] * 8, True),  # a handful more is none
        ([2.0] * 8 + [11.0] * 8, False),
    ],
)
def test_only_what_is_still_growing_after_warming_up_grows(series: list[float], flat: bool) -> None:
    assert is_flat(series) is flat
