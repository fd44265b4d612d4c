"""What callers want of goods: that they leave, come back, and are taken out of sale.

A caller ships what it saw held, and takes back what it saw leave. Some of it is asked for again on
purpose, some with other contents under the same id, and some is more than there is.
"""

from random import Random
from typing import Any

from proof.history import Facts

LOCATIONS = ("main", "east", "west")  # in the order of their priority
DISPOSITIONS = ("RESTOCK", "RESTOCK", "QUARANTINE", "WRITE_OFF")
REPEATED, CONTRADICTED = 0.15, 0.05  # of what leaves, may come, or comes
WHOLE, BY_LOCATION = 0.35, 0.15  # of what leaves: all that is held, or all that is held there
BEYOND = 0.05  # of the quantities are more than there is
REMEMBERED_MAX = 100
SOURCED = 0.3  # of the orders say where their stock is to come from
IN_STOCK_ONLY = 0.15  # of those refuse what is not there
SHIPPABLE = ("CONFIRMED", "PARTIALLY_SHIPPED")
# What has to be done first where nothing was seen that it could be done to.
BEFORE = {
    "UpdateShipment": "ShipOrder",
    "OpenReturn": "ShipOrder",
    "ReceiveReturn": "OpenReturn",
    "CloseReturn": "OpenReturn",
}
GOODS = ("ShipOrder", "UpdateShipment", "OpenReturn", "ReceiveReturn", "CloseReturn")


class GoodsWishes:
    """One caller's wishes about goods.

    :param chance: the caller's.
    """

    def __init__(self, name: str, chance: Random) -> None:
        self._name, self._chance = name, chance
        self._orders: dict[str, Facts] = {}  # with something held or shipped, as last seen
        self._returns: dict[str, Facts] = {}  # as last seen
        self._asked: dict[str, list[Facts]] = {"ShipOrder": [], "OpenReturn": []}
        self._asked["ReceiveReturn"] = []
        self._numbers = 0

    def told_of(self, answer: Facts) -> None:
        """An answer showed an order or a return."""
        if "return_id" in answer:
            _see(self._returns, answer["return_id"], answer)
        elif "stock" in answer:
            _see(self._orders, answer["order_id"], answer)

    @property
    def shipped_in_part(self) -> list[str]:
        """Orders of which a part had left when they were last seen."""
        orders = self._orders.values()
        return [one["order_id"] for one in orders if one["status"] == "PARTIALLY_SHIPPED"]

    def next(self, method: str) -> tuple[str, Facts] | None:
        """What to ask for, by this method or by what comes before it; None: by neither."""
        while (wanted := self._next(method)) is None:
            if method not in BEFORE:
                return None
            method = BEFORE[method]
        return method, wanted

    def _next(self, method: str) -> Facts | None:
        asked = self._asked.get(method, [])
        dice = self._chance.random()
        if asked and dice < REPEATED:
            return self._chance.choice(asked)
        wanted = self._wanted(method)
        if asked and wanted and dice < REPEATED + CONTRADICTED:
            before = self._chance.choice(asked)
            ids = ("order_id", "shipment_id", "return_id", "request_id")
            return {**wanted, **{name: before[name] for name in ids if name in before}}
        if wanted and method in self._asked:
            asked.append(wanted)
            del asked[:-REMEMBERED_MAX]
        return wanted

    def _wanted(self, method: str) -> Facts | None:
        orders, returns = list(self._orders.values()), list(self._returns.values())
        shipped = [one for one in orders if one["shipments"]]
        match method:
            case "ShipOrder":
                held = [one for one in orders if one["status"] in SHIPPABLE and one["stock"]]
                return self._shipment(self._chance.choice(held)) if held else None
            case "UpdateShipment" if shipped:
                return self._update(self._chance.choice(shipped))
            case "OpenReturn" if shipped:
                return self._return(self._chance.choice(shipped))
            case "ReceiveReturn" if returns:
                return self._receipt(self._chance.choice(returns))
            case "CloseReturn" if returns:
                one = self._chance.choice(returns)
                return {"order_id": one["order_id"], "return_id": one["return_id"]}
        return None

    def _shipment(self, order: Facts) -> Facts:
        chance, dice = self._chance, self._chance.random()
        asked: dict[str, Any] = {"order_id": order["order_id"], "shipment_id": self._id("left")}
        asked |= {"items": [], "location_id": ""}
        if dice < WHOLE:
            return asked
        product_id, location_id, _ = chance.choice(order["stock"])
        if dice < WHOLE + BY_LOCATION:
            return {**asked, "location_id": location_id}
        lines = zip(order["numbers"], order["lines"], strict=True)
        mine = [(no, units) for no, (name, units) in lines if name == product_id]
        line_no, units = chance.choice(mine) if mine else (1, 1)
        at = chance.choice((location_id, ""))
        return {**asked, "items": [[line_no, self._units(units), at]]}

    def _update(self, order: Facts) -> Facts:
        number = self._chance.randrange(len(order["shipments"]))
        shipment_id, _ = order["shipments"][number]
        self._numbers += 1
        return {
            "order_id": order["order_id"],
            "shipment_id": shipment_id,
            "tracking_number": f"{self._name}-T{self._numbers}",
            # It arrives as it leaves; 0: that is not told.
            "delivered": order["left_us"][number] if self._chance.random() < 0.5 else 0,
        }

    def _return(self, order: Facts) -> Facts:
        _, items = self._chance.choice(order["shipments"])
        units: dict[int, int] = {}
        for line_no, _, _, quantity in items:
            units[line_no] = units.get(line_no, 0) + quantity
        some = self._chance.sample(sorted(units), self._chance.randint(1, len(units)))
        lines = [[line_no, self._units(units[line_no])] for line_no in some]
        ids = {"order_id": order["order_id"], "request_id": self._id("return")}
        return {**ids, "lines": lines}

    def _receipt(self, seen: Facts) -> Facts:
        chance = self._chance
        coming = [(no, units - came) for no, units, came in seen["units"] if units > came]
        lines = [
            [no, self._units(units), chance.choice(DISPOSITIONS), chance.choice(LOCATIONS)]
            for no, units in coming or [(seen["units"][0][0], 1)]
        ]
        ids = {"order_id": seen["order_id"], "return_id": seen["return_id"]}
        return {**ids, "request_id": self._id("parcel"), "lines": lines}

    def _units(self, most: int) -> int:
        beyond = self._chance.random() < BEYOND
        return most + 1 if beyond else self._chance.randint(1, most)

    def _id(self, what: str) -> str:
        self._numbers += 1
        return f"{self._name}-{what}-{self._numbers}"


def drawn_sourcing(chance: Random) -> list[Any]:
    """Draw where an order's stock is to come from: strategy, locations, whether they may share,
    whether what is not there is refused.
    """
    strategy = chance.choice(("PRIORITY", "FEWEST_SHIPMENTS", "NEAREST", "PINNED"))
    named = strategy in ("NEAREST", "PINNED")
    location_ids = chance.sample(LOCATIONS, chance.randint(1, 2)) if named else []
    return [strategy, location_ids, chance.random() < 0.6, chance.random() < IN_STOCK_ONLY]


def _see(seen: dict[str, Facts], key: str, answer: Facts) -> None:
    seen.pop(key, None)
    seen[key] = answer
    if len(seen) > REMEMBERED_MAX:
        del seen[next(iter(seen))]
