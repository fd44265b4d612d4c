"""What may be allowed to somebody: scopes, and roles, which are named sets of them."""

from collections.abc import Iterable, Mapping

CUSTOMER = "customer"  # own orders, and nothing else; only tokens of a shop's issuer have it
SERVICE = "service"  # what Orders asks of Inventory, and nobody else may
HELD_KEYS = "keys:held"  # likewise what the Notifier asks of Orders

SCOPES = frozenset(
    """
    orders:read orders:write orders:ship returns:write
    stock:read stock:write products:write
    customers:read customers:write customers:erase
    events:read webhooks:manage imports:write keys:manage audit:read
    """.split()
)

ANYBODY = "anybody"  # known or not: who it is comes out by the call

ANY = SCOPES | {CUSTOMER, SERVICE, HELD_KEYS}  # for whoever is known at all

_READ = frozenset({"orders:read", "stock:read", "customers:read"})

ROLES: Mapping[str, frozenset[str]] = {
    "viewer": _READ,
    "support": _READ | {"orders:write", "returns:write", "customers:write"},
    "warehouse": frozenset(
        {"orders:read", "orders:ship", "returns:write", "stock:read", "stock:write"}
    ),
    "merchandiser": frozenset({"stock:read", "stock:write", "products:write", "imports:write"}),
    "integrator": _READ
    | {"orders:write", "orders:ship", "returns:write", "stock:write", "products:write"}
    | {"customers:write", "events:read", "webhooks:manage", "imports:write"},
    "admin": SCOPES,
}


def scopes_of(names: Iterable[str]) -> frozenset[str]:
    """Return the scopes of roles and scopes named together.

    :raises ValueError: a name is neither; it names all there are.
    """
    found: set[str] = set()
    for name in names:
        if name in ROLES:
            found |= ROLES[name]
        elif name in SCOPES:
            found.add(name)
        else:
            known = ", ".join([*ROLES, *sorted(SCOPES)])
            raise ValueError(f"{name!r} is neither a role nor a scope; there are: {known}")
    return frozenset(found)


def known_scopes(names: Iterable[str]) -> frozenset[str]:
    """Return the scopes of names that are known here; one of a newer version allows nothing."""
    return scopes_of(name for name in names if name in ROLES or name in SCOPES)
