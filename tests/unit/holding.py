"""Hold stock as an order does that nobody lets wait: what is held, or what is missing."""

from holdfast.inventory.domain.stock.levels import HeldStock, Short
from holdfast.inventory.domain.stock.stock import StockBook


def hold(book: StockBook, *arguments: object, **options: object) -> tuple[HeldStock, ...] | Short:
    answer = book.hold(*arguments, **options)  # type: ignore[arg-type] # as StockBook.hold takes them
    if isinstance(answer, Short):
        return answer
    assert not answer.queued
    return answer.stock
