"""Bugs in the talk with RabbitMQ: acknowledgements, confirms, returns, topology."""

import asyncio
from contextlib import suppress
from typing import Any

from holdfast.chassis.failpoints import failpoint
from holdfast.chassis.messaging import rabbitmq
from holdfast.chassis.messaging.broker import BrokerUnavailable
from holdfast.chassis.messaging.local_broker import Delivery, LocalBroker, answer
from holdfast.chassis.messaging.rabbitmq import Arrivals, Batch, Consumer, Pack, RabbitMQ
from holdfast.chassis.messaging.rabbitmq_link import Link
from holdfast.chassis.messaging.rabbitmq_names import Topology
from proof.mutants.planting import bug, edited, original

BROKER = "tests/contract/test_broker.py"
LINKS = "tests/contract/test_lost_links.py"

HAND_OVER = "await self._hand_over(batch, channel)"
ACK = "await link.do(channel.basic_ack(batch.last_tag, multiple=True))"

_receive = original(LocalBroker, "_receive")
_hand_over = original(Consumer, "_hand_over")
_publish_copy = original(RabbitMQ, "_publish_copy")


async def _ack(link: Link, channel: Any, tag: int) -> None:
    await link.do(channel.basic_ack(tag, multiple=True))


async def ack_all_that_arrived(self: Any, link: Link, prefetch_messages: int) -> None:
    arrived: Any = asyncio.Queue()
    channel = await link.do(self._start(link, arrived, prefetch_messages))
    acked = 0
    while batch := await self._next_batch(arrived):
        await self._hand_over(batch, channel)
        waiting = [message.delivery_tag for message in arrived._queue if message]
        newest = max([batch.last_tag, *waiting])
        if newest > acked:
            await _ack(link, channel, newest)
            acked = newest
            await failpoint("events acknowledged")
    await link.do(channel.close())


async def ack_on_a_new_channel(self: Any, link: Link, prefetch_messages: int) -> None:
    arrived: Arrivals = asyncio.Queue()
    channel = await link.do(self._start(link, arrived, prefetch_messages))
    newest = vars(self._receiver).setdefault("newest", {})  # outlives the link, as a mended one
    newest[self._queue, self._is_dead] = link, channel

    async def handle(batch: Batch) -> None:
        with suppress(BrokerUnavailable):
            await self._hand_over(batch, channel)
            latest_link, latest_channel = newest[self._queue, self._is_dead]
            await _ack(latest_link, latest_channel, batch.last_tag)

    while batch := await self._next_batch(arrived):
        await asyncio.shield(asyncio.ensure_future(handle(batch)))
    await link.do(channel.close())


async def answer_first(self: LocalBroker, queue: str, delivery: Delivery, receiver: object) -> None:
    answer(delivery, accepted=True)
    await _receive(self, queue, delivery, receiver)


def never_doubt(self: Link) -> bool:
    return self.connection.is_closed or self.channel.is_closed


async def park_nothing(self: Any, batch: Batch, channel: Any) -> None:
    batch.letters.clear()
    await _hand_over(self, batch, channel)


async def count_a_refusal_as_taken(
    self: Any, link: Link, pack: Pack, exchange: str, queue: str, taken: set[str]
) -> None:
    await _publish_copy(self, link, pack, exchange, queue, taken)
    taken.update(event.event_id for event in pack.events)


async def count_one_copy_as_all(
    self: Any, link: Link, pack: Pack, exchange: str, queue: str, taken: set[str]
) -> None:
    pack.copies = 1
    await _publish_copy(self, link, pack, exchange, queue, taken)


BUGS = (
    bug(
        "ack before commit",
        "The consumer acknowledges a batch, then handles it; a crash in between loses it.",
        edited(
            Consumer,
            "_run_until_idle",
            (HAND_OVER, "await later"),
            (ACK, HAND_OVER),
            ("await later", ACK),
        ),
    ),
    bug(
        "batch ack past an unfinished tag",
        "The ack names the newest message that arrived, not the newest that was handled.",
        (Consumer, "_run_until_idle", ack_all_that_arrived),
    ),
    bug(
        "ack on a new channel",
        "A handler outlives its link and acknowledges on the next, where its tag is another's.",
        (Consumer, "_run_until_idle", ack_on_a_new_channel),
        tests=(f"{LINKS}::test_an_ack_settles_nothing_that_came_on_another_channel",),
        why_tests="what is lost by it has to be lost once more, by a death at that very moment",
    ),
    bug(
        "answer before commit",
        "The local broker tells the publisher that the events are taken, then hands them over.",
        (LocalBroker, "_receive", answer_first),
    ),
    bug(
        "ignore returns",
        "What finds no queue counts as taken.",
        edited(RabbitMQ, "_publish_copy", ("mandatory=bool(queue)", "mandatory=False")),
        tests=(f"{BROKER}::test_a_must_hear_event_is_not_taken_without_its_queue",),
        why_tests="a queue is missing for seconds only, until somebody declares it again",
    ),
    bug(
        "one copy counts for all",
        "An event is taken when its queue or its exchange confirmed it, not both.",
        (RabbitMQ, "_publish_copy", count_one_copy_as_all),
    ),
    bug(
        "nack taken for an ack",
        "What the broker refused counts as taken.",
        (RabbitMQ, "_publish_copy", count_a_refusal_as_taken),
    ),
    bug(
        "no confirms",
        "The channel has no publisher confirms: written to the socket counts as taken.",
        edited(Link, "_open", ("channel()", "channel(publisher_confirms=False)")),
        edited(Link, "declare_exchanges", ("channel()", "channel(publisher_confirms=False)")),
    ),
    bug(
        "dead letters go nowhere",
        "The queues have no dead-letter exchange: what the broker gives up is gone.",
        edited(Topology, "_queue_settings", ("_limit) |", "_limit) or")),
        tests=(f"{BROKER}::test_what_the_broker_gives_up_is_parked_event_by_event",),
        why_tests="no simulated crash loop is as long as the delivery limit",
    ),
    bug(
        "a dead letter is acknowledged unread",
        "Dead letters are acknowledged and kept nowhere.",
        (Consumer, "_hand_over", park_nothing),
    ),
    bug(
        "rubbish is dropped",
        "Bytes that are no event are acknowledged and kept nowhere.",
        edited(
            Consumer,
            "_sort",
            ("batch.letters.append(cloudevents.unreadable(queue, body, reason))", "pass"),
        ),
    ),
    bug(
        "an idle consumer trusts its channel",
        "A consumer that the broker forgot waits for ever.",
        (rabbitmq, "IDLE_S", 1e9),
    ),
    bug(
        "a missing queue stays missing",
        "After a return the publisher goes on with its link and declares nothing again.",
        (Link, "is_spent", property(never_doubt)),
        tests=(f"{BROKER}::test_a_must_hear_event_is_not_taken_without_its_queue",),
        why_tests="a consumer declares everything again within seconds; publishers wait for it",
    ),
)
