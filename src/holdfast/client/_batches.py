"""Send a batch in as many calls as it takes: by count and by bytes, with the results in order."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from holdfast.client._errors import Failure, HoldfastError, InternalError, request_too_large

BATCH_MAX = 1_000
REQUEST_BYTES_MAX = 4 * 1024 * 1024
FRAME_BYTES = 6  # of an item: its field's number and its length

Item = TypeVar("Item")
Result = TypeVar("Result")


async def send_in_parts(
    items: Sequence[Item | HoldfastError],
    size_of: Callable[[Item], int],
    send: Callable[[Sequence[Item]], Awaitable[Sequence[Result | HoldfastError]]],
    *,
    name: str,
) -> list[Result | HoldfastError]:
    """Send the items, part after part; one result for each, in their order.

    What is an error already, or too large for any call, stays an error and is not sent. If a part
    fails as a whole, no further one is sent: its error stands in place of all results that are
    still due. If that is the first part, nothing would be lost with the error: it is raised.

    :param name: of the field that holds the items, for what is said of them.
    """
    results: dict[int, Result | HoldfastError] = {}
    waiting: list[_Waiting[Item]] = []
    for at, item in enumerate(items):
        if isinstance(item, HoldfastError):
            results[at] = item
            continue
        size = size_of(item) + FRAME_BYTES
        if size > REQUEST_BYTES_MAX:
            results[at] = request_too_large(f"{name}[{at}]", size, REQUEST_BYTES_MAX)
        else:
            waiting.append(_Waiting(at, item, size))
    failed: HoldfastError | None = None
    for number, part in enumerate(_parts(waiting)):
        outcomes: Sequence[Result | HoldfastError] = ()
        if failed is None:
            try:
                outcomes = await send([one.item for one in part])
            except HoldfastError as error:
                if number == 0:
                    raise
                failed = error
        if failed is None and len(outcomes) != len(part):
            failed = _miscounted(len(outcomes), len(part), name)
        for place, one in enumerate(part):
            results[one.at] = failed or outcomes[place]
    return [results[at] for at in range(len(items))]


class _Waiting(NamedTuple, Generic[Item]):
    """An item to send, its place in the batch, and its size in a message."""

    at: int
    item: Item
    size: int


def _parts(waiting: Sequence[_Waiting[Item]]) -> Iterator[list[_Waiting[Item]]]:
    part: list[_Waiting[Item]] = []
    room = REQUEST_BYTES_MAX
    for one in waiting:
        if part and (len(part) == BATCH_MAX or one.size > room):
            yield part
            part, room = [], REQUEST_BYTES_MAX
        part.append(one)
        room -= one.size
    if part:
        yield part


def _miscounted(came: int, due: int, name: str) -> HoldfastError:
    return InternalError(Failure("INTERNAL", f"{came} results came for {due} {name}"))
