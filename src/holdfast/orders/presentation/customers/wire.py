"""Messages about customers to the domain's words and back; all violations are found at once."""

from dataclasses import dataclass

from holdfast.chassis import times
from holdfast.chassis.grpc import pages
from holdfast.chassis.validation import Violations
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.erasure import ByCustomer, ByEmail, Whom
from holdfast.orders.domain.customers.profile import Profile, folded
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.presentation.ordering.wire import order_message, read_email, write_customer

BEGINNING_CHARACTERS_MAX = 256  # more than a name has: spaces don't count
NAMED_FORM = r"[^\0\n]+\n[^\0\n]+"


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """Which page of which profiles is asked for."""

    owner: str
    email: str
    name: str  # folded
    filter_text: str
    after: str
    size: int

    def is_named(self, profile: Profile) -> bool:
        return profile.folded_name.startswith(self.name)

    def cursor_of(self, profile: Profile) -> str:
        return named_cursor(profile) if self.name else profile.customer_id


def read_page(
    request: pb.ListCustomersRequest, caller: Caller, violations: Violations
) -> ProfilePage:
    email = read_email(request.email, violations)
    begins = violations.text("name", request.name, characters_max=BEGINNING_CHARACTERS_MAX)
    name = folded(begins)
    if request.name and not name:
        violations.add("name", "must have a character beside spaces")
    owner = caller.customer_id
    filter_text = f"customers {email!r} {owner!r} {name!r}"
    form = NAMED_FORM if name else r"[^\0]+"
    after = pages.read_token(violations, request.page_token, filter_text, cursor_form=form)
    size = pages.page_size(violations, request.page_size)
    return ProfilePage(owner, email, name, filter_text, after, size)


def named_cursor(profile: Profile) -> str:
    """The place of a profile among those that are listed by name; neither has a line break."""
    return f"{profile.folded_name}\n{profile.customer_id}"


def read_whom(request: pb.EraseCustomerRequest, caller: Caller, violations: Violations) -> Whom:
    """Read whom to erase; just one way of naming them is allowed, and a customer has one only."""
    if request.email and caller.customer_id:
        violations.add("email", "must not be set: others may have it too; name your customer_id")
    if not request.email:
        if not request.customer_id:
            violations.add("customer_id", "or email must be set: one of them")
        return ByCustomer(violations.optional_id("customer_id", request.customer_id))
    if request.customer_id:
        violations.add("email", "must not be set beside customer_id")
    return ByEmail(read_email(request.email, violations))


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
