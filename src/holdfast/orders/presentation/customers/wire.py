"""Messages about customers to the domain's words and back; all violations are found at once."""

from dataclasses import dataclass

from holdfast.chassis import times
from holdfast.chassis.grpc import pages
from holdfast.chassis.validation import Violations
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.domain.customers.profile import Profile
from holdfast.orders.domain.ordering.order import Order
from holdfast.orders.presentation.ordering.wire import order_message, read_customer, write_customer


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """Which page of which profiles is asked for."""

    email: str
    filter_text: str
    after: str
    size: int


def read_page(request: pb.ListCustomersRequest, violations: Violations) -> ProfilePage:
    email = read_customer(pb.Customer(email=request.email), violations, "").email
    filter_text = f"customers {email!r}"
    after = pages.read_token(violations, request.page_token, filter_text)
    size = pages.page_size(violations, request.page_size)
    return ProfilePage(email, filter_text, after, size)


def profile_message(profile: Profile) -> pb.CustomerProfile:
    message = pb.CustomerProfile(customer_id=profile.customer_id, version=profile.version)
    write_customer(message.customer, profile.customer)
    for field, at in (
        (message.create_time, profile.created_at),
        (message.update_time, profile.updated_at),
        (message.erase_time, profile.erased_at),
    ):
        if at is not None:
            times.write(field, at)
    return message


def part_message(part: Profile | Order) -> pb.ExportCustomerResponse:
    if isinstance(part, Profile):
        return pb.ExportCustomerResponse(profile=profile_message(part))
    return pb.ExportCustomerResponse(order=order_message(part))
