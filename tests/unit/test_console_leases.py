"""When a session's credential is renewed and when it is over; how often a provider is asked."""

import asyncio

import pytest

from holdfast.chassis.clock import SystemClock
from holdfast.console.leases import AGAIN_S, RENEW_S, ProviderLease
from holdfast.console.provider import Granted, Provider
from holdfast.console.sessions import ProviderAway
from holdfast.console.settings import SignInSettings
from testbed.oidc import DISCOVERY, answers, new_key
from testbed.oidc_codes import signing_people_in
from testbed.processes import free_port


def lease_of(life_s: float, refresh_token: str, now_s: list[float]) -> ProviderLease:
    settings = SignInSettings(
        oidc_issuer=f"http://127.0.0.1:{free_port()}", oidc_client_id="console"
    )
    granted = Granted("access", "identity", "anna", life_s, refresh_token)
    provider = Provider(settings, SystemClock())
    return ProviderLease(provider, granted, lambda: now_s[0], by_id_token=False)


@pytest.mark.parametrize(
    ("life_s", "due_s"), [(300.0, 300.0 - RENEW_S), (2 * RENEW_S, RENEW_S), (10.0, 5.0)]
)
def test_a_credential_is_renewed_before_it_ends(life_s: float, due_s: float) -> None:
    now_s = [1_000.0]
    lease = lease_of(life_s, "refresh", now_s)

    for passed_s, is_due, is_over in (
        (0.0, False, False),
        (due_s - 0.1, False, False),
        (due_s, True, False),
        (life_s, True, True),
    ):
        now_s[0] = 1_000.0 + passed_s
        assert (lease.is_due(), lease.is_over()) == (is_due, is_over), passed_s


def test_without_a_refresh_token_there_is_nothing_to_renew_by() -> None:
    now_s = [0.0]
    lease = lease_of(60.0, "", now_s)
    now_s[0] = 60.0

    assert (lease.is_due(), lease.is_over()) == (False, True)


async def test_a_provider_that_is_away_is_not_asked_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s, asked = [0.0], []
    lease = lease_of(60.0, "refresh", now_s)

    async def renew(_: Provider, was: Granted) -> Granted:
        asked.append(was)
        raise ProviderAway("sign.away", 503)

    monkeypatch.setattr(Provider, "renew", renew)
    for at_s in (0.0, AGAIN_S - 0.1, AGAIN_S):
        now_s[0] = at_s
        with pytest.raises(ProviderAway):
            await lease.renew()

    assert len(asked) == 2


async def test_strangers_who_come_at_once_cause_one_question() -> None:
    with signing_people_in([], new_key("EC")) as there:
        provider = Provider(
            SignInSettings(oidc_issuer=there.url, oidc_client_id="console"), SystemClock()
        )

        async def sent() -> list[object]:
            ways = [provider.way_there("back", "state", "nonce", "challenge") for _ in range(20)]
            return await asyncio.gather(*ways, return_exceptions=True)

        there.answers[DISCOVERY] = answers(503, b"")
        refused = await sent()
        del there.answers[DISCOVERY]
        told = await sent() + await sent()
        await provider.close()

        assert all(isinstance(one, ProviderAway) for one in refused)
        assert all(isinstance(one, str) for one in told)
        assert there.asked[DISCOVERY] == 2
