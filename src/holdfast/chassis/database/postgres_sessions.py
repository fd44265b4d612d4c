"""Sessions of PostgreSQL: how they are set, what they know of types, and what their errors mean."""

from __future__ import annotations  # asyncpg's classes are generic only in its stubs

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace

import asyncpg
from asyncpg.connect_utils import SessionAttribute
from asyncpg.protocol import protocol

from holdfast.chassis.database.seam import Conflict, DatabaseUnavailable, KeyTaken
from holdfast.chassis.metrics import DB_CONFLICTS

# A host that vanishes sends no goodbye: without these the server would keep its session, with row
# locks and leadership, for two hours.
SERVER_SETTINGS = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "idle_in_transaction_session_timeout": "30000",
    # Nor would it notice while a statement waits for a lock, and commit that when nobody is there:
    # whoever repeats the call meanwhile must not be told of a state that this will change.
    "client_connection_check_interval": "1000",
    # PostgreSQL plans a prepared statement while its tables are still small and keeps the plan as
    # they grow. Every statement of a service finds its rows through an index: say so at once.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",  # it reads a whole range and sorts it, where a page was asked for
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",  # it judges by costs, and what is off costs very much
    # So every plan is right for all arguments; by itself, PostgreSQL would plan a third of them
    # anew for each call, because those arguments promise fewer rows.
    "plan_cache_mode": "force_generic_plan",
}
WRITABLE = SessionAttribute.read_write  # of several hosts, the one that is the primary now

# What asyncpg asks of each value of an array, to see whether it is an array itself: by the abstract
# classes, a twentieth of a batch's CPU. Those that we send are lists, or tuples.
for _asked in ("IterableABC", "SizedABC"):
    if hasattr(protocol, _asked):
        setattr(protocol, _asked, (list, tuple))

# Below it, a type's number means the same in every database (PostgreSQL's documentation,
# "OID Assignment": those are assigned by hand).
OID_OF_OTHERS = 10_000
_types: dict[frozenset[int], Sequence[asyncpg.Record]] = {}


class Session(asyncpg.Connection):
    """A connection that does not ask what arrays are that another one of this process has asked
    about, where that is the same everywhere: asking takes 10 ms, as long as connecting.
    """

    async def _introspect_types(
        self, numbers: Collection[int], *limits: object
    ) -> tuple[Sequence[asyncpg.Record], object]:
        asked = frozenset(numbers)
        if known := _types.get(asked):
            return known, SimpleNamespace(name="none was needed")
        types, statement = await super()._introspect_types(numbers, *limits)  # type: ignore[misc]
        if max(asked) < OID_OF_OTHERS:
            _types[asked] = types
        return types, statement


_CONFLICTS = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
)
_UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # its own confusion when the server hangs up between statements
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.StatementCompletionUnknownError,
    asyncpg.PostgresSystemError,
    asyncpg.InternalServerError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.UndefinedObjectError,  # what is set of a session: our statements name no such things
)


@contextmanager
def translated_errors() -> Iterator[None]:
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        DB_CONFLICTS.inc()
        raise KeyTaken(str(error)) from error
    except _CONFLICTS as error:
        DB_CONFLICTS.inc()
        raise Conflict(str(error)) from error
    except _UNAVAILABLE as error:
        raise DatabaseUnavailable(f"PostgreSQL: {_in_words(error)}") from error


def _in_words(error: Exception) -> str:
    match error:
        case asyncpg.InvalidCatalogNameError():
            return f"{error}; create it first (createdb NAME)"
        case asyncpg.UndefinedObjectError():
            return f"{error}; Holdfast needs PostgreSQL 14, and see what follows ? in the URL"
        case ConnectionRefusedError():
            return f"{error}; is the server running?"
        case _:
            return str(error) or type(error).__name__
