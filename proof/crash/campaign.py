"""Many cases, some at a time, on servers and a fork server that they share."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Self

from proof.crash.cluster import Cluster
from proof.crash.fork_server import ForkServer
from proof.crash.points import Case, Mode
from proof.crash.run import Verdict, run_case
from proof.crash.testbed import Embedded, OnPostgres, Testbed
from testbed.cluster import fresh_places
from testbed.servers import PostgresServer, RabbitmqServer, postgres, rabbitmq
from testbed.templates import Templates


class Site:
    """Where cases find their testbeds; servers are started only if a case needs them.

    :param servers: where servers and templates keep their data.
    """

    def __init__(self, servers: Path) -> None:
        self._folder = servers
        self._templates = Templates(servers)
        self._open = ExitStack()
        self._building = asyncio.Lock()  # a template is copied by one at a time
        self._postgres: PostgresServer | None = None
        self._rabbitmq: RabbitmqServer | None = None

    def __enter__(self) -> Self:
        self._fork_server = self._open.enter_context(ForkServer())
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @asynccontextmanager
    async def testbed(self, case: Case, folder: Path) -> AsyncIterator[Testbed]:
        """All that a case needs, made for it alone and removed afterwards, but for `folder`."""
        folder.mkdir(parents=True)
        if case.mode is Mode.EMBEDDED:
            yield Embedded(self._fork_server, folder, self._templates, expires=case.point.expires)
            return
        at_end = ExitStack()
        async with self._building:
            testbed = await asyncio.to_thread(self._on_servers, case, folder, at_end)
        try:
            yield testbed
        finally:
            await asyncio.to_thread(at_end.close)

    def _on_servers(self, case: Case, folder: Path, at_end: ExitStack) -> Testbed:
        if self._postgres is None:
            self._postgres = self._open.enter_context(postgres(self._folder))
        if case.mode is Mode.ON_POSTGRES:
            url = self._templates.copy_home(self._postgres, case.name)
            at_end.callback(self._postgres.drop_database, case.name)
            return OnPostgres(self._fork_server, folder, url, expires=case.point.expires)
        if self._rabbitmq is None:
            self._rabbitmq = self._open.enter_context(rabbitmq(self._folder))
        places = fresh_places(case.name, self._postgres, self._rabbitmq, self._templates)
        urls, broker = at_end.enter_context(places)
        return Cluster(
            self._fork_server, folder, expires=case.point.expires, databases=urls, broker=broker
        )


async def run_all(
    cases: Sequence[Case], folder: Path, servers: Path, *, jobs: int
) -> AsyncGenerator[Verdict]:
    """Run the cases and yield what became of each as soon as it is known.

    :param folder: each case keeps its logs, history and databases in a folder of its name.
    :param jobs: so many at a time.
    """
    turns = asyncio.Semaphore(jobs)
    with Site(servers) as site:

        async def run(case: Case) -> Verdict:
            async with turns, site.testbed(case, folder / case.name) as testbed:
                return await run_case(case, testbed)

        async with asyncio.TaskGroup() as group:
            for verdict in asyncio.as_completed([group.create_task(run(case)) for case in cases]):
                yield await verdict
