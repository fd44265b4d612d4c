"""Schema migrations: which version a database has, which it needs, and how to bring it there.

Alembic runs plain SQL revisions; it is imported only when there is something to migrate, since
it is slow to import.
"""

import asyncio
import io
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import holdfast
from holdfast.chassis.database.engines import connect, engine_of, sqlite_path
from holdfast.chassis.database.seam import Database, DatabaseUnavailable

_ROOT = Path(holdfast.__file__).parent


class WrongSchema(Exception):
    """The database's schema is not the one that this program was written for."""


def newest_revision(service: str) -> str:
    """Return the revision that this program needs: the last file of the service's migrations."""
    files = (_ROOT / service / "infrastructure" / "migrations").glob("[0-9]*.py")
    return max(path.stem.partition("_")[0] for path in files)


async def require_newest(database: Database, service: str) -> None:
    """Pass if the database has the newest schema.

    :raises WrongSchema: it has an older or a newer one, or none; or keeps not every text.
    """
    await _require_unicode(database)
    found = await current_revision(database)
    needed = newest_revision(service)
    if found != needed:
        is_newer = found > needed
        remedy = "use the release that made it" if is_newer else "run `holdfast migrate`"
        raise WrongSchema(
            f"the {service} database has schema {found or 'none'}, "
            f"this program needs {needed}: {remedy}"
        )


async def current_revision(database: Database) -> str:
    """Return the schema's revision, or "" where there is none yet."""
    catalogue = {
        "sqlite": "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'",
        "postgresql": "SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL",
    }[database.engine]
    async with database.read() as reading:
        if not await reading.fetch(catalogue):
            return ""
        rows = await reading.fetch("SELECT version_num FROM alembic_version")
    return str(rows[0]["version_num"]) if rows else ""


async def _require_unicode(database: Database) -> None:
    """See that every name and address can be kept: not where a server was made without a locale.

    :raises WrongSchema: the database has another encoding than UTF-8.
    """
    if database.engine == "sqlite":  # which keeps nothing else
        return
    async with database.read() as reading:
        (row,) = await reading.fetch("SHOW server_encoding")
    if row["server_encoding"] != "UTF8":
        raise WrongSchema(
            f"the database has the encoding {row['server_encoding']}, in which not every text can "
            "be kept: make one by `createdb --encoding UTF8 --template template0 NAME`"
        )


async def is_newest(service: str, url: str) -> bool:
    """Whether a database is there and has the newest schema."""
    try:
        async with connect(url, wait=False) as database:
            return await current_revision(database) == newest_revision(service)
    except DatabaseUnavailable:
        return False


def migrate(service: str, url: str) -> list[str]:
    """Bring a database to the newest schema; return the revisions applied. A repeat applies none.

    A PostgreSQL schema that the URL names (?search_path=NAME) is made where it is missing.

    Each revision is one transaction. Of several calls at once, the others wait for the first. Not
    to be called on an event loop: use `asyncio.to_thread`.

    :raises DatabaseUnavailable: the server or the database is not there, or refuses the user; or
        it can't be migrated, and the message says why.
    :raises WrongSchema: a newer release has made it, or it is not in UTF-8.
    """
    applied: list[str] = []
    if engine_of(url) == "sqlite":
        sqlite_path(url).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    else:
        asyncio.run(_make_schema(url))
    _upgrade(service, url, applied)
    return applied


async def _make_schema(url: str) -> None:
    """Reach the server, and make the schema that the URL names."""
    async with connect(url, wait=False) as database:
        await _require_unicode(database)
        name = _schema_of(url)
        # Looked for first: who may not make it may still use it.
        if name and not await _has_schema(database, name):
            async with database.begin() as work:
                await work.fetch(f"CREATE SCHEMA IF NOT EXISTS {name}")


async def _has_schema(database: Database, schema: str) -> bool:
    """Whether a PostgreSQL database has a schema of this name."""
    async with database.read() as reading:
        return bool(await reading.fetch("SELECT 1 WHERE to_regnamespace($1) IS NOT NULL", schema))


def _schema_of(url: str) -> str:
    """The one schema that a PostgreSQL URL names; "" where it names none, or something else."""
    (*_, named) = parse_qs(urlsplit(url).query).get("search_path", [""])
    return named if re.fullmatch("[a-z_][a-z0-9_]*", named, re.ASCII) else ""


def script(service: str, url: str) -> str:
    """Return the SQL that makes a new database, for those who run migrations by hand."""
    text = io.StringIO()
    if schema := _schema_of(url):
        text.write(f"CREATE SCHEMA IF NOT EXISTS {schema};\n\nSET search_path = {schema};\n\n")
    _upgrade(service, url, [], written_to=text)
    return text.getvalue()


def _upgrade(
    service: str, url: str, applied: list[str], *, written_to: io.StringIO | None = None
) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError
    from sqlalchemy.exc import DBAPIError

    config = Config(output_buffer=written_to, attributes={"url": url, "applied": applied})
    script_location = _ROOT / "chassis" / "database" / "alembic_env"
    versions = _ROOT / service / "infrastructure" / "migrations"
    # A % would begin a name of alembic's own.
    config.set_main_option("script_location", str(script_location).replace("%", "%%"))
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    try:
        command.upgrade(config, "head", sql=written_to is not None)
    except CommandError as error:
        raise WrongSchema(
            f"the {service} database is of a newer release, use that one: {error}"
        ) from error
    except DBAPIError as error:
        why = (error.orig and error.orig.__cause__) or error.orig
        raise DatabaseUnavailable(f"the {service} database can't be migrated: {why}") from error
