"""The client for programs without an event loop: the same methods, run on a thread of its own."""

import asyncio
import atexit
import os
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import wraps
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from holdfast.client._client import (
    DEADLINE_S,
    INVENTORY_ADDRESS,
    NOTIFIER_ADDRESS,
    ORDERS_ADDRESS,
    Holdfast,
)
from holdfast.client._customers import Customers
from holdfast.client._errors import HoldfastError, Unavailable, client_closed, client_forked
from holdfast.client._events import Events
from holdfast.client._inventory import Inventory
from holdfast.client._keys import Keys
from holdfast.client._orders import Orders
from holdfast.client._tls import Tls
from holdfast.client._users import Users
from holdfast.client._webhooks import Mails, Webhooks

P = ParamSpec("P")
T = TypeVar("T")


class HoldfastSync:
    """A client of all services for ordinary code; use it with `with`. Threads may share it.

    The same promises, errors and parameters as `Holdfast`, whose methods it runs. Async iterators
    become plain ones. A client that is still open when the program ends is closed then.
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
        self._loop = _LoopThread()

        async def connect() -> Holdfast:
            return Holdfast(
                orders,
                inventory,
                deadline_s,
                retry_s=retry_s,
                tls=tls,
                key=key,
                notifier=notifier,
            )

        try:
            self._client = self._loop.run(connect())
        except HoldfastError:
            self._loop.stop(None)
            raise
        self._loop.stop_at_exit(self._client)
        self.orders = _OrdersSync(self._client.orders, self._loop)
        self.inventory = _InventorySync(self._client.inventory, self._loop)
        self.customers = _CustomersSync(self._client.customers, self._loop)
        self.keys = _KeysSync(self._client.keys, self._loop)
        self.users = _UsersSync(self._client.users, self._loop)
        self.events = _EventsSync(self._client.events, self._loop)
        self.webhooks = _WebhooksSync(self._client.webhooks, self._loop)
        self.mails = _MailsSync(self._client.mails, self._loop)
        self.health = self._loop.blocking(self._client.health)

    def close(self) -> None:
        """End what is under way, in other threads as Unavailable, and close all channels and the
        thread, for good. A repeat changes nothing.
        """
        self._loop.stop(self._client)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _LoopThread:
    """An event loop on a background thread, and ways to wait for what runs there."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="holdfast-client", daemon=True)
        self._process = os.getpid()
        self._client: Holdfast | None = None  # to be closed before the end
        self._stopped = False
        # A signal, or the garbage collector, may come back to the thread that holds it.
        self._changing = threading.RLock()
        self._thread.start()

    def run(self, work: Coroutine[None, None, T]) -> T:
        try:
            future = self._start(work)
        except HoldfastError:
            work.close()
            raise
        try:
            return future.result()
        except CancelledError:  # by nobody but `stop`
            raise client_closed() from None
        finally:
            future.cancel()  # after Ctrl-C nothing goes on behind the caller's back

    def _start(self, work: Coroutine[None, None, T]) -> "Future[T]":
        if os.getpid() != self._process:
            raise client_forked()
        with self._changing:
            if self._stopped:
                raise client_closed()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def blocking(self, method: Callable[P, Coroutine[None, None, T]]) -> Callable[P, T]:
        """The method, waited for."""

        @wraps(method)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return self.run(method(*args, **kwargs))

        return call

    def iterating(self, method: Callable[P, AsyncGenerator[T]]) -> Callable[P, Iterator[T]]:
        """The method's async iterator as a plain one; leaving a loop early ends it."""

        @wraps(method)
        def iterate(*args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
            return self._walk(method(*args, **kwargs))  # what is wrong with them is told at once

        return iterate

    def _walk(self, items: AsyncGenerator[T]) -> Iterator[T]:
        try:
            while True:
                try:
                    item = self.run(_next(items))
                except StopAsyncIteration:
                    return
                yield item
        finally:
            self._leave(items)

    def _leave(self, items: AsyncGenerator[T]) -> None:
        if self._stopped or os.getpid() != self._process:
            return  # it has ended with the loop, or is the parent's to end
        if threading.current_thread() is self._thread:
            # The garbage collector runs anywhere: here, whoever waits, waits for themselves.
            asyncio.run_coroutine_threadsafe(_close(items), self._loop)
        else:
            with suppress(Unavailable):
                self.run(_close(items))

    def stop_at_exit(self, client: Holdfast) -> None:
        """Stop when the program ends, if nobody did before: what Python ends after that, loops that
        were left open among it, would wait for a thread that runs no more.
        """
        atexit.register(self.stop, client)

    def stop(self, client: Holdfast | None) -> None:
        """End all that is under way, close the client if there is one, and end the thread."""
        if os.getpid() != self._process:
            return
        with self._changing:
            if not self._stopped:
                self._stopped = True
                self._client = client
                self._loop.call_soon_threadsafe(self._loop.stop)
                atexit.unregister(self.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _serve(self) -> None:
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())  # what waits for its tasks is told before that
        self._loop.close()

    async def _end(self) -> None:
        if self._client is not None:
            await self._client.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._loop.shutdown_asyncgens()


async def _close(items: AsyncGenerator[T]) -> None:
    await items.aclose()


async def _next(items: AsyncGenerator[T]) -> T:
    return await anext(items)


class _OrdersSync:
    """The verbs of Orders, waited for; documented at `Orders`."""

    def __init__(self, orders: Orders, loop: _LoopThread) -> None:
        self.create = loop.blocking(orders.create)
        self.create_batch = loop.blocking(orders.create_batch)
        self.get = loop.blocking(orders.get)
        self.list = loop.iterating(orders.list)
        self.search = loop.iterating(orders.search)
        self.figures = loop.blocking(orders.figures)
        self.update = loop.blocking(orders.update)
        self.edit = loop.blocking(orders.edit)
        self.preview_edit = loop.blocking(orders.preview_edit)
        self.cancel = loop.blocking(orders.cancel)
        self.confirm = loop.blocking(orders.confirm)
        self.extend_hold = loop.blocking(orders.extend_hold)
        self.record_payment = loop.blocking(orders.record_payment)
        self.ship = loop.blocking(orders.ship)
        self.update_shipment = loop.blocking(orders.update_shipment)
        self.open_return = loop.blocking(orders.open_return)
        self.receive_return = loop.blocking(orders.receive_return)
        self.close_return = loop.blocking(orders.close_return)
        self.watch = loop.iterating(orders.watch)


class _CustomersSync:
    """The verbs about customers, waited for; documented at `Customers`."""

    def __init__(self, customers: Customers, loop: _LoopThread) -> None:
        self.get = loop.blocking(customers.get)
        self.update = loop.blocking(customers.update)
        self.list = loop.iterating(customers.list)
        self.page = loop.blocking(customers.page)
        self.erase = loop.blocking(customers.erase)
        self.export = loop.iterating(customers.export)


class _KeysSync:
    """The verbs about keys, waited for; documented at `Keys`."""

    def __init__(self, keys: Keys, loop: _LoopThread) -> None:
        self.create = loop.blocking(keys.create)
        self.who_am_i = loop.blocking(keys.who_am_i)
        self.list = loop.blocking(keys.list)
        self.rotate = loop.blocking(keys.rotate)
        self.revoke = loop.blocking(keys.revoke)


class _UsersSync:
    """The verbs about users, waited for; documented at `Users`."""

    def __init__(self, users: Users, loop: _LoopThread) -> None:
        self.sign_in = loop.blocking(users.sign_in)
        self.sign_out = loop.blocking(users.sign_out)
        self.change_password = loop.blocking(users.change_password)
        self.create = loop.blocking(users.create)
        self.list = loop.blocking(users.list)
        self.update = loop.blocking(users.update)
        self.delete = loop.blocking(users.delete)


class _EventsSync:
    """The feeds, waited for; documented at `Events`."""

    def __init__(self, events: Events, loop: _LoopThread) -> None:
        self.read = loop.blocking(events.read)
        self.latest = loop.blocking(events.latest)
        self.follow = loop.iterating(events.follow)


class _InventorySync:
    """The verbs of Inventory, waited for; documented at `Inventory`."""

    def __init__(self, inventory: Inventory, loop: _LoopThread) -> None:
        self.set_stock = loop.blocking(inventory.set_stock)
        self.set_stock_batch = loop.blocking(inventory.set_stock_batch)
        self.adjust_stock = loop.blocking(inventory.adjust_stock)
        self.quarantine = loop.blocking(inventory.quarantine)
        self.release_quarantine = loop.blocking(inventory.release_quarantine)
        self.get_stock = loop.blocking(inventory.get_stock)
        self.get_stock_batch = loop.blocking(inventory.get_stock_batch)
        self.product_page = loop.blocking(inventory.product_page)
        self.create_product = loop.blocking(inventory.create_product)
        self.update_product = loop.blocking(inventory.update_product)
        self.list_products = loop.iterating(inventory.list_products)
        self.list_movements = loop.iterating(inventory.list_movements)
        self.movement_page = loop.blocking(inventory.movement_page)
        self.create_location = loop.blocking(inventory.create_location)
        self.update_location = loop.blocking(inventory.update_location)
        self.list_locations = loop.iterating(inventory.list_locations)
        self.explain = loop.blocking(inventory.explain)
        self.check_availability = loop.blocking(inventory.check_availability)
        self.list_backorders = loop.iterating(inventory.list_backorders)
        self.backorder_page = loop.blocking(inventory.backorder_page)
        self.create_transfer = loop.blocking(inventory.create_transfer)
        self.receive_transfer = loop.blocking(inventory.receive_transfer)
        self.close_transfer = loop.blocking(inventory.close_transfer)
        self.transfer = loop.blocking(inventory.transfer)
        self.list_transfers = loop.iterating(inventory.list_transfers)
        self.transfer_page = loop.blocking(inventory.transfer_page)


class _WebhooksSync:
    """The verbs about webhooks, waited for; documented at `Webhooks`."""

    def __init__(self, webhooks: Webhooks, loop: _LoopThread) -> None:
        self.create = loop.blocking(webhooks.create)
        self.get = loop.blocking(webhooks.get)
        self.list = loop.iterating(webhooks.list)
        self.page = loop.blocking(webhooks.page)
        self.update = loop.blocking(webhooks.update)
        self.delete = loop.blocking(webhooks.delete)
        self.rotate = loop.blocking(webhooks.rotate)
        self.test = loop.blocking(webhooks.test)
        self.replay = loop.blocking(webhooks.replay)
        self.deliveries = loop.iterating(webhooks.deliveries)
        self.delivery_page = loop.blocking(webhooks.delivery_page)
        self.redeliver = loop.blocking(webhooks.redeliver)


class _MailsSync:
    """The verbs about mails, waited for; documented at `Mails`."""

    def __init__(self, mails: Mails, loop: _LoopThread) -> None:
        self.list = loop.iterating(mails.list)
        self.retry = loop.blocking(mails.retry)
