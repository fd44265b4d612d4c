"""What happens on the way: between callers, services, brokers and databases."""

from collections.abc import Sequence
from typing import ClassVar

from proof.chaos.fault import EFFECT_S_MAX, Fault, within
from proof.chaos.link_conditions import GOOD, LinkConditions, Way
from proof.chaos.testbed import CALLERS


class WireFault(Fault):
    """A fault of some wires that begin at one instance or the callers: of one, of all to the same
    kind of server, or of all.
    """

    group = "wires"
    durations_s: ClassVar[tuple[float, ...]] = (3.0, 10.0, 30.0)

    def choose(self) -> None:
        client = self.chance.choice([CALLERS, *self.testbed.instances])
        every = [wire for wire in self.testbed.wires if wire[0] == client]
        one = self.chance.choice(every)
        self.alike = [wire for wire in every if _kind(wire[1]) == _kind(one[1])]
        self.wires = self.chance.choice([[one], self.alike, every])
        self.conditions = self.choose_conditions()
        servers = " ".join(server for _, server in self.wires)
        self.target = f"{client} to {servers}: {_told(self.conditions)}"

    def choose_conditions(self) -> LinkConditions:
        raise NotImplementedError

    def choose_ways(self, way: Way) -> LinkConditions:
        """The same in both directions, or in one of them."""
        return self.chance.choice(
            [LinkConditions(way, way), LinkConditions(to_server=way), LinkConditions(to_client=way)]
        )

    def _strike(self) -> None:
        for client, server in self.wires:
            self.testbed.wires.set(client, server, self.conditions)

    def _heal(self) -> None:
        for client, server in self.wires:
            self.testbed.wires.set(client, server, GOOD)


class WireHeld(WireFault):
    """Half-open connections: nothing comes, and nobody is told."""

    name = "wire held"

    def choose_conditions(self) -> LinkConditions:
        return self.choose_ways(Way(is_held=True))


class WireSlow(WireFault):
    name = "wire slow"

    def choose_conditions(self) -> LinkConditions:
        latency_s = self.chance.choice([0.05, 0.2, 0.5, 2.0])
        return self.choose_ways(Way(latency_s=latency_s, jitter_s=latency_s))


class WireNarrow(WireFault):
    name = "wire narrow"

    def choose_conditions(self) -> LinkConditions:
        return self.choose_ways(Way(bytes_per_s=self.chance.choice([2_000, 10_000, 50_000])))


class WireRefused(WireFault):
    """Connections are reset, and new ones refused."""

    name = "wire refused"

    def choose_conditions(self) -> LinkConditions:
        return LinkConditions(is_refused=True)

    def _strike(self) -> None:
        super()._strike()
        for client, server in self.wires:
            self.testbed.wires.cut(client, server)


class WireCut(WireFault):
    """Connections are reset, and new ones taken."""

    name = "wire cut"
    durations_s = (0.0,)

    def choose_conditions(self) -> LinkConditions:
        return GOOD

    def _strike(self) -> None:
        # One that was lost before, on a slow machine, is soon there again.
        within(EFFECT_S_MAX, self._cut_any, "there was no connection")

    def _cut_any(self) -> bool:
        # Who knows several servers of a kind may talk to another of them alone.
        return self._cut_all(self.wires) > 0 or self._cut_all(self.alike) > 0

    def _cut_all(self, wires: Sequence[tuple[str, str]]) -> int:
        return sum(self.testbed.wires.cut(*wire) for wire in wires)


class WireCutInAFrame(WireFault):
    """Each connection is reset after so many bytes more, wherever in a frame that is."""

    name = "wire cut in the middle of a frame"
    durations_s = (3.0,)

    def choose_conditions(self) -> LinkConditions:
        return self.choose_ways(Way(cut_after_bytes=self.chance.randint(1, 20_000)))


def _kind(name: str) -> str:
    return name.partition("-")[0]


def _told(conditions: LinkConditions) -> str:
    """What differs from good conditions."""
    ways = {"to server": conditions.to_server, "to client": conditions.to_client}
    found = [
        f"{direction} {field} {value}"
        for direction, way in ways.items()
        for field in way.__slots__
        if (value := getattr(way, field)) != getattr(Way(), field)
    ]
    return ", ".join([*found, *["refused"] * conditions.is_refused]) or "reset"


KINDS: list[type[Fault]] = [
    WireHeld,
    WireSlow,
    WireNarrow,
    WireRefused,
    WireCut,
    WireCutInAFrame,
]
