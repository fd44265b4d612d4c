"""A PostgreSQL primary with a synchronous standby, and a referee that promotes."""


class DatabasePair:
    """Two servers, one of which takes writes; nodes are numbered 0, 1."""

    failovers: int  # so far

    @property
    def primary(self) -> int:
        raise NotImplementedError

    def url(self, database: str) -> str:
        """Both nodes, past the wires."""
        raise NotImplementedError
