"""What passwords cost, who waits for it, and how often somebody may try."""

import asyncio
from threading import Event

import pytest

from holdfast.chassis.grpc.admission import TooMuch
from holdfast.chassis.identity.guesses import (
    ACCOUNTS_MAX,
    OF_ADDRESS,
    OF_DEVICE,
    OF_NAME,
    OF_PLACE,
    Guesses,
    accounts,
)
from holdfast.chassis.identity.passwords import (
    AT_ONCE_MAX,
    WAITING_MAX,
    Passwords,
    PasswordSettings,
    check,
)
from holdfast.chassis.validation import Violations
from testbed.keys import QUICK

PASSWORD = "a lamp for the window"


async def test_a_password_is_known_again_by_this_pepper_alone() -> None:
    here, elsewhere = Passwords(QUICK, b"pepper"), Passwords(QUICK, b"salt")
    kept = await here.kept(PASSWORD)

    assert kept.startswith("$argon2id$")
    assert await here.matches(kept, PASSWORD)
    assert not await here.matches(kept, PASSWORD + " ")
    assert not await elsewhere.matches(kept, PASSWORD)
    assert not await here.matches("no hash at all", PASSWORD)
    assert kept != await here.kept(PASSWORD), "two who have the same don't see it"


async def test_that_nobody_is_there_costs_what_a_wrong_password_does() -> None:
    passwords = Passwords(QUICK, b"")
    kept, nobody_s = await passwords.kept(PASSWORD), passwords._nobody_s()

    def costs(text: str) -> list[str]:
        return text.split("$")[:4]

    assert costs(kept) == costs(nobody_s)
    assert [len(part) for part in kept.split("$")] == [len(part) for part in nobody_s.split("$")]
    assert not passwords._argon2.check_needs_rehash(nobody_s)
    assert not await passwords.matches(None, PASSWORD)


async def test_what_was_kept_at_other_costs_is_good_and_to_be_kept_anew() -> None:
    before = await Passwords(QUICK, b"").kept(PASSWORD)
    now = Passwords(PasswordSettings(argon2_memory_kib=128, argon2_passes=2, argon2_lanes=1), b"")

    assert await now.matches(before, PASSWORD)
    assert now.is_outdated(before)
    assert not now.is_outdated(await now.kept(PASSWORD))


async def test_few_are_checked_at_once_and_who_leaves_makes_room_for_nobody() -> None:
    passwords, goes_on = Passwords(QUICK, b""), Event()
    waiting = [
        asyncio.create_task(passwords._threaded(goes_on.wait))
        for _ in range(AT_ONCE_MAX + WAITING_MAX)
    ]
    await asyncio.sleep(0.05)
    waiting[0].cancel()
    await asyncio.wait({waiting[0]})

    with pytest.raises(TooMuch):
        await passwords.matches(None, PASSWORD)
    goes_on.set()
    await asyncio.gather(*waiting[1:])
    assert not await passwords.matches(None, PASSWORD)


@pytest.mark.parametrize(
    ("password", "is_good"),
    [
        ("a lamp for the window", True),
        ("12 characters", True),
        ("\U0001f6d2\U0001f4a1\U0001f511\U0001f6aa\U0001f3e0" * 3, True),
        ("x" * 5 + "y" * 5 + "abc", True),
        ("eleven char", False),
        ("a lamp " * 40, False),
        ("Passwort1234", False),
        ("aaaaaaaaaaaa", False),
        ("annannannann", False),
        ("Anna-1-ann-2-ann", False),
    ],
)
def test_a_password_is_long_and_not_the_first_that_is_tried(password: str, is_good: bool) -> None:
    violations = Violations()

    check(violations, "password", password, "ann")

    assert bool(violations) is not is_good


class Time:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def tries(guesses: Guesses, name: str, address: str, device: str = "", at_most: int = 500) -> int:
    """How often somebody may try until they are told to wait."""
    for number in range(at_most):
        try:
            guesses.take(accounts(name, address, device))
        except TooMuch:
            return number
    return at_most


def test_who_guesses_at_a_name_from_one_place_is_slowed_down_and_never_locked() -> None:
    time = Time()
    guesses = Guesses(time)

    assert tries(guesses, "ann", "a") == OF_PLACE.at_once
    with pytest.raises(TooMuch) as late:
        guesses.take(accounts("ann", "a", ""))
    assert late.value.retry_after_s == OF_PLACE.every_s
    time.now_s += OF_PLACE.every_s
    assert tries(guesses, "ann", "a") == 1
    assert tries(guesses, "bob", "a") == OF_PLACE.at_once
    assert tries(guesses, "ann", "b") == OF_PLACE.at_once, "from elsewhere it is not ann's fault"


def test_guesses_from_many_places_are_slowed_down_by_name_and_a_known_device_is_not() -> None:
    guesses = Guesses(Time())
    found = sum(tries(guesses, "ann", f"place-{number}") for number in range(20))

    assert found == OF_NAME.at_once
    assert tries(guesses, "ann", "home") == 0
    assert tries(guesses, "ann", "home", "of-ann") == OF_DEVICE.at_once
    assert tries(guesses, "bob", "home") == OF_PLACE.at_once


def test_guesses_at_many_names_are_slowed_down_by_address() -> None:
    guesses = Guesses(Time())
    found = sum(tries(guesses, f"name-{number}", "a") for number in range(20))

    assert found == OF_ADDRESS.at_once
    assert tries(guesses, "ann", "b") == OF_PLACE.at_once


def test_guesses_that_matter_no_more_are_forgotten() -> None:
    time = Time()
    guesses = Guesses(time)
    for number in range(ACCOUNTS_MAX):
        guesses.take([(OF_DEVICE, (str(number),))])
    time.now_s += OF_DEVICE.every_s + 1
    for number in range(3):
        guesses.take([(OF_DEVICE, (f"later {number}",))])

    assert len(guesses._due_at) <= 3
