"""Migrated databases to be copied: migrating takes a second, copying a tenth of one."""

import shutil
from pathlib import Path

from holdfast.chassis.database.migrations import migrate
from holdfast.home import in_folder, in_postgres
from testbed.servers import PostgresServer


class Templates:
    """One migrated database for each service and engine, to be copied."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: set[tuple[PostgresServer, str]] = set()

    def copy_file(self, service: str, target: Path) -> str:
        template = self._folder / f"{service}.db"
        if not template.exists():
            migrate(service, f"sqlite:///{template}")
        shutil.copyfile(template, target)
        return f"sqlite:///{target}"

    def copy_folder(self, target: Path) -> None:
        """What `holdfast up` keeps in a folder."""
        for service in in_folder(target).urls:
            self.copy_file(service, target / f"{service}.db")

    def copy_database(self, service: str, server: PostgresServer, target: str) -> str:
        template = f"template_{service}"
        if self._is_new(server, template):
            migrate(service, server.url(template))
        server.create_database(target, template=template)
        return server.url(target)

    def copy_home(self, server: PostgresServer, target: str) -> str:
        """One database with the schemas of all services, as `holdfast up` has it."""
        template = "template_home"
        if self._is_new(server, template):
            for service, url in in_postgres(server.url(template)).urls.items():
                migrate(service, url)
        server.create_database(target, template=template)
        return server.url(target)

    def _is_new(self, server: PostgresServer, template: str) -> bool:
        """Make a template's database unless it is there; the server is asked once."""
        if (server, template) in self._made:
            return False
        self._made.add((server, template))
        if server.has_database(template):
            return False
        server.create_database(template)
        return True
