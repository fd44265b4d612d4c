"""The client itself: three services, one long-lived channel to each."""

import asyncio
from types import TracebackType
from typing import Self

from holdfast.client import _requests
from holdfast.client._calls import Calls
from holdfast.client._checks import SECONDS_MAX
from holdfast.client._customers import Customers
from holdfast.client._events import Events
from holdfast.client._health import ServiceHealth, health_of
from holdfast.client._inventory import Inventory
from holdfast.client._key import key_for
from holdfast.client._keys import Keys
from holdfast.client._orders import Orders
from holdfast.client._tls import Tls, credentials
from holdfast.client._users import Users
from holdfast.client._webhooks import Mails, Webhooks

ORDERS_ADDRESS = "127.0.0.1:7001"
INVENTORY_ADDRESS = "127.0.0.1:7002"
NOTIFIER_ADDRESS = "127.0.0.1:7005"
DEADLINE_S = 10.0


class Holdfast:
    """A client of all services, for asyncio; use it with `async with`, inside the event loop.

    Making it connects to nothing: the first call does. Every call has a deadline. A call that
    fails because nothing answers, or because the service asks to come back later, is repeated
    with growing pauses as long as that is safe. Errors are `HoldfastError` and its subclasses.

    A closed client says so to every call, as `Unavailable` with the reason CLIENT_CLOSED. gRPC does
    not go on in a process that forks off: once a client was made, none can be used or made in such
    a process, which is told so (`Refused`, FORKED). One that was started by spawn makes its own.
    A client belongs to the event loop that it is made in: elsewhere it is refused, too.

    Values that cannot be sent (a float for a quantity, half a character in a text, a time without
    a zone) are refused before anything is sent, as `InvalidRequest` with the fields.

    :param orders: address of Orders, host:port.
    :param inventory: address of Inventory, host:port.
    :param notifier: address of the Notifier, host:port: for webhooks and mails.
    :param deadline_s: seconds that a call may take, repeats included; more than 0, at most a year.
    :param retry_s: seconds during which a call may be repeated, 0 for never; None: the deadline.
    :param tls: speak TLS, 1.2 or newer: with these files, or by what everybody trusts. The
        addresses must be among the names of the services' certificates.
    :param key: the API key, or token, that says who calls; "": none; None: HOLDFAST_KEY in the
        environment, or else what `holdfast up` keeps in ./holdfast-data, for services on this
        machine.
    """

    def __init__(
        self,
        orders: str = ORDERS_ADDRESS,
        inventory: str = INVENTORY_ADDRESS,
        deadline_s: float = DEADLINE_S,
        *,
        retry_s: float | None = None,
        tls: Tls | bool = False,
        key: str | None = None,
        notifier: str = NOTIFIER_ADDRESS,
    ) -> None:
        whole_s = _requests.seconds("deadline_s", deadline_s, highest=SECONDS_MAX, zero=False)
        if retry_s is not None:
            retry_s = _requests.seconds("retry_s", retry_s, highest=SECONDS_MAX)
        at_orders = _requests.address("orders", orders)
        at_inventory = _requests.address("inventory", inventory)
        at_notifier = _requests.address("notifier", notifier)
        trust = credentials(tls)

        def calls(service: str, target: str) -> Calls:
            who = key_for(target, key)
            return Calls(service, target, trust, key=who, deadline_s=whole_s, retry_s=retry_s)

        to_orders, to_inventory = calls("Orders", at_orders), calls("Inventory", at_inventory)
        to_notifier = calls("Notifier", at_notifier)
        self.orders = Orders(to_orders)
        self.inventory = Inventory(to_inventory)
        self.customers = Customers(to_orders)
        self.keys = Keys(to_orders)
        self.users = Users(to_orders)
        self.events = Events(to_orders, to_inventory)
        self.webhooks = Webhooks(to_notifier)
        self.mails = Mails(to_notifier)
        self._services = (to_orders, to_inventory, to_notifier)

    async def health(self) -> list[ServiceHealth]:
        """How Orders, Inventory and the Notifier say that they are. It takes some seconds at most,
        needs no key, and raises nothing: that a service does not answer is told of it.
        """
        return await health_of(self._services)

    async def close(self) -> None:
        """End what is under way, as Unavailable, and close all channels, for good. A repeat changes
        nothing.
        """
        await asyncio.gather(*(one.close() for one in self._services))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
