"""The table of points and the code agree: every point can be reached, and none is forgotten."""

import ast
from collections import Counter
from pathlib import Path

from proof.crash.points import DESIGNED, POINTS, Mode, cases

ROOT = Path(__file__).parents[2]
# Made by wrapping a library; `events published` stands in the local broker's own code too.
IN_LIBRARIES = {"commit sent", "stamping sent", "events published"}


def names_in(folder: str) -> set[str]:
    """The names of all points that the code passes."""
    return {
        node.args[0].value
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "failpoint"
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_every_point_of_the_code_stands_in_the_table_and_the_reverse() -> None:
    named = {point.name for point in POINTS}

    assert names_in("src/holdfast") == named - (IN_LIBRARIES - {"events published"})


def test_there_are_the_cases_that_the_design_counts_and_some_more() -> None:
    every = cases(*Mode)

    assert len(every) == len({case.name for case in every}) == 552
    assert Counter(case.mode for case in every) == dict.fromkeys(Mode, 184)
    assert sum(1 for case in every if case.point in DESIGNED) == 312


def test_no_two_points_are_the_same_place() -> None:
    places = Counter((point.loop, point.name, point.after, point.verb) for point in POINTS)

    assert set(places.values()) == {1}
