"""Callers by name, for tests of what a service does with a principal, however it was proved.

Whoever says `authorization: Bearer NAME/CUSTOMER` is let in as that, so that no test of rights
depends on a kind of credential.
"""

import pytest

from holdfast.chassis.grpc.rpc_boundary import Context
from holdfast.chassis.identity import principal
from holdfast.chassis.identity.gate import Gate
from holdfast.chassis.identity.roles import CUSTOMER, SCOPES

Metadata = tuple[tuple[str, str], ...]


def named(name: str, *, customer: str = "") -> Metadata:
    """The metadata of a call by this name."""
    return (("authorization", f"Bearer {name}/{customer}"),)


def let_in_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Believe what `named` says, and allow it everything: what is left is whose an order is."""
    admit = Gate.admit

    async def admit_by_name(self: Gate, method: str, context: Context) -> None:
        for key, value in context.invocation_metadata() or ():
            if key == "authorization" and "/" in value:
                name, _, customer = value.removeprefix("Bearer ").partition("/")
                scopes = frozenset({CUSTOMER}) if customer else SCOPES
                known = principal.Principal(name, f"key-of-{name}", scopes, customer)
                principal.current.set(known)
                return
        await admit(self, method, context)

    monkeypatch.setattr(Gate, "admit", admit_by_name)
