"""Small files for the tests of imports and exports, and what they become."""

from pathlib import Path

from holdfast.client import Holdfast, Product, StockInfo
from holdfast.exchange.files import FileOptions, ImportReport, import_file
from holdfast.exchange.imports import ImportOptions
from holdfast.exchange.values import ValueOptions
from holdfast.importing.tables import TableOptions

DRY = FileOptions(how=ImportOptions(dry_run=True))
PLAIN = FileOptions()


def written(folder: Path, *lines: str, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


async def take_in(
    client: Holdfast, kind: str, path: Path, options: FileOptions = PLAIN
) -> ImportReport:
    return await import_file(client, kind, path, options)


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    """Created, changed, unchanged, refused; together they are all lines."""
    found = report.created, report.changed, report.unchanged, report.refused
    assert sum(found) == report.lines
    return found


def options(*, again: bool = False, displace: bool = False, currency: str = "GBP") -> FileOptions:
    how = ImportOptions(values=ValueOptions(currency=currency), patience_s=5.0)
    return FileOptions(TableOptions(), how, again=again, displace=displace)


async def product_of(client: Holdfast, product_id: str) -> Product:
    return (await client.inventory.get_stock(product_id)).product


async def stock_of(client: Holdfast, product_id: str) -> StockInfo:
    return await client.inventory.get_stock(product_id)
