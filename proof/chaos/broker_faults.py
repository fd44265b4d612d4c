"""What happens to RabbitMQ: to its nodes, between them, and by the hand of its operator."""

from typing import ClassVar
from urllib.parse import quote

from proof.chaos.broker_nodes import SERVICES_USER, VHOST, BrokerNode
from proof.chaos.fault import EFFECT_S_MAX, Fault, require, within
from proof.chaos.link_conditions import BLACK_HOLE, GOOD, LinkConditions
from testbed.processes import ProgramFailed

WATERMARK = "set_vm_memory_high_watermark"
MEMORY_SHARE = "0.4"
DISK_FREE = "50MB"


class BrokerFault(Fault):
    """A fault of one node, unless a kind chooses otherwise."""

    group = "brokers"
    nodes_hit = 1

    def choose(self) -> None:
        names = self.chance.sample(sorted(self.testbed.brokers.nodes), k=self.nodes_hit)
        self.nodes = [self.testbed.brokers[name] for name in sorted(names)]
        self.target = " ".join(node.name for node in self.nodes)

    def _heal(self) -> None:
        self.testbed.brokers.heal()

    def _kill(self, node: BrokerNode) -> None:
        require(node.program.kill() > 0, f"{node.name} was dead already")
        self.kills += 1


class NodeKilled(BrokerFault):
    name = "broker node killed"
    durations_s: ClassVar[tuple[float, ...]] = (0.0, 5.0, 15.0)

    def _strike(self) -> None:
        for node in self.nodes:
            self._kill(node)


class MajorityKilled(NodeKilled):
    """The node that is left must stop, not lie."""

    name = "broker majority killed"
    nodes_hit = 2


class AllNodesKilled(NodeKilled):
    name = "all broker nodes killed"
    durations_s = (0.0, 5.0)
    nodes_hit = 3


class LeaderKilled(BrokerFault):
    """The node that leads a queue at that moment."""

    name = "broker leader killed"
    durations_s = (0.0, 5.0, 15.0)

    def choose(self) -> None:
        Fault.choose(self)

    def _strike(self) -> None:
        leaders = self.testbed.brokers.leaders()
        require(bool(leaders), "no queue has a leader")
        self.target = self.chance.choice(sorted(leaders))
        self._kill(self.testbed.brokers[self.target])


class NodeFrozen(BrokerFault):
    name = "broker node frozen"
    durations_s = (3.0, 8.0, 20.0, 40.0)

    def _strike(self) -> None:
        for node in self.nodes:
            node.program.freeze()
            require(node.program.is_frozen(), f"{node.name} goes on")


class NodeRestarted(BrokerFault):
    name = "broker node restarted in good order"
    durations_s = (0.0, 5.0)

    def _strike(self) -> None:
        for node in self.nodes:
            node.stop()


class NodesRestartedInTurn(BrokerFault):
    """As for an upgrade: each is drained, stopped and started before the next."""

    name = "broker nodes restarted in turn"
    nodes_hit = 3

    def _strike(self) -> None:
        for node in self.nodes:
            node.upgrade("drain")
            node.stop()
            node.launch()
            self.testbed.brokers.wait_until_whole()


class AppStopped(BrokerFault):
    """The broker is away while its process stays."""

    name = "broker app stopped"
    durations_s = (5.0, 15.0)

    def _strike(self) -> None:
        (node,) = self.nodes
        node.stop_app()
        require(not node.sees(), f"{node.name} serves without its app")

    def _heal(self) -> None:
        (node,) = self.nodes
        if not node.sees():
            node.start_app()
        super()._heal()


class NodeDrained(BrokerFault):
    """Its queues get other leaders, its clients are sent away, and it takes no new ones."""

    name = "broker node drained"
    durations_s = (5.0, 15.0)

    def _strike(self) -> None:
        (node,) = self.nodes
        node.upgrade("drain")
        brokers = self.testbed.brokers
        within(EFFECT_S_MAX, lambda: node.name not in brokers.leaders(), f"{node.name} leads")

    def _heal(self) -> None:
        (node,) = self.nodes
        node.upgrade("revive")
        super()._heal()


class MemoryAlarm(BrokerFault):
    """One node's alarm blocks the publishers of all."""

    name = "broker memory alarm"
    durations_s = (5.0, 15.0)
    alarm = "memory"
    begin = (WATERMARK, "0.0000001")
    end = (WATERMARK, MEMORY_SHARE)

    def _strike(self) -> None:
        (node,) = self.nodes
        node.ctl(*self.begin)
        within(EFFECT_S_MAX, lambda: self._is_alarmed(node), f"{node.name} has no {self.alarm}")

    def _is_alarmed(self, node: BrokerNode) -> bool:
        try:
            node.api("GET", "/api/health/checks/local-alarms")
        except ProgramFailed as told:  # in words, with the status 503
            return f'"resource":"{self.alarm}' in str(told)  # memory, disk_space
        return False

    def _heal(self) -> None:
        (node,) = self.nodes
        node.ctl(*self.end)
        super()._heal()


class DiskAlarm(MemoryAlarm):
    name = "broker disk alarm"
    alarm = "disk"
    begin = ("set_disk_free_limit", "100000GB")
    end = ("set_disk_free_limit", DISK_FREE)


class ConnectionsClosed(BrokerFault):
    """By the operator, all those of the services."""

    name = "broker connections closed"

    def choose(self) -> None:
        self.target = "the services' connections"

    def _strike(self) -> None:
        require(self.testbed.brokers.close_connections() > 0, "there was no connection")


class PermissionRevoked(ConnectionsClosed):
    """The services may do nothing in their vhost, and have to find that out."""

    name = "broker permission revoked"
    durations_s = (3.0, 10.0)

    def choose(self) -> None:
        self.target = SERVICES_USER

    def _strike(self) -> None:
        self.testbed.brokers.forbid()
        super()._strike()

    def _heal(self) -> None:
        self.testbed.brokers.permit()
        super()._heal()


class BindingDeleted(BrokerFault):
    """Nobody tells the services; they have to declare it again by themselves."""

    name = "broker binding deleted"
    durations_s = (12.0,)

    def choose(self) -> None:
        Fault.choose(self)

    def _strike(self) -> None:
        brokers = self.testbed.brokers
        bindings = [
            one
            for one in brokers.api("GET", f"/api/bindings/{VHOST}")
            if one["source"].startswith("holdfast.") and one["destination"].startswith("holdfast.")
        ]
        require(bool(bindings), "there is no binding")
        one = self.chance.choice(sorted(bindings, key=str))
        path = f"e/{one['source']}/q/{one['destination']}/{quote(one['properties_key'], safe='')}"
        self.target = f"{one['source']} to {one['destination']} by {one['routing_key']}"
        brokers.api("DELETE", f"/api/bindings/{VHOST}/{path}")


class NodesParted(BrokerFault):
    """A partition: one node alone, or two that don't see each other while the third sees both.
    Either silently, or with connections reset and refused.
    """

    name = "broker nodes parted"
    durations_s = (5.0, 15.0, 30.0)

    def choose(self) -> None:
        one, another, third = self.chance.sample(sorted(self.testbed.brokers.nodes), k=3)
        others = self.chance.choice([(another,), (another, third)])
        self.is_silent = self.chance.random() < 0.5
        self.wires = self.testbed.wires.between([one], others)
        how = "silently" if self.is_silent else "loudly"
        self.target = f"{one} from {' and '.join(others)}, {how}"

    def _strike(self) -> None:
        conditions = BLACK_HOLE if self.is_silent else LinkConditions(is_refused=True)
        cut = 0
        for client, server in self.wires:
            self.testbed.wires.set(client, server, conditions)
            if not self.is_silent:
                cut += self.testbed.wires.cut(client, server)
        require(self.is_silent or cut > 0, "the nodes had no connection")

    def _heal(self) -> None:
        for client, server in self.wires:
            self.testbed.wires.set(client, server, GOOD)
        super()._heal()


KINDS: list[type[Fault]] = [
    NodeKilled,
    MajorityKilled,
    AllNodesKilled,
    LeaderKilled,
    NodeFrozen,
    NodeRestarted,
    NodesRestartedInTurn,
    AppStopped,
    NodeDrained,
    MemoryAlarm,
    DiskAlarm,
    ConnectionsClosed,
    PermissionRevoked,
    BindingDeleted,
    NodesParted,
]
