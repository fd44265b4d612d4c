"""Services run by what the chart renders: their environment and arguments, and no others."""

import asyncio
import json
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from itertools import count
from pathlib import Path
from urllib.request import urlopen

import httpx2
import pytest

from holdfast.client import Holdfast, Money, OrderLine, OrderStatus, Tls
from testbed.authority import Authority
from testbed.keys import KEY, SEALING_SECRET, SERVICE_KEY
from testbed.processes import Program, clean_environment, free_port, run
from testbed.servers import PostgresServer, RabbitmqServer
from testbed.services import HOLDFAST, serves
from tests.charts.chart import (
    PARTS,
    Chart,
    Document,
    Rendered,
    Secrets,
    container,
    environment,
    part_of,
)
from tests.charts.value_sets import MUTUAL, SETTINGS, WORKERS, Values

START_S_MAX = 30.0
NOTHING: Secrets = {}

pytestmark = [pytest.mark.charts, pytest.mark.timeout(180)]

_numbers = count(1)


@pytest.fixture
def addresses(
    postgres_server: PostgresServer, rabbitmq_server: RabbitmqServer
) -> Iterator[dict[str, dict[str, str]]]:
    """Values of all services' Secrets: empty databases, and a vhost."""
    name = f"chart-{next(_numbers)}"
    rabbitmq_server.create_vhost(name)
    databases = {part: f"{name}-{part}" for part in PARTS}
    for database in databases.values():
        postgres_server.create_database(database)
    own = {
        part: {"broker": rabbitmq_server.url(name)}
        if part != "notifier"
        else {"sealing_secrets": SEALING_SECRET}
        for part in PARTS
    }
    yield {
        part: {
            "database": postgres_server.url(database),
            "service_key": SERVICE_KEY,
            "operator_key": KEY,
            **own[part],
        }
        for part, database in databases.items()
    }
    rabbitmq_server.leave_vhost(name)
    for database in databases.values():
        postgres_server.drop_database(database)


def values_for(addresses: Mapping[str, Mapping[str, str]]) -> Values:
    """What differs here from a cluster: ports that are free, and no names for addresses."""
    ports = {part: free_port() for part in PARTS}
    return {
        "orders": {
            "port": ports["orders"],
            "inventory": f"127.0.0.1:{ports['inventory']}",
            "secret": {"values": addresses["orders"]},
        },
        "inventory": {
            "port": ports["inventory"],
            "secret": {"values": addresses["inventory"]},
        },
        "notifier": {
            "port": ports["notifier"],
            "orders": f"127.0.0.1:{ports['orders']}",
            "inventory": f"127.0.0.1:{ports['inventory']}",
            "secret": {"values": addresses["notifier"]},
        },
        "console": {
            "port": free_port(),
            **{part: f"127.0.0.1:{number}" for part, number in ports.items()},
        },
        "metrics": {"port": free_port()},
    }


def port(workload: Document, name: str) -> int:
    (found,) = [one for one in container(workload)["ports"] if one["name"] == name]
    number: int = found["containerPort"]
    return number


def mount(deployment: Document, secrets: Secrets, folder: Path) -> Path:
    """Write the files of Secrets where Kubernetes would, below the folder that is returned."""
    etc = folder / part_of(deployment)
    volumes = {one["name"]: one for one in deployment["spec"]["template"]["spec"]["volumes"]}
    for one in container(deployment)["volumeMounts"]:
        if "secret" not in volumes[one["name"]]:
            continue
        source = volumes[one["name"]]["secret"]
        held = secrets[source["secretName"]]
        items = source.get("items", [{"key": key, "path": key} for key in held])
        inside = etc / one["mountPath"].removeprefix("/etc/holdfast/")
        inside.mkdir(parents=True, exist_ok=True)
        for item in items:
            (inside / item["path"]).write_text(held[item["key"]])
    return etc


class Pod:
    """A service as the one container of a pod: told what is rendered, and nothing else."""

    def __init__(self, deployment: Document, secrets: Secrets, folder: Path) -> None:
        self._container = container(deployment)
        # What is mounted lies in the test's folder: /etc is not ours.
        self._environment = clean_environment() | {
            name: value.replace("/etc/holdfast", str(mount(deployment, secrets, folder)))
            for name, value in environment(deployment, secrets).items()
        }
        self._folder = folder
        self.program = Program(self._container["name"], log=folder / f"{part_of(deployment)}.log")

    def start(self) -> None:
        """Return when Kubernetes would find it started, ready and alive."""
        self.program.start(
            [str(HOLDFAST), *self._container["args"]], env=self._environment, cwd=self._folder
        )
        for kind in ("startup", "readiness", "liveness"):
            self.program.wait_until(partial(self._passes, kind), START_S_MAX, f"fails its {kind}")

    def _passes(self, kind: str) -> bool:
        probe = self._container[f"{kind}Probe"]
        if "grpc" in probe:
            return serves(f"127.0.0.1:{probe['grpc']['port']}")
        where = probe["httpGet"]
        try:
            with urlopen(f"http://127.0.0.1:{where['port']}{where['path']}", timeout=1) as answer:
                return bool(answer.status == HTTPStatus.OK)
        except OSError:
            return False

    def stop(self) -> int | None:
        return self.program.signal(signal.SIGTERM)


def migrate(rendered: Rendered, folder: Path) -> None:
    (job,) = rendered.of_kind("Job")
    run(
        "migration",
        [str(HOLDFAST), *container(job)["args"]],
        env=clean_environment() | environment(job, rendered.secrets()),
        cwd=folder,
    )


@contextmanager
def running(
    rendered: Rendered,
    folder: Path,
    *,
    theirs: Secrets = NOTHING,
    others: Sequence[Rendered] = (),
) -> Iterator[Mapping[str, Pod]]:
    """The migration has run, and then the services do.

    :param theirs: Secrets that the chart does not make.
    :param others: rendered with other ports for Orders and the Notifier, where services would have
        the same ones.
    """
    migrate(rendered, folder)
    secrets = {**rendered.secrets(), **theirs}
    of_parts = zip(PARTS, [rendered, *(others or [rendered, rendered])], strict=True)
    pods = {part: Pod(one.deployment(part), secrets, folder) for part, one in of_parts}
    try:
        for one in pods.values():
            one.start()
        yield pods
    finally:
        for one in pods.values():
            one.stop()


async def place_an_order(rendered: Rendered, tls: Tls | None = None) -> None:
    at = {part: f"127.0.0.1:{port(rendered.deployment(part), 'grpc')}" for part in PARTS}
    async with Holdfast(
        at["orders"], at["inventory"], notifier=at["notifier"], tls=tls or False
    ) as holdfast:
        price = Money.parse("12.50", "GBP")
        await holdfast.inventory.create_product("LAMP", name="Lamp", unit_price=price)
        await holdfast.inventory.set_stock("LAMP", 5, reason="delivery")
        order = await holdfast.orders.create("c-17", [OrderLine("LAMP", 2)], wait_s=30)
        assert order.status == OrderStatus.CONFIRMED
        # The Notifier knows the key of the values, and answers.
        assert [one async for one in holdfast.webhooks.list()] == []


def sign_in(rendered: Rendered, folder: Path, theirs: Secrets = NOTHING) -> None:
    """Start the console before services that run, and sign in."""
    console = rendered.deployment("console")
    pod = Pod(console, {**rendered.secrets(), **theirs}, folder)
    at = f"http://127.0.0.1:{port(console, 'http')}"
    try:
        pod.start()
        entered = httpx2.post(
            f"{at}/console/sign-in", data={"key": KEY}, headers={"sec-fetch-site": "same-origin"}
        )
        cookie = entered.headers["set-cookie"].partition(";")[0]
        orders = httpx2.get(f"{at}/console/orders", headers={"cookie": cookie})
        assert "LAMP" in httpx2.get(f"{at}/console/products", headers={"cookie": cookie}).text
        assert orders.status_code == HTTPStatus.OK
    finally:
        assert pod.stop() == 0


async def test_an_order_is_placed_with_the_least_that_has_to_be_told(
    chart: Chart, addresses: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    rendered = chart.render(values_for(addresses))

    with running(rendered, tmp_path):
        await place_an_order(rendered)
        await asyncio.to_thread(sign_in, rendered, tmp_path)


async def test_an_order_is_placed_with_every_setting_and_several_workers(
    chart: Chart, addresses: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    rendered = chart.render(SETTINGS, WORKERS, values_for(addresses))

    with running(rendered, tmp_path):
        await place_an_order(rendered)


async def test_an_order_is_placed_where_everybody_shows_a_certificate(
    chart: Chart, addresses: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    authority = Authority(folder_of(tmp_path, "authority"))

    def secret(*names: str) -> dict[str, str]:
        pair = authority.issue(names[0], *names)
        files = {"tls.crt": pair.certificate, "tls.key": pair.key, "ca.crt": authority.ca}
        return {name: file.read_text() for name, file in files.items()}

    theirs = {
        "orders-tls": secret("orders", "127.0.0.1"),
        "inventory-tls": secret("inventory", "127.0.0.1"),
        "notifier-tls": secret("notifier", "127.0.0.1"),
        "console-tls": secret("console", "127.0.0.1"),
        "our-authorities": {"ca.crt": authority.ca.read_text()},
    }
    names = ["orders", "notifier", "console", "shop"]
    theirs_alone = {"inventory": {"tls": {"clientNames": names}}}
    values = [MUTUAL, theirs_alone, values_for(addresses)]
    one, *others, one_of_console = (
        chart.render(*values, {"metrics": {"port": free_port()}}) for _ in (*PARTS, "console")
    )
    shop = authority.issue("shop", "shop")
    shows = Tls(ca=authority.ca, certificate=shop.certificate, key=shop.key)

    with running(one, tmp_path, theirs=theirs, others=others):
        await place_an_order(one, shows)
        await asyncio.to_thread(sign_in, one_of_console, tmp_path, theirs)


def folder_of(above: Path, name: str) -> Path:
    (above / name).mkdir()
    return above / name


async def test_what_http_and_metrics_need_is_set(
    chart: Chart, addresses: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    values = [{"http": {"enabled": True}}, {"metrics": {"enabled": True}}, values_for(addresses)]
    ports = [{"http": {"port": free_port()}, "metrics": {"port": free_port()}} for _ in PARTS]
    one, *others = (chart.render(*values, some) for some in ports)

    with running(one, tmp_path, others=others):
        await place_an_order(one)

        for some, service in zip(ports, PARTS, strict=True):
            metrics = read(some["metrics"]["port"], "/metrics")
            assert "holdfast_build_info" in metrics, service
            assert json.loads(read(some["http"]["port"], "/openapi.json"))["paths"], service


def read(port: int, path: str) -> str:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        text: str = answer.read().decode()
        return text


def test_a_service_ends_long_before_it_is_killed(
    chart: Chart, addresses: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    rendered = chart.render(values_for(addresses))

    with running(rendered, tmp_path) as pods:
        for part, pod in pods.items():
            given_s = rendered.deployment(part)["spec"]["template"]["spec"][
                "terminationGracePeriodSeconds"
            ]
            started = time.monotonic()
            assert pod.stop() == 0
            assert time.monotonic() - started < given_s / 3


def test_the_image_begins_as_the_chart_expects() -> None:
    """Pods give arguments and no command: what stands before these is the image's own."""
    lines = (Path(__file__).parents[2] / "Dockerfile").read_text().splitlines()

    assert 'ENTRYPOINT ["holdfast"]' in lines
    assert "USER 10001" in lines
