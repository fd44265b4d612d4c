"""Every file keeps every rule of style, and every rule is seen to fail on source that breaks it."""

from pathlib import Path

import pytest

from tests.architecture import tidy
from tests.architecture.tidy import RULES, Rule, Source

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "tests", "testbed", "bench", "proof", "examples", "proto", "deploy")
GENERATED = ROOT / "src" / "holdfast" / "contracts"


@pytest.fixture(scope="module")
def our_sources() -> list[Source]:
    """Every Python file of the repository that a person writes; each is parsed once for all."""
    return [
        Source(path.relative_to(ROOT).as_posix(), path.read_text())
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not path.is_relative_to(GENERATED)
    ]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_source_keeps(rule: Rule, our_sources: list[Source]) -> None:
    violations = [violation for source in our_sources for violation in rule(source)]

    assert not violations, "\n".join(["", *violations])


def long_function(lines: int) -> str:
    return '"""Long."""\n\n\ndef f() -> None:\n' + "    print()\n" * (lines - 1)


HANDLER = '"""Why."""\ntry:\n    work()\nexcept {}:\n    {}\n'

BROKEN: list[tuple[Rule, str, str]] = [
    (tidy.modules_are_short, "src/holdfast/long.py", "\n" * 401),
    (tidy.functions_are_short, "src/holdfast/long.py", long_function(61)),
    (tidy.functions_are_short, "tests/long.py", "async " + long_function(61).split("\n\n\n")[1]),
    (tidy.names_say_something, "src/holdfast/utils.py", ""),
    (tidy.names_say_something, "src/holdfast/core/stock.py", ""),
    (tidy.names_say_something, "tests/_helpers.py", ""),
    (tidy.modules_say_why_they_exist, "src/holdfast/stock.py", "import os\n"),
    (tidy.modules_say_why_they_exist, "src/holdfast/stock.py", '""" """\n'),
    (tidy.package_files_hold_one_line, "src/holdfast/orders/__init__.py", ""),
    (tidy.package_files_hold_one_line, "src/holdfast/orders/__init__.py", "import os\n"),
    (tidy.package_files_hold_one_line, "src/holdfast/orders/__init__.py", '"""A."""\nimport os\n'),
    (tidy.nothing_is_left_for_later, "src/holdfast/a.py", "x = 1  # TO" + "DO: think\n"),
    (tidy.types_are_imported_as_values_are, "src/holdfast/a.py", "if TYPE_CHECKING:\n    pass\n"),
    (tidy.types_are_imported_as_values_are, "tests/a.py", "if typing.TYPE_CHECKING:\n    pass\n"),
    (tidy.errors_are_caught_by_name, "src/holdfast/a.py", HANDLER.format("Exception", "pass")),
    (tidy.errors_are_caught_by_name, "src/holdfast/a.py", HANDLER.format("", "pass")),
    (
        tidy.errors_are_caught_by_name,
        "src/holdfast/a.py",
        HANDLER.format("(KeyError, BaseException) as error", "raise ValueError from error"),
    ),
    *(
        (
            tidy.time_and_chance_come_in_by_the_door,
            "src/holdfast/orders/domain/ordering/order.py",
            text,
        )
        for text in (
            "datetime.now(UTC)",
            "datetime.datetime.now(UTC)",
            "date.today()",
            "time.time()",
            "time.time_ns()",
            "from time import time",
            "uuid.uuid4()",
            "from uuid import uuid4",
            "random.random()",
            "from random import choice",
            "random.Random()",
            "os.urandom(8)",
            "import secrets",
            "from secrets import token_hex",
        )
    ),
    *(
        (tidy.the_domain_imports_only_the_standard_library, "src/holdfast/orders/domain/a.py", text)
        for text in (
            "import grpc",
            "import grpc.aio",
            "from asyncpg import connect",
            "from holdfast.chassis import broker",
            "from holdfast.orders.application import ports",
            "from holdfast.inventory.domain import stock",
            "from holdfast.orders.domainish import a",
            "from . import order",
            "def f():\n    import pydantic",
        )
    ),
    *(
        (tidy.nothing_imports_what_stands_above_it, path, text)
        for path, text in (
            ("src/holdfast/embedded.py", "from testbed.servers import postgres"),
            ("testbed/servers.py", "from proof.history import History"),
            ("testbed/servers.py", "def f():\n    import tests.conftest"),
            ("proof/chaos/kills.py", "from tests.conftest import templates"),
            ("proof/chaos/kills.py", "from bench import figures"),
            ("bench/load.py", "import proof.history"),
        )
    ),
    *(
        (tidy.technical_things_bear_their_standard_names, path, text)
        for path, text in (
            ("proof/chaos/referee.py", ""),
            ("proof/chaos/a.py", "class ChaosGround: ..."),
            ("bench/a.py", "def best_yardsticks(): ..."),
            ("testbed/a.py", "def f(old_traps): ..."),
        )
    ),
    *(
        (tidy.failpoints_stay_off, "src/holdfast/orders/service.py", text)
        for text in (
            "from holdfast.chassis.failpoints import arm",
            "from holdfast.chassis.failpoints import arm as a, failpoint",
            "from holdfast.chassis.failpoints import _action",
            "from holdfast.chassis import clock, failpoints",
            "import holdfast.chassis.failpoints",
        )
    ),
    (tidy.failpoints_stay_off, "src/holdfast/chassis/failpoints.py", "import os"),
    (tidy.failpoints_stay_off, "src/holdfast/chassis/failpoints.py", "from os import environ"),
]


@pytest.mark.parametrize(("rule", "path", "text"), BROKEN)
def test_a_rule_fails_on_source_that_breaks_it(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source(path, text)))


ALLOWED: list[tuple[Rule, str, str]] = [
    (tidy.modules_are_short, "src/holdfast/long.py", "\n" * 400),
    (tidy.functions_are_short, "src/holdfast/long.py", long_function(60)),
    (tidy.names_say_something, "src/holdfast/chassis/batcher.py", ""),
    (tidy.package_files_hold_one_line, "src/holdfast/orders/__init__.py", '"""Orders."""\n'),
    (tidy.package_files_hold_one_line, "src/holdfast/client/__init__.py", "import os\n"),
    (tidy.errors_are_caught_by_name, "src/holdfast/a.py", HANDLER.format("KeyError", "pass")),
    (tidy.errors_are_caught_by_name, "src/holdfast/a.py", HANDLER.format("Exception", "raise")),
    *(
        (tidy.errors_are_caught_by_name, path, HANDLER.format("Exception", "pass"))
        for path in tidy.CATCHES_EVERYTHING
    ),
    (tidy.time_and_chance_come_in_by_the_door, "src/holdfast/a.py", "random.Random(4711)"),
    (tidy.time_and_chance_come_in_by_the_door, "src/holdfast/a.py", "time.monotonic()"),
    (tidy.time_and_chance_come_in_by_the_door, "src/holdfast/a.py", "from datetime import date"),
    (tidy.time_and_chance_come_in_by_the_door, "src/holdfast/chassis/clock.py", "time.time()"),
    *(
        (tidy.the_domain_imports_only_the_standard_library, "src/holdfast/orders/domain/a.py", text)
        for text in ("import decimal", "from holdfast.orders.domain.ordering.order import Order")
    ),
    (tidy.the_domain_imports_only_the_standard_library, "src/holdfast/orders/a.py", "import grpc"),
    *(
        (tidy.nothing_imports_what_stands_above_it, path, text)
        for path, text in (
            ("testbed/services.py", "from holdfast.chassis import migrations"),
            ("proof/chaos/kills.py", "from testbed.servers import postgres\nimport proof.history"),
            (
                "tests/e2e/test_kills.py",
                "import proof.history\nimport tests.conftest\nimport bench",
            ),
            ("examples/place_order.py", "import holdfast.client"),
        )
    ),
    (
        tidy.technical_things_bear_their_standard_names,
        "proof/a.py",
        "def in_background(failpoint_actions): ...",
    ),
    (tidy.technical_things_bear_their_standard_names, "tests/a.py", "ground = 1"),
    *(
        (tidy.failpoints_stay_off, path, text)
        for path, text in (
            ("src/holdfast/a.py", "from holdfast.chassis.failpoints import failpoint"),
            ("src/holdfast/chassis/failpoints.py", "from collections.abc import Callable"),
            ("proof/crash/launch.py", "from holdfast.chassis.failpoints import arm"),
        )
    ),
]


@pytest.mark.parametrize(("rule", "path", "text"), ALLOWED)
def test_a_rule_leaves_good_source_alone(rule: Rule, path: str, text: str) -> None:
    assert not list(rule(Source(path, text)))


def test_every_rule_is_seen_to_fail() -> None:
    assert {rule for rule, _, _ in BROKEN} == set(RULES)


def test_a_domain_import_is_reported_in_words() -> None:
    source = Source("src/holdfast/orders/domain/ordering/order.py", "import grpc\n")

    (violation,) = tidy.the_domain_imports_only_the_standard_library(source)

    assert violation == (
        "orders/domain/ordering/order.py: the domain imports grpc; "
        "only the standard library is allowed"
    )


def test_no_leave_to_catch_everything_outlives_its_module() -> None:
    missing = [path for path in tidy.CATCHES_EVERYTHING if not (ROOT / path).exists()]

    assert not missing
