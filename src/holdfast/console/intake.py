"""Files that people bring to the console: looked at, then taken in, as `holdfast import` does.

What is under way is in the memory of the process, the files are in a folder of its own, and go when
they are done with. How far each has come is in a journal there: the same file, brought once more,
goes on where it was.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

import structlog

from holdfast.chassis.clock import Clock
from holdfast.client import Caller, Holdfast, HoldfastError
from holdfast.exchange.files import FileOptions, ImportReport, import_file
from holdfast.exchange.journal import digest_of
from holdfast.importing.flaws import UnreadableFile

FILES_MAX = 20  # of all people together, and as many on their way
FILES_EACH_MAX = 3  # of one, likewise: what was done with longest ago makes room
UNDER_WAY_MAX = 2  # others wait for their turn
KEPT_S = 3_600.0  # since somebody last did something with it
BATCH = 200  # lines in one call: whoever shares this process is not held up
JOURNAL_KEPT_S = 30 * 24 * 3_600.0

log = structlog.get_logger()


class Full(Exception):
    """There is no room for another file: one has to come whole, be finished or removed first."""


class _Elsewhere(Exception):
    """The same file is being taken in by somebody."""


class Stage(StrEnum):
    """How far a file is. `LOOKING` and `TAKING` pass by themselves."""

    LOOKING = "looking"
    LOOKED = "looked"
    TAKING = "taking"
    TAKEN = "taken"
    USELESS = "useless"
    BROKEN_OFF = "broken_off"  # while it was looked at, or taken in: the same goes on


def owner_of(caller: Caller) -> str:
    """By what a file is known to be somebody's, for as long as it is there.

    Of a key its id, as several may have one name. Of a token the name, which its issuer gives to
    nobody else, and no key or user has, for the @ in it: tokens are renewed every few minutes, and
    issuers number theirs alike.
    """
    is_by_token = caller.credential_id.startswith(("jti:", "sha256:"))
    return caller.name if is_by_token else caller.credential_id


@dataclass(slots=True)
class Intake:
    """One file of somebody's.

    :param owner: see `owner_of`; and `who` their name.
    :param request_id: of the form that brought it.
    :param name: as its owner calls it.
    :param options: how to look at it, and how to take it in but for that.
    :param open_client: makes a client of the owner, as they last asked for something to be done.
    :param goes_on: it is taken in as soon as it was looked at, whatever is found of single lines.
    :param digest: of the file, where that tells one request from another.
    :param done: lines that were gone through, of about `total` (0: nobody knows).
    :param look: what would become of it, and `report` what became of it; None: not known yet.
    :param problem: why it is of no use, or was broken off.
    """

    intake_id: str
    owner: str
    who: str
    request_id: str
    kind: str
    name: str
    path: Path
    options: FileOptions
    open_client: Callable[[], Holdfast]
    stage: Stage = Stage.LOOKING
    done: int = 0
    total: int = 0
    look: ImportReport | None = None
    report: ImportReport | None = None
    problem: str = ""
    touched_s: float = 0.0
    goes_on: bool = False
    digest: str = ""
    task: asyncio.Task[None] | None = None

    @property
    def is_moving(self) -> bool:
        return self.stage in (Stage.LOOKING, Stage.TAKING)

    def is_as(self, other: "Intake") -> bool:
        """Whether both were asked for in the same words."""
        said, theirs = (
            (one.kind, one.name, one.options, one.goes_on, one.digest) for one in (self, other)
        )
        return said == theirs


class Intakes:
    """All files that are here.

    :param folder: where they lie, which nobody else uses; None: one that is removed at the end,
        and the journals with it.
    :param target: names the services that they go into.
    """

    def __init__(self, folder: Path | None, target: str, clock: Clock) -> None:
        self._wanted, self._target, self._clock = folder, target, clock
        self._folder: Path | None = None
        self._by_id: dict[str, Intake] = {}
        self._coming = Counter[str]()  # by owner
        self._under_way = asyncio.Semaphore(UNDER_WAY_MAX)
        self._being_taken: dict[Path, str] = {}  # by journal: who takes it in

    def place(self, intake_id: str) -> Path:
        """Where to put the file of an intake."""
        return self._made() / f"{intake_id}.file"

    def clear(self, intake_id: str) -> None:
        """Remove a file that was not taken up."""
        self.place(intake_id).unlink(missing_ok=True)

    def of(self, owner: str) -> list[Intake]:
        """Somebody's, the newest first."""
        self._forget()
        return [one for one in reversed(self._by_id.values()) if one.owner == owner]

    def find(self, intake_id: str, owner: str) -> Intake | None:
        """One of somebody's; None: there is none, or none any more."""
        self._forget()
        found = self._by_id.get(intake_id)
        return found if found is not None and found.owner == owner else None

    def brought(self, request_id: str, owner: str) -> Intake | None:
        """The one that a form brought, if it was sent before."""
        return next((one for one in self.of(owner) if one.request_id == request_id), None)

    @contextmanager
    def coming(self, owner: str) -> Iterator[None]:
        """Run a block in which a file of somebody's comes, which has its place by then.

        :raises Full: too many are on their way.
        """
        if self._coming[owner] >= FILES_EACH_MAX or self._coming.total() >= FILES_MAX:
            raise Full
        self._coming[owner] += 1
        try:
            yield
        finally:
            self._coming -= Counter((owner,))  # who has none is not kept

    def require_room(self, owner: str) -> None:
        """Make room for one more.

        :raises Full: too many are moving, or too many people have some.
        """
        mine = self.of(owner)
        if len(mine) >= FILES_EACH_MAX:
            at_rest = [one for one in mine if not one.is_moving]
            if not at_rest:
                raise Full
            self._remove(min(at_rest, key=lambda one: one.touched_s))
        if len(self._by_id) >= FILES_MAX:
            raise Full

    def take_up(self, intake: Intake) -> None:
        """A file is in its place: look at it.

        :raises Full: others took its room while it came; it is gone.
        """
        try:
            self.require_room(intake.owner)
        except Full:
            self.clear(intake.intake_id)
            raise
        self._by_id[intake.intake_id] = intake
        self._begin(intake, Stage.LOOKING)

    def look(self, intake: Intake) -> None:
        """Look at it once more, where that was broken off. A repeat changes nothing."""
        if intake.look is None and intake.stage is Stage.BROKEN_OFF:
            self._begin(intake, Stage.LOOKING)

    def take(self, intake: Intake) -> None:
        """Take it in, or go on with that. A repeat changes nothing."""
        if intake.look is not None and intake.stage in (Stage.LOOKED, Stage.BROKEN_OFF):
            self._begin(intake, Stage.TAKING)

    async def stop(self, intake: Intake, problem: str) -> None:
        """Break off what moves. What was done stays done."""
        if intake.task is not None and intake.is_moving:
            intake.task.cancel()
            await asyncio.gather(intake.task, return_exceptions=True)
            intake.problem = problem

    def remove(self, intake: Intake) -> None:
        """Forget it, and its file. What moves stays."""
        if not intake.is_moving:
            self._remove(intake)

    async def close(self) -> None:
        """Break off everything, and remove all files."""
        tasks = [one.task for one in self._by_id.values() if one.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for one in list(self._by_id.values()):
            self._remove(one)
        if self._folder is not None and self._wanted is None:
            for file in self._folder.iterdir():
                file.unlink()
            self._folder.rmdir()
        self._folder = None

    def _begin(self, intake: Intake, stage: Stage) -> None:
        intake.stage, intake.problem, intake.done, intake.total = stage, "", 0, 0
        intake.touched_s = time.monotonic()
        intake.task = asyncio.create_task(self._go_through(intake))
        intake.task.add_done_callback(partial(self._rest, intake))

    async def _go_through(self, intake: Intake) -> None:
        try:
            async with self._under_way, intake.open_client() as client:
                if intake.stage is Stage.LOOKING:
                    intake.look = await self._through(intake, client, intake.options)
                    # At once, or it would be seen at rest in between.
                    intake.stage = Stage.TAKING if intake.goes_on else Stage.LOOKED
                if intake.stage is Stage.TAKING:
                    intake.done = intake.total = 0
                    async with self._alone(intake) as options:
                        intake.report = await self._through(intake, client, options)
                        intake.stage = Stage.TAKEN
                        intake.path.unlink(missing_ok=True)
        except UnreadableFile as error:
            intake.stage, intake.problem = Stage.USELESS, error.problem
            intake.path.unlink(missing_ok=True)
        except (HoldfastError, _Elsewhere) as error:
            intake.stage, intake.problem = Stage.BROKEN_OFF, str(error)

    def _rest(self, intake: Intake, task: asyncio.Task[None]) -> None:
        """Nothing is done with it any more."""
        intake.touched_s = time.monotonic()
        asyncio.get_running_loop().call_later(KEPT_S + 1.0, self._forget)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("a file could not be gone through", kind=intake.kind, exc_info=error)
            intake.problem = "something went wrong here, and is in the log: try it once more"
        if intake.is_moving and intake.task is task:  # else it is being taken in already
            intake.stage = Stage.BROKEN_OFF

    async def _through(
        self, intake: Intake, client: Holdfast, options: FileOptions
    ) -> ImportReport:
        def tell(done: int, total: int) -> None:
            intake.done, intake.total = done, total

        return await import_file(client, intake.kind, intake.path, options, tell)

    @asynccontextmanager
    async def _alone(self, intake: Intake) -> AsyncIterator[FileOptions]:
        """How to take it in; the same file is taken in by one at a time.

        :raises _Elsewhere: somebody takes it in just now.
        """
        known = await asyncio.to_thread(digest_of, intake.path)
        journal = self._made() / f"{known.digest}.{intake.kind}.journal"
        if other := self._being_taken.get(journal):
            raise _Elsewhere(f"{other} takes in this very file just now: wait until it is done")
        self._being_taken[journal] = intake.who or "somebody"
        try:
            how = replace(intake.options.how, dry_run=False)
            yield replace(intake.options, how=how, journal=journal, target=self._target)
        finally:
            del self._being_taken[journal]

    def _made(self) -> Path:
        """The folder, which others can't look into; files of an earlier process are gone."""
        if self._folder is None:
            folder = self._wanted or Path(mkdtemp(prefix="holdfast-console-"))
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            oldest = self._clock.now().timestamp() - JOURNAL_KEPT_S
            for file in [*folder.glob("*.file"), *folder.glob("*.journal")]:
                if file.suffix == ".file" or file.stat().st_mtime < oldest:
                    file.unlink()
            self._folder = folder
        return self._folder

    def _forget(self) -> None:
        latest = time.monotonic() - KEPT_S
        for one in list(self._by_id.values()):
            if not one.is_moving and one.touched_s < latest:
                self._remove(one)

    def _remove(self, intake: Intake) -> None:
        intake.path.unlink(missing_ok=True)
        self._by_id.pop(intake.intake_id, None)
