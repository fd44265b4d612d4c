"""Damage to what was told, heard and answered, and the promise that it breaks: 7 to 9, 11 to 14."""

import pytest

from proof.checker import check
from proof.snapshot import Letter, ObservedEvent
from tests.proof.small_world import Damage, Damages, World, about, lamps, order

damages = Damages()
breaks = damages.breaks


# 7: events


@breaks(7)
def a_change_was_never_told(world: World) -> None:
    world.unsee("u-1")


@breaks(7)
def a_change_in_the_midst_was_never_told(world: World) -> None:
    world.unsee("c-3")


@breaks(7)
def a_level_was_never_told(world: World) -> None:
    world.unsee("i-5")


@breaks(7)
def changes_of_an_order_were_told_in_another_order(world: World) -> None:
    world.overtake("x-3", "c-3")


@breaks()
def changes_came_in_another_order_after_a_refusal(world: World) -> None:
    world.overtake("x-3", "c-3")
    world.rest["refusals_possible"] = True


@breaks(7)
def a_change_is_missing_after_a_refusal(world: World) -> None:
    world.unsee("c-3")
    world.rest["refusals_possible"] = True


@breaks(7)
def something_was_told_that_did_not_happen(world: World) -> None:
    happened = world.observed_events[6]
    world.observed_events.append(happened._replace(event_id="x-1", sequence=4))


@breaks()
def poison_was_seen(world: World) -> None:
    world.observed_events.append(
        ObservedEvent("bad", "holdfast.orders.v1.OrderLost", "o-9", 1, None)
    )


@breaks(7)
def an_event_of_an_unknown_type_was_seen(world: World) -> None:
    world.observed_events.append(
        ObservedEvent("bad-2", "holdfast.orders.v1.OrderLost", "o-9", 1, None)
    )


@breaks(7)
def an_event_says_other_units_than_were_reserved(world: World) -> None:
    world.see("s-3", content=lamps(2, location="main"))


@breaks(7)
def an_event_cannot_be_read(world: World) -> None:
    world.see("c-1", content=None)


@breaks(7)
def an_event_was_published_again_with_other_contents(world: World) -> None:
    world.observed_events[2] = world.observed_events[2]._replace(content=lamps(1))


@breaks(7)
def two_changes_were_told_under_one_id(world: World) -> None:
    world.see("c-3", event_id="c-1")


@breaks(7)
def a_change_was_told_under_two_ids(world: World) -> None:
    world.observed_events.append(world.observed_events[6]._replace(event_id="c-1b"))


@breaks(7)
def a_cancellation_was_told_under_two_ids(world: World) -> None:
    (cancelled,) = (seen for seen in world.observed_events if seen.event_id == "x-3")
    world.observed_events.append(cancelled._replace(event_id="x-3b"))
    world.inboxes["inventory"].add("x-3b")


@breaks()
def a_question_was_asked_again_and_answered_again(world: World) -> None:
    names = {seen.event_id: seen for seen in world.observed_events}
    again = names["p-1b"]._replace(subject="o-3", sequence=3, content=about(2))
    world.observed_events.append(again._replace(event_id="a-3"))
    world.observed_events.append(names["r-3"]._replace(event_id="r-3b"))
    world.inboxes["inventory"].add("a-3")
    world.inboxes["orders"].add("r-3b")


@breaks(7)
def another_question_was_asked_again(world: World) -> None:
    world.see("p-1b", content=about(1, 3))


@breaks(7)
def a_question_was_asked_again_at_a_version_that_never_was(world: World) -> None:
    world.see("p-1b", sequence=9)


# 8: one effect per event


@breaks(8)
def a_question_never_reached_the_inbox(world: World) -> None:
    world.inboxes["inventory"].remove("p-1b")


@breaks(8)
def an_answer_never_reached_the_inbox(world: World) -> None:
    world.inboxes["orders"].remove("s-1b")


@breaks(8)
def an_event_is_in_an_inbox_that_was_never_sent(world: World) -> None:
    world.inboxes["orders"].add("s-9")


@breaks(8)
def an_event_is_in_the_inbox_of_the_wrong_service(world: World) -> None:
    world.inboxes["orders"].add("p-1")


@breaks()
def poison_is_in_an_inbox(world: World) -> None:
    world.inboxes["orders"].add("bad")


@breaks(8)
def a_question_was_answered_twice(world: World) -> None:
    world.observed_events.append(world.observed_events[4]._replace(event_id="s-1c"))
    world.inboxes["orders"].add("s-1c")


@breaks()
def a_question_was_answered_again_after_the_inbox_had_forgotten_it(world: World) -> None:
    world.observed_events.append(world.observed_events[4]._replace(event_id="s-1c"))
    world.inboxes["orders"] = {"s-1c"}
    world.rest["forgetful"] = True


@breaks(8)
def without_an_audit_queue_an_inbox_is_too_small(world: World) -> None:
    world.rest["observed_events"] = None
    world.inboxes["orders"] = {"s-1", "s-2"}


@breaks(8)
def without_an_audit_queue_a_release_has_no_event(world: World) -> None:
    world.rest["observed_events"] = None
    world.inboxes["inventory"] = {"p-1", "p-2", "p-3", "x-4"}


@breaks()
def there_was_no_audit_queue(world: World) -> None:
    world.rest["observed_events"] = None


# 9: nothing silently parked


@breaks(9)
def something_was_parked_that_was_no_poison(world: World) -> None:
    world.letters.append(Letter("orders", "s-9", "holdfast.inventory.v1.StockReserved", "failed"))


@breaks(9)
def poison_was_parked_without_a_reason(world: World) -> None:
    world.letters[0] = world.letters[0]._replace(reason="")


@breaks(9)
def poison_was_dropped(world: World) -> None:
    world.letters.clear()


@breaks(9)
def messages_are_left_in_a_queue(world: World) -> None:
    world.rest["queues"] = {"holdfast.inventory.orders": 0, "holdfast.orders.answers": 2}


# 11: reads


@breaks(11)
def an_order_was_not_found_after_it_was_told_of(world: World) -> None:
    world.change_call(16, request={"order_id": "o-1"})


@breaks(11)
def an_order_was_not_found_for_cancelling_after_it_was_told_of(world: World) -> None:
    world.change_call(11, code="NOT_FOUND")


@breaks(11)
def a_confirmed_order_could_not_be_cancelled(world: World) -> None:
    world.call("anna", "CancelOrder", {"order_id": "o-1"}, "FAILED_PRECONDITION")


@breaks()
def an_order_was_not_found_while_it_was_being_placed(world: World) -> None:
    world.change_call(16, request={"order_id": "o-1"}, invoked_at=14.0)


@breaks(11)
def an_order_went_back(world: World) -> None:
    world.swap_answers(8, 9)


@breaks()
def two_reads_at_once_tell_what_they_like(world: World) -> None:
    world.swap_answers(8, 9)
    world.change_call(8, ended_at=92.0)


@breaks(11)
def an_order_went_back_for_one_caller_at_the_same_moment(world: World) -> None:
    world.swap_answers(8, 9)
    world.change_call(8, ended_at=90.0)


@breaks()
def an_order_went_back_for_another_caller_at_the_same_moment(world: World) -> None:
    world.swap_answers(8, 9)
    world.change_call(8, ended_at=90.0, client="emil")


@breaks(11)
def a_repeat_was_told_an_older_status_than_a_read(world: World) -> None:
    pending = {"order_id": "o-1", "status": "PENDING"}
    world.call("anna", "CreateOrder", world.calls[1].request, pending)


@breaks(11)
def a_status_was_read_that_never_was(world: World) -> None:
    world.answer(8, status="REJECTED")


@breaks(11)
def a_version_was_read_that_never_was(world: World) -> None:
    world.answer(9, version=4)


@breaks(11)
def a_status_was_read_at_another_version(world: World) -> None:
    world.answer(9, version=1)


@breaks(11)
def other_lines_were_read(world: World) -> None:
    world.answer(8, lines=[["LAMP", 3]])


@breaks(11)
def another_total_was_read(world: World) -> None:
    world.answer(8, total_minor=1)


@breaks(11)
def an_order_was_read_that_is_not_there(world: World) -> None:
    value = {"order_id": "o-9", "status": "PENDING", "version": 1}
    world.change_call(16, outcome="ok", code="", value=value)


@breaks(11)
def negative_stock_was_read(world: World) -> None:
    world.answer(12, reserved=12, available=-2)


@breaks(11)
def more_was_available_than_not_reserved(world: World) -> None:
    world.answer(12, available=10)


@breaks(11)
def stock_was_read_that_never_was(world: World) -> None:
    world.answer(12, on_hand=7, available=5)


@breaks(11)
def stock_went_back_after_a_change_was_acknowledged(world: World) -> None:
    world.answer(15, on_hand=10, available=8)


@breaks(11)
def stock_was_not_found_after_it_was_told_of(world: World) -> None:
    world.change_call(15, outcome="fail", code="NOT_FOUND", value=None)


# 13: liveness


@breaks(13)
def an_order_is_still_pending(world: World) -> None:
    world.orders["o-4"] = order("o-4", "dora", "r-1", 1, "PENDING")
    world.change_order("o-4", answered=0, sequence=0, revision=0)
    world.unanswered.add("o-4")
    del world.reservations["o-4"]
    world.unsee("x-4", "r-4")


@breaks(13)
def events_wait_in_an_outbox(world: World) -> None:
    world.outboxes["inventory"] = 1


# 14: no growth


@breaks(14)
def memory_grew(world: World) -> None:
    world.rest["resources"] = {"RSS": [50.0 + 10 * number for number in range(20)]}


@breaks(14)
def connections_are_not_given_back(world: World) -> None:
    world.rest["resources"] = {"connections": [10.0 + number for number in range(40)]}


@pytest.mark.parametrize(("invariants", "damage"), damages.cases)
def test_damage_breaks_its_promise_and_no_other(invariants: set[int], damage: Damage) -> None:
    world = World()

    damage(world)

    found = check(world.record())
    assert {violation.invariant for violation in found} == invariants, found
