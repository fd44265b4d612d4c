"""The brokers of a world, for its processes and its judge: in memory, or a simulated RabbitMQ."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from random import Random

from aiormq import spec

from holdfast.chassis.messaging.broker import Broker, Event, exchange_of
from holdfast.chassis.messaging.cloudevents import NotAnEventBatch, decode_batch, encode_batch
from holdfast.chassis.messaging.local_broker import LocalBroker
from holdfast.chassis.messaging.rabbitmq import RabbitMQ
from proof.rules.due import ANSWERS, QUESTIONS
from proof.simulation.audit import AuditedBroker
from proof.simulation.fault_rates import FaultRates
from proof.simulation.loop import Process, current_process
from proof.simulation.poison import PLACED, Poison
from proof.simulation.programs import SUBSCRIPTIONS
from proof.simulation.rabbitmq import URL, SimulatedRabbitMQ
from proof.simulation.rabbitmq_blows import Blows
from proof.simulation.rabbitmq_faults import Faults, Tell
from proof.simulation.rabbitmq_queues import Letter

COMING_AGAIN_MAX = 10


class LocalBrokers:
    """Embedded mode: a broker in each life of the process, which dies with it."""

    def __init__(self, fault_rates: FaultRates) -> None:
        self.heard: list[Event] = []  # in the order in which they were taken
        self.parked: set[str] = set()  # what can only be parked by whoever receives it
        self.has_refused = False
        self.lost: set[str] = set()  # nothing: what it took is in the inbox
        self._fault_rates = fault_rates
        self._deadly: set[str] = set()
        self._extra: list[Event] = []  # to be published with whatever comes next

    @property
    def depths(self) -> Mapping[str, int]:
        """Messages by queue: what is in memory stands in the outbox, too."""
        return {}

    @property
    def struck(self) -> Mapping[str, int]:
        """How often what went wrong with it: that is the business of the fault rates."""
        return {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Broker]:
        """Open the broker seam for the current process."""
        broker = LocalBroker(SUBSCRIPTIONS)
        yield AuditedBroker(broker, self.take, self._refuse, self._fault_rates, self._extra)

    def take(self, event: Event) -> None:
        self.heard.append(event)
        if event.event_id in self._deadly:
            self.parked.add(event.event_id)

    def _refuse(self) -> None:
        self.has_refused = True

    @contextmanager
    def in_place_of_the_real_one(self) -> Iterator[None]:
        """There is nothing that it has to replace."""
        yield

    def begin(self, faults: Faults) -> None:
        """Nothing happens to it by itself but what the fault rates bring."""

    def heal(self) -> None:
        """What was to come still comes."""

    def poison(self, poison: Poison, chance: Random) -> None:
        """Send something that does harm."""
        event = chance.choice((poison.broken, poison.stranger))()
        self._extra.append(event)
        if event.type == PLACED:
            self._deadly.add(event.event_id)

    def repeat(self, chance: Random) -> None:
        """Send again some of what was sent before, in any order."""
        self._extra += chance.sample(self.heard, min(len(self.heard), COMING_AGAIN_MAX))

    def lose_queue(self, chance: Random) -> None:
        """It has no queues."""

    def process_died(self, process: Process) -> None: ...

    def process_froze(self, process: Process) -> None: ...

    def process_thawed(self, process: Process) -> None: ...


class RabbitmqBrokers:
    """The cluster's broker: the real adapter in each process, and one simulated RabbitMQ."""

    def __init__(self, chance: Random, tell: Tell, prefetch_messages: int) -> None:
        self.parked: set[str] = set()
        self._rabbitmq = SimulatedRabbitMQ(
            chance, owner=current_process, tell=tell, may_be_lost=(*QUESTIONS, *ANSWERS)
        )
        self._blows = Blows(self._rabbitmq)
        self._prefetch_messages = prefetch_messages
        self.in_place_of_the_real_one = self._rabbitmq.in_place_of_the_real_one
        self.heal = self._blows.heal
        self.process_froze, self.process_thawed = self._rabbitmq.freeze, self._rabbitmq.thaw

    @property
    def depths(self) -> Mapping[str, int]:
        return self._rabbitmq.depths

    @property
    def struck(self) -> Mapping[str, int]:
        return self._rabbitmq.fate.struck

    @property
    def has_refused(self) -> bool:
        """Whether some message was not taken, so that later ones may have overtaken it."""
        return self._rabbitmq.refusals > 0

    @property
    def lost(self) -> set[str]:
        """Ids of events that the broker took and then lost; they are asked for again."""
        return {event.event_id for letter in self._rabbitmq.lost for event in _events(letter)}

    @property
    def heard(self) -> list[Event]:
        return [event for one in self._rabbitmq.heard for event in _events(one.letter)]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Broker]:
        broker = RabbitMQ(
            URL, subscriptions=SUBSCRIPTIONS, prefetch_messages=self._prefetch_messages
        )
        try:
            yield broker
        finally:
            await broker.close()

    def begin(self, faults: Faults) -> None:
        """Let faults happen from now on."""
        self._rabbitmq.fate.faults = faults
        self._blows.start()

    def poison(self, poison: Poison, chance: Random) -> None:
        make = chance.choice((poison.broken, poison.stranger, poison.unheard_of, None))
        event_type = PLACED  # where it can't be delivered, nobody would have to park it
        if make is None:
            letter_id, body = poison.garbage()
        else:
            event = make()
            letter_id, body = event.event_id, encode_batch([event])
            if make == poison.stranger:
                event_type = event.type
        properties = spec.Basic.Properties(message_type=event_type)
        letter = Letter(exchange_of(event_type), event_type, body, properties)
        if self._hold(letter) and make != poison.stranger:
            self.parked.add(letter_id)

    def repeat(self, chance: Random) -> None:
        letters = [one.letter for one in self._rabbitmq.heard]
        for letter in chance.sample(letters, min(len(letters), COMING_AGAIN_MAX)):
            self._hold(letter)

    def lose_queue(self, chance: Random) -> None:
        """Delete a queue that is empty: a full one would take its events along."""
        if empty := [name for name, depth in self.depths.items() if not depth]:
            self._rabbitmq.delete_queue(chance.choice(empty))

    def process_died(self, process: Process) -> None:
        self._rabbitmq.thaw(process)  # its machine is well and closes its connections
        self._rabbitmq.lose(process)

    def _hold(self, letter: Letter) -> bool:
        """Put a letter into the queue that must hear its type; return whether it is there."""
        for one in SUBSCRIPTIONS:
            queue = self._rabbitmq.queues.get(one.queue)
            if queue is not None and letter.properties.message_type in one.types:
                return queue.put(letter)
        return False


def _events(letter: Letter) -> list[Event]:
    try:
        return decode_batch(letter.body)
    except NotAnEventBatch:
        return []


Brokers = LocalBrokers | RabbitmqBrokers
