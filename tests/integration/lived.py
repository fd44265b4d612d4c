"""What both services have lived through once on each engine, copied for each test: living it takes
half a second, copying it a tenth.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import count
from typing import Any, NamedTuple

import pytest

from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.seam import Engine
from holdfast.verification import verify
from testbed.servers import PostgresServer
from tests.contract.conftest import NewDatabase, SteadyClock
from tests.integration.test_verification import live
from tests.integration.two_services import TwoServices

Life = Callable[[TwoServices], Awaitable[Mapping[str, str]]]

_numbers = count(1)


class Lived(NamedTuple):
    """Databases of Orders and Inventory after a life, and what it named."""

    urls: list[str]
    named: Mapping[str, str]


def lived(life: Life) -> Any:
    """A fixture: a copy of both databases as this life leaves them, which is sound."""
    kept: dict[Engine, Lived] = {}

    @pytest.fixture
    def after_life(
        engine: Engine,
        new_database: NewDatabase,
        tmp_path_factory: pytest.TempPathFactory,
        request: pytest.FixtureRequest,
    ) -> Iterator[Lived]:
        def copies(urls: list[str]) -> list[str]:
            if engine == "postgresql":
                return [_copy_in(request.getfixturevalue("postgres_server"), url) for url in urls]
            folder = tmp_path_factory.mktemp("lived")
            return [
                f"sqlite:///{shutil.copy(url.removeprefix('sqlite:///'), folder)}" for url in urls
            ]

        if engine not in kept:
            first = [new_database("orders"), new_database("inventory")]
            named = asyncio.run(_soundly(life, first))
            kept[engine] = Lived(copies(first), named)
        urls = copies(kept[engine].urls)
        yield Lived(urls, kept[engine].named)
        if engine == "postgresql":
            for url in urls:
                request.getfixturevalue("postgres_server").drop_database(_name(url))

    return after_life


async def _soundly(life: Life, urls: list[str]) -> Mapping[str, str]:
    async with connect(urls[0]) as orders, connect(urls[1]) as inventory:
        shop = TwoServices(orders, inventory, SteadyClock(), urls)
        live(shop)
        named = await life(shop)
        assert (await verify(*urls)).contradictions == []
    return named


def _copy_in(server: PostgresServer, url: str) -> str:
    name = f"lived_{next(_numbers)}"
    server.create_database(name, template=_name(url))
    return server.url(name)


def _name(url: str) -> str:
    return url.rpartition("/")[2]
