"""Customers as callers use them: profiles, what is kept of somebody, and taking it away."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from holdfast.client import _customer_requests, _requests
from holdfast.client._calls import Calls
from holdfast.client._checks import SECONDS_MAX
from holdfast.client._pages import PAGE_SIZE, walk
from holdfast.client._types import CustomerProfile, Erased, Order
from holdfast.client._wire import order_from_wire, profile_from_wire
from holdfast.contracts.orders.v1 import orders_pb2, orders_pb2_grpc

EXPORT_S = 600.0


class Customers:
    """The verbs about customers. Every method may raise any `HoldfastError`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._stub = orders_pb2_grpc.OrderServiceStub(calls.channel)

    async def get(self, customer_id: str) -> CustomerProfile:
        """A customer's profile, of version 0 where there are only orders.

        :raises NotFound: there is neither profile nor order.
        """
        request = _customer_requests.get_customer(customer_id)
        answer = await self._calls.ask(self._stub.GetCustomer, request, repeatable=True)
        return profile_from_wire(answer)

    async def update(
        self,
        customer_id: str,
        *,
        version: int,
        name: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        address: str | None = None,
    ) -> CustomerProfile:
        """Change a profile, or make it; None leaves a field as it is.

        An order that brings no contact information takes the profile's when it is placed; orders
        that are there keep theirs. Making it (version 0) may be repeated. A change is never
        repeated after an unknown outcome: read the profile to see whether it is there.

        :param version: the profile's version as last read; 0 makes it.
        :raises NotFound: the version is not 0, and there is neither profile nor order.
        :raises StaleVersion: it changed since, or is there already with other contents.
        :raises Refused: the customer was erased.
        """
        fields = {"name": name, "email": email, "phone": phone, "address": address}
        answer = await self._calls.ask(
            self._stub.UpdateCustomer,
            _customer_requests.update_customer(customer_id, version, fields),
            repeatable=version == 0,
        )
        return profile_from_wire(answer)

    def list(
        self,
        *,
        email: str = "",
        name: str = "",
        limit: int | None = None,
        page_size: int = PAGE_SIZE,
    ) -> AsyncGenerator[CustomerProfile]:
        """Every profile by customer id, fetched page by page; who has only orders is not listed.

        :param email: only those with exactly this address; empty: any.
        :param name: only those whose name begins so, whatever the case of its letters, and then by
            name; empty: any.
        :param limit: at most so many; None: all.
        :param page_size: profiles per call, at most 1,000.
        """
        size, wanted = _requests.page_bounds(page_size, limit)
        _customer_requests.list_customers(email, name)  # what is wrong with it is told at once

        async def page(size: int, token: str) -> tuple[Sequence[CustomerProfile], str]:
            return await self.page(token, email=email, name=name, page_size=size)

        return walk(page, page_size=size, limit=wanted)

    async def page(
        self, page_token: str = "", *, email: str = "", name: str = "", page_size: int = PAGE_SIZE
    ) -> tuple[Sequence[CustomerProfile], str]:
        """One page of what `list` walks over, and the next one's token, "" on the last.

        :param page_token: as the page before told it; "": the first page.
        :raises InvalidRequest: the token is none, or was made for another filter.
        """
        size, _ = _requests.page_bounds(page_size, None)
        request = _customer_requests.list_customers(email, name, size, page_token)
        answer = await self._calls.ask(self._stub.ListCustomers, request, repeatable=True)
        return list(map(profile_from_wire, answer.customers)), answer.next_page_token

    async def erase(self, customer_id: str = "", *, email: str = "", force: bool = False) -> Erased:
        """Take all personal data out of a customer's profile and orders, for good.

        Ids, lines, amounts and statuses stay. Repeating erases what came since, mostly nothing: it
        then counts nothing. By e-mail that is also the answer where nothing was ever found.

        :param email: instead of the id: every order with exactly this address, also guests', and
            every customer whose profile has it.
        :param force: also while orders are not final.
        :raises OpenOrders: orders are not final; nothing was erased.
        :raises NotFound: there is neither profile nor order of this id.
        """
        request = _customer_requests.erase_customer(customer_id, email, force)
        answer = await self._calls.ask(self._stub.EraseCustomer, request, repeatable=True)
        return Erased(answer.orders, answer.profiles)

    def export(
        self, customer_id: str, *, export_s: float = EXPORT_S
    ) -> AsyncGenerator[CustomerProfile | Order]:
        """All that is kept of a customer: the profile, then every order with its history.

        A lost connection is made again; nothing comes twice. It is whole if no error is raised.

        :param export_s: seconds that it may take, at most a year.
        :raises DeadlineExceeded: it took longer; what came is not all.
        :raises NotFound: there is neither profile nor order.
        """
        whole_s = _requests.seconds("export_s", export_s, highest=SECONDS_MAX, zero=False)
        return self._export(_customer_requests.export_customer(customer_id), whole_s)

    async def _export(
        self, request: orders_pb2.ExportCustomerRequest, whole_s: float
    ) -> AsyncGenerator[CustomerProfile | Order]:
        told: set[str] = set()  # order ids; a stream that is begun again begins at the start
        heard = self._calls.listen(self._stub.ExportCustomer, request, listen_s=whole_s, whole=True)
        async with aclosing(heard):
            async for message in heard:
                if message.order.order_id in told:  # "" stands for the profile
                    continue
                told.add(message.order.order_id)
                if message.HasField("order"):
                    yield order_from_wire(message.order)
                else:
                    yield profile_from_wire(message.profile)
