"""What a journey is: it is gone in both modes in each of three ways, and on every change in one."""

from itertools import product

import pytest

from tests.e2e.console.people import WAYS, ByKeyboard, ByMouse, WithoutScripts

MODES = ("embedded", "cluster")
AT_CONSOLE = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]
SCRIPTS, NO_SCRIPTS, KEYBOARD = ByMouse.way, WithoutScripts.way, ByKeyboard.way


def journey(*, on_every_change: str = "") -> pytest.MarkDecorator:
    """What a test of one is marked with; it is given a `person`, and what stands behind them.

    :param on_every_change: the way in which it is gone then, embedded; the others, and all if there
        is none, are of `make proof`.
    """
    usual = ("embedded", on_every_change)
    return pytest.mark.parametrize(
        ("place", "person"),
        [
            pytest.param(*one, marks=() if one == usual else pytest.mark.proof)
            for one in product(MODES, WAYS)
        ],
        indirect=True,
    )
