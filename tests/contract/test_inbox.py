"""The promises of the inbox and the dead letters, kept on both engines."""

import asyncio
from datetime import timedelta

import pytest

from holdfast.chassis import clock
from holdfast.chassis.database.seam import Conflict, DatabaseUnavailable, KeyTaken
from holdfast.chassis.messaging.broker import DeadLetter
from holdfast.chassis.messaging.dead_letters import list_dead_letters, replay_dead_letters
from holdfast.chassis.messaging.inbox import FORGET_EVENTS_MAX, HANDLING_TRIES_MAX, REMEMBERED_DAYS
from holdfast.chassis.messaging.outbox import STUCK_S
from tests.contract import post_office
from tests.contract.conftest import START
from tests.contract.post_office import PLACED, QUEUE, PostOffice, event, events

office = post_office.office


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for; a hundredth of each is made."""
    asked_for: list[float] = []

    def hundredth(seconds: float) -> float:
        asked_for.append(seconds)
        return seconds / 100

    monkeypatch.setattr(clock, "jitter", hundredth)
    return asked_for


async def reasons(url: str) -> dict[str, str]:
    return {letter.letter_id: letter.reason for letter in await list_dead_letters(url)}


async def test_an_event_that_comes_three_times_in_one_batch_has_one_effect(
    office: PostOffice,
) -> None:
    await office.receiver.receive(events(1, 2, 1, 1))

    assert await office.effects() == ["e-1", "e-2"]


async def test_an_event_that_comes_in_three_batches_has_one_effect(office: PostOffice) -> None:
    for batch in (events(1, 2), events(2, 3), events(1, 2, 3)):
        await office.receiver.receive(batch)

    assert await office.effects() == ["e-1", "e-2", "e-3"]


async def test_an_event_that_comes_three_times_at_once_has_one_effect(office: PostOffice) -> None:
    for start in range(0, 50, 5):
        batch = events(*range(start, start + 5))
        await asyncio.gather(*(office.receiver.receive(order) for order in (batch, batch[::-1])))

    assert len(office.batches) >= 20
    assert sorted(await office.effects()) == sorted(f"e-{number}" for number in range(50))


async def test_an_event_whose_handling_was_undone_has_its_effect_when_it_comes_again(
    office: PostOffice,
) -> None:
    office.trouble = [DatabaseUnavailable("away")]
    with pytest.raises(DatabaseUnavailable):
        await office.receiver.receive(events(1, 2))
    before = await office.effects()

    await office.receiver.receive(events(1, 2))

    assert before == []
    assert await office.effects() == ["e-1", "e-2"]


async def test_an_unreadable_event_is_parked_with_its_reason_and_its_neighbours_are_handled(
    office: PostOffice, url: str
) -> None:
    await office.receiver.receive([event(1), event(2, data=b"garbage"), event(3)])

    assert office.batches == [["e-1", "e-3"]]
    (letter,) = await list_dead_letters(url)
    assert (letter.letter_id, letter.queue, letter.event_type) == ("e-2", "queue", PLACED)
    assert (letter.subject, letter.parked_at) == ("o-2", START)
    assert letter.reason == "unreadable: wrong bytes"


async def test_an_event_that_cannot_be_handled_is_parked_and_its_neighbours_are_handled(
    office: PostOffice, url: str
) -> None:
    office.poison = {"e-2"}

    await office.receiver.receive(events(1, 2, 3))

    assert await office.effects() == ["e-1", "e-3"]
    assert office.batches.count(["e-2"]) == HANDLING_TRIES_MAX
    found = await reasons(url)
    assert found.keys() == {"e-2"}
    assert "ValueError" in found["e-2"]
    assert "is ill" in found["e-2"]


async def test_an_event_whose_key_stays_taken_is_parked_and_its_neighbours_are_handled(
    office: PostOffice, url: str
) -> None:
    """It does not pass: the broker would deliver the whole batch again without end."""
    office.poison, office.illness = {"e-2"}, KeyTaken

    await office.receiver.receive(events(1, 2, 3))

    assert await office.effects() == ["e-1", "e-3"]
    found = await reasons(url)
    assert found.keys() == {"e-2"}
    assert "KeyTaken" in found["e-2"]


async def test_a_key_that_was_taken_for_a_while_parks_nothing(office: PostOffice, url: str) -> None:
    office.trouble = [KeyTaken("a moment ago")] * 3  # as often as it is tried as one batch

    await office.receiver.receive(events(1, 2))

    assert await reasons(url) == {}
    assert await office.effects() == ["e-1", "e-2"]


async def test_an_event_is_parked_only_after_pauses_that_give_its_trouble_time_to_pass(
    office: PostOffice, url: str, pauses: list[float]
) -> None:
    office.trouble = [ValueError("ill for a moment")] * 2
    await office.receiver.receive(events(1))
    passed, pauses[:] = list(pauses), []

    office.poison = {"e-2"}
    await office.receiver.receive(events(2))

    assert await office.effects() == ["e-1"]
    assert list(await reasons(url)) == ["e-2"]
    assert len(passed) == HANDLING_TRIES_MAX - 1, "a pause after each try that failed"
    assert passed[1] == 2 * passed[0] >= 0.2
    assert pauses[: len(passed)] == passed


@pytest.mark.parametrize("trouble", [Conflict("again"), DatabaseUnavailable("away")])
async def test_trouble_that_passes_is_raised_and_nothing_is_parked(
    office: PostOffice, url: str, trouble: Exception
) -> None:
    office.trouble = [trouble] * 10

    with pytest.raises(type(trouble)):
        await office.receiver.receive(events(1, 2))

    assert await reasons(url) == {}
    assert await office.effects() == []


async def test_an_event_parked_twice_is_one_letter(office: PostOffice, url: str) -> None:
    for _ in range(2):
        await office.receiver.receive([event(1, data=b"garbage")])

    assert list(await reasons(url)) == ["e-1"]


@pytest.mark.parametrize("event_id", ["", "x" * 201, "e\0e"])
async def test_an_event_whose_id_cannot_be_remembered_is_parked(
    office: PostOffice, url: str, event_id: str
) -> None:
    odd = event(1)._replace(event_id=event_id)

    await office.receiver.receive([odd, event(2)])

    assert await office.effects() == ["e-2"]
    assert len(await reasons(url)) == 1


async def test_events_are_remembered_longer_than_any_redelivery_and_then_forgotten(
    office: PostOffice,
) -> None:
    office.clock.advance(-timedelta(days=2 * REMEMBERED_DAYS).total_seconds())
    await office.receiver.receive(events(1))
    office.clock.advance(timedelta(days=REMEMBERED_DAYS).total_seconds())
    await office.receiver.receive(events(2))
    on_the_day = await office.inbox.forget_old()
    office.clock.advance(1)

    assert on_the_day == 0
    assert await office.inbox.forget_old() == 1
    assert await office.inbox.forget_old() == 0
    await office.receiver.receive(events(1, 2))
    assert await office.effects() == ["e-1", "e-2", "e-1"]


async def test_forgetting_takes_a_bounded_number_at_a_time(office: PostOffice) -> None:
    office.clock.advance(-timedelta(days=2 * REMEMBERED_DAYS).total_seconds())
    many = [f"e-{number}" for number in range(FORGET_EVENTS_MAX + 10)]
    async with office.database.begin() as work:
        await office.inbox.first_seen(work, many)
    office.clock.advance(timedelta(days=REMEMBERED_DAYS + 1).total_seconds())

    assert [await office.inbox.forget_old() for _ in range(3)] == [FORGET_EVENTS_MAX, 10, 0]


async def test_a_letter_sent_back_takes_the_way_of_its_event_and_has_its_effect_once(
    office: PostOffice, url: str
) -> None:
    office.poison = {"e-1", "e-2"}
    await office.receiver.receive(events(1, 2, 3))
    office.poison = set()

    assert await replay_dead_letters(url, [QUEUE], ["e-2", "nobody"]) == 1
    assert await office.waiting() == ["e-2"]
    assert list(await reasons(url)) == ["e-1"]

    assert await replay_dead_letters(url, [QUEUE]) == 1
    async with office.consuming():
        await office.relay.relay_batch()
    assert sorted(await office.effects()) == ["e-1", "e-2", "e-3"]
    assert await reasons(url) == {}
    assert await replay_dead_letters(url, [QUEUE]) == 0


async def test_a_letter_comes_back_whole_and_in_the_order_in_which_it_happened(
    office: PostOffice, url: str
) -> None:
    office.poison = {"e-1", "e-2", "e-3"}
    await office.receiver.receive(events(3, 1, 2))

    await replay_dead_letters(url, [QUEUE])

    assert await office.waiting() == ["e-1", "e-2", "e-3"]
    async with office.database.read() as reading:
        rows = await reading.fetch("SELECT subject, sequence, traceparent, data FROM outbox")
    columns = "subject", "sequence", "traceparent", "data"
    assert [rows[0][name] for name in columns] == [getattr(event(1), name) for name in columns]


async def test_letters_sent_back_are_no_sign_that_the_broker_takes_nothing(
    office: PostOffice, url: str
) -> None:
    """They tell when they happened; they wait only since they were sent back."""
    office.poison = {"e-1", "e-2"}
    await office.receiver.receive(events(1, 2))
    office.clock.advance(timedelta(days=2).total_seconds())

    await replay_dead_letters(url, [QUEUE])
    alone = await office.relay.is_empty(), office.relay.is_too_long(), office.relay.is_stuck()
    await office.append([event(3)._replace(time=office.clock.now())])
    office.clock.advance(STUCK_S + 1)
    relay = office.make_relay()
    news = await relay.is_empty(), relay.is_too_long(), relay.is_stuck()

    assert alone == (False, False, False)
    assert news == (False, False, True)


async def test_bytes_that_are_no_event_are_kept_for_a_person_and_not_sent_back(
    office: PostOffice, url: str
) -> None:
    letter = DeadLetter("sha256:0", "queue", "no batch", b"\0\xff", event=None)

    await office.receiver.park([letter, letter])

    assert await replay_dead_letters(url, [QUEUE]) == 0
    (kept,) = await list_dead_letters(url)
    assert (kept.letter_id, kept.event_type, kept.subject) == ("sha256:0", None, None)


async def test_a_letter_whose_type_nobody_hears_stays(office: PostOffice, url: str) -> None:
    """Its type names an exchange: of one that can't be declared, all later events waited for it."""
    strange = event(1, type="amq.direct.Thing")
    await office.receiver.park([DeadLetter("e-1", "queue", "unknown", strange.data, strange)])

    assert await replay_dead_letters(url, [QUEUE]) == 0
    assert await office.waiting() == []
    assert list(await reasons(url)) == ["e-1"]


async def test_letters_are_listed_oldest_first(office: PostOffice, url: str) -> None:
    for number in (2, 1, 3):
        await office.receiver.receive([event(number, data=b"garbage")])
        office.clock.advance(1)

    assert list(await reasons(url)) == ["e-2", "e-1", "e-3"]
