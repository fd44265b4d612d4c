"""Locations in the console: listed, made, changed, and taken out of use."""

import pytest

from holdfast.client import Location, LocationAddress, LocationKind
from tests.integration.conftest import EMBEDDED
from tests.integration.console.people import ROOT, Shop, colleague

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
LIST, NEW, CHANGE = f"{ROOT}/locations", f"{ROOT}/locations/new", f"{ROOT}/locations/change"


async def there(shop: Shop) -> dict[str, Location]:
    return {one.location_id: one async for one in shop.client.inventory.list_locations()}


async def test_a_location_is_made_once_changed_and_taken_out_of_use(shop: Shop) -> None:
    opened = await shop.browser.get(NEW)
    typed = {"location_id": "S/1 <b>", "kind": "SHOP", "city": "Ulm & more", "country": "DE"}
    first = await shop.browser.send(opened, NEW, **typed)
    again = await shop.browser.send(opened, NEW, **typed)
    spelled = await shop.browser.send(opened, NEW, **(typed | {"location_id": "s/1 <b>"}))

    assert (first.status_code, again.status_code, spelled.status_code) == (303, 303, 409)
    assert "location-location_id-flaw" in spelled.text
    assert (await there(shop))["S/1 <b>"] == Location(
        "S/1 <b>",
        "",
        LocationKind.SHOP,
        100,
        True,
        LocationAddress(city="Ulm & more", country="DE"),
        1,
    )
    listed = await shop.browser.get(first.headers["location"])
    assert "S/1 &lt;b&gt;" in listed.text
    assert "Ulm &amp; more" in listed.text

    page = await shop.browser.get(CHANGE, params={"id": "S/1 <b>"})
    seen = {"location_id": "S/1 <b>", "version": "1", "priority": "7", "kind": "SHOP"}
    done = await shop.browser.post(CHANGE, seen)  # the box is not ticked
    late = await shop.browser.send(page, CHANGE, name="My shop")
    same = await shop.browser.post(CHANGE, seen)

    assert (done.status_code, late.status_code, same.status_code) == (303, 409, 303)
    assert 'value="My shop"' in late.text
    assert "<dt>Priority</dt><dd>7</dd>" in late.text
    assert "<dt>In use</dt><dd>No</dd>" in late.text
    changed = (await there(shop))["S/1 <b>"]
    assert (changed.priority, changed.active, changed.version) == (7, False, 2)
    assert "not in use" in (await shop.browser.get(LIST)).text


FLAWED = [
    ({"location_id": ""}, "location_id"),
    ({"location_id": "x" * 65}, "location_id"),
    ({"location_id": "MAIN"}, "location_id"),
    ({"priority": ""}, "priority"),
    ({"priority": "-1"}, "priority"),
    ({"priority": "1000001"}, "priority"),
    ({"name": "x" * 501}, "name"),
    ({"street": "x" * 501}, "street"),
    ({"country": "Germany"}, "country"),
]


async def test_what_can_t_be_is_refused_at_its_field_and_nothing_typed_is_lost(shop: Shop) -> None:
    opened = await shop.browser.get(NEW)
    for typed, flawed in FLAWED:
        filled = {"location_id": "shop-1", "name": "My shop"} | typed

        refused = await shop.browser.send(opened, NEW, **filled)

        assert refused.status_code in (400, 409), typed
        assert f"location-{flawed}-flaw" in refused.text, typed
        assert refused.text.count('class="flaw"') == 1, typed
        assert f'value="{filled["name"]}"' in refused.text
    assert list(await there(shop)) == ["main"]
    none = await shop.browser.get(CHANGE, params={"id": "nowhere"})
    assert none.status_code == 404


async def test_who_may_not_change_products_is_shown_locations_alone(shop: Shop) -> None:
    async with colleague(shop, "warehouse", LIST) as (packer, page):
        refused = await packer.post(NEW, {"location_id": "shop-1", "priority": "1"})

    assert "main" in page
    assert "/locations/" not in page
    assert refused.status_code == 403
    assert list(await there(shop)) == ["main"]
