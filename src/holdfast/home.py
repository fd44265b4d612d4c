"""Where one process keeps the databases of all services: a folder, or one PostgreSQL database."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import quote, urlsplit

USUAL_FOLDER = Path("holdfast-data")
KEY_FILE = "operator.key"
SEALING_KEY_FILE = "sealing.key"
SEALING_KEY_CHARACTERS_MIN = 32
SERVICES = ("orders", "inventory", "notifier")
SCHEMES = ("postgresql", "postgres")
_PLACE = re.compile(r"(\[[^\]]*\]|[^:]*)(:[0-9]*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Home:
    """The databases of all services.

    :param orders: its database by URL, and so `inventory` and `notifier`.
    :param name: for people; it tells no user and no password.
    :param folder: of the SQLite files; None: they are schemas of one PostgreSQL database.
    """

    orders: str
    inventory: str
    notifier: str
    name: str
    folder: Path | None = None

    @property
    def urls(self) -> dict[str, str]:
        """The databases by the names of their services."""
        return {"orders": self.orders, "inventory": self.inventory, "notifier": self.notifier}

    def is_there(self) -> bool:
        """Whether the files are there; of a server only the server knows."""
        return not self.missing()

    def missing(self) -> list[Path]:
        """The files that are not there; of a server only the server knows."""
        files = _files(self.folder) if self.folder else []
        return [file for file in files if not file.exists()]

    def is_new(self) -> bool:
        """Whether none of the files is there yet; of a server only the server knows."""
        return len(self.missing()) == len(SERVICES)


def in_folder(folder: Path) -> Home:
    """Three SQLite files in a folder."""
    orders, inventory, notifier = (
        f"sqlite://{quote(str(file.absolute()))}" for file in _files(folder)
    )
    return Home(orders, inventory, notifier, str(folder), folder)


def _files(folder: Path) -> list[Path]:
    return [folder / f"{service}.db" for service in SERVICES]


def in_postgres(url: str) -> Home:
    """A schema for each service in one PostgreSQL database: `holdfast_orders` and so on.

    :raises ValueError: the URL is none of PostgreSQL; the message does not repeat it.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError("the URL of a database starts with postgresql://")
    hosts = parts.netloc.rpartition("@")[2]
    # What follows the first of these in a password would be read as something else, and be told.
    beyond = f"{parts.path}{parts.query}{parts.fragment}"
    is_plain = "@" not in beyond and "#" not in url
    if not is_plain or not all(_PLACE.fullmatch(host) for host in hosts.split(",")):
        raise ValueError(
            "the URL of a database has HOST or HOST:PORT after its user and password, in which "
            "/ is written as %2F, ? as %3F, # as %23 and @ as %40"
        )
    # Whatever search path the URL had: of a parameter given twice, the last one counts.
    own = url.rstrip("?") + ("&" if parts.query else "?") + "search_path=holdfast_"
    orders, inventory, notifier = (own + service for service in SERVICES)
    return Home(orders, inventory, notifier, f"postgresql://{hosts}{parts.path}")


class DataMissing(Exception):
    """A file of the data is gone, and others are there."""


def require_whole(home: Home) -> None:
    """See that nothing begins anew beside what goes on: an empty database in place of a lost one
    would have every order forgotten.

    :raises DataMissing: files are made one after the other, so that one that is there tells that
        those before it once were.
    """
    files = _files(home.folder) if home.folder else []
    for file, later in pairwise(files):
        if later.exists() and not file.exists():
            raise DataMissing(
                f"{file} is not there, and {later.name} is: restore it from the backup that the "
                "others are of, or begin anew in another folder"
            )


def key_file(home: Home) -> Path:
    """Where the operator's key of a home is: beside its data, or, where these are at a server, in
    the usual folder.
    """
    return (home.folder or USUAL_FOLDER) / KEY_FILE


class KeyUnusable(Exception):
    """A file beside the data should hold a key, and holds none."""


def kept_key(home: Home) -> str:
    """Return the operator's key of a home. Where there is none yet, it is made, in a file that its
    owner alone can read.

    :raises KeyUnusable: the file is empty, or holds something else; with an empty key nobody would
        be asked for any.
    """
    from holdfast.chassis.identity import keys

    file = key_file(home)
    key = _kept(file, keys.make)
    if keys.read(key) is None:
        raise KeyUnusable(f"{file} holds no key: restore it, or delete it to have a new one made")
    return key


def kept_sealing_keys(home: Home) -> list[str]:
    """Return what secrets of webhooks are sealed with; likewise made and kept. Where somebody has
    put a new one in front, the first seals and all of them open, as in a cluster.

    :raises KeyUnusable: the file is empty, or not whole; what is sealed under no key anybody opens.
    """
    from holdfast.chassis.clock import new_secret_bytes

    file = key_file(home).with_name(SEALING_KEY_FILE)
    kept = _kept(file, lambda: new_secret_bytes(32).hex()).split()
    if not kept or min(map(len, kept)) < SEALING_KEY_CHARACTERS_MIN:
        raise KeyUnusable(
            f"{file} holds no key: restore it, or delete it to have a new one made, and give every "
            "webhook another secret (`holdfast webhook rotate`)"
        )
    return kept


def _kept(file: Path, make: Callable[[], str]) -> str:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        # Under its name it is there as a whole, or not at all; also after a power cut.
        with NamedTemporaryFile("w", dir=file.parent, delete=False) as fresh:  # mode 0600
            fresh.write(make() + "\n")
            fresh.flush()
            os.fsync(fresh.fileno())
        Path(fresh.name).replace(file)
    return file.read_text(errors="replace").strip()
