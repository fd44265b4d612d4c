"""Three private RabbitMQ nodes in a cluster, each of which can be broken by itself.

Each has a port mapper (epmd) of its own, in which the others are registered with the ports of
wires: so what the nodes say to each other can be held and cut like everything else.
"""

import http.client
import secrets
import signal
import socket
import struct
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import permutations
from pathlib import Path
from typing import Any
from urllib.parse import quote

from proof.chaos.wires import Wires
from testbed.processes import Program, ProgramFailed, run
from testbed.servers import RabbitmqServer
from testbed.waiting import wait_until

NODES = 3
VHOST = "holdfast"
SERVICES_USER = "services"
TOGETHER_S_MAX = 90.0
PARTED_S = 20.0  # a partition that lasts longer than this, though all is well, is left by nobody
EPMD_S_MAX = 10.0
LOOK_S = 0.2

# Three nodes on few processors: an idle scheduler shall sleep, and a silent neighbour shall be
# missed after 8 to 12 seconds instead of 45 to 75.
ERLANG_OPTIONS = "+sbwt none +sbwtdcpu none +sbwtdio none -kernel net_ticktime 10"

# A node answers, and its neighbours count on it, before it is whole: a vhost that is made between
# these two moments is never started on it, and no queue of that vhost can live there.
STARTED = b"Server startup complete"

# Erlang's port mapper: a request to be registered, and the answer to it.
EPMD_REGISTER, EPMD_REGISTERED = 120, (118, 121)
EPMD_NODE, EPMD_TCP, EPMD_VERSIONS = 77, 0, (6, 5)


# Ends every connection of the services, whichever node it is at, and tells how many that were.
CLOSE_CONNECTIONS = f"""
length([rabbit_networking:close_connection(Pid, <<"closed by the operator">>)
        || Pid <- rabbit_networking:connections(),
           (catch rabbit_networking:connection_info(Pid, [user]))
               =:= [{{user, <<"{SERVICES_USER}">>}}]]).
"""


class BrokerNode(RabbitmqServer):
    """One node of the cluster."""

    def __init__(self, folder: Path, name: str, *, cookie: str, password: str) -> None:
        folder.mkdir()
        super().__init__(folder)
        self.name, self._password = name, password
        self.erlang_name = f"{name}@localhost"
        self._program = Program(name, log=folder / "rabbitmq.log")
        self._peers: list[str] = []
        self._registrations: list[socket.socket] = []
        self._launched_at = 0  # where in its log this life began
        cookie_file = self._home / ".erlang.cookie"
        cookie_file.touch(mode=0o600)
        cookie_file.write_text(cookie)

    @property
    def distribution_port(self) -> int:
        return self._distribution_port

    def start_epmd(self) -> None:
        command = ["epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1"]
        self._epmd.start(command, env=self._environment(), cwd=self._home)
        self._epmd.wait_until(self._epmd_listens, EPMD_S_MAX, "did not start")

    def _epmd_listens(self) -> bool:
        with suppress(ConnectionRefusedError), socket.create_connection(self._epmd_address):
            return True
        return False

    def know(self, peer: "BrokerNode", port: int) -> None:
        """Register a peer with our own port mapper; it stays as long as the connection does."""
        self._peers.append(peer.erlang_name)
        name = peer.name.encode()
        request = struct.pack(
            f"!BHBBHHH{len(name)}sH",
            *(EPMD_REGISTER, port, EPMD_NODE, EPMD_TCP, *EPMD_VERSIONS, len(name), name, 0),
        )
        registration = socket.create_connection(self._epmd_address, timeout=10.0)
        registration.sendall(struct.pack("!H", len(request)) + request)
        answer = registration.recv(16)
        if len(answer) < 2 or answer[0] not in EPMD_REGISTERED or answer[1] != 0:
            raise ProgramFailed(f"epmd did not register {peer.name}: {answer!r}")
        self._registrations.append(registration)

    def launch(self) -> None:
        """Start the node without waiting for it: it may have to wait for its peers."""
        self._write_settings()
        command = [str(self._bin / "rabbitmq-server")]
        self._launched_at = self._program.log.stat().st_size if self._program.log.exists() else 0
        self._program.start(command, env=self._environment(), cwd=self._home)

    def has_started(self) -> bool:
        """Whether it has come to the end of its start since it was launched."""
        with self._program.log.open("rb") as log:
            log.seek(self._launched_at)
            return STARTED in log.read()

    def stop(self) -> None:
        """Stop in good order; the port mapper stays."""
        self._program.signal(signal.SIGTERM)

    def upgrade(self, step: str) -> None:
        """Prepare for an upgrade, or come back from it: `drain` or `revive`."""
        run(
            "rabbitmq-upgrade", [str(self._bin / "rabbitmq-upgrade"), step], env=self._environment()
        )

    def end(self) -> None:
        self._program.kill()
        for registration in self._registrations:
            registration.close()
        self._epmd.signal(signal.SIGKILL)

    def sees(self) -> set[str]:
        """The names of the nodes that run, as this one sees it; none if it doesn't serve."""
        nodes = self._nodes()
        if any(node.get("partitions") for node in nodes):
            return set()
        return {_node(node["name"]) for node in nodes if node["running"]}

    def parted_from(self) -> set[str]:
        """The names of the nodes that this one takes no news from since it was parted from them."""
        mine = [node for node in self._nodes() if _node(node["name"]) == self.name]
        return {_node(name) for node in mine for name in node.get("partitions", ())}

    def _nodes(self) -> list[dict[str, Any]]:
        """What it tells of all nodes; nothing if it doesn't serve."""
        try:
            self.api("GET", "/api/health/checks/virtual-hosts")
            found: Any = self.api("GET", "/api/nodes?columns=name,running,partitions")
        except (OSError, http.client.HTTPException, ProgramFailed):
            return []
        return list(found)

    @property
    def _epmd_address(self) -> tuple[str, int]:
        return "127.0.0.1", self._epmd_port

    def _write_settings(self) -> None:
        super()._write_settings()
        settings = {
            "cluster_formation.peer_discovery_backend": "classic_config",
            "cluster_partition_handling": "pause_minority",
            "management.rates_mode": "none",
        }
        for number, name in enumerate(sorted([self.erlang_name, *self._peers]), start=1):
            settings[f"cluster_formation.classic_config.nodes.{number}"] = name
        with (self._home / "rabbitmq.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())

    def _environment(self) -> dict[str, str]:
        environment = super()._environment()
        arguments = environment["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"]
        return environment | {
            "RABBITMQ_NODENAME": self.erlang_name,
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{arguments} {ERLANG_OPTIONS}",
        }


class BrokerNodes:
    """The cluster; its nodes are called broker-0, broker-1 and broker-2."""

    def __init__(self, folder: Path, wires: Wires) -> None:
        self._wires = wires
        self._services_password = secrets.token_hex(16)
        cookie, password = secrets.token_hex(16), secrets.token_hex(16)
        self.nodes = {
            name: BrokerNode(folder / name, name, cookie=cookie, password=password)
            for name in (f"broker-{number}" for number in range(NODES))
        }

    def __getitem__(self, name: str) -> BrokerNode:
        return self.nodes[name]

    def launch(self) -> None:
        """Start all nodes, without waiting for the twenty seconds that they need."""
        for node in self.nodes.values():
            node.start_epmd()
        for near, far in permutations(self.nodes.values(), 2):
            near.know(far, self._wires.open(near.name, far.name, far.distribution_port))
        for node in self.nodes.values():
            node.launch()

    def open(self) -> None:
        """Return when all nodes are one cluster with a vhost for the services."""
        self.wait_until_whole()
        first = next(iter(self.nodes.values()))
        first.create_vhost(VHOST)
        user = {"password": self._services_password, "tags": ""}
        first.api("PUT", f"/api/users/{SERVICES_USER}", user)
        self.permit()

    def end(self) -> None:
        for node in self.nodes.values():
            node.end()

    def url(self) -> str:
        """All nodes, past the wires, as the administrator."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes.values())
        login = next(iter(self.nodes.values())).url().partition("//")[2].partition("@")[0]
        return f"amqp://{login}@{hosts}/{quote(VHOST)}"

    def wired_url(self, client: str) -> str:
        """All nodes, through wires of the client's own, as the user of the services."""
        hosts = ",".join(
            f"127.0.0.1:{self._wires.open(client, node.name, node.port)}"
            for node in self.nodes.values()
        )
        return f"amqp://{SERVICES_USER}:{self._services_password}@{hosts}/{quote(VHOST)}"

    def permit(self) -> None:
        """Allow the services everything in their vhost."""
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.api("PUT", f"/api/permissions/{VHOST}/{SERVICES_USER}", everything)

    def forbid(self) -> None:
        """Allow the services nothing; what they have opened stays open."""
        self.api("DELETE", f"/api/permissions/{VHOST}/{SERVICES_USER}")

    def close_connections(self) -> int:
        """Close those of the services; return how many there were. The nodes are asked themselves:
        the management API tells of a connection late, and after other faults sometimes never.
        """
        return int(self.living()[0].ctl("--silent", "eval", CLOSE_CONNECTIONS))

    def living(self) -> list[BrokerNode]:
        """Nodes that run and are not frozen."""
        return [
            node
            for node in self.nodes.values()
            if node.program.is_running() and not node.program.is_frozen()
        ]

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Ask the management API of whichever node answers."""
        failure: Exception = ProgramFailed("no RabbitMQ node is running")
        for node in self.living():
            try:
                return node.api(method, path, body)
            except (OSError, http.client.HTTPException) as error:
                failure = error
        raise failure

    def queues(self) -> dict[str, dict[str, Any]]:
        """All quorum queues of the services as the management API tells of them; seconds old."""
        columns = "name,leader,members,online,messages"
        return {
            one["name"]: one for one in self.api("GET", f"/api/queues/{VHOST}?columns={columns}")
        }

    def leader(self, queue: str) -> str | None:
        """The node that leads a queue; None while none does."""
        leader = self._queue(queue)["leader"]
        return _node(leader) if leader else None

    def leaders(self) -> set[str]:
        """The nodes that lead a queue."""
        return {_node(one["leader"]) for one in self.queues().values() if one.get("leader")}

    def members(self, queue: str) -> set[str]:
        """The nodes that hold a copy of a queue."""
        return set(map(_node, self._queue(queue)["members"]))

    def depths(self) -> dict[str, int]:
        """Messages in each queue, waiting or not acknowledged; seconds old."""
        return {name: one.get("messages", -1) for name, one in self.queues().items()}

    def _queue(self, name: str) -> Any:
        return self.api("GET", f"/api/queues/{VHOST}/{quote(name, safe='')}")

    def is_whole(self) -> bool:
        """Whether every node has started and sees all nodes."""
        return all(
            node.has_started() and node.sees() == self.nodes.keys() for node in self.nodes.values()
        )

    def wait_until_whole(self, within_s: float = TOGETHER_S_MAX) -> None:
        def is_whole() -> bool:
            for node in self.nodes.values():
                if not node.program.is_running():
                    raise node.program.failure("ended")
            return self.is_whole()

        def failure() -> ProgramFailed:
            seen = {node.name: sorted(node.sees()) for node in self.nodes.values()}
            return ProgramFailed(f"the RabbitMQ nodes did not come together: {seen}")

        wait_until(is_whole, within_s, failure, look_s=LOOK_S)

    def heal(self) -> None:
        """Let every node run, and wait until they are one cluster again.

        RabbitMQ 3.10 does not leave every partition by itself: a node that was frozen past the net
        tick, and hears its neighbours in the very moment in which it misses them, neither pauses
        nor trusts them again. Then it is restarted, as RabbitMQ's guide has a person do it.
        """
        for node in self.nodes.values():
            node.program.thaw()
            if not node.program.is_running():
                node.launch()
        try:
            self.wait_until_whole(PARTED_S)
        except ProgramFailed:
            if (
                name := most_parted({one.name: one.parted_from() for one in self.living()})
            ) is None:
                self.wait_until_whole()
                return
            self.kill([name])
            self.nodes[name].launch()
            self.wait_until_whole()

    def kill(self, names: Collection[str]) -> int:
        """SIGKILL nodes; return how many processes died."""
        return sum(self.nodes[name].program.kill() > 0 for name in names)


@contextmanager
def broker_nodes(folder: Path, wires: Wires) -> Iterator[BrokerNodes]:
    """A cluster that has been launched; killed at the end.

    :raises ServerMissing: RabbitMQ is not installed.
    """
    nodes = BrokerNodes(folder, wires)
    try:
        nodes.launch()
        yield nodes
    finally:
        nodes.end()


def most_parted(parted: Mapping[str, Collection[str]]) -> str | None:
    """The node that most others are parted from; None: there is no partition.

    :param parted: by node, from whom it is parted, as it sees it.
    """
    counts = Counter(other for others in parted.values() for other in others)
    return max(sorted(counts), key=counts.__getitem__, default=None)


def _node(erlang_name: str) -> str:
    return erlang_name.partition("@")[0]
