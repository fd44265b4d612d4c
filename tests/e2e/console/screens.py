"""All screens, a line each: where they are, and what is done there before they are looked at.

Whoever builds a screen adds its line; `furnished` has what its path may name in braces.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from playwright.async_api import BrowserContext

from holdfast.client import (
    Address,
    Backorder,
    BackorderMode,
    Customer,
    Details,
    Holdfast,
    LocationAddress,
    LocationKind,
    Money,
    OrderLine,
    PaymentKind,
    ReturnLine,
    ShipmentItem,
    StockReason,
    new_request_id,
)
from tests.e2e.console.window import OURS


class Screen(NamedTuple):
    """:param unfold: what is opened, one after the other; each is looked at.
    :param press: buttons that are pressed then; only the end is looked at.
    :param picture: its name in docs/console, where it has one there; see `test_screens.PICTURES`.
    """

    path: str
    unfold: tuple[str, ...] = ()
    press: tuple[str, ...] = ()
    picture: str = ""


CHOSEN = "Choose all on this page"
SCREENS = (
    Screen("/", picture="today-phone"),
    Screen("/sign-in"),
    Screen("/orders", picture="orders-wide"),
    Screen("/orders?status=NOWHERE&created_from=x&after=x"),
    Screen("/orders?reference=nobody's"),
    Screen("/orders/{held}", ("Confirm",), picture="order-wide"),
    Screen("/orders/{held}", ("Extend the hold", "Cancel")),
    Screen("/orders/{held}", ("Record a payment",), ("Record a payment",)),
    Screen("/orders/{confirmed}", ("Ship",)),
    Screen("/orders/{shipped}", ("Open a return", "Receive a return")),
    Screen("/orders/{shipped}/confirmation"),
    Screen("/orders/{shipped}/slip?id=parcel-1"),
    Screen("/orders/{waiting}"),
    Screen("/orders/{long}"),
    Screen("/to-ship", picture="to-ship-wide"),
    Screen("/to-ship?location=nowhere&created_before=x"),
    Screen("/pick-list"),
    Screen("/find?q=nothing"),
    Screen("/orders?customer_id=ada", (), (CHOSEN, "Confirm…")),
    Screen("/orders?customer_id=ada", (), (CHOSEN, "Ship…")),
    Screen("/orders?customer_id=ada", (), (CHOSEN, "Cancel…")),
    Screen("/jobs/{job}"),
    Screen("/products", picture="products-wide"),
    Screen("/products?active=x&low=x&after=x"),
    Screen("/products/new", (), ("Make it",)),
    Screen("/products/change?id=LAMP-RED"),
    Screen("/stock?id=LAMP-RED", picture="stock-wide"),
    Screen("/stock?id=LAMP-RED", ("Receive", "Adjust the stock")),
    Screen("/stock?id=LAMP-RED", ("Set what was counted", "Take out of sale", "End a quarantine")),
    Screen("/stock?id=LAMP-RED", ("Receive",), ("Receive",)),
    Screen("/stock?id=VASE"),
    Screen("/movements?id=LAMP-RED"),
    Screen("/movements?kind=x&of=x&before=x"),
    Screen("/backorders?id=BULB-E27"),
    Screen("/backorders?id=VASE"),
    Screen("/locations"),
    Screen("/locations/new", (), ("Make it",)),
    Screen("/locations/change?id=shop-leeds"),
    Screen("/transfers", picture="transfers-wide"),
    Screen("/transfers?state=x&after=x"),
    Screen("/transfers/new?product=LAMP-RED", (), ("Send them",)),
    Screen("/transfers/{transfer}", ("Nothing more will come",)),
    Screen("/customers"),
    Screen("/customers?email=nobody@example.org"),
    Screen("/customer?id=ada", picture="customer-wide"),
    Screen("/customer?id=ada", ("Change the profile",)),
    Screen("/customer?id={long_customer}"),
    Screen("/customer/erase?id=ada", (), ("Erase for good",)),
    Screen("/files", ("More about the file",), ("See what would change",)),
    Screen("/imports/{import}", picture="import-wide"),
    Screen("/webhooks", ("Make a webhook",), picture="webhooks-wide"),
    Screen(
        "/webhooks/{webhook}",
        ("Send again what was missed", "Change it", "Make another secret", "Switch it off"),
    ),
    Screen("/webhooks/{webhook}", ("Delete it",), ("Delete it",)),
    Screen("/keys", ("Make a key", "What roles may do, and single rights"), ("Make a key",)),
    Screen("/keys/{key}", ("Rotate it", "Revoke it")),
    Screen("/users", ("Make a user",), ("Make a user",)),
    Screen("/user?name=bert", ("Lock", "Give another password", "Change the rights", "Delete")),
    Screen("/password"),
    Screen("/figures"),
    Screen("/figures?from=x&to=x"),
    Screen("/views"),
    Screen("/system"),
    Screen("/nowhere"),
)


async def furnished(client: Holdfast) -> dict[str, str]:
    """A shop with something of everything; returns what screens are about, by name."""
    await _goods(client)
    await client.customers.update(
        "ada", version=0, name="Ada Lovelace", email="ada@example.org", phone="+44 113 496 0000"
    )
    await client.customers.update("W" * 120, version=0, name="N" * 100)
    home = Address(name="Ada Lovelace", street="12 Albion Street", city="Leeds", country="GB")
    details = Details(reference="web-1042", ship_to=home, note="Please ring twice")
    found = {
        "long_customer": "W" * 120,
        "shipped": await _placed(client, "ada", "LAMP-BLUE", 3, details=details),
        "waiting": await _placed(client, "grace", "BULB-E27", 8),
        "long": await _placed(client, "W" * 120, "CABLE-2M", 1),
        "part": await _placed(client, "alan", "SHADE-L", 4),
        "confirmed": await _placed(client, "ada", "LAMP-RED", 2),
        "held": await _placed(client, "ada", "LAMP-RED", 2, details=details, hold_s=7_200.0),
    }
    await client.orders.record_payment(
        found["shipped"], PaymentKind.CAPTURED, Money("GBP", 3750), reference="pay-1042"
    )
    await client.orders.ship(
        found["shipped"], shipment_id="parcel-1", carrier="Post", tracking_number="RM 1042 GB"
    )
    await client.orders.ship(found["part"], [ShipmentItem(1, 1)], shipment_id=new_request_id())
    await client.orders.open_return(
        found["shipped"], [ReturnLine(1, 1, "too blue")], request_id=new_request_id()
    )
    transfer = await client.inventory.create_transfer(
        {"LAMP-RED": 6, "SHADE-L": 2},
        origin="main",
        target="shop-leeds",
        reference="van 2",
        expected_time=datetime.now(UTC) + timedelta(days=1),
    )
    await client.inventory.receive_transfer(
        transfer.transfer_id, {"LAMP-RED": 4}, request_id=new_request_id()
    )
    webhook = await client.webhooks.create(
        "https://8.8.8.8/accounts",
        types=["holdfast.orders.v1.OrderExpired"],
        description="Accounts",
    )
    await client.users.create("bert", ["support"], "a sentence that nobody tries first")
    key = await client.keys.create("Ann of the warehouse", ["warehouse"])
    return found | {
        "transfer": transfer.transfer_id,
        "webhook": webhook.webhook.webhook_id,
        "key": key.key.key_id,
    }


async def _goods(client: Holdfast) -> None:
    inventory = client.inventory
    leeds = LocationAddress(street="3 Briggate", city="Leeds", postal_code="LS1 6HD", country="GB")
    await inventory.create_location(
        "shop-leeds", kind=LocationKind.SHOP, name="Leeds", address=leeds
    )
    await inventory.create_location("barn", active=False)
    await_more = Backorder(BackorderMode.UNLIMITED, expected_date=date(2031, 5, 1))
    for name, units, price in (
        ("Red lamp", 40, 1250),
        ("Blue lamp", 12, 1250),
        ("Large shade", 9, 690),
        ("Cable, 2 m", 300, 380),
    ):
        product_id = {"Red lamp": "LAMP-RED", "Blue lamp": "LAMP-BLUE"}.get(name, "")
        product_id = product_id or {"Large shade": "SHADE-L"}.get(name, "CABLE-2M")
        await inventory.create_product(product_id, name=name, unit_price=Money("GBP", price))
        await inventory.adjust_stock(
            product_id, units, reason="delivery", reason_code=StockReason.RECEIVED, reference="D-7"
        )
    await inventory.create_product(
        "BULB-E27", name="Bulb, E27", unit_price=Money("GBP", 290), backorder=await_more
    )
    await inventory.set_stock("BULB-E27", 3)
    await inventory.create_product("VASE", name="Vase", unit_price=Money("GBP", 2400))
    await inventory.quarantine("LAMP-RED", 3, reason="damp boxes")


async def _placed(
    client: Holdfast,
    customer_id: str,
    product_id: str,
    quantity: int,
    *,
    details: Details | None = None,
    hold_s: float | None = None,
) -> str:
    ada = Customer("Ada Lovelace", "ada@example.org") if customer_id == "ada" else None
    made = await client.orders.create(
        customer_id,
        [OrderLine(product_id, quantity)],
        customer=ada,
        details=details,
        hold_s=hold_s,
        wait_s=10.0,
    )
    return made.order_id


async def of_this_window(context: BrowserContext, found: dict[str, str]) -> dict[str, str]:
    """What is there only for who made it: a job that fails, and a file with something wrong."""
    job: dict[str, Any] = {"job_id": new_request_id(), "verb": "confirm", "reference": "pay"}
    job[f"order-{found['held']}"] = "1"  # its version of long ago
    told = await context.request.post("/console/jobs", form=job, headers=OURS)
    lines = "product_id,name,unit_price\nLAMP-GREEN,Green lamp,12.50\nLAMP-RED,Red lamp,a dozen\n"
    file = {"name": "products.csv", "mimeType": "text/csv", "buffer": lines.encode()}
    brought = await context.request.post(
        "/console/imports",
        multipart={"kind": "products", "file": file, "request_id": new_request_id()},  # type: ignore[dict-item]
        headers=OURS,
    )
    assert (told.ok, brought.ok) == (True, True), await told.text() + await brought.text()
    return found | {
        "job": told.url.rpartition("/")[2],
        "import": brought.url.rpartition("/")[2],
    }
