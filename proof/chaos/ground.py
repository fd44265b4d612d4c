"""The ground of a chaos campaign: every process of a Holdfast cluster, private, and breakable.

Three RabbitMQ nodes, a PostgreSQL primary with a synchronous standby, two processes of each
service, and a wire between every two that talk.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from proof.chaos.broker_nodes import BrokerNodes
from proof.chaos.database_pair import DatabasePair
from proof.chaos.instances import Instance
from proof.chaos.wires import Wires

SERVICES = ("inventory", "orders")


class Ground:
    """A running cluster. Its methods block; call them with `asyncio.to_thread`.

    :param instances: by name: orders-1, orders-2, inventory-1, inventory-2.
    """

    folder: Path
    wires: Wires
    brokers: BrokerNodes
    databases: DatabasePair
    instances: dict[str, Instance]

    def addresses(self, service: str) -> tuple[str, ...]:
        """HOST:PORT of each process of a service, through the callers' own wires."""
        raise NotImplementedError

    def database_url(self, service: str) -> str:
        """The database of a service, past the wires: for the checker."""
        raise NotImplementedError

    @property
    def broker_url(self) -> str:
        """All three nodes, past the wires: for the audit queue."""
        raise NotImplementedError

    def heal(self) -> None:
        """Bring everything back, whatever was struck; return when all of it serves."""
        raise NotImplementedError


@contextmanager
def chaos_ground(
    folder: Path, *, seed: int = 0, settings: Mapping[str, str] = {}
) -> Iterator[Ground]:
    """A running cluster with its data in `folder`, all of it stopped at the end.

    :param settings: more of the services' environment, such as HOLDFAST_ORDERS_LATE_S.
    """
    raise NotImplementedError
    yield
