"""What callers ask for about customers as request messages, checked as in `_requests`."""

from google.protobuf.field_mask_pb2 import FieldMask

from holdfast.client._checks import Checks
from holdfast.contracts.orders.v1 import orders_pb2


def get_customer(customer_id: object) -> orders_pb2.GetCustomerRequest:
    checks = Checks()
    request = orders_pb2.GetCustomerRequest(customer_id=checks.text("customer_id", customer_id))
    checks.raise_any()
    return request


def update_customer(
    customer_id: object, version: object, details: dict[str, str | None]
) -> orders_pb2.UpdateCustomerRequest:
    """Of the details, None is left as it is."""
    checks = Checks()
    new = {
        field: checks.text(f"customer.{field}", value)
        for field, value in details.items()
        if value is not None
    }
    request = orders_pb2.UpdateCustomerRequest(
        customer_id=checks.text("customer_id", customer_id),
        version=checks.number("version", version, lowest=0),
        customer=orders_pb2.Customer(**new),
        update_mask=FieldMask(paths=[f"customer.{field}" for field in new]),
    )
    checks.raise_any()
    return request


def list_customers(
    email: object, name: object = "", page_size: int = 0, page_token: object = ""
) -> orders_pb2.ListCustomersRequest:
    checks = Checks()
    request = orders_pb2.ListCustomersRequest(
        email=checks.text("email", email),
        name=checks.text("name", name),
        page_size=page_size,
        page_token=checks.text("page_token", page_token),
    )
    checks.raise_any()
    return request


def erase_customer(
    customer_id: object, email: object, force: object
) -> orders_pb2.EraseCustomerRequest:
    checks = Checks()
    request = orders_pb2.EraseCustomerRequest(
        customer_id=checks.text("customer_id", customer_id),
        email=checks.text("email", email),
        force=checks.flag("force", force),
    )
    if customer_id == email == "":
        checks.add("customer_id", "or email must be given: one of them")
    elif request.customer_id and request.email:
        checks.add("email", "must not be given beside a customer_id")
    checks.raise_any()
    return request


def export_customer(customer_id: object) -> orders_pb2.ExportCustomerRequest:
    checks = Checks()
    request = orders_pb2.ExportCustomerRequest(customer_id=checks.text("customer_id", customer_id))
    checks.raise_any()
    return request
