"""Customers' profiles as files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from holdfast.client import Customer, CustomerProfile, Holdfast, HoldfastError, NotFound
from holdfast.exchange.kinds import (
    DoneBefore,
    Entry,
    Outcome,
    Plan,
    Problem,
    Records,
    alike,
    each_alone,
    one_by_one,
)
from holdfast.exchange.line_index import LineIndex
from holdfast.exchange.values import LineProblem, ValueOptions, Values
from holdfast.importing.tables import Shape

# What the services allow; tests hold them against these numbers.
CONTACT_CHARACTERS_MAX = {"name": 200, "email": 320, "phone": 50, "address": 1_000}
CUSTOMERS = Shape(
    names=("customer_id", *CONTACT_CHARACTERS_MAX),
    required=("customer_id",),
    told=("create_time", "update_time", "erase_time"),
)


@dataclass(frozen=True, slots=True)
class CustomerLine:
    """What a line says of a customer: the fields that the file has."""

    customer_id: str
    contact: Mapping[str, str]


class Customers:
    """Profiles: made, or changed in what the file says of them."""

    name: ClassVar[str] = "customers"
    shape: ClassVar[Shape] = CUSTOMERS
    columns: ClassVar[Mapping[str, str]] = {}

    def __init__(self, client: Holdfast) -> None:
        self._client = client

    def look_over(self, records: Records, index: LineIndex) -> Iterator[int]:
        """Every line counts: it may say what another one does not."""
        return iter(())

    def entries(
        self, records: Records, options: ValueOptions, index: LineIndex
    ) -> Iterator[Entry[CustomerLine]]:
        """What the lines say."""
        return one_by_one(records, options, _read)

    def key(self, item: CustomerLine) -> str:
        """The customer's id."""
        return item.customer_id

    async def plan(self, items: Sequence[CustomerLine]) -> Sequence[Plan[CustomerLine]]:
        """Compare with the profiles that are there."""
        plans: dict[str, Plan[CustomerLine]] = {}

        async def look(plan: Plan[CustomerLine]) -> None:
            item = plan.item
            try:
                there = await self._client.customers.get(item.customer_id)
            except NotFound:
                there = CustomerProfile(item.customer_id, Customer(), version=0)
            plans[item.customer_id] = _planned(item, there)

        for error in await each_alone([Plan(item) for item in items], look):
            if isinstance(error, HoldfastError):
                raise error
        return [plans[item.customer_id] for item in items]

    async def carry_out(
        self, plans: Sequence[Plan[CustomerLine]]
    ) -> Sequence[Problem | DoneBefore | None]:
        """Make or change each."""
        return await each_alone(plans, self._carry_out)

    async def _carry_out(self, plan: Plan[CustomerLine]) -> None:
        there = plan.there
        assert isinstance(there, CustomerProfile)
        changed = _differences(plan.item, there) if there.version else plan.item.contact
        await self._client.customers.update(
            plan.item.customer_id, version=there.version, **(changed or {"name": ""})
        )


def _planned(item: CustomerLine, there: CustomerProfile) -> Plan[CustomerLine]:
    if there.erase_time:
        told = (
            "was erased, and what was erased does not come back: a new order may bring contact "
            "information of its own"
        )
        return Plan(item, problem=LineProblem([("customer_id", told)]))
    if not there.version:
        return Plan(item, Outcome.CREATED, there=there)
    is_same = not _differences(item, there)
    return Plan(item, Outcome.UNCHANGED if is_same else Outcome.CHANGED, there=there)


def _differences(item: CustomerLine, there: CustomerProfile) -> dict[str, str]:
    return {
        name: value
        for name, value in item.contact.items()
        if not alike(value, getattr(there.customer, name))
    }


def _read(values: Values) -> CustomerLine:
    return CustomerLine(values.code("customer_id"), contact_in(values))


def contact_in(values: Values, prefix: str = "") -> dict[str, str]:
    """What a line says of how to reach somebody, as far as it has the columns.

    :param prefix: the names of the columns begin so.
    """
    found: dict[str, str] = {}
    for name, limit in CONTACT_CHARACTERS_MAX.items():
        read = values.email if name == "email" else values.text
        text = read(f"{prefix}{name}", characters_max=limit)
        if text is not None:
            found[name] = text
    return found
