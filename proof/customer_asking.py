"""The client library is asked for what a caller wants of customers; see `asking.py`."""

from holdfast.client import CustomerProfile, Holdfast
from proof.history import Facts
from proof.workload import Wanted


async def ask_for_customers(client: Holdfast, wanted: Wanted) -> Facts:
    """Make, read, export or erase what is kept of a customer.

    :raises HoldfastError: it was refused, or nobody knows.
    """
    asked, customers = wanted.request, client.customers
    match wanted.method:
        case "UpdateCustomer":
            return _told(await customers.update(**asked))
        case "GetCustomer":
            return _told(await customers.get(asked["customer_id"]))
        case "ListCustomers":
            rows = [one async for one in customers.list()]
            return {"customers": [[one.customer_id, one.version] for one in rows]}
        case "ExportCustomer":
            kept = [one async for one in customers.export(asked["customer_id"])]
            profiles = [one for one in kept if isinstance(one, CustomerProfile)]
            ids = [one.order_id for one in kept if not isinstance(one, CustomerProfile)]
            return {**_told(profiles[0]), "order_ids": ids}
        case "EraseCustomer":
            erased = await customers.erase(
                asked.get("customer_id", ""), email=asked.get("email", ""), force=asked["force"]
            )
            return {"orders": erased.orders, "profiles": erased.profiles}
    raise AssertionError(f"no caller knows how to call {wanted.method}")


def _told(one: CustomerProfile) -> Facts:
    who = one.customer
    return {
        "customers": [[one.customer_id, one.version]],
        "known": [who.name, who.email, who.phone, who.address],
        "erased": one.erase_time is not None,
    }
