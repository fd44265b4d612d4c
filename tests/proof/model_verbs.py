"""The verbs of the model: see tests/proof/model.py."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import dropwhile

from tests.proof.model import (
    Level,
    Line,
    Location,
    Order,
    Product,
    Refused,
    Return,
    Sourcing,
    Stock,
    Transfer,
    Units,
    demand,
    sums,
)


class Model(Stock):
    """Both services as one. Until it `is_heard` an edit is only asked for, and is dropped where
    its order ends before.
    """

    is_heard = True

    def create_product(self, name: str, product: Product) -> None:
        self.products[name] = product

    def create_location(self, name: str, priority: int) -> None:
        self.locations[name] = Location(priority)

    # Stock.

    def set_stock(self, product: str, place: str, units: int, *, displace: bool) -> None:
        level = self.level(product, place)
        self.adjust_stock(product, place, units - level.on_hand, displace=displace)

    def adjust_stock(self, product: str, place: str, delta: int, *, displace: bool) -> None:
        level = self.level(product, place)
        if delta > 0:
            self._refuse_inactive(place)
        if displace:
            self.give_way(product, place, -delta)
        taken = self.reserved(product, place) + level.quarantined
        if level.on_hand + delta < taken:
            raise Refused("BelowReserved")
        level.on_hand += delta

    def quarantine(self, product: str, place: str, units: int, *, displace: bool) -> None:
        if displace:
            self.give_way(product, place, units)
        if units > self.free(product, place):
            raise Refused("NotFree")
        self.level(product, place).quarantined += units

    def end_quarantine(self, product: str, place: str, units: int, *, write_off: bool) -> None:
        level = self.level(product, place)
        if units > level.quarantined:
            raise Refused("NotQuarantined")
        if not write_off:
            self._refuse_inactive(place)
        level.quarantined -= units
        level.on_hand -= units if write_off else 0

    def _refuse_inactive(self, *places: str) -> None:
        if not all(self.locations[one].active for one in places):
            raise Refused("LocationInactive")

    # Transfers.

    def send(self, transfer_id: str, origin: str, target: str, units: Units) -> None:
        self._refuse_inactive(target)
        if any(n > self.free(name, origin) for name, n in units.items()):
            raise Refused("NotFree")
        for name, n in units.items():
            self.level(name, origin).on_hand -= n
        self.transfers[transfer_id] = Transfer(origin, target, units)

    def receive_transfer(self, transfer_id: str, units: Units) -> None:
        """Units that came; none: all that is still to come."""
        one = self.transfers[transfer_id]
        units = units or one.coming
        if not one.is_open:
            raise Refused("TransferClosed")
        if not units:
            raise Refused("NothingToReceive")
        if units - one.coming:
            raise Refused("OverReceipt")
        self._refuse_inactive(one.target)
        one.received += units
        for name, n in units.items():
            self.level(name, one.target).on_hand += n

    def close_transfer(self, transfer_id: str) -> None:
        one = self.transfers[transfer_id]
        one.missing += one.coming
        one.is_open = False

    # Orders.

    def place(
        self, order_id: str, lines: Sequence[Line], sourcing: Sourcing, *, hold: bool
    ) -> Order:
        """Record an order, unless it is plainly short."""
        self._refuse_inactive(*sourcing.places)
        self._refuse_plainly_short(sums(lines), Units(), sourcing)
        numbered = dict(enumerate(lines, start=1))
        order = Order(order_id, self.now, numbered, sourcing, hold, line_no_max=len(lines))
        self.orders[order_id] = order
        return order

    def _refuse_plainly_short(self, wanted: Units, has: Units, sourcing: Sourcing) -> None:
        for name, units in wanted.items():
            room = self.room(name) if sourcing.may_wait else 0
            if units > self.promisable(name) + has[name] + room:
                raise Refused("ShortOfStock")

    def decide(self, order: Order) -> None:
        """Hold what was ordered, or reject."""
        try:
            self.hold(order, demand(order.lines), order.sourcing, moves=False)
        except Refused:
            order.status = "REJECTED"
        else:
            order.status = "RESERVED" if order.has_hold else "CONFIRMED"

    def cancel(self, order: Order) -> None:
        if order.status == "PARTIALLY_SHIPPED":
            self._end(order)
        elif order.is_final and order.status != "CANCELLED":
            raise Refused("IllegalTransition")
        else:
            order.status = "CANCELLED"
            order.release()

    def _end(self, order: Order) -> None:
        """Nothing but what has left is of the order any more."""
        left = order.shipped
        order.lines = {
            line_no: Line(line.product, left[line_no])
            for line_no, line in order.lines.items()
            if left[line_no]
        }
        order.status = "SHIPPED"
        order.release()

    def expire(self, order: Order) -> None:
        """Its hold ends, if it has not been confirmed."""
        if order.status == "RESERVED":
            order.status = "EXPIRED"
            order.release()

    def extend(self, order: Order) -> None:
        if order.status == "EXPIRED":
            raise Refused("HoldExpired")
        if order.status != "RESERVED":
            raise Refused("IllegalTransition")

    def confirm(self, order: Order, reference: str) -> None:
        """A reference that confirms nothing is kept: somebody may have paid."""
        if order.status == "RESERVED":
            order.status, order.confirmed_by = "CONFIRMED", reference
            return
        why = "ConfirmedOtherwise"
        if order.status in ("REJECTED", "CANCELLED"):
            why = "IllegalTransition"
        elif order.status == "EXPIRED":
            why = "HoldExpired"
        elif order.confirmed_by == reference:
            return
        if all(known != reference for _, known in order.payments):
            order.payments["NAMED", reference] = 0
        raise Refused(why)

    # Edits.

    def edit(
        self, order: Order, lines: Sequence[tuple[int, Line]] | None, sourcing: Sourcing | None
    ) -> None:
        """Give an order other lines, by their numbers (0: a new one), or another sourcing."""
        if order.is_final:
            raise Refused("IllegalTransition")
        before = demand(order.lines)
        after, newest = dict(order.lines), order.line_no_max
        if lines is not None:
            after = {}
            for line_no, line in lines:
                newest += not line_no
                after[line_no or newest] = line
        if sourcing:
            self._refuse_inactive(*sourcing.places)
        wanted = demand(after)
        more = Units({name: n for name, n in wanted.items() if n > before[name]})
        self._refuse_plainly_short(more, before, sourcing or order.sourcing)
        self._edit(order, after, sourcing or order.sourcing)

    def cancel_units(self, order: Order, units: Mapping[int, int]) -> None:
        if order.is_final:
            raise Refused("IllegalTransition")
        if any(no not in order.lines or n > order.lines[no].units for no, n in units.items()):
            raise Refused("WrongLines")
        left = {
            line_no: Line(line.product, line.units - units.get(line_no, 0))
            for line_no, line in order.lines.items()
        }
        left = {line_no: line for line_no, line in left.items() if line.units}
        if not left:
            raise Refused("NothingLeft")
        self._edit(order, left, order.sourcing)

    def _edit(self, order: Order, after: dict[int, Line], sourcing: Sourcing) -> None:
        """A new line's number is used up, whatever becomes of the edit."""
        for line_no, shipped in order.shipped.items():
            if line_no not in after or after[line_no].units < shipped:
                raise Refused("BelowShipped")
        order.line_no_max = max(order.line_no_max, *after)
        left = demand(after) - order.shipped_units
        if demand(after) == demand(order.lines) and sourcing == order.sourcing:
            order.lines = after
        elif not left:
            self._end(order)
        elif self.is_heard:
            try:
                self.hold(order, left, sourcing, moves=sourcing != order.sourcing)
            except Refused:
                return  # all stays as it was
            order.lines = after

    # What leaves, and what comes back.

    def ship(self, order: Order, items: Mapping[int, int], place: str) -> None:
        """Ship units of lines; none: all that is held. Place "": wherever they are held."""
        if order.status not in ("CONFIRMED", "PARTIALLY_SHIPPED"):
            raise Refused("IllegalTransition")
        held, leaves = order.held.copy(), Counter[int]()
        for line_no in items or sorted(order.lines):
            line = order.lines[line_no]
            left = line.units - order.shipped[line_no]
            here = [key for key in sorted(held) if key[0] == line.product]
            if place:
                here = [key for key in here if key[1] == place]
            units = items.get(line_no, 0) if items else left
            if units > left:
                raise Refused("OverShipment")
            if items and units > sum(held[key] for key in here):
                raise Refused("StillQueued" if order.waiting[line.product] else "NotHeldThere")
            for key in here:
                part = min(units, held[key])
                held[key], units = held[key] - part, units - part
                leaves[line_no] += part
        if not +leaves:
            raise Refused("NothingToShip")
        for key in order.held:
            self.level(*key).on_hand -= order.held[key] - held[key]
        order.held = +held
        order.shipped = +(order.shipped + leaves)
        whole = demand(order.lines) == order.shipped_units
        order.status = "SHIPPED" if whole else "PARTIALLY_SHIPPED"

    def open_return(self, order: Order, return_id: str, lines: Counter[int]) -> None:
        left = Counter(order.shipped)
        for one in order.returns.values():
            left.subtract(one.claimed)
        if any(n > left[line_no] for line_no, n in lines.items()):
            raise Refused("OverReturn")
        order.returns[return_id] = Return(lines)

    def receive_return(
        self, order: Order, return_id: str, line_no: int, units: int, where: str, place: str
    ) -> None:
        """Units came: RESTOCK, QUARANTINE or WRITE_OFF."""
        one = order.returns[return_id]
        self._refuse_inactive(place)
        if not one.is_open:
            raise Refused("ReturnClosed")
        if units > one.lines[line_no] - one.received[line_no]:
            raise Refused("OverReceipt")
        one.received[line_no] += units
        level: Level = self.level(order.lines[line_no].product, place)
        level.on_hand += 0 if where == "WRITE_OFF" else units
        level.quarantined += units if where == "QUARANTINE" else 0

    def close_return(self, order: Order, return_id: str) -> None:
        order.returns[return_id].is_open = False

    # Money.

    def total(self, order: Order) -> int:
        return sum(self.products[name].price * n for name, n in order.lines.values())

    def pay(self, order: Order, kind: str, reference: str, amount: int) -> None:
        known = order.payments.get((kind, reference))
        if known is not None and known != amount:
            raise Refused("PaymentReused")
        if known is not None:
            return
        paid = sums((kind, n) for (kind, _), n in order.payments.items())
        facts = [(kind, n) for (kind, _), n in order.payments.items()]
        since = sums(dropwhile(lambda fact: fact[0] != "AUTHORIZED", facts))
        promised = since["AUTHORIZED"] - since["VOIDED"] - since["CAPTURED"]
        most = {"REFUNDED": paid["CAPTURED"] - paid["REFUNDED"], "VOIDED": promised}
        if paid["AUTHORIZED"]:
            most["CAPTURED"] = promised
        if amount > most.get(kind, amount):
            raise Refused("PaymentExceeds")
        order.payments[kind, reference] = amount

    def payment_status(self, order: Order) -> str:
        paid, total = sums((kind, n) for (kind, _), n in order.payments.items()), self.total(order)
        if paid["REFUNDED"]:
            whole = paid["REFUNDED"] == paid["CAPTURED"]
            return "REFUNDED" if whole else "PARTIALLY_REFUNDED"
        if captured := paid["CAPTURED"]:
            less = "PARTIALLY_PAID" if captured < total else "OVERPAID"
            return "PAID" if captured == total else less
        return "AUTHORIZED" if paid["AUTHORIZED"] > paid["VOIDED"] else "NONE"
