"""What the client and the command make of customers, over a real network."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import assert_type

import grpc
import pytest

from holdfast.chassis.grpc.statuses import not_found, refusal
from holdfast.client import (
    Customer,
    CustomerProfile,
    DeadlineExceeded,
    Erased,
    Holdfast,
    HoldfastSync,
    InvalidRequest,
    OpenOrders,
    Order,
    Unavailable,
)
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from tests.unit.test_cli_commands import holdfast, whole_order
from tests.unit.test_client_network import UNAVAILABLE, Network, client, network

__all__ = ["client", "network"]  # fixtures

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
OPEN = refusal(
    grpc.StatusCode.FAILED_PRECONDITION, "OPEN_ORDERS", "not yet", metadata={"order_ids": "o-1,o-2"}
)
ADA = CustomerProfile("c-1", Customer("Ada", phone="+44 1"), 3, NOON, NOON)


def profile() -> pb.CustomerProfile:
    message = pb.CustomerProfile(customer_id="c-1", version=3)
    message.customer.name, message.customer.phone = "Ada", "+44 1"
    message.create_time.FromDatetime(NOON)
    message.update_time.FromDatetime(NOON)
    return message


def order(order_id: str) -> pb.ExportCustomerResponse:
    told = whole_order()
    told.order_id = order_id
    return pb.ExportCustomerResponse(order=told)


WHO = pb.ExportCustomerResponse(profile=profile())


async def test_an_export_that_breaks_off_goes_on_and_tells_nothing_twice(
    client: Holdfast, network: Network
) -> None:
    network.stream("ExportCustomer", WHO, order("o-3"), order("o-2"), UNAVAILABLE)
    network.stream("ExportCustomer", WHO, order("o-4"), order("o-3"), order("o-2"), order("o-1"))

    first, *orders = [part async for part in client.customers.export("c-1")]

    assert first == ADA
    assert [one.order_id for one in orders if isinstance(one, Order)] == "o-3 o-2 o-4 o-1".split()


async def test_an_export_that_is_not_whole_is_an_error(client: Holdfast, network: Network) -> None:
    network.stream("ExportCustomer", WHO, 3.0)

    parts = client.customers.export("c-1", export_s=0.3)

    assert await anext(parts) == ADA
    with pytest.raises(DeadlineExceeded):
        await anext(parts)


async def test_only_making_a_profile_is_repeated(client: Holdfast, network: Network) -> None:
    network.answer("UpdateCustomer", UNAVAILABLE, profile(), UNAVAILABLE)

    assert await client.customers.update("c-1", version=0, name="Ada") == ADA
    with pytest.raises(Unavailable):
        await client.customers.update("c-1", version=3, name="Ada", email="")

    *_, last = network.asked(pb.UpdateCustomerRequest)
    assert list(last.update_mask.paths) == ["customer.name", "customer.email"]


async def test_wrong_values_are_refused_before_anything_is_sent(
    client: Holdfast, network: Network
) -> None:
    wrong: tuple[int, ...] = (7,)

    with pytest.raises(InvalidRequest) as refused:
        await client.customers.update(*wrong, version=-1, name=True)  # type: ignore[arg-type]

    assert [one.field for one in refused.value.violations] == [
        "customer.name",
        "customer_id",
        "version",
    ]
    assert network.requests == []


def test_ordinary_code_has_the_same_verbs(network: Network) -> None:
    network.answer("GetCustomer", profile())
    network.answer("UpdateCustomer", profile())
    network.answer("ListCustomers", pb.ListCustomersResponse(customers=[profile()]))
    network.answer("EraseCustomer", OPEN)
    network.stream("ExportCustomer", WHO, order("o-1"))

    with HoldfastSync(network.address, network.address, deadline_s=5.0) as client:
        found = client.customers.get("c-1")
        changed = client.customers.update("c-1", version=3, name="Ada")
        listed = client.customers.list()
        exported = client.customers.export("c-1")
        assert_type(found, CustomerProfile)
        assert_type(listed, Iterator[CustomerProfile])
        assert_type(exported, Iterator[CustomerProfile | Order])
        assert [found, changed, *listed, *exported][:-1] == [ADA] * 4
        with pytest.raises(OpenOrders) as refused:
            client.customers.erase("c-1")

    assert refused.value.order_ids == ("o-1", "o-2")


def test_a_customer_is_shown_to_people_and_programs(network: Network) -> None:
    network.answer("GetCustomer", profile(), profile())

    for_people = holdfast(network, "customer", "get", "c-1")
    for_programs = holdfast(network, "customer", "get", "c-1", "--output", "json")

    assert for_people.exit_code == for_programs.exit_code == 0
    assert "+44 1" in for_people.stdout
    assert json.loads(for_programs.stdout) == {
        "customer_id": "c-1",
        "customer": {"name": "Ada", "email": "", "phone": "+44 1", "address": ""},
        "version": 3,
        "create_time": "2026-11-02T12:00:00Z",
        "update_time": "2026-11-02T12:00:00Z",
        "erase_time": None,
    }


def test_customers_are_listed(network: Network) -> None:
    network.answer("ListCustomers", *[pb.ListCustomersResponse(customers=[profile()])] * 2)

    for_people = holdfast(network, "customer", "list", "--email", "ada@example.org")
    for_programs = holdfast(network, "customer", "list", "-o", "json")

    assert "Ada" in for_people.stdout
    assert [one["customer_id"] for one in json.loads(for_programs.stdout)] == ["c-1"]
    first, _ = network.asked(pb.ListCustomersRequest)
    assert first.email == "ada@example.org"


@pytest.mark.parametrize(("answer", "version"), [(profile(), 3), (not_found("customer", ["c"]), 0)])
def test_a_customer_is_updated_as_they_are_now_or_made(
    network: Network, answer: pb.CustomerProfile, version: int
) -> None:
    network.answer("GetCustomer", answer)
    network.answer("UpdateCustomer", profile())

    result = holdfast(network, "customer", "update", "c-1", "--name", "Ada")

    (request,) = network.asked(pb.UpdateCustomerRequest)
    assert result.exit_code == 0
    assert (request.version, request.customer.name) == (version, "Ada")


def test_who_has_open_orders_is_not_erased_and_the_orders_are_named(network: Network) -> None:
    network.answer("EraseCustomer", OPEN, pb.EraseCustomerResponse(orders=3, profiles=1))

    refused = holdfast(network, "customer", "erase", "c-1")
    forced = holdfast(network, "customer", "erase", "c-1", "--force")

    assert (refused.exit_code, forced.exit_code) == (1, 0)
    assert refused.stderr == "holdfast: not yet\n  o-1\n  o-2\n"
    assert [line.split() for line in forced.stdout.splitlines()] == [
        ["orders", "erased", "3"],
        ["profiles", "erased", "1"],
    ]
    assert [one.force for one in network.asked(pb.EraseCustomerRequest)] == [False, True]


def test_guests_are_erased_by_e_mail_and_who_finds_nothing_is_told(network: Network) -> None:
    network.answer(
        "EraseCustomer", pb.EraseCustomerResponse(orders=2), *[pb.EraseCustomerResponse()] * 2
    )
    by_email = "customer erase --email ada@example.org".split()

    found, none = holdfast(network, *by_email), holdfast(network, *by_email)
    for_programs = holdfast(network, *by_email, "-o", "json")

    (asked, *_) = network.asked(pb.EraseCustomerRequest)
    assert (asked.customer_id, asked.email) == ("", "ada@example.org")
    assert [one.exit_code for one in (found, none, for_programs)] == [0, 0, 0]
    assert "nothing has this e-mail" not in found.stdout
    assert "nothing has this e-mail" in none.stdout
    assert json.loads(for_programs.stdout) == {"orders": 0, "profiles": 0}


async def test_one_is_erased_by_id_or_by_e_mail(client: Holdfast, network: Network) -> None:
    network.answer("EraseCustomer", UNAVAILABLE, pb.EraseCustomerResponse(orders=2, profiles=1))

    assert await client.customers.erase(email="ada@example.org") == Erased(2, 1)
    wrong = (("", "", "customer_id"), ("c", "a@b", "email"))
    for customer_id, email, field in wrong:
        with pytest.raises(InvalidRequest) as refused:
            await client.customers.erase(customer_id, email=email)
        assert [one.field for one in refused.value.violations] == [field]

    assert len(network.asked(pb.EraseCustomerRequest)) == 2


def test_an_export_is_one_object_a_line(network: Network) -> None:
    network.stream("ExportCustomer", WHO, order("o-2"), order("o-1"))

    result = holdfast(network, "customer", "export", "c-1")

    first, *orders = map(json.loads, result.stdout.splitlines())
    assert first["customer"]["name"] == "Ada"
    assert [one["order_id"] for one in orders] == ["o-2", "o-1"]


@pytest.mark.parametrize(
    "typed",
    [
        "customer update c-1",
        "customer list --email ",
        "customer get",
        "customer erase",
        "customer erase --email ",
        "customer erase c-1 --email ada@example.org",
    ],
)
def test_what_makes_no_sense_reaches_no_service(network: Network, typed: str) -> None:
    result = holdfast(network, *typed.split(" "))

    assert result.exit_code == 2
    assert network.requests == []
