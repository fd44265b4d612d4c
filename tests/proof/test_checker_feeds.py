"""Damage to feeds, and the promises that it breaks: each change stands there once, as it was."""

from collections.abc import Callable

import pytest

from proof.checker import check
from proof.snapshot import ObservedEvent
from tests.proof.goods_world import shipped_and_returned
from tests.proof.queue_world import QueueWorld
from tests.proof.small_world import Damage, Damages, World
from tests.proof.test_checker_edits import edited
from tests.proof.test_checker_rest import rest_cancelled

ORDERS = "holdfast.orders.v1."
REJECTED, CANCELLED, UPDATED = (
    ORDERS + name for name in ("OrderRejected", "OrderCancelled", "OrderUpdated")
)

damages = Damages()
breaks = damages.breaks


def place(world: World, event_type: str) -> int:
    """Where the feed of Orders tells that."""
    return [event.type for event in world.feeds["orders"]].index(event_type)


@breaks()
def nothing_is_damaged(_: World) -> None:
    pass


@breaks(7, 12)
def an_ending_is_not_told(world: World) -> None:
    del world.feeds["orders"][place(world, REJECTED)]


@breaks(7, 12)
def an_ending_is_told_twice(world: World) -> None:
    again = world.feeds["orders"][place(world, REJECTED)]
    world.feeds["orders"].append(again._replace(event_id="again"))


@breaks(7, 12)
def an_ending_is_told_as_something_else(world: World) -> None:
    at = place(world, REJECTED)
    world.feeds["orders"][at] = world.feeds["orders"][at]._replace(type=UPDATED, content=())


@breaks(7, 12)
def an_ending_is_told_that_did_not_happen(world: World) -> None:
    world.feeds["orders"].append(ObservedEvent("x-1", CANCELLED, "o-1", 4, ()))


@breaks(7, 12)
def an_ending_is_told_before_its_order_was(world: World) -> None:
    feed = world.feeds["orders"]
    at = place(world, REJECTED)
    feed[at] = feed[at]._replace(sequence=0)


@breaks(7)
def endings_are_turned_round(world: World) -> None:
    feed = world.feeds["orders"]
    feed.append(feed.pop(place(world, ORDERS + "OrderPlaced")))


@breaks(7)
def what_is_no_news_is_not_told(world: World) -> None:
    del world.feeds["orders"][place(world, UPDATED)]


@breaks(7)
def an_ending_says_something_else(world: World) -> None:
    at = place(world, REJECTED)
    world.feeds["orders"][at] = world.feeds["orders"][at]._replace(content=())


@breaks(7)
def a_question_that_was_asked_again_stands_there(world: World) -> None:
    again = next(seen for seen in world.observed_events if seen.event_id == "p-1b")
    world.feeds["orders"].append(again)


@breaks(7)
def an_answer_is_not_told(world: World) -> None:
    world.feeds["inventory"].pop()


@breaks()
def the_oldest_were_cut_off(world: World) -> None:
    del world.feeds["orders"][:3]
    world.rest["forgetful"] = True


@breaks(7, 12)
def the_oldest_were_cut_off_and_an_ending_is_told_twice(world: World) -> None:
    an_ending_is_told_twice(world)
    the_oldest_were_cut_off(world)


@breaks(7)
def a_follower_missed_an_ending(world: World) -> None:
    got = [event.event_id for event in world.feeds["orders"]]
    world.rest["followed"] = {"orders": [one for one in got if one != "c-2"]}


@breaks(7)
def a_follower_got_an_ending_twice(world: World) -> None:
    got = [event.event_id for event in world.feeds["orders"]]
    world.rest["followed"] = {"orders": [*got, "c-2"]}


@pytest.mark.parametrize(("invariants", "damage"), damages.cases)
def test_damage_breaks_its_promise_and_no_other(invariants: set[int], damage: Damage) -> None:
    world = World()
    world.keep_feeds()

    damage(world)

    found = check(world.record())
    assert {violation.invariant for violation in found} == invariants, found


@pytest.mark.parametrize(
    ("made", "news", "subject"),
    [
        (edited, "OrderEdited", "o-1"),
        (shipped_and_returned, "OrderShipped", "o-1"),
        (rest_cancelled, "OrderRestCancelled", "o-1"),
        (QueueWorld, "OrderConfirmed", "o-5"),
    ],
)
def test_news_that_the_feed_lacks_is_missed_whatever_it_is(
    made: Callable[[], World], news: str, subject: str
) -> None:
    world = made()
    world.keep_feeds()
    sound = check(world.record())

    feed = world.feeds["orders"]
    (lost, *_) = [one for one in feed if (one.type, one.subject) == (ORDERS + news, subject)]
    feed.remove(lost)

    assert sound == []
    assert {one.invariant for one in check(world.record())} == {7, 12}
