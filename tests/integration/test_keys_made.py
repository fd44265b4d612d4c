"""What a key may be made of, over HTTP, and how many there may be."""

from collections.abc import AsyncIterator

import pytest

from holdfast.chassis.identity import servicer
from tests.integration.conftest import EMBEDDED, Ground, eventually
from tests.integration.over_http import Http, http_on

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)


@pytest.fixture
async def http(ground: Ground) -> AsyncIterator[Http]:
    async with http_on(ground) as found:
        yield found


async def test_what_can_be_no_key_is_refused_by_field_and_no_other_key_suffers(http: Http) -> None:
    good = {"name": "x", "grants": ["viewer"]}
    for field, wrong in (
        ("/name", {"name": "orders"}),
        ("/name", {"name": "notifier"}),
        ("/name", {"name": "operator"}),
        ("/name", {"name": "ann@shop"}),
        ("/networks/0", {"networks": ["fe80::1%a b"]}),
        ("/networks/1", {"networks": ["10.0.0.0/8", "fe80::1%eth0"]}),
        ("/networks/0", {"networks": ["10.0.0.1/8"]}),
        ("/networks/0", {"networks": ["::ffff:10.0.0.1/104"]}),
    ):
        answer = await http.ask("POST", "/v1/keys", good | wrong)
        assert (answer.status, answer.errors) == (400, [field]), wrong

    assert [one["name"] for one in (await http.done("GET", "/v1/keys"))["keys"]] == ["operator"]


async def test_a_key_for_this_machine_may_name_it_as_ipv6_does(http: Http) -> None:
    wanted = {"name": "x", "grants": ["viewer"], "networks": ["::ffff:127.0.0.1"]}

    made = await http.done("POST", "/v1/keys", wanted)

    assert made["key"]["networks"] == ["127.0.0.1/32"]
    me = await http.ask("GET", "/v1/me", authorization=f"Bearer {made['text']}")
    assert me.status == 200


async def test_more_keys_than_one_message_holds_are_known_to_the_notifier_and_revoked_there(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servicer, "OFFERED_MAX", 1)
    wanted = {"name": "partner", "grants": ["webhooks:manage"]}
    made = [await http.done("POST", "/v1/keys", wanted) for _ in range(3)]

    async def statuses() -> set[int]:
        texts = [f"Bearer {one['text']}" for one in made]
        answers = [await http.ask("GET", "/v1/webhooks", authorization=text) for text in texts]
        return {answer.status for answer in answers}

    await eventually(statuses, lambda found: found == {200})
    for one in made:
        await http.done("POST", f"/v1/keys/{one['key']['key_id']}/revoke")

    await eventually(statuses, lambda found: found == {401})
