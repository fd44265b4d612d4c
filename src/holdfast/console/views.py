"""Saved views: lists with their filters, under a name, in one file that is replaced whole."""

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import parse_qsl, urlencode

import structlog

from holdfast.client import new_request_id

LISTS = {  # what may be seen by whom
    "/orders": "orders:read",
    "/to-ship": "orders:read",
    "/customers": "customers:read",
    "/products": "stock:read",
    "/movements": "stock:read",
    "/transfers": "stock:read",
}
EACH_MAX = 50
VIEWS_MAX = 1_000
NAME_MAX = 60  # characters
QUERY_MAX = 2_000  # likewise, as a URL says it
_PLACE = {"after", "past", "said"}  # of a URL: where in the list, not which
_FILE = "views.json"

log = structlog.get_logger()


class TooMany(Exception):
    """There is no room for one more."""


@dataclass(frozen=True, slots=True)
class View:
    """One view.

    :param owner: who saved it, by their name.
    :param path: of a list, below the console's own.
    :param shared: whether all are shown it, who may see the list.
    """

    view_id: str
    owner: str
    name: str
    path: str
    query: str
    shared: bool

    @property
    def url(self) -> str:
        return f"{self.path}?{self.query}".rstrip("?")


def filter_of(query: str) -> str:
    """What of a query is a filter: whatever it is, it becomes names and values, and nothing else.

    :raises ValueError: it has far too many of them.
    """
    pairs = parse_qsl(query, max_num_fields=100)
    return urlencode([(name, value) for name, value in pairs if name not in _PLACE])


class Views:
    """All views. They are few, and are kept in memory, too.

    :param folder: where the file is, that no other process writes; None: there is none, and views
        end with this process.
    """

    def __init__(self, folder: Path | None) -> None:
        self._file = folder / _FILE if folder else None
        self._known: dict[str, View] | None = None
        self._one_at_a_time = asyncio.Lock()

    @property
    def last(self) -> bool:
        """Whether they are still there when this process has ended."""
        return self._file is not None

    def of(self, owner: str) -> list[View]:
        """Somebody's own and those for all, by name."""
        found = [one for one in self._all().values() if one.shared or one.owner == owner]
        return sorted(found, key=lambda one: (one.name.casefold(), one.view_id))

    def find(self, view_id: str) -> View | None:
        return self._all().get(view_id)

    async def save(self, owner: str, name: str, path: str, query: str, *, shared: bool) -> View:
        """Keep a view. One of the same name for the same list is replaced, also by a repeat.

        :raises TooMany: its owner has EACH_MAX already, or all together VIEWS_MAX.
        :raises OSError: the disk does not take it; all is as it was.
        """
        new = View(new_request_id(), owner, name, path, query, shared)

        def put(views: dict[str, View]) -> None:
            mine = [one for one in views.values() if one.owner == owner]
            same = [one for one in mine if (one.name, one.path) == (name, path)]
            if not same and (len(mine) >= EACH_MAX or len(views) >= VIEWS_MAX):
                raise TooMany
            for one in same:
                del views[one.view_id]
            views[new.view_id] = new

        await self._change(put)
        return new

    async def change(self, view_id: str, name: str, *, shared: bool) -> None:
        """Give a view another name, and show it to all or to its owner. None is no error.

        :raises OSError: as in `save`.
        """

        def put(views: dict[str, View]) -> None:
            if view_id in views:
                views[view_id] = replace(views[view_id], name=name, shared=shared)

        await self._change(put)

    async def remove(self, view_id: str) -> None:
        """Forget a view. A repeat changes nothing.

        :raises OSError: as in `save`.
        """
        await self._change(lambda views: views.pop(view_id, None))

    async def _change(self, put: Callable[[dict[str, View]], object]) -> None:
        async with self._one_at_a_time:
            views = dict(self._all())
            put(views)
            if self._file is not None:
                await asyncio.to_thread(_write, self._file, views)
            self._known = views

    def _all(self) -> dict[str, View]:
        if self._known is None:
            self._known = _read(self._file) if self._file else {}
        return self._known


def _read(file: Path) -> dict[str, View]:
    """Read what was kept. A file that can't be understood is put aside, and told of in the log."""
    try:
        views = [View(**one) for one in json.loads(file.read_text("utf-8"))]
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError):
        aside = file.with_suffix(".damaged")
        file.replace(aside)
        log.exception("saved views can't be read, and were put aside", file=str(aside))
        return {}
    return {one.view_id: one for one in views if one.path in LISTS}


def _write(file: Path, views: dict[str, View]) -> None:
    """Replace the file, so that it is there whole, as before or as now."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as new:
        try:
            json.dump([asdict(one) for one in views.values()], new, indent=1)
            new.flush()
            os.fsync(new.fileno())
            Path(new.name).replace(file)
        except BaseException:
            Path(new.name).unlink(missing_ok=True)
            raise
