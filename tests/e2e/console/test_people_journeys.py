"""A day with people and programs: customers, partners who are told, keys, and who is here."""

import json
import re

from holdfast.client import Customer
from testbed.keys import KEY
from tests.e2e.console.journeys import AT_CONSOLE, NO_SCRIPTS, SCRIPTS, journey
from tests.e2e.console.people import Person
from tests.e2e.console.window import Desk
from tests.integration.webhook_receivers import OK, Visit, receiving

pytestmark = AT_CONSOLE
KEPT = re.compile("^I have kept it")


@journey(on_every_change=NO_SCRIPTS)
async def test_a_customer_is_found_changed_handed_what_is_known_and_erased(
    person: Person, desk: Desk
) -> None:
    name = f"ada-{await desk.goods()}"
    await desk.client.customers.update(name, version=0, name="Ada", email=f"{name}@example.org")
    order_id = await desk.placed(customer_id=name)

    await person.follow("Customers")
    await person.fill("E-mail", f"{name}@example.org")
    await person.press("Show")
    await person.follow(name)
    await person.unfold("Change the profile")
    await person.fill("Phone", "+44 20 7946 0000")
    await person.press("Save")
    await person.sees("The profile is saved.")
    known = json.loads((await person.download("link", "Download all that is known")).read_text())
    await person.follow("Erase…")
    await person.fill(f"Type the id, {name}, to say that you mean it", name)
    await person.press("Erase for good")
    await person.sees("Orders are not final, so nothing was erased.")
    await person.tick("Erase although orders are not final: 1")
    await person.press("Erase for good")
    await person.sees("Erased: orders 1, profiles 1.")

    assert order_id in json.dumps(known)
    assert "+44 20 7946 0000" in json.dumps(known)
    assert (await desk.client.customers.get(name)).customer == Customer()


@journey(on_every_change=SCRIPTS)
async def test_a_webhook_is_made_tested_sent_to_again_and_deleted(
    person: Person, desk: Desk
) -> None:
    async def take(visit: Visit) -> None:
        await visit.request()
        await visit.say(OK)

    async with receiving(take) as receiver:
        url = f"http://127.0.0.1:{receiver.port}/hook"
        first = await desk.client.webhooks.create(
            f"{url}/other", types=["holdfast.orders.v1.OrderExpired"]
        )
        await person.follow("Webhooks")
        await person.unfold("Make a webhook")
        await person.fill("URL", "http://10.0.0.1/hook")
        await person.tick("OrderPlaced")
        await person.press("Make a webhook")
        await person.is_told("URL")
        await person.fill("URL", url)
        await person.press("Make a webhook")
        await person.sees("whsec_")
        await person.follow(KEPT)
        await person.unfold("Send a test event")
        await person.press("Send a test event")
        await person.sees("It arrived: 204.")
        order_id = await desk.placed()
        await person.follow("All")
        await person.sees_at_last(order_id)
        await person.press(re.compile("^Send event .* again$"))
        await person.sees("The event is sent once more.")
        await person.unfold("Make another secret")
        await person.press("Make another secret")
        await person.sees("whsec_")
        await person.follow(KEPT)
        await person.unfold("Delete it")
        await person.tick("Yes, delete it with all that is recorded of its deliveries")
        await person.press("Delete it")
        await person.sees("The webhook is deleted.")
        await desk.client.webhooks.delete(first.webhook.webhook_id)

    assert any(order_id.encode() in request for request in receiver.requests)


@journey()
async def test_a_key_is_made_rotated_and_revoked(person: Person, desk: Desk) -> None:
    ann = f"Ann of {await desk.goods()}"

    await person.follow("Keys")
    await person.unfold("Make a key")
    await person.fill("Who uses it", ann)
    await person.press("Make a key")
    await person.sees("Tick at least one role or right.")
    await person.tick("support")
    await person.press("Make a key")
    await person.sees("hf_live_")
    await person.follow(KEPT)
    await person.unfold("Rotate it")
    await person.fill("Hours until this one ends", "1")
    await person.press("Rotate it")
    await person.sees("hf_live_")
    await person.follow(KEPT)
    await person.unfold("Revoke it")
    await person.tick(f"Yes, revoke the key of {ann}")
    await person.press("Revoke it")
    await person.sees("The key is revoked.")

    made = [one for one in await desk.client.keys.list() if one.name == ann]
    assert sum(one.revoke_time is not None for one in made) == 1


@journey()
async def test_somebody_signs_out_and_in_and_reads_german(person: Person, desk: Desk) -> None:
    await person.press("Sign out operator")
    await person.is_at("Sign in")
    await person.go("/products")
    await person.fill("Your key", "hf_live_nobody's")
    await person.press("Sign in")
    await person.is_told("Your key")
    await person.fill("Your key", KEY)
    await person.press("Sign in")
    await person.is_at("Products")
    await person.press("Deutsch")
    await person.is_at("Produkte")
    await person.press("English")
    await person.is_at("Products")
