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
        if not server.has_database(template):
            server.create_database(template)
            migrate(service, server.url(template))
        server.create_database(target, template=template)
        return server.url(target)

    def copy_home(self, server: PostgresServer, target: str) -> str:
        """One database with the schemas of all services, as `holdfast up` has it."""
        template = "template_home"
        if not server.has_database(template):
            server.create_database(template)
            for service, url in in_postgres(server.url(template)).urls.items():
                migrate(service, url)
        server.create_database(target, template=template)
        return server.url(target)
