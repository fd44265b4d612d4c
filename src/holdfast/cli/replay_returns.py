"""What of a file's cancellations is recorded as returns, and what is still to be taken back."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from holdfast.client import Order, OrderStatus, Return, ReturnState
from holdfast.importing.matching import Matches, Sale, match
from holdfast.importing.orders import Cancellation, FileOrder

FILLED = (OrderStatus.CONFIRMED, OrderStatus.PARTIALLY_SHIPPED, OrderStatus.SHIPPED)


def request_id_of(cancellation: str) -> str:
    """Of the return of each order that a cancellation takes something back of, and its receipt."""
    return f"return-{cancellation}"


def reason_of(cancellation: str) -> str:
    return f"cancelled by invoice {cancellation}"


@dataclass(frozen=True, slots=True)
class OwnReturn:
    """A recorded return that stands for a cancellation of the file."""

    order: Order
    cancellation: Cancellation
    told: Return


def own_returns(
    orders: Iterable[Order], cancellations: Sequence[Cancellation]
) -> Iterator[OwnReturn]:
    """The returns by which these cancellations were taken back, also those not yet received."""
    names = {request_id_of(one.number): one for one in cancellations}
    names |= {reason_of(one.number): one for one in cancellations}
    for order in orders:
        for told in order.returns:
            # Erasing a customer takes the reasons; until something came there is nothing else.
            words = [one.request_id for one in told.receipts] + [one.reason for one in told.lines]
            if named := [names[word] for word in words if word in names]:
                yield OwnReturn(order, named[0], told)


def units_back(returns: Iterable[OwnReturn]) -> Counter[str]:
    """Units that came back by returns, by product."""
    units: Counter[str] = Counter()
    for one in returns:
        for line in one.told.lines:
            units[line.product_id] += line.received
    return units


def find_sales(
    placed: Iterable[FileOrder],
    cancellations: Sequence[Cancellation],
    recorded: Mapping[str, Order],
    taken: Iterable[OwnReturn],
) -> Matches:
    """What is still to be taken back of which order, and what belongs to none.

    :param placed: all orders of the file, in time order.
    :param recorded: what became of those that were recorded, by number.
    :param taken: what was taken back before.
    """
    sales = [_sale(order, recorded.get(order.number)) for order in placed]
    before: Counter[tuple[str, str]] = Counter()
    for one in taken:
        for line in one.told.lines:
            before[one.cancellation.number, line.product_id] += line.quantity
    return match(cancellations, sales, before)


def _sale(order: FileOrder, recorded: Order | None) -> Sale:
    left = Counter({number: line.quantity for number, line in enumerate(order.lines, 1)})
    if recorded is None or recorded.status not in FILLED:
        return Sale(order, is_filled=False, left=left)
    for told in recorded.returns:
        for line in told.lines:
            is_open = told.state is ReturnState.OPEN
            left[line.line_no] -= line.quantity if is_open else line.received
    return Sale(order, is_filled=True, left=left)
