"""Private PostgreSQL and RabbitMQ servers for tests, benchmarks and `make up-cluster`.

They run the Debian packages' programs on free loopback ports with all their data in one folder, and
die with the process that started them, even when that is killed.
"""

import http.client
import json
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import time
from base64 import b64encode
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from testbed.authority import Pair
from testbed.processes import (
    COMMAND_S_MAX,
    Program,
    ProgramFailed,
    become,
    clean_environment,
    free_port,
    run,
    server_user,
)

START_S_MAX = 45.0  # below the time limit of a test, to be the one that explains

YOUNG_S = 5.0  # far longer than RabbitMQ takes to make a queue
# After a kill, PostgreSQL refuses to start until the last orphan of its former self is gone.
ORPHANS_S_MAX = 10.0


Server = TypeVar("Server", bound="PostgresServer | RabbitmqServer")


class ServerMissing(Exception):
    """A server's program is not installed; the message says in one line what to do."""


class PostgresServer:
    """A PostgreSQL server with its data in `folder`; used again if there is one already.

    :param certificate: it takes TLS too, with this.
    :param survives_power_cuts: what is committed is on the disk, and not only with the kernel. All
        that can happen to a process it survives without, and databases come and go much faster.
    """

    def __init__(
        self, folder: Path, certificate: Pair | None = None, *, survives_power_cuts: bool = True
    ) -> None:
        folder = folder.resolve()
        self._certificate = certificate
        self._fsync = "on" if survives_power_cuts else "off"
        self._bin = _postgres_programs()
        self._data = folder / "postgres"
        self._user = server_user()
        self._program = Program("PostgreSQL", log=folder / "postgres.log")
        self._password = _kept_secret(folder / "postgres.secret")
        self.port = free_port()

    @property
    def program(self) -> Program:
        return self._program

    def url(self, database: str) -> str:
        return f"postgresql://holdfast:{self._password}@127.0.0.1:{self.port}/{quote(database)}"

    def start(self) -> None:
        """Return when it answers; it keeps its port over any number of starts."""
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        started = time.monotonic()
        while not self._is_ready():
            patience_s = START_S_MAX if self._program.is_running() else ORPHANS_S_MAX
            if time.monotonic() > started + patience_s:
                raise self._program.failure("did not start")
            if not self._program.is_running():
                self._launch()
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop in good order: open transactions are rolled back, clients disconnected."""
        self._program.signal(signal.SIGINT)

    def kill(self) -> None:
        """End it as a power cut would, as far as a process can tell."""
        self._program.signal(signal.SIGKILL)

    def create_database(self, name: str, *, template: str = "template1") -> None:
        # By default it goes through the log, which takes twice as long.
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')

    def has_database(self, name: str) -> bool:
        return self.sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'") == "1"

    def drop_database(self, name: str) -> None:
        """Drop it if it exists, and cut the connections to it."""
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def sql(self, statement: str, *, database: str = "postgres") -> str:
        """Run one statement as the superuser; return what psql prints, unaligned."""
        psql = [str(self._bin / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1"]
        return run(
            "psql",
            [*psql, "-p", str(self.port), "-U", "holdfast", "-d", database, "-c", statement],
            env=clean_environment() | {"PGPASSWORD": self._password},
        )

    def _initialise(self) -> None:
        self._require_access()
        fresh = self._data.with_name("postgres.new")  # renamed when whole
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password_file = fresh.with_name("postgres.initial")
        password_file.touch(mode=0o600)
        password_file.write_text(self._password)
        if self._user is not None:
            shutil.chown(fresh, self._user)
            shutil.chown(password_file, self._user)
        initdb = [str(self._bin / "initdb"), "-U", "holdfast", f"--pwfile={password_file}"]
        # Cleartext passwords over loopback: scram would cost Python 15 ms a connection.
        initdb += ["--auth=password", "--encoding=UTF8", "--locale=C.UTF-8", "-D", str(fresh)]
        try:
            command = ["setpriv", *become(self._user), "--", *initdb]
            run("initdb", command, env=clean_environment(), cwd=fresh)
        finally:
            password_file.unlink()
        fresh.rename(self._data)

    def _require_access(self) -> None:
        folder = self._data.parent
        command = ["setpriv", *become(self._user), "--", "test", "-x", str(folder)]
        if subprocess.run(command, check=False).returncode != 0:
            message = f"PostgreSQL runs as user {self._user}, who may not enter {folder}"
            raise ProgramFailed(f"{message}; choose a folder that everybody may enter")

    def _launch(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": self._fsync,
            "max_connections": 300,
            "log_line_prefix": "%m [%p] %d ",
            **self._tls_settings(),
        }
        self._program.start(
            [str(self._bin / "postgres"), "-D", str(self._data)]
            + [f"--{name}={value}" for name, value in settings.items()],
            env=clean_environment(),
            cwd=self._data,
            user=self._user,
            when_orphaned="QUIT",  # its immediate shutdown: it removes its shared memory
        )

    def _tls_settings(self) -> dict[str, str]:
        if self._certificate is None:
            return {}
        own = Pair(self._data / "server.pem", self._data / "server.key")
        for file, copy in zip(self._certificate, own, strict=True):
            shutil.copyfile(file, copy)
            copy.chmod(0o600)
            if self._user is not None:
                shutil.chown(copy, self._user)
        return {"ssl": "on", "ssl_cert_file": str(own.certificate), "ssl_key_file": str(own.key)}

    def _is_ready(self) -> bool:
        command = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return self._program.is_running() and subprocess.run(command, check=False).returncode == 0


class RabbitmqServer:
    """A RabbitMQ node with its data in `folder`; used again if there is one already.

    :param certificate: it takes TLS too, with this, at `tls_url`.
    """

    def __init__(self, folder: Path, certificate: Pair | None = None) -> None:
        folder = folder.resolve()
        self._certificate, self._tls_port = certificate, free_port()
        self._bin = _rabbitmq_programs()
        self._home = folder / "rabbitmq"
        self._epmd = Program("epmd", log=folder / "epmd.log")
        self._program = Program("RabbitMQ", log=folder / "rabbitmq.log")
        self._home.mkdir(mode=0o700, exist_ok=True)
        self._password = _kept_secret(folder / "rabbitmq.secret")
        self._left: deque[tuple[float, str]] = deque()
        self._leaving = threading.Lock()
        self._started_at = 0.0
        self.port, self._http_port = free_port(), free_port()
        self._epmd_port, self._distribution_port = free_port(), free_port()

    @property
    def program(self) -> Program:
        return self._program

    def url(self, vhost: str = "/") -> str:
        return f"amqp://holdfast:{self._password}@127.0.0.1:{self.port}/{quote(vhost, safe='')}"

    def tls_url(self, vhost: str = "/", host: str = "localhost") -> str:
        return f"amqps://holdfast:{self._password}@{host}:{self._tls_port}/{quote(vhost, safe='')}"

    def start(self) -> None:
        """Return when it takes connections; it keeps its port over any number of starts."""
        if not self._epmd.is_running():
            # Otherwise the node would start a daemon that outlives it.
            command = ["epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1"]
            self._epmd.start(command, env=self._environment(), cwd=self._home)
        self._write_settings()
        command = [str(self._bin / "rabbitmq-server")]
        self._program.start(command, env=self._environment(), cwd=self._home)
        self.wait_until_ready()
        self._started_at = time.monotonic()

    def stop(self) -> None:
        """Stop in good order."""
        self._program.signal(signal.SIGTERM)
        self._epmd.signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the node as a power cut would, as far as a process can tell."""
        self._program.signal(signal.SIGKILL)

    def stop_app(self) -> None:
        """Take the broker away and keep its process: connections are closed, new ones refused."""
        self.ctl("stop_app")

    def start_app(self) -> None:
        """Bring the broker back after `stop_app`; return when it takes connections."""
        self.ctl("start_app")
        self.wait_until_ready()

    def create_vhost(self, name: str) -> None:
        path = quote(name, safe="")
        self.api("PUT", f"/api/vhosts/{path}")
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.api("PUT", f"/api/permissions/{path}/holdfast", everything)

    def delete_vhost(self, name: str) -> None:
        """Delete a vhost in which nobody can be declaring anything at this moment."""
        self.api("DELETE", f"/api/vhosts/{quote(name, safe='')}")

    def leave_vhost(self, name: str) -> None:
        """Have a vhost deleted later, when vhosts after it are left.

        RabbitMQ 3.10 goes on with a declaration whose client has hung up. Is a queue deleted while
        it is being made, or after a start gets its first leader, its dead-letter worker dies, and
        after that the supervisor of all such workers for good: then no queue with dead letters can
        be made any more (channels end with 541).
        """
        now = time.monotonic()
        with self._leaving:
            self._left.append((now, name))
            while max(self._left[0][0], self._started_at) < now - YOUNG_S:
                self.delete_vhost(self._left.popleft()[1])

    def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl; about two seconds a call."""
        command = [str(self._bin / "rabbitmqctl"), *arguments]
        told = run("rabbitmqctl", command, env=self._environment())
        if "start_app" in arguments:
            self._started_at = time.monotonic()
        return told

    def api(self, method: str, path: str, body: object = None) -> object:
        """Ask the management API; a few milliseconds a call. Its counters may be seconds old."""
        connection = http.client.HTTPConnection("127.0.0.1", self._http_port, timeout=COMMAND_S_MAX)
        login = b64encode(f"holdfast:{self._password}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status >= 300:
            raise ProgramFailed(f"RabbitMQ: {method} {path}: {response.status} {answer.decode()}")
        return json.loads(answer) if answer else None

    def _write_settings(self) -> None:
        settings: dict[str, object] = {
            "listeners.tcp.1": f"127.0.0.1:{self.port}",
            "management.tcp.ip": "127.0.0.1",
            "management.tcp.port": self._http_port,
            "default_user": "holdfast",
            "default_pass": self._password,
            "log.console": "true",
            "log.file": "false",
        }
        if self._certificate is not None:
            settings |= {
                "listeners.ssl.1": f"127.0.0.1:{self._tls_port}",
                "ssl_options.certfile": self._certificate.certificate,
                "ssl_options.keyfile": self._certificate.key,
                "ssl_options.versions.1": "tlsv1.3",
                "ssl_options.versions.2": "tlsv1.2",
            }
        text = "".join(f"{name} = {value}\n" for name, value in settings.items())
        (self._home / "rabbitmq.conf").write_text(text)
        (self._home / "enabled_plugins").write_text("[rabbitmq_management].\n")

    def _environment(self) -> dict[str, str]:
        home = self._home
        return clean_environment() | {
            "HOME": str(home),  # of the Erlang cookie
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_ALLOW_INPUT": "1",  # become the node instead of watching over it
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_MNESIA_BASE": str(home / "data"),
            "RABBITMQ_NODENAME": "holdfast@localhost",
            "RABBITMQ_PID_FILE": str(home / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"
            ),
        }

    def wait_until_ready(self) -> None:
        """Return when it takes connections."""
        self._program.wait_until(self._is_ready, START_S_MAX, "did not start")

    def _is_ready(self) -> bool:
        try:
            self.api("GET", "/api/health/checks/virtual-hosts")
            socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
        except (OSError, http.client.HTTPException, ProgramFailed):
            return False
        return True


@contextmanager
def postgres(
    folder: Path, certificate: Pair | None = None, *, survives_power_cuts: bool = True
) -> Iterator[PostgresServer]:
    """A running PostgreSQL server, stopped at the end; the parameters are those of PostgresServer.

    :raises ServerMissing: PostgreSQL is not installed.
    """
    with _running(
        PostgresServer(folder, certificate, survives_power_cuts=survives_power_cuts)
    ) as server:
        yield server


@contextmanager
def rabbitmq(folder: Path, certificate: Pair | None = None) -> Iterator[RabbitmqServer]:
    """A running RabbitMQ server, stopped at the end.

    :raises ServerMissing: RabbitMQ is not installed.
    """
    with _running(RabbitmqServer(folder, certificate)) as server:
        yield server


@contextmanager
def _running(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _postgres_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_version)
    if not found:
        raise ServerMissing("PostgreSQL is not installed; run: make servers")
    return found[-1].parent


def _version(program: Path) -> float:
    return float(program.parent.parent.name)


def _rabbitmq_programs() -> Path:
    # Not /usr/sbin/rabbitmq-server: that one switches user and forgets the environment.
    folder = Path("/usr/lib/rabbitmq/bin")
    if not (folder / "rabbitmq-server").exists():
        raise ServerMissing("RabbitMQ is not installed; run: make servers")
    return folder


def _kept_secret(file: Path) -> str:
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(16))
    return file.read_text()
