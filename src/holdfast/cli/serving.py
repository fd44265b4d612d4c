"""The commands that serve: all services in one process, or one of them in a cluster."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from ipaddress import IPv6Address
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Protocol, TypeVar

import typer

from holdfast.cli.arguments import whole
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import (
    INVENTORY_ADDRESS,
    ORDERS_ADDRESS,
    HomeOption,
    usual_home,
)
from holdfast.cli.exits import UNAVAILABLE, USAGE, Failed, engine_errors
from holdfast.cli.output import Output, OutputOption, print_json_line, print_line
from holdfast.home import KEY_FILE, USUAL_FOLDER, Home, key_file

orders_app = CommandGroup(help="Serve Orders in a cluster.", no_args_is_help=True)
inventory_app = CommandGroup(help="Serve Inventory in a cluster.", no_args_is_help=True)
notifier_app = CommandGroup(help="Serve the Notifier in a cluster.", no_args_is_help=True)
console_app = CommandGroup(help="Serve the console in a cluster.", no_args_is_help=True)

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.toml", exists=True, dir_okay=False, help="Settings; the environment wins."
    ),
]
PORT_MAX = 65_535
WORKERS_MAX = 64
WorkersOption = Annotated[
    int,
    typer.Option(parser=whole(1, WORKERS_MAX), metavar="N", help="Processes that share the port."),
]

HttpOption = Annotated[
    str,
    typer.Option(
        metavar="HOST:PORT", help="Serve HTTP/JSON there, in processes of its own; else as set."
    ),
]
HttpWorkersOption = Annotated[
    int,
    typer.Option(
        parser=whole(1, WORKERS_MAX), metavar="N", help="Processes that share the port of HTTP."
    ),
]


class _Served(Protocol):
    """Settings of a service, as far as this has to do with them."""

    @property
    def http(self) -> str: ...

    @property
    def log_level(self) -> str: ...

    @property
    def model_fields_set(self) -> set[str]: ...


class _Secret(Protocol):
    """What pydantic keeps from being shown; its import is a third of any command's start."""

    def get_secret_value(self) -> str: ...


class _Operated(Protocol):
    """Settings that may tell the operator's key."""

    @property
    def operator_key(self) -> _Secret: ...


class _SigningIn(Protocol):
    """Settings that may tell a provider at which people sign in."""

    @property
    def oidc_issuer(self) -> str: ...

    def require_known_address(self, listen: str) -> None: ...


Settings = TypeVar("Settings", bound=_Served)


class Processes(NamedTuple):
    """How many a service has of gRPC; and of HTTP, where that is served."""

    workers: int
    http_workers: int


def _port(of: str) -> Any:
    """An option for the port of something."""
    return typer.Option(parser=whole(0, PORT_MAX), metavar="N", help=f"Port of {of}; 0: any free.")


def _host(text: str) -> str:
    """An address as it stands before a port: ::1 is [::1] there."""
    with suppress(ValueError):
        return f"[{IPv6Address(text)}]"
    return text


HostOption = Annotated[
    str, typer.Option(parser=_host, metavar="HOST", help="The address to listen on.")
]
# Settings of services in a cluster, for which `holdfast up` has options.
_OPTIONS = {
    "http": "--http-port",
    "admin": "--admin-port",
    "traces": "--traces",
    "trace_ratio": "--traces, which begins a trace for every call",
}
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104  # of what is any address
_SERVED = ("orders", "inventory", "notifier", "http")  # whose addresses are told
TracesOption = Annotated[
    str, typer.Option(metavar="URL", help="Send traces there: http://HOST:4318/v1/traces.")
]
AuthOption = Annotated[
    bool,
    typer.Option("--auth/--no-auth", help="Ask callers who they are; or, on loopback, nobody."),
]


def up(
    data: HomeOption = None,
    host: HostOption = "127.0.0.1",
    orders_port: Annotated[int, _port("Orders")] = 7001,
    inventory_port: Annotated[int, _port("Inventory")] = 7002,
    notifier_port: Annotated[int, _port("the Notifier")] = 7005,
    http_port: Annotated[int, _port("HTTP/JSON")] = 7000,
    config: ConfigOption = None,
    admin_port: Annotated[int, _port("/metrics, /healthz and /readyz, on 127.0.0.1 only")] = 7009,
    traces: TracesOption = "",
    auth: AuthOption = True,
    output: OutputOption = Output.TABLE,
) -> None:
    """Run all services here until Ctrl-C, on SQLite files or a PostgreSQL database."""
    import uvloop

    from holdfast.chassis.process.admin import admin
    from holdfast.chassis.process.lifecycle import prepare_to_serve, until_signal
    from holdfast.chassis.process.telemetry import configure_logging, traced
    from holdfast.embedded import load_settings_of_up, running

    home, settings = data or usual_home(), _heeded(_loaded(load_settings_of_up, config))
    key, whose = _operator_key(settings, host, home, auth=auth)
    _require_sign_in(settings, host, auth=auth)

    async def serve() -> None:
        async with (
            until_signal(),
            admin(f"127.0.0.1:{admin_port}") as told,
            traced(traces, 1.0, "holdfast"),
            running(
                home,
                host=host,
                orders_port=orders_port,
                inventory_port=inventory_port,
                notifier_port=notifier_port,
                http_port=http_port,
                limits=settings,
                port=settings,
                operator_key=key,
                issuers=settings.issuers,
                passwords=settings,
                feed_settings=settings,
                telling=settings,
                sign_in=settings,
            ) as services,
        ):
            served = {name: here(getattr(services, name)) for name in _SERVED}
            link = f"http{'s' if settings.tls else ''}://{served['http']}{services.console}"
            where = {"console": link, "admin": told.address, "data": home.name, "key": whose}
            announce(served | where, output)
            with told.ready():
                await asyncio.Event().wait()  # until the signal

    configure_logging(settings.log_level, for_good=True)
    prepare_to_serve()
    with engine_errors():
        uvloop.run(serve())


def _heeded(settings: Settings) -> Settings:
    """Return settings of which all have an effect.

    :raises Failed: one has none, as there is an option for it.
    """
    for name in settings.model_fields_set & _OPTIONS.keys():
        if getattr(settings, name):
            cure = f"`holdfast up` has {_OPTIONS[name]}"
            raise Failed(f"HOLDFAST_UP_{name.upper()} is of services in a cluster: {cure}", USAGE)
    return settings


def _operator_key(
    settings: _Operated, host: str, home: Home, *, auth: bool
) -> tuple[str | None, str]:
    """Return the operator's key, and where people find it. None: it is kept beside the data; "":
    nobody is asked.

    :raises Failed: nobody would be asked, and not only this machine could call.
    """
    from holdfast.chassis.process.addresses import is_loopback

    if auth:
        told = settings.operator_key.get_secret_value()
        return (told, "HOLDFAST_UP_OPERATOR_KEY") if told else (None, str(key_file(home)))
    if not is_loopback(host.strip("[]")):
        raise Failed(f"--no-auth is for loopback: at {host} anybody could do anything", USAGE)
    typer.echo("holdfast: --no-auth: every program of this machine may do everything", err=True)
    return "", "nobody is asked for one"


def _require_sign_in(settings: _SigningIn, host: str, *, auth: bool) -> None:
    """See that who signs in at a provider is known by that, and finds the way back.

    :raises Failed: nobody is asked who they are; or the console's address is not known.
    """
    if settings.oidc_issuer and not auth:
        raise Failed("--no-auth asks nobody who they are: leave it out, or oidc_issuer", USAGE)
    try:
        settings.require_known_address(f"{host}:0")
    except ValueError as error:
        raise Failed(f"HOLDFAST_UP: {error}", USAGE) from error


@orders_app.command("serve")
def serve_orders(
    config: ConfigOption = None,
    workers: WorkersOption = 1,
    http: HttpOption = "",
    http_workers: HttpWorkersOption = 1,
) -> None:
    """Serve Orders until SIGTERM; settings come from --config and HOLDFAST_ORDERS_*."""
    from holdfast.orders import service, settings

    _set_http("orders", http)
    _serve(settings.load, service.main, config, Processes(workers, http_workers))


@inventory_app.command("serve")
def serve_inventory(
    config: ConfigOption = None,
    workers: WorkersOption = 1,
    http: HttpOption = "",
    http_workers: HttpWorkersOption = 1,
) -> None:
    """Serve Inventory until SIGTERM; settings come from --config and HOLDFAST_INVENTORY_*."""
    from holdfast.inventory import service, settings

    _set_http("inventory", http)
    _serve(settings.load, service.main, config, Processes(workers, http_workers))


@notifier_app.command("serve")
def serve_notifier(
    config: ConfigOption = None,
    workers: WorkersOption = 1,
    http: HttpOption = "",
    http_workers: HttpWorkersOption = 1,
) -> None:
    """Serve the Notifier until SIGTERM; settings come from --config and HOLDFAST_NOTIFIER_*."""
    from holdfast.notifier import service, settings

    _set_http("notifier", http)
    _serve(settings.load, service.main, config, Processes(workers, http_workers))


@console_app.command("serve")
def serve_console(config: ConfigOption = None) -> None:
    """Serve the console until SIGTERM; settings come from --config and HOLDFAST_CONSOLE_*."""
    from holdfast.console import service, settings

    _serve(settings.load, service.main, config, Processes(1, 0))


def _set_http(service: str, http: str) -> None:
    """What is told on the command line wins over the environment, also in workers."""
    if http:
        os.environ[f"HOLDFAST_{service.upper()}_HTTP"] = http


def _serve(
    load: Callable[[Path | None], Settings],
    main: Callable[[Settings], Coroutine[None, None, None]],
    config: Path | None,
    processes: Processes,
) -> None:
    import uvloop

    from holdfast.chassis.process.lifecycle import prepare_to_serve
    from holdfast.chassis.process.telemetry import configure_logging
    from holdfast.chassis.process.workers import (
        WorkerFailed,
        end_with_parent,
        is_worker,
        run_workers,
        this_command,
    )

    settings = _loaded(load, config)
    http_count = processes.http_workers if settings.http else 0
    if (processes.workers > 1 or http_count) and not is_worker():
        try:
            configure_logging(settings.log_level, for_good=True)
            asyncio.run(
                run_workers(
                    this_command(),
                    processes.workers,
                    http_count=http_count,
                    refusals=(USAGE, UNAVAILABLE),
                )
            )
        except WorkerFailed as error:
            raise typer.Exit(error.code) from error
        return
    if is_worker():
        end_with_parent()
    prepare_to_serve()
    with engine_errors():
        uvloop.run(main(settings))


def _loaded(load: Callable[[Path | None], Settings], config: Path | None) -> Settings:
    try:
        return load(config)
    except ValueError as error:
        raise Failed(str(error), USAGE) from error


def here(address: str) -> str:
    """Where this machine reaches what listens at an address; what listens at any, at its own."""
    host, _, port = address.rpartition(":")
    return f"{_LOOPBACK.get(host, host)}:{port}"


def announce(told: Mapping[str, str], output: Output) -> None:
    """Say where all is, and what to type next; to programs just where."""
    if output is Output.JSON:
        print_json_line(told)
        return
    orders, inventory = told["orders"], told["inventory"]
    scheme = told["console"].partition(":")[0]
    print_line(f"Orders     {orders}")
    print_line(f"Inventory  {inventory}")
    print_line(f"Notifier   {told['notifier']}")
    print_line(f"Console    {told['console']}")
    print_line(f"HTTP/JSON  {scheme}://{told['http']}/docs")
    print_line(f"Metrics    http://{told['admin']}/metrics")
    print_line(f"Data       {told['data']}")
    print_line(f"Key        {told['key']}")
    print_line("Ctrl-C stops. In another terminal, try:")
    if told["key"].endswith(KEY_FILE) and Path(told["key"]) != USUAL_FOLDER / KEY_FILE:
        print_line(f"  export HOLDFAST_KEY=$(cat {told['key']})")
    if scheme == "https":
        print_line(
            "  export HOLDFAST_TLS=1  # or HOLDFAST_TLS_CA=FILE, with an authority of your own"
        )
    at_inventory = "" if inventory == INVENTORY_ADDRESS else f" --inventory {inventory}"
    at_orders = "" if orders == ORDERS_ADDRESS else f" --orders {orders}"
    print_line(
        f'  holdfast product create LAMP-RED --name "Red lamp" --price 12.50{at_inventory}\n'
        f"  holdfast stock set LAMP-RED 10{at_inventory}\n"
        f"  holdfast order create --customer c-17 LAMP-RED=2{at_orders}"
    )
