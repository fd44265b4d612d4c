"""How large a message may be: what every gRPC client and server takes unless told otherwise.

Requests beyond the limit are refused with a reason; answers keep below it by themselves.
"""

from google.protobuf.message import Message

REQUEST_BYTES_MAX = 4 * 1024 * 1024
# gRPC itself takes more, so that our refusal, and not its bare status, is what a caller reads.
RECEIVE_BYTES_MAX = 16 * 1024 * 1024
ANSWER_BYTES_MAX = 4 * 1024 * 1024
FRAME_BYTES = 6  # of a message in another one: its field's number and its length

assert REQUEST_BYTES_MAX < RECEIVE_BYTES_MAX


class RequestTooLarge(Exception):
    """A request message has more bytes than are allowed; nothing of it was read."""

    def __init__(self, size: int) -> None:
        super().__init__(
            f"the request has {size:,} bytes and may have {REQUEST_BYTES_MAX:,}: "
            "send less in one call, a batch in several"
        )
        self.size = size


class Room:
    """What an answer with one result for each of many requests still has room for.

    :param results: how many there will be; each has `short_bytes` for certain, framed.
    """

    def __init__(self, results: int, *, short_bytes: int) -> None:
        self._short_bytes = short_bytes
        self._spare = ANSWER_BYTES_MAX - results * short_bytes
        assert self._spare > 0, "the short forms alone must fit"

    def takes(self, result: Message) -> bool:
        """Whether a result fits as it is; then its place is taken. Else put in its short form."""
        more = max(result.ByteSize() + FRAME_BYTES - self._short_bytes, 0)
        if more > self._spare:
            return False
        self._spare -= more
        return True
