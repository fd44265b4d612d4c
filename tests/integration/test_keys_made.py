"""What a key may be made of, over HTTP."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.conftest import EMBEDDED, Ground
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
