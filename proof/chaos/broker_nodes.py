"""Three private RabbitMQ nodes in a cluster, each of which can be broken by itself."""


class BrokerNodes:
    """The cluster; nodes are numbered 0, 1, 2."""

    def url(self, *, wired_from: str | None = None) -> str:
        raise NotImplementedError

    def leader(self, queue: str) -> int:
        """The number of the node that leads a quorum queue now."""
        raise NotImplementedError

    def members(self, queue: str) -> set[int]:
        raise NotImplementedError

    def depths(self) -> dict[str, int]:
        """Messages in each queue, ready or not acknowledged."""
        raise NotImplementedError
