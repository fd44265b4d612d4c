"""Charts as shapes, and a product's stock by day as its movements make it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from holdfast.client import Movement, MovementKind, StockLevel
from holdfast.console.charts import Chart, Scale, Series, beside, stacked
from holdfast.console.stock_history import DAYS_MAX, StockOfDay, by_day

TODAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("highest", "most"),
    [
        (0, 2),
        (1, 2),
        (3, 4),
        (9, 10),
        (10, 10),
        (11, 20),
        (61, 80),
        (999, 1_000),
        (2**70, 2 * 10**21),
    ],
)
def test_a_scale_ends_at_a_round_number_whose_half_is_whole(highest: int, most: int) -> None:
    scale = Scale.for_values([None, highest])
    assert (scale.most, scale.half * 2) == (most, most)
    assert scale.top(0) == 100
    assert 0 <= scale.top(highest) <= 100


def test_bars_stand_on_each_other_and_lines_stop_where_there_is_nothing() -> None:
    series = [Series("a", [1, None, 3]), Series("b", [1, 2, 0])]
    bars = Chart("c", series, stacked(series), ["", "", ""], ("", ""), ("", ""))
    gaps = [Series("a", [1, 2, None, 4])]
    lines = Chart("c", gaps, beside(gaps), [""] * 4, ("", ""), ("", ""))

    assert stacked(series).most == 4
    assert [(one.name, [tuple(bar) for bar in found]) for one, found in bars.bars()] == [
        ("a", [(0, 75.0, 25.0), (2, 25.0, 75.0)]),
        ("b", [(0, 50.0, 25.0), (1, 50.0, 50.0)]),
    ]
    assert [runs for _, runs in lines.lines()] == [["0.5,75.0 1.5,50.0", "3.5,0.0 3.5,0.0"]]


def moved(
    number: int, days_ago: int, on_hand: int, reserved: int, after: tuple[int, int]
) -> Movement:
    return Movement(
        movement_id=number,
        product_id="LAMP",
        location_id="main" if number < 90 else "shop",
        kind=MovementKind.RECEIPT,
        on_hand_delta=on_hand,
        reserved_delta=reserved,
        on_hand_after=after[0],
        reserved_after=after[1],
        order_id="",
        reason="",
        reference="",
        actor="",
        create_time=NOON - timedelta(days=days_ago),
    )


def test_stock_is_told_for_the_end_of_each_day_going_back_from_now() -> None:
    movements = [
        moved(91, 0, 5, 0, (5, 0)),  # at a place that was empty when levels were read
        moved(3, 0, -2, -2, (8, 1)),
        moved(2, 2, 0, 3, (10, 3)),
        moved(1, 3, 10, 0, (10, 0)),
    ]
    levels = [StockLevel("main", 8, 1, 7, 3)]

    whole = by_day(levels, movements, more=False, today=TODAY)

    assert whole == [
        StockOfDay(date(2026, 3, 7), 10, 0, 10, 10),
        StockOfDay(date(2026, 3, 8), 0, 0, 10, 7),
        StockOfDay(date(2026, 3, 9), 0, 0, 10, 7),
        StockOfDay(date(2026, 3, 10), 5, 2, 13, 12),
    ]
    assert by_day(levels, movements, more=True, today=TODAY) == whole[1:]
    assert by_day([], [], more=False, today=TODAY) == []
    old = [moved(1, 400, 10, 0, (10, 0))]
    months = by_day([], old, more=False, today=TODAY)
    assert [(one.on_hand, one.free) for one in months] == [(10, 10)] * DAYS_MAX
