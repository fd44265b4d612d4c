"""A customer's profile: who may change it, and that nothing comes back after erasing."""

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.customers.errors import CustomerErased, OpenOrders, StaleProfile
from holdfast.orders.domain.customers.profile import Profile

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
ADA = {"name": "Ada", "email": "ada@example.org"}


def made() -> Profile:
    profile = Profile("c-1").revised(ADA, 0, NOON)
    assert profile is not None
    return profile


def test_version_0_makes_it_and_a_repeat_changes_nothing() -> None:
    profile = made()

    assert profile == Profile("c-1", 1, Customer("Ada", "ada@example.org"), NOON, NOON)
    assert profile.revised(ADA, 0, LATER) is None


def test_version_0_is_stale_where_there_is_one_with_other_contents() -> None:
    with pytest.raises(StaleProfile) as refused:
        made().revised({"name": "Bob"}, 0, LATER)

    assert refused.value.current == 1


def test_a_change_takes_the_fields_that_are_named_and_raises_the_version() -> None:
    changed = made().revised({"phone": "+44 1"}, 1, LATER)

    assert changed == Profile("c-1", 2, Customer("Ada", "ada@example.org", "+44 1"), NOON, LATER)
    with pytest.raises(StaleProfile):
        changed.revised({"phone": ""}, 1, LATER)


@pytest.mark.parametrize("version", [0, 1, 2])
def test_what_is_erased_is_empty_and_stays_so(version: int) -> None:
    erased = made().erased(LATER)

    assert erased == Profile("c-1", 2, Customer(), NOON, LATER, LATER)
    with pytest.raises(CustomerErased):
        erased.revised(ADA, version, LATER)


def test_a_refusal_names_ten_open_orders_and_counts_all() -> None:
    refused = OpenOrders([f"o-{number}" for number in range(12)])

    assert refused.order_ids == [f"o-{number}" for number in range(10)]
    assert "(12)" in str(refused)
