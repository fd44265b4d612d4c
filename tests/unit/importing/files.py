"""Small files of orders for the tests of their reader."""

from pathlib import Path

from holdfast.importing.flaws import Flaw
from holdfast.importing.formats import Format, ReadOptions
from holdfast.importing.reading import OrderFile, read_orders

HEADER = "order,product,description,quantity,date,price,customer,country"
DATA_SET_HEADER = (
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
)
GENERAL = ReadOptions()
RETAIL = ReadOptions(format=Format.ONLINE_RETAIL)


def line(
    order: str = "1001",
    product: str = "LAMP",
    description: str = "Lamp",
    quantity: str = "6",
    at: str = "2026-03-02 09:00",
    price: str = "2.55",
    customer: str = "c-1",
) -> str:
    return f"{order},{product},{description},{quantity},{at},{price},{customer},GB"


def read_bytes(folder: Path, content: bytes, options: ReadOptions = GENERAL) -> OrderFile:
    path = folder / "orders.csv"
    path.write_bytes(content)
    return read_orders(path, options)


def read(
    folder: Path, *lines: str, header: str = HEADER, options: ReadOptions = GENERAL
) -> OrderFile:
    return read_bytes(folder, "\n".join([header, *lines, ""]).encode(), options)


def numbers(file: OrderFile) -> list[str]:
    """The numbers of the orders to place."""
    return [order.number for order in file.orders]


def the_flaw(file: OrderFile) -> Flaw:
    (flaw,) = file.flaws
    return flaw
