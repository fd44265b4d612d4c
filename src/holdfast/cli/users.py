"""`holdfast user`: people who sign in by a name and a password."""

import getpass
import sys
import warnings
from typing import Annotated

import typer

from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import ORDERS_ADDRESS, Connection, DataOption, OrdersOption
from holdfast.cli.output import (
    Output,
    OutputOption,
    print_json,
    print_json_line,
    print_line,
    print_table,
)
from holdfast.client import User

app = CommandGroup(help="People who sign in by a name and a password.", no_args_is_help=True)

LINE_LENGTH_MAX = 10_000  # of what is piped in; a service takes much less, and says so

Name = Annotated[str, typer.Argument(metavar="NAME", help="The user's name, in lower case.")]
Roles = Annotated[
    list[str],
    typer.Option(
        "--role",
        metavar="ROLE",
        help="viewer, support, warehouse, merchandiser, integrator or admin; or a scope, such "
        "as orders:read. Repeatable.",
    ),
]
FromStdin = Annotated[
    bool,
    typer.Option(
        "--password-stdin",
        help="Read the password from standard input; else you are asked.",
    ),
]


@app.command()
def create(
    name: Name,
    role: Roles,
    password_stdin: FromStdin = False,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make a user, whose password is asked twice; 12 characters or more."""
    password = _new_password(password_stdin)
    user = Connection(orders, data=data).run(
        lambda client: client.users.create(name, role, password)
    )
    _show(user, f"{user.name} can sign in as {' '.join(user.grants)}", output)


@app.command("list")
def list_users(
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List all users, by name."""
    users = Connection(orders, data=data, reads=True).run(lambda client: client.users.list())
    if output is Output.JSON:
        print_json(users)
        return
    print_table(
        ("user", "may", "made", "locked", "last signed in", "password since"),
        [
            (
                user.name,
                " ".join(user.grants),
                user.create_time,
                user.lock_time,
                user.sign_in_time,
                user.password_time,
            )
            for user in users
        ],
    )


@app.command()
def password(
    name: Name,
    password_stdin: FromStdin = False,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Give a user another password, and end their sessions."""
    new = _new_password(password_stdin)
    user = Connection(orders, data=data).run(lambda client: client.users.update(name, password=new))
    _show(user, f"{user.name} has another password, and is signed out", output)


@app.command()
def role(
    name: Name,
    role: Roles,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Give a user these roles instead of those they have, and end their sessions."""
    user = Connection(orders, data=data).run(lambda client: client.users.update(name, grants=role))
    _show(user, f"{user.name} is {' '.join(user.grants)} now, and signed out", output)


@app.command()
def lock(
    name: Name,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Let a user in no more, and end their sessions: within 5 seconds no service takes them."""
    user = Connection(orders, data=data).run(lambda client: client.users.update(name, locked=True))
    _show(user, f"{user.name} is locked, and signed out", output)


@app.command()
def unlock(
    name: Name,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Let a user in again, by the password that they have."""
    user = Connection(orders, data=data).run(lambda client: client.users.update(name, locked=False))
    _show(user, f"{user.name} can sign in again", output)


@app.command()
def delete(
    name: Name,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Delete a user, and end their sessions. What they did stays told under their name."""
    user = Connection(orders, data=data).run(lambda client: client.users.delete(name))
    _show(user, f"{user.name} is deleted", output)


@app.command("sign-in")
def sign_in(
    name: Name,
    password_stdin: FromStdin = False,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Sign in, and print a key that is good for 12 hours, to put into HOLDFAST_KEY."""
    typed = _line() if password_stdin else _asked("Password")
    found = Connection(orders, data=data).run(lambda client: client.users.sign_in(name, typed))
    if output is Output.JSON:
        print_json_line({"key_id": found.key.key_id, "text": found.text})
        return
    print_line(found.text)


@app.command("sign-out")
def sign_out(orders: OrdersOption = ORDERS_ADDRESS, data: DataOption = None) -> None:
    """Revoke the key of sign-in that is in HOLDFAST_KEY."""
    Connection(orders, data=data).run(lambda client: client.users.sign_out())
    print_line("signed out")


@app.command("own-password")
def own_password(
    password_stdin: Annotated[
        bool,
        typer.Option(
            "--password-stdin",
            help="Read both from standard input, a line each, first the one that you have; else "
            "you are asked.",
        ),
    ] = False,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Change your own password, when the key of sign-in is in HOLDFAST_KEY."""
    old = _line() if password_stdin else _asked("The password that you have")
    new = _new_password(password_stdin)
    user = Connection(orders, data=data).run(lambda client: client.users.change_password(old, new))
    _show(user, f"{user.name} has another password, and is signed out elsewhere", output)


def _new_password(from_stdin: bool) -> str:
    return _line() if from_stdin else _asked("New password", twice=True)


def _asked(what: str, *, twice: bool = False) -> str:
    """What is typed without being seen; with `twice`, until it is twice the same."""
    again = "Once more" if twice else False
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)  # it would be seen
        try:
            return str(typer.prompt(what, hide_input=True, confirmation_prompt=again, err=True))
        except getpass.GetPassWarning:
            raise typer.BadParameter(
                "is no terminal, to ask for a password: pipe it in, and give --password-stdin",
                param_hint="standard input",
            ) from None


def _line() -> str:
    """The first line of standard input, without its end."""
    line = sys.stdin.readline(LINE_LENGTH_MAX).rstrip("\r\n")
    if not line:
        raise typer.BadParameter("is empty: nothing came", param_hint="standard input")
    return line


def _show(user: User, told: str, output: Output) -> None:
    if output is Output.JSON:
        print_json_line(user)
    else:
        print_line(told)
