"""Fair shares of a batch: one caller that sends much holds up nobody but itself."""

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from holdfast.chassis.lanes import ABOUT_S, PART_ITEMS_MIN, Lanes

NOISY = "noisy"


class Group(NamedTuple):
    caller: str
    items: Sequence[int]


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def put(lanes: Lanes[Group], caller: str, *sizes: int) -> None:
    for size in sizes:
        lanes.put(caller, Group(caller, range(size)))


def parts(batch: Sequence[Group]) -> dict[str, int]:
    """How many items each caller has in a batch."""
    found: dict[str, int] = {}
    for group in batch:
        found[group.caller] = found.get(group.caller, 0) + len(group.items)
    return found


def test_a_caller_alone_fills_whole_batches() -> None:
    lanes = Lanes[Group]()
    put(lanes, NOISY, *[1] * 1_500)

    assert [len(lanes.take(1_000)) for _ in range(2)] == [1_000, 500]
    assert lanes.items == 0


def test_beside_others_a_caller_s_part_is_no_larger_than_all_of_theirs() -> None:
    lanes = Lanes[Group]()
    quiet = [f"quiet {number}" for number in range(100)]
    put(lanes, NOISY, *[1] * 5_000)
    for caller in quiet:
        put(lanes, caller, 1)

    found = parts(lanes.take(1_000))

    assert found == {NOISY: 100} | dict.fromkeys(quiet, 1)


def test_few_and_quiet_others_leave_a_caller_what_costs_hardly_any_time() -> None:
    lanes = Lanes[Group]()
    put(lanes, NOISY, *[1] * 5_000)
    put(lanes, "quiet", 1)

    assert parts(lanes.take(1_000)) == {NOISY: PART_ITEMS_MIN, "quiet": 1}


def test_others_who_wait_for_an_answer_are_still_about_and_then_are_not() -> None:
    """Whole batches in between would be what they find before them when they come back."""
    clock = Clock()
    lanes = Lanes[Group](clock)
    put(lanes, NOISY, *[1] * 5_000)
    put(lanes, "quiet", 1)
    lanes.take(1_000)

    clock.now_s = ABOUT_S * 0.9
    assert parts(lanes.take(1_000)) == {NOISY: PART_ITEMS_MIN}
    clock.now_s = ABOUT_S * 1.1
    assert parts(lanes.take(1_000)) == {NOISY: 1_000}


def test_two_that_send_as_much_share_large_batches() -> None:
    lanes = Lanes[Group]()
    put(lanes, "a", *[1] * 3_000)
    put(lanes, "b", *[1] * 3_000)

    assert [parts(lanes.take(1_000)) for _ in range(2)] == [{"a": 500, "b": 500}] * 2


def test_what_a_group_has_beyond_its_part_is_made_up_for_by_waiting() -> None:
    """Items sent together stay together: the caller is passed over until the others caught up."""
    lanes = Lanes[Group]()
    large = 4 * PART_ITEMS_MIN
    put(lanes, NOISY, *[large] * 3)
    found = []
    for _ in range(12):
        put(lanes, "quiet", 1)
        found.append(parts(lanes.take(1_000)))

    assert all(batch["quiet"] == 1 for batch in found)
    assert [number for number, batch in enumerate(found) if NOISY in batch] == [0, 4, 8]


def test_a_caller_that_owes_is_not_kept_waiting_for_nobody() -> None:
    lanes = Lanes[Group]()
    put(lanes, NOISY, 1_000, 1_000)
    put(lanes, "quiet", 1)
    lanes.take(1_000)
    lanes.take(1_000)

    assert parts(lanes.take(1_000)) == {NOISY: 1_000}


def test_a_group_too_large_for_what_is_left_gets_its_turn() -> None:
    lanes = Lanes[Group]()
    for caller in "abc":
        put(lanes, caller, *[1] * 50)
    put(lanes, NOISY, 30)

    assert any(NOISY in parts(lanes.take(30)) for _ in range(6))


def test_more_callers_than_a_batch_holds_have_turns() -> None:
    lanes = Lanes[Group]()
    crowd = [f"{number}" for number in range(25)]
    for caller in crowd:
        put(lanes, caller, 1, 1)

    first = [group.caller for _ in range(3) for group in lanes.take(10)]

    assert set(crowd) == set(first)


def test_a_full_queue_still_takes_who_has_less_than_a_share_of_it() -> None:
    lanes = Lanes[Group]()
    put(lanes, NOISY, *[1] * 100)

    assert not lanes.has_share(NOISY, 1, 100)
    assert lanes.has_share("quiet", 50, 100)
    assert not lanes.has_share("quiet", 51, 100)
    put(lanes, "quiet", 40)
    assert lanes.has_share("quiet", 10, 100)
    assert not lanes.has_share("quiet", 11, 100)


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("abcde"), st.integers(1, 40)),
        st.integers(1, 30),  # take a batch
        st.floats(0.1, 2.0),  # let time pass
    ),
    max_size=60,
)


@given(ACTIONS)
def test_nothing_is_lost_or_overtaken_by_its_own_and_no_batch_is_empty(
    actions: list[tuple[str, int] | int | float],
) -> None:
    clock, numbers = Clock(), 0
    lanes = Lanes[Group](clock)
    waiting: dict[str, list[Sequence[int]]] = {caller: [] for caller in "abcde"}

    def take(items_max: int) -> None:
        batch = lanes.take(items_max)
        size = sum(len(group.items) for group in batch)
        assert batch, "something waited"
        assert size <= items_max or len(batch) == 1
        for group in batch:
            assert waiting[group.caller].pop(0) is group.items

    for action in actions:
        if isinstance(action, tuple):
            caller, size = action
            items = range(numbers, numbers + size)
            numbers += size
            waiting[caller].append(items)
            lanes.put(caller, Group(caller, items))
        elif isinstance(action, float):
            clock.now_s += action
        elif lanes.items:
            take(action)
    assert lanes.items == sum(len(items) for groups in waiting.values() for items in groups)
    assert sum(1 for _ in lanes) == sum(map(len, waiting.values()))
    while lanes.items:
        take(7)
    assert not any(waiting.values())
