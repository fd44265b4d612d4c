"""Attempts to sign in at a provider: only the browser that was sent comes back, and in time."""

import re
from base64 import urlsafe_b64encode
from hashlib import sha256

import pytest

from holdfast.console.attempts import ATTEMPT_S_MAX, AttemptOver, Attempts, NoAttempt


def test_an_attempt_is_found_by_its_cookie_and_state_and_knows_where_one_wanted_to_go() -> None:
    attempts = Attempts()
    began = attempts.begin("/console/orders?q=ü", 5.9)

    found = attempts.find(began.cookie, began.state, 5.0 + ATTEMPT_S_MAX)

    assert found == began
    assert found.after == "/console/orders?q=ü"
    digest = sha256(began.verifier.encode()).digest()
    assert began.challenge == urlsafe_b64encode(digest).decode().rstrip("=")
    assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", began.verifier), "RFC 7636, 4.1"


def test_everything_that_is_told_differs_from_attempt_to_attempt_and_use_to_use() -> None:
    attempts = Attempts()
    made = [attempts.begin("", 0.0) for _ in range(50)]

    told = {value for one in made for value in (one.state, one.nonce, one.verifier)}
    assert len(told) == 150
    assert all(value not in one.cookie for one in made for value in told)


@pytest.mark.parametrize(
    "cookie",
    ["", ".", "..", "a.b.c", "0..", "1.2.3.4", "x.é.\u0000", "9" * 5_000, "0.a.====", "\ud800.."],
)
@pytest.mark.parametrize("state", ["", "x", "\ud800"])
def test_rubbish_is_no_attempt(cookie: str, state: str) -> None:
    with pytest.raises(NoAttempt):
        Attempts().find(cookie, state, 0.0)


def test_neither_another_s_state_nor_an_altered_cookie_nor_another_process_counts() -> None:
    attempts = Attempts()
    ours, theirs = attempts.begin("/console/a", 0.0), attempts.begin("/console/b", 0.0)
    later = f"9{ours.cookie}"

    for finder, cookie, state in (
        (attempts, ours.cookie, theirs.state),
        (attempts, later, ours.state),
        (attempts, ours.cookie, ours.nonce),
        (Attempts(), ours.cookie, ours.state),
    ):
        with pytest.raises(NoAttempt):
            finder.find(cookie, state, 0.0)


def test_an_attempt_ends() -> None:
    attempts = Attempts()
    began = attempts.begin("", 0.0)

    with pytest.raises(AttemptOver):
        attempts.find(began.cookie, began.state, ATTEMPT_S_MAX + 1.0)


def test_a_wish_that_fits_into_no_cookie_is_forgotten() -> None:
    assert Attempts().begin("/console/" + "x" * 5_000, 0.0).after == ""
