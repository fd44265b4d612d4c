"""Bugs in erasing customers, and in what an order takes of a profile."""

from holdfast.orders.application.customers.erase_customer import EraseCustomer
from holdfast.orders.infrastructure.customers.rows import Rows
from holdfast.orders.infrastructure.ordering.sql import SQL
from proof.mutants.planting import bug, edited

STORE = "tests/contract/test_customers_store.py"
BY_EMAIL = "tests/contract/test_erasing_by_email.py"
NO_RULE = "no scene of the simulation erases a customer"

BUGS = (
    bug(
        "erasing forgets the orders",
        "The profile is empty, and every order still says who it was for.",
        edited(
            EraseCustomer,
            "__call__",
            ("emptied = await work.customers.empty_orders(list(orders), at)", "emptied = 0"),
        ),
        tests=(f"{STORE}::test_erasing_takes_what_is_personal_and_nothing_else",),
        why_tests=NO_RULE,
    ),
    bug(
        "who places by a profile does not wait for its erasing",
        "An order that is placed meanwhile takes what is erased at that moment, and keeps it.",
        edited(SQL["postgresql"], "INSERT_ORDERS", ("FOR SHARE", "")),
        tests=(
            f"{STORE}::test_whoever_places_orders_while_a_customer_is_erased_leaves_nothing_behind",
        ),
        why_tests=NO_RULE,
    ),
    bug(
        "an erased customer's order can be given a name again",
        "An update of an order that was open when it was erased brings back who it is.",
        edited(
            Rows,
            "refuse_erased",
            ('raise CustomerErased(f"order {order_id}")', "return"),
        ),
        tests=(f"{STORE}::test_what_is_erased_comes_back_neither_to_the_profile_nor_to_an_order",),
        why_tests=NO_RULE,
    ),
    bug(
        "erasing by e-mail forgets the guests",
        "Profiles with the address are erased, and orders of customers who have none keep it.",
        edited(Rows, "lock_orders", ("list(customer_ids), email", 'list(customer_ids), ""')),
        tests=(f"{BY_EMAIL}::test_every_order_with_the_address_is_emptied_and_no_other",),
        why_tests=NO_RULE,
    ),
    bug(
        "the record of an erasing keeps the address",
        "Whom it was about stands in the table that should tell only that it was.",
        edited(
            Rows,
            "add_erasure",
            ("case ByEmail():", "case ByEmail(email):"),
            ('found_by, customer_id = "e-mail", ""', 'found_by, customer_id = "e-mail", email'),
        ),
        tests=(f"{BY_EMAIL}::test_of_every_erasing_a_record_stays_without_the_address",),
        why_tests=NO_RULE,
    ),
)
