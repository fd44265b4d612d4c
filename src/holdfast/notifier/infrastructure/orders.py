"""Orders, read through the client library as any partner reads them."""

from holdfast.chassis.transient import Transient
from holdfast.client import HoldfastError, NotFound, Order
from holdfast.client import Orders as Client


class OrdersAway(Transient):
    """Orders gave no usable answer; the message says which."""


class OrdersReader:
    """Reads whole orders. Its client's key needs the right to read those of every customer."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def get(self, order_id: str) -> Order | None:
        """Return an order as it is now; None: there is none.

        :raises OrdersAway: it can't be read for now.
        """
        try:
            return await self._client.get(order_id)
        except NotFound:
            return None
        except HoldfastError as error:
            raise OrdersAway(f"an order could not be read: {error.code}: {error}") from error
