"""What runs on each engine, as text to be read: `tests/contract/sql/`, one file an engine for the
tables and statements of each service, and for those about messages and keys, which both have,
and about users, which Orders has.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from holdfast.chassis.database.migrations import script
from holdfast.chassis.database.seam import Engine
from holdfast.chassis.identity import store as keys_sql
from holdfast.chassis.identity import user_store as users_sql
from holdfast.chassis.messaging import sql as messages_sql
from holdfast.inventory.infrastructure import sql as inventory_sql
from holdfast.notifier.infrastructure import sql as notifier_sql
from holdfast.orders.infrastructure.ordering import sql as orders_sql

FOLDER = Path(__file__).with_name("sql")
RENEW = ".venv/bin/python -m tests.contract.written_sql"
STATEMENTS: Mapping[str, Mapping[Engine, object]] = {
    "orders": orders_sql.SQL,
    "inventory": inventory_sql.SQL,
    "notifier": notifier_sql.SQL,
    "messages": messages_sql.SQL,
    "keys": keys_sql.SQL,
    "users": users_sql.SQL,
}
URLS: dict[Engine, str] = {"postgresql": "postgresql://nowhere", "sqlite": "sqlite:///nowhere"}


def statements_of(service: str, engine: Engine) -> dict[str, str]:
    """A service's statements by name as an engine takes them, those that all have among them."""
    of_users = vars(users_sql.SQL[engine]) if service == "orders" else {}
    return vars(STATEMENTS[service][engine]) | of_both(engine) | of_users


def of_both(engine: Engine) -> dict[str, str]:
    return vars(messages_sql.SQL[engine]) | vars(keys_sql.SQL[engine])


def written(owner: str, engine: Engine) -> str:
    """What a file says; statements without the empty lines between their parts."""
    tables = [] if owner in ("messages", "keys", "users") else [script(owner, URLS[engine])]
    statements = [
        f"-- {name}{_EMPTY_LINES.sub('', text).rstrip()}\n;\n"
        for name, text in vars(STATEMENTS[owner][engine]).items()
    ]
    return "\n".join([f"-- Written by `{RENEW}`, not by hand.\n", *tables, *statements])


_EMPTY_LINES = re.compile(r"\n *(?=\n)")


def file_of(owner: str, engine: Engine) -> Path:
    return FOLDER / f"{owner}.{engine}.sql"


if __name__ == "__main__":
    for owner in STATEMENTS:
        for engine in URLS:
            file_of(owner, engine).write_text(written(owner, engine))
