"""Blows against the simulated broker as a whole, each at random moments, until it is healed."""

import asyncio

from proof.simulation.rabbitmq import SimulatedRabbitMQ


class Blows:
    """Lets the blows fall that the broker's faults name, so many in a minute."""

    def __init__(self, broker: SimulatedRabbitMQ) -> None:
        self._broker, self._fate = broker, broker.fate
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._acts = {
            "cuts_per_min": self._cut,
            "freezes_per_min": self._freeze,
            "refusals_per_min": self._refuse,
            "restarts_per_min": self._restart,
            "alarms_per_min": self._run_short,
            "elections_per_min": self._stall,
            "cancels_per_min": self._cancel,
            "forgotten_per_min": self._forget,
            "lost_bindings_per_min": self._lose_binding,
            "lost_queues_per_min": self._lose_queue,
            "purges_per_min": self._purge,
        }

    def start(self) -> None:
        for kind in self._acts:
            self._wait(kind)

    def heal(self) -> None:
        """Let no blow fall any more, and end what the others began."""
        for timer in self._timers.values():
            timer.cancel()
        self._broker.heal()

    def strike(self, kind: str) -> None:
        """Let one fall now."""
        self._fate.struck[kind] += 1
        self._acts[kind]()

    def _wait(self, kind: str) -> None:
        per_min = getattr(self._fate.faults, kind)
        if per_min:
            delay_s = self._fate.rng.expovariate(per_min / 60)
            self._timers[kind] = self._fate.later(delay_s, self._fall, kind)

    def _fall(self, kind: str) -> None:
        self.strike(kind)
        self._wait(kind)

    def _lasting(self, what: str) -> float:
        seconds = self._fate.rng.uniform(0, self._fate.faults.blow_s_max)
        self._fate.tell(f"{what} for {seconds:.2f} s")
        return seconds

    def _cut(self) -> None:
        if lines := self._broker.lines:
            line = self._fate.rng.choice(lines)
            self._fate.tell(f"connection {line.number} of {line.owner} is cut")
            line.cut()

    def _freeze(self) -> None:
        if lines := self._broker.lines:
            line = self._fate.rng.choice(lines)
            seconds = self._lasting(f"connection {line.number} of {line.owner} is frozen")
            line.freeze()
            self._fate.later(seconds, line.thaw)

    def _refuse(self) -> None:
        self._broker.refuse()
        self._fate.later(self._lasting("connections are refused"), self._broker.accept)

    def _restart(self) -> None:
        self._broker.stop()
        self._fate.later(self._lasting("the broker is away"), self._broker.accept)

    def _run_short(self) -> None:
        self._broker.run_short()
        self._fate.later(self._lasting("the broker runs short"), self._broker.end_shortage)

    def _stall(self) -> None:
        if queues := list(self._broker.queues.values()):
            queue = self._fate.rng.choice(queues)
            queue.is_stalled = True
            self._fate.later(self._lasting(f"{queue.name} has no leader"), queue.lead)

    def _cancel(self) -> None:
        if consumers := self._broker.consumers:
            self._fate.tell("a consumer is cancelled")
            self._broker.cancel(self._fate.rng.choice(consumers))

    def _forget(self) -> None:
        """As RabbitMQ 3.10 does at times when a queue is deleted and made anew."""
        if consumers := self._broker.consumers:
            self._fate.tell("a consumer is forgotten")
            self._fate.rng.choice(consumers).is_forgotten = True

    def _lose_binding(self) -> None:
        bound = [
            (exchange, queue, key)
            for exchange in self._broker.exchanges.values()
            for key, queues in exchange.bindings.items()
            for queue in queues
        ]
        if bound:
            exchange, queue, key = self._fate.rng.choice(bound)
            self._fate.tell(f"{queue} loses its binding to {exchange.name} by {key}")
            exchange.unbind(queue, key)

    def _lose_queue(self) -> None:
        """Delete an empty queue: what goes with a full one is gone, and no promise holds then."""
        empty = [name for name, length in self._broker.depths.items() if not length]
        if empty:
            name = self._fate.rng.choice(empty)
            self._fate.tell(f"{name} is deleted")
            self._broker.delete_queue(name)

    def _purge(self) -> None:
        if queues := list(self._broker.queues.values()):
            queue = self._fate.rng.choice(queues)
            if lost := self._broker.purge(queue):
                self._fate.tell(f"{queue.name} loses {lost} messages")
