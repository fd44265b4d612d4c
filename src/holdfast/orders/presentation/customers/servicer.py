"""The methods of OrderService that are about customers, beside their orders."""

from collections.abc import AsyncIterator

from holdfast.chassis.grpc import pages
from holdfast.chassis.grpc.rpc_boundary import Context
from holdfast.chassis.validation import Violations
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.contracts.orders.v1 import orders_pb2_grpc
from holdfast.orders.application.ports import CustomerReader
from holdfast.orders.application.use_cases import UseCases
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.erasure import ByCustomer
from holdfast.orders.domain.customers.errors import CustomerNotFound
from holdfast.orders.domain.customers.profile import Profile
from holdfast.orders.presentation.caller import caller_of
from holdfast.orders.presentation.customers import wire
from holdfast.orders.presentation.ordering.wire import read_customer_details


class CustomerMethods(orders_pb2_grpc.OrderServiceServicer):
    """A part of `OrderServicer`."""

    def __init__(self, use_cases: UseCases, customers: CustomerReader) -> None:
        self._use = use_cases
        self._customers = customers

    async def GetCustomer(
        self, request: pb.GetCustomerRequest, context: Context
    ) -> pb.CustomerProfile:
        return await self._profile(_customer_id(request.customer_id, caller_of(context)))

    async def _profile(self, customer_id: str) -> pb.CustomerProfile:
        profile = await self._customers.profile(customer_id)
        if profile is None:
            raise CustomerNotFound(customer_id)
        return wire.profile_message(profile)

    async def UpdateCustomer(
        self, request: pb.UpdateCustomerRequest, context: Context
    ) -> pb.CustomerProfile:
        violations = Violations()
        customer_id = violations.id("customer_id", request.customer_id)
        details = read_customer_details(request, violations, version_lowest=0)
        violations.raise_any()
        refuse_strangers(customer_id, caller_of(context))
        await self._use.update_customer(customer_id, request.version, details)
        return await self._profile(customer_id)

    async def ListCustomers(
        self, request: pb.ListCustomersRequest, context: Context
    ) -> pb.ListCustomersResponse:
        violations = Violations()
        asked = wire.read_page(request, caller_of(context), violations)
        violations.raise_any()

        async def read(after: str, limit: int) -> list[Profile]:
            if asked.name and not asked.owner:
                name, _, customer_id = after.partition("\n")
                return await self._customers.profiles_named(
                    asked.name, asked.email, after=(name, customer_id), limit=limit
                )
            found = await self._customers.profiles(
                asked.email, after=after, limit=limit, owner=asked.owner
            )
            return list(filter(asked.is_named, found))

        page = await pages.fill(
            asked.size, read, wire.profile_message, asked.cursor_of, start=asked.after
        )
        return pb.ListCustomersResponse(
            customers=page.messages,
            next_page_token=pages.make_token(page.cursor, asked.filter_text),
        )

    async def EraseCustomer(
        self, request: pb.EraseCustomerRequest, context: Context
    ) -> pb.EraseCustomerResponse:
        violations = Violations()
        caller = caller_of(context)
        whom = wire.read_whom(request, caller, violations)
        violations.raise_any()
        if isinstance(whom, ByCustomer):
            refuse_strangers(whom.customer_id, caller)
        erased = await self._use.erase_customer(whom, request.force, caller)
        return pb.EraseCustomerResponse(orders=erased.orders, profiles=erased.profiles)

    async def ExportCustomer(
        self, request: pb.ExportCustomerRequest, context: Context
    ) -> AsyncIterator[pb.ExportCustomerResponse]:
        async for part in self._use.export_customer(
            _customer_id(request.customer_id, caller_of(context))
        ):
            yield wire.part_message(part)


def _customer_id(text: str, caller: Caller) -> str:
    violations = Violations()
    customer_id = violations.id("customer_id", text)
    violations.raise_any()
    refuse_strangers(customer_id, caller)
    return customer_id


def refuse_strangers(customer_id: str, caller: Caller) -> None:
    """Let a customer come to nobody's profile but their own.

    :raises CustomerNotFound: whether there is one or not.
    """
    if caller.customer_id not in ("", customer_id):
        raise CustomerNotFound(customer_id)
