"""Which database a URL names, and how to open it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, quote, unquote, urlsplit

from pydantic import AfterValidator, SecretStr

from holdfast.chassis.database.postgres import connect_postgres
from holdfast.chassis.database.seam import Database, DatabaseUnavailable, Engine
from holdfast.chassis.database.sqlite import Sqlite

_ENGINES: dict[str, Engine] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "sqlite": "sqlite",
}


def engine_of(url: str) -> Engine:
    """Return the engine that a URL names: postgresql://USER@HOST/NAME or sqlite:///PATH.

    :raises ValueError: it names none of them, or can't be read; the message tells no secret.
    """
    scheme, slashes, _ = url.partition("://")
    engine = _ENGINES.get(scheme.lower()) if slashes else None
    if engine is None:
        named = scheme if slashes else "no scheme"
        raise ValueError(f"{named}: a database URL starts with postgresql:// or sqlite://")
    if engine == "postgresql":
        _require_readable(url)
    return engine


def _require_readable(url: str) -> None:
    """Whoever reads it later would tell what follows the colon of a password with a #."""
    try:
        parts = urlsplit(url)
        for host in parts.netloc.rpartition("@")[2].split(","):
            _ = urlsplit(f"//{host}").port
        if parts.query:
            parse_qs(parts.query, strict_parsing=True)
    except ValueError:
        raise ValueError(f"has a port that is none, or can't be read; {_HINT}") from None
    if parts.fragment:
        raise ValueError(f"has something after a #; {_HINT}")


_HINT = "in user and password write / as %2F, @ as %40, : as %3A, # as %23, ? as %3F"


def _checked(url: SecretStr) -> SecretStr:
    """Without blanks around it, such as the line break of a secret's file."""
    text = url.get_secret_value().strip()
    engine_of(text)
    return SecretStr(text)


DatabaseUrl = Annotated[SecretStr, AfterValidator(_checked)]  # of a setting


def sqlite_path(url: str) -> Path:
    """Return the file that a sqlite URL names: sqlite:///PATH, where an absolute PATH starts with a
    fourth slash or not.
    """
    return Path(unquote(urlsplit(url).path))


def sqlite_url(path: Path) -> str:
    """Return the URL of a file."""
    return f"sqlite://{quote(str(path.absolute()))}"


@asynccontextmanager
async def connect(url: str, *, wait: bool = True) -> AsyncIterator[Database]:
    """Open a database and close it afterwards; `wait` for a server that is away, or raise at once.

    :raises DatabaseUnavailable: it can't be opened.
    """
    database: Database
    if engine_of(url) == "sqlite":
        path = sqlite_path(url)
        if not path.exists():
            raise DatabaseUnavailable(f"SQLite {path}: there is no such file")
        database = Sqlite(path)
    else:
        database = await connect_postgres(url, wait=wait)
    try:
        yield database
    finally:
        await database.close()
