"""What callers do in a simulation or a chaos run: a seeded stream of calls for each of them.

Much is asked for again on purpose, some of it with other contents; a few products are nearly
always short. What a caller does next depends on its seed and on the orders it was told of, on
nothing else.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from proof.catalogue_wishes import CATALOGUE, PAGES, CatalogueWishes
from proof.customer_wishes import CUSTOMERS, CustomerWishes
from proof.goods_wishes import GOODS, LOCATIONS, SOURCED, GoodsWishes, drawn_sourcing
from proof.history import Facts
from proof.places_wishes import PLACES, PlacesWishes
from proof.transfer_wishes import TRANSFERS, TransferWishes

MIX = {"CreateOrder": 60, "GetOrderDetails": 20, "GetStockInfo": 10, "UpdateStock": 5}
MIX |= {"CancelOrder": 5, "ConfirmOrder": 8, "ExtendHold": 2, "RecordPayment": 4}
MIX |= {"ExplainStock": 5}
MIX |= {"EditOrder": 8, "CancelUnits": 2, "QuarantineStock": 2, "ReleaseQuarantine": 2}
MIX |= {
    "ShipOrder": 20,
    "UpdateShipment": 3,
    "OpenReturn": 8,
    "ReceiveReturn": 16,
    "CloseReturn": 4,
    "ListBackorders": 3,
}
MIX |= {"CheckAvailability": 6, "UpdateLocation": 6, "ListLocations": 2}
MIX |= {"CreateTransfer": 6, "ReceiveTransfer": 8, "CloseTransfer": 4, "GetTransfer": 5}
# Every verb of both services: what is not in the simulation's mix as well.
WHOLE_MIX = MIX | {"UpdateOrder": 4, "WatchOrder": 3, "SetStock": 4}
WHOLE_MIX |= {"CreateProduct": 1, "UpdateProduct": 4, "ListProducts": 2, "CreateLocation": 1}
WHOLE_MIX |= {"ListOrders": 2, "SearchOrders": 2, "ListMovements": 2, "ListTransfers": 2}
WHOLE_MIX |= {"UpdateCustomer": 4, "GetCustomer": 2, "ListCustomers": 1, "ExportCustomer": 4}
WHOLE_MIX |= {"EraseCustomer": 3}
WHOLE_MIX |= {"GetOrderFigures": 1}
WHOLE_MIX |= {"ExtendHold": 12}  # of which most come too late
REPEATED, CONTRADICTED, HURRIED = 0.20, 0.05, 0.05  # of the calls that may be
CHARGED = 0.1  # of the orders have charges: a discount is less than anything costs
HELD = 0.25  # of the orders wait for a confirmation
UNLIMITED = 1_000_000_000_000  # units that may be waited for
EXPECTED = "2027-01-15"  # when there is more of what may be waited for
HOLD_S = 3_600  # longer than any run
CHANGES = ("UpdateStock", "SetStock", "QuarantineStock", "ReleaseQuarantine")
SET_MAX = 40  # units to which a scarce product is set at a location
PAYMENTS = ("AUTHORIZED", "CAPTURED", "REFUNDED", "VOIDED")
PAID_ALONG = 0.5  # of the confirmations tell the payment's amount
PRICES_MINOR = (None, None, None, 200, 300)  # of an edited line: mostly as it was
CHARGES_EDITED = 0.2  # of the edits give other charges
SOURCING_EDITED = 0.25  # of the edits say where the stock is to come from
ELSEWHERE = 0.5  # of the changes of stock are at any location, the others at main
ASIDE = 2  # products of which units are put in quarantine, and out of it
REST = 0.5  # of the cancellations are of what was shipped in part, if anything was
WRITTEN_OFF = 0.3  # of what leaves quarantine
PAST = 0.6  # of the explanations are of a moment that was told of
JUST_BEFORE = 0.3  # of these are of the microsecond before it
AMOUNTS_MINOR = (1, 100, 250, 1_000)
LINES_MAX, UNITS_MAX = 5, 3
HURRY_S = (0.005, 0.050)
REMEMBERED_MAX = 200  # orders and requests that a caller comes back to

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call to make; see `history.py` for the requests' form."""

    method: str
    request: Facts
    deadline_s: float | None = None  # None: as long as the caller waits by default


@dataclass(frozen=True, slots=True)
class Shop:
    """What is for sale: the most wanted product first, the scarce ones last.

    :param changes: units by which callers change stock.
    :param waits_max: units of the scarce products that orders may wait for, in turn.
    :param displacing: share of what callers take out of sale for which promises may give way.
    :param holds_s: how long stock is held for those who confirm. One that ends while somebody looks
        makes two looks differ: where the end of a run can't be told from its rest, none is short.
    """

    products: int = 12
    scarce: int = 3
    units: int = 1_000
    scarce_units: int = 3
    changes: Sequence[int] = (-2, -1, 1, 2, 5)
    holds_s: Sequence[int] = (HOLD_S,)
    waits_max: Sequence[int] = (0,)
    displacing: float = 0.0

    @property
    def product_ids(self) -> Sequence[str]:
        return [f"P-{number:03}" for number in range(1, self.products + 1)]

    def creation(self) -> list[Wanted]:
        """The calls that make the products: of the second one some units are kept back, and of some
        that are scarce orders may wait.
        """
        plenty = self.products - self.scarce
        return [
            Wanted(
                "CreateProduct",
                {
                    "product_id": product_id,
                    "safety_stock": int(rank == 1),
                    **self._policy(rank - plenty),
                },
            )
            for rank, product_id in enumerate(self.product_ids)
        ]

    def _policy(self, scarcity: int) -> Facts:
        """How many units may be waited for, if any may."""
        units = self.waits_max[scarcity % len(self.waits_max)] if scarcity >= 0 else 0
        return {"waits_max": units, "expected": EXPECTED} if units else {}

    def supply(self) -> list[Wanted]:
        """The calls that fill the shelves. Each product has to be created first."""
        return [
            *(
                Wanted("CreateLocation", {"location_id": location_id, "priority": 10 * rank})
                for rank, location_id in enumerate(LOCATIONS)
                if rank  # `main` is there
            ),
            *(
                supply(product_id, units, location_id)
                for rank, product_id in enumerate(self.product_ids)
                for location_id, units in self._spread(rank).items()
            ),
        ]

    def _spread(self, rank: int) -> dict[str, int]:
        """Units of a product by location: of the first one everywhere, of the next at two, and so
        on; the more the nearer to `main`.
        """
        units = self.units if rank < self.products - self.scarce else self.scarce_units
        places = LOCATIONS[: len(LOCATIONS) - rank % len(LOCATIONS)]
        each = units // (len(places) + 1)
        found = {location_id: each for location_id in places[1:] if each}
        return {places[0]: units - each * len(found), **found}


def supply(product_id: str, units: int, location_id: str = LOCATIONS[0]) -> Wanted:
    """The call that fills one shelf."""
    place = {"product_id": product_id, "location_id": location_id}
    request_id = f"supply-{product_id}-{location_id}"
    return Wanted("UpdateStock", {"request_id": request_id, **place, "delta": units})


class Caller:
    """One caller's endless wishes.

    :param mix: weights of the methods.
    """

    def __init__(
        self, name: str, seed: int | str, shop: Shop, *, mix: dict[str, int] | None = None
    ) -> None:
        self.name = name
        self._chance = random.Random(f"{seed}/{name}")
        self._shop, self._product_ids = shop, shop.product_ids
        self._zipf = [1 / rank for rank in range(1, shop.products + 1)]
        # The scarce ones are asked for as often as the best of the rest.
        self._zipf[shop.products - shop.scarce :] = [0.5] * shop.scarce
        self._mix = dict(mix or MIX)
        # What is waited for comes and goes more often than the rest.
        awaited = {
            call.request["product_id"]: call.request["waits_max"]
            for call in shop.creation()
            if "waits_max" in call.request
        }
        self._restocked = [*self._product_ids, *list(awaited) * shop.products]
        self._orders: list[str] = []
        self._read: dict[str, Facts] = {}  # orders as they were last seen, by id
        self._asked: list[Facts] = []
        self._moments: list[tuple[str, int, int]] = []  # product, movement, when
        self._changed: dict[str, list[Facts]] = {name: [] for name in CHANGES}
        self._goods = GoodsWishes(name, self._chance)
        self._places = PlacesWishes(self._chance)
        self._customers = CustomerWishes(name, self._chance)
        self._catalogue = CatalogueWishes(name, self._chance, awaited)
        self._transfers = TransferWishes(name, self._chance, shop.product_ids)
        self._numbers = 0

    def told_of(self, answer: Facts) -> None:
        """An answer that names an order: read, edit, ship or cancel it some day; or a transfer:
        receive or close it; that shows locations: switch one; or that explained stock: ask again
        what was then.
        """
        self._places.told_of(answer)
        self._customers.told_of(answer)
        self._catalogue.told_of(answer)
        for level in answer.get("explained", ()):
            newest = level["movements"][0], level["moved_at_us"]
            _remember(self._moments, (answer["product_id"], *newest))
        if "transfer_id" in answer:
            self._transfers.told_of(answer)
        if "order_id" not in answer:
            return
        order_id = answer["order_id"]
        self._goods.told_of(answer)
        _remember(self._orders, order_id)
        if "lines" in answer:
            self._read.pop(order_id, None)
            self._read[order_id] = answer
            if len(self._read) > REMEMBERED_MAX:
                del self._read[next(iter(self._read))]

    def next(self, method: str = "") -> Wanted:
        """Choose the next call.

        :param method: by which; "": by any.
        """
        if not method:
            (method,) = self._chance.choices(list(self._mix), list(self._mix.values()))
        if method in GOODS and self._orders:
            wanted = self._goods.next(method)
            if wanted is not None:
                return Wanted(*wanted)
            method = "GetOrderDetails"  # what it shows may be shipped one day
        if method in PLACES:
            return Wanted(*self._places.next(method, self._lines()))
        if method in TRANSFERS:
            return Wanted(*self._transfers.next(method))
        if method in CUSTOMERS:
            return Wanted(*self._customers.next(method, len(self._orders)))
        if method in CATALOGUE:
            return Wanted(*self._catalogue.next(method))
        if method in PAGES:
            product_id = self._chance.choice(self._product_ids)
            return Wanted(*self._catalogue.page(method, self._orders, product_id))
        return self._about_orders_and_stock(method)

    def _about_orders_and_stock(self, method: str) -> Wanted:
        match method:
            case "UpdateStock" | "SetStock" | "QuarantineStock" | "ReleaseQuarantine":
                return Wanted(method, self._stock_change(method))
            case "CancelOrder" if self._goods.shipped_in_part and self._chance.random() < REST:
                return Wanted(
                    method, {"order_id": self._chance.choice(self._goods.shipped_in_part)}
                )
            case "GetOrderDetails" | "CancelOrder" | "WatchOrder" if self._orders:
                return Wanted(method, {"order_id": self._chance.choice(self._orders)})
            case "ConfirmOrder" if self._orders:
                order_id = self._chance.choice(self._orders)
                # Two names for a payment of an order, so that some contradict each other.
                reference = f"payment-{order_id[-4:]}-{self._chance.choice('ab')}"
                confirm: Facts = {"order_id": order_id, "payment_reference": reference}
                if self._chance.random() < PAID_ALONG:
                    confirm = {**confirm, "kind": "CAPTURED", "amount_minor": 250}
                return Wanted(method, confirm)
            case "ExtendHold" if self._orders:
                hold_s = self._chance.choice(self._shop.holds_s)
                return Wanted(
                    method, {"order_id": self._chance.choice(self._orders), "hold_s": hold_s}
                )
            case "RecordPayment" if self._orders:
                return Wanted(method, self._payment(self._chance.choice(self._orders)))
            case "UpdateOrder" if self._read:
                seen = self._read[self._chance.choice(list(self._read))]
                known = {"order_id": seen["order_id"], "version": seen["version"]}
                what = self._chance.choice(("name", "note"))
                return Wanted(method, {**known, what: f"{self.name} {len(self._read)}"})
            case "EditOrder" | "CancelUnits" if self._read:
                seen = self._read[self._chance.choice(list(self._read))]
                lines = [[no, *one] for no, one in zip(seen["numbers"], seen["lines"], strict=True)]
                edit = self._edited if method == "EditOrder" else self._cancelled
                known = {"order_id": seen["order_id"], "version": seen["version"]}
                return Wanted(method, {**known, **edit(lines)})
            case "GetStockInfo" | "ListBackorders":
                return Wanted(method, {"product_id": self._chance.choice(self._product_ids)})
            case "ExplainStock":
                return Wanted(method, self._question())
            case _:
                hurried = self._chance.random() < HURRIED
                deadline_s = self._chance.uniform(*HURRY_S) if hurried else None
                return Wanted("CreateOrder", self._order(), deadline_s)

    def _order(self) -> Facts:
        dice = self._chance.random()
        if self._asked and dice < REPEATED + CONTRADICTED:
            asked = self._chance.choice(self._asked)
            return asked if dice < REPEATED else {**asked, "lines": self._lines()}
        self._numbers += 1
        asked = {
            "customer_id": self.name,
            "request_id": f"{self.name}-order-{self._numbers}",
            "lines": self._lines(),
        }
        if self._chance.random() < CHARGED:
            asked["charges"] = [["SHIPPING", 0, 450], ["DISCOUNT", 1, 50], ["TAX_INCLUDED", 0, 80]]
        if self._chance.random() < HELD:
            asked["hold_s"] = self._chance.choice(self._shop.holds_s)
        if self._chance.random() < SOURCED:
            asked["sourcing"] = drawn_sourcing(self._chance)
        _remember(self._asked, asked)
        return asked

    def _edited(self, lines: list[list[Any]]) -> Facts:
        """All lines as they are to be: one changed, one removed, one added, or some of that."""
        chance = self._chance
        at = chance.randrange(len(lines))
        more = sorted({*self._product_ids} - {line[1] for line in lines})
        lines = [[*line, None] for line in lines]
        match chance.randrange(4):
            case 0 if len(lines) > 1:
                del lines[at]
            case 1 if more:
                lines += [[0, chance.choice(more), chance.randint(1, UNITS_MAX), None]]
            case 2:
                lines[at][2] = chance.randint(1, UNITS_MAX)
            case _:
                lines[at][2:] = [chance.randint(1, UNITS_MAX), chance.choice(PRICES_MINOR)]
        edited: Facts = {"lines": lines}
        if chance.random() < SOURCING_EDITED:
            edited = {**edited, "sourcing": drawn_sourcing(chance)}
        if chance.random() < CHARGES_EDITED:
            return {**edited, "charges": [["SHIPPING", 0, 300]]}
        return edited

    def _cancelled(self, lines: list[list[Any]]) -> Facts:
        """Some units of one line; of the only one they may be the last, which is refused."""
        line_no, _, quantity = self._chance.choice(lines)
        return {"units": [[line_no, self._chance.randint(1, quantity)]]}

    def _payment(self, order_id: str) -> Facts:
        return {
            "order_id": order_id,
            "kind": self._chance.choice(PAYMENTS),
            "reference": f"payment-{order_id[-4:]}-{self._chance.choice('abcd')}",
            "amount_minor": self._chance.choice(AMOUNTS_MINOR),
        }

    def _question(self) -> Facts:
        """Why stock is what it is, or was what it was when something happened that is known."""
        if not self._moments or self._chance.random() >= PAST:
            return {"product_id": self._chance.choice(self._product_ids)}
        product_id, movement_id, at_us = self._chance.choice(self._moments)
        if self._chance.random() < JUST_BEFORE:
            return {"product_id": product_id, "as_of_us": at_us - 1}
        return {"product_id": product_id, "as_of_us": at_us, "movement_id": movement_id}

    def _lines(self) -> list[list[object]]:
        wanted = self._chance.choices(
            self._product_ids, self._zipf, k=self._chance.randint(1, LINES_MAX)
        )
        # One line per product: the same one twice would be as good, but harder to compare.
        return [
            [product_id, self._chance.randint(1, UNITS_MAX)] for product_id in sorted({*wanted})
        ]

    def _stock_change(self, method: str) -> Facts:
        changed, chance = self._changed[method], self._chance
        if changed and chance.random() < REPEATED:
            return chance.choice(changed)
        self._numbers += 1
        elsewhere = chance.random() < ELSEWHERE
        change: Facts = {
            "request_id": f"{self.name}-stock-{self._numbers}",
            "product_id": chance.choice(self._restocked),
            "location_id": chance.choice(LOCATIONS) if elsewhere else LOCATIONS[0],
        }
        if method == "UpdateStock":
            change = {**change, "delta": chance.choice(self._shop.changes)}
        elif method == "SetStock":
            scarce = self._product_ids[-self._shop.scarce :]
            units = chance.randint(0, SET_MAX)
            change = {**change, "product_id": chance.choice(scarce), "quantity": units}
        else:  # of few products, so that what is put aside is put back as well
            few = chance.choice(self._product_ids[:ASIDE])
            change = {**change, "product_id": few, "quantity": chance.randint(1, 2)}
        takes = method in ("QuarantineStock", "SetStock") or change.get("delta", 0) < 0
        if takes and chance.random() < self._shop.displacing:
            change = {**change, "displace": True}
        if method == "ReleaseQuarantine":
            change = {**change, "write_off": chance.random() < WRITTEN_OFF}
        _remember(changed, change)
        return change


def _remember(things: list[Thing], thing: Thing) -> None:
    things.append(thing)
    if len(things) > REMEMBERED_MAX:
        del things[0]
