"""The tables of docs/identity.md, from those in the code."""

from pathlib import Path

from holdfast.chassis.identity.roles import ANY, ROLES
from holdfast.inventory.presentation.rights import RIGHTS as INVENTORY
from holdfast.notifier.presentation.rights import RIGHTS as NOTIFIER
from holdfast.orders.presentation.rights import RIGHTS as ORDERS

PAGE = Path(__file__).parents[2] / "docs" / "identity.md"
RENEW = ".venv/bin/python -m tests.unit.written_rights"
BEGIN = "<!-- roles and rights: made by tests/unit/written_rights.py -->\n"
END = "<!-- end of roles and rights -->\n"


def page() -> str:
    """What the page says with its tables in their place."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    lines = ["", "| Role | Scopes |", "| --- | --- |"]
    for role, scopes in ROLES.items():
        lines.append(f"| {role} | {' '.join(f'`{scope}`' for scope in sorted(scopes))} |")
    lines += ["", "## Rights", "", "One of the scopes is needed. `customer` is of tokens alone: a"]
    lines += ["shop's customer, who reaches their own orders. `service` is Orders, `keys:held` the"]
    lines += ["Notifier.", ""]
    lines += ["| Method | Needs |", "| --- | --- |"]
    for method, needed in [*ORDERS.items(), *INVENTORY.items(), *NOTIFIER.items()]:
        name = method.rpartition(".")[2].replace("/", ".")
        told = " or ".join(f"`{scope}`" for scope in sorted(needed))
        lines.append(f"| {name} | {'any of them' if needed == ANY else told} |")
    return before + BEGIN + "\n".join(lines) + "\n\n" + END + after


if __name__ == "__main__":
    PAGE.write_text(page())
