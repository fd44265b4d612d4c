"""Limits for each caller: what is too much is refused, and nobody else pays for it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from holdfast.chassis import callers
from holdfast.chassis.grpc.admission import ACCOUNTS_MAX, Admission, StrangeCertificate, TooMuch
from holdfast.chassis.identity import principal
from holdfast.chassis.identity.principal import Principal
from holdfast.chassis.process.ports import CallerLimits, PortSettings, shared


class Call:
    """What a handler sees of a call."""

    def __init__(self, peer: str, *names: str) -> None:
        self._peer, self._names = peer, names

    def peer(self) -> str:
        return self._peer

    def auth_context(self) -> dict[str, list[bytes]]:
        return {"x509_subject_alternative_name": [name.encode() for name in self._names]}


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


ANNA, BOB = Call("ipv4:10.0.0.1:5000"), Call("ipv4:10.0.0.2:5000")


@contextmanager
def known_as(name: str) -> Iterator[None]:
    """Calls are made by somebody who has shown credentials."""
    token = principal.current.set(Principal(name, "k-1", frozenset()))
    yield
    principal.current.reset(token)


def refused(admission: Admission, call: Call, *, stream: bool = False) -> TooMuch:
    with pytest.raises(TooMuch) as error:
        admission.enter(call, stream=stream)
    return error.value


def test_a_second_s_calls_may_come_at_once_and_then_one_by_one() -> None:
    clock = Clock()
    admission = Admission(CallerLimits(caller_requests_per_s=10), now=clock)
    for _ in range(11):  # the first one finds nothing before it
        with admission.enter(ANNA, stream=False):
            pass

    error = refused(admission, ANNA)
    assert error.reason == "TOO_MANY_REQUESTS"
    assert error.retry_after_s == pytest.approx(0.1)
    with admission.enter(BOB, stream=False):
        pass

    clock.now_s += error.retry_after_s + 1e-6
    with admission.enter(ANNA, stream=False):
        pass
    assert refused(admission, ANNA).retry_after_s == pytest.approx(0.1, abs=1e-4)


def test_what_is_refused_counts_for_nothing() -> None:
    clock = Clock()
    admission = Admission(CallerLimits(caller_requests_per_s=10), now=clock)
    for _ in range(11):
        admission.enter(ANNA, stream=False)
    first = refused(admission, ANNA).retry_after_s
    for _ in range(1_000):
        assert refused(admission, ANNA).retry_after_s == first


def test_calls_and_streams_under_way_are_counted_apart_until_they_end() -> None:
    admission = Admission(CallerLimits(caller_calls_max=2, caller_streams_max=1))
    with ExitStack() as open_calls:
        for stream in (False, False, True):
            open_calls.enter_context(admission.enter(ANNA, stream=stream))
        assert refused(admission, ANNA).reason == "TOO_MANY_CALLS"
        assert refused(admission, ANNA, stream=True).reason == "TOO_MANY_STREAMS"
        admission.enter(BOB, stream=True)

    with pytest.raises(RuntimeError), admission.enter(ANNA, stream=False):
        raise RuntimeError("what fails has ended too")
    for stream in (False, True):
        admission.enter(ANNA, stream=stream)


def test_a_principal_is_counted_wherever_it_calls_from_and_its_address_beside_it() -> None:
    admission = Admission(CallerLimits(caller_calls_max=2, callers_per_address=2))
    with known_as("shop"):
        admission.enter(ANNA, stream=False)
        admission.enter(BOB, stream=False)
        assert refused(admission, Call("ipv4:10.0.0.3:1")).reason == "TOO_MANY_CALLS"
    for name in ("warehouse", "partner", "till"):
        with known_as(name):
            admission.enter(ANNA, stream=False)
    with known_as("one more"):
        assert refused(admission, ANNA).reason == "TOO_MANY_CALLS"
        admission.enter(BOB, stream=False)


def test_whoever_is_called_like_an_address_has_an_account_of_its_own() -> None:
    admission = Admission(CallerLimits(caller_calls_max=1, callers_per_address=1))
    with known_as("shop"):
        admission.enter(ANNA, stream=False)
    with known_as("10.0.0.1"):
        admission.enter(BOB, stream=False)


def test_an_ipv6_caller_is_its_network_and_a_socket_of_ours_is_nobody() -> None:
    assert callers.address_of("ipv6:%5B2001:db8::1%5D:50") == "2001:db8::/64"
    assert callers.address_of("ipv6:%5B2001:db8::ffff%5D:51") == "2001:db8::/64"
    assert callers.address_of("ipv6:%5Bfe80::1%25eth0%5D:51") == "fe80::/64"
    assert callers.address_of("ipv4:127.0.0.1:50") == "127.0.0.1"
    assert callers.address_of("ipv6:[::ffff:127.0.0.1]:50") == "127.0.0.1"
    assert callers.address_of("unix:/run/holdfast") == callers.NOBODY
    admission = Admission(CallerLimits(caller_calls_max=1), ("spiffe://shop/orders",))
    for _ in range(3):
        admission.enter(Call("unix:/run/holdfast"), stream=False)


def test_of_several_processes_each_gives_its_part_and_at_least_one() -> None:
    limits = CallerLimits(caller_requests_per_s=100, caller_calls_max=9, caller_streams_max=3)

    part = shared(limits, 4)

    assert part.caller_requests_per_s == 25
    assert (part.caller_calls_max, part.caller_streams_max) == (2, 1)


def test_a_certificate_needs_one_of_the_names() -> None:
    admission = Admission(PortSettings(), ("spiffe://shop/orders", "anna"))
    admission.enter(Call("ipv4:10.0.0.1:1", "x", "anna"), stream=False)
    for names in ((), ("ann",), ("spiffe://shop/orders/",), ("ANNA",)):
        with pytest.raises(StrangeCertificate):
            admission.enter(Call("ipv4:10.0.0.1:1", *names), stream=False)


def test_callers_that_are_gone_are_forgotten() -> None:
    clock = Clock()
    admission = Admission(CallerLimits(), now=clock)
    busy = admission.enter(ANNA, stream=False)
    for number in range(3 * ACCOUNTS_MAX):
        clock.now_s += 0.01
        with admission.enter(Call(f"ipv4:10.{number >> 8}.{number & 255}.9:1"), stream=False):
            pass

    assert len(admission._accounts) <= ACCOUNTS_MAX + 2
    assert admission._accounts["10.0.0.1"].calls == 1
    with busy:
        pass
