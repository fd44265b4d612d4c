"""What leaves, what comes back and what moves, against the model: see model_machine.py."""

from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from holdfast.orders.application.returns.return_goods import (
    CloseReturn,
    OpenReturn,
    ReceiveReturn,
)
from holdfast.orders.application.shipping.ship_order import ShipOrder
from holdfast.orders.domain.returns.returned import (
    AskedReceiptLine,
    AskedReturnLine,
    Disposition,
)
from holdfast.orders.domain.shipping.shipment import AskedItem
from tests.integration.two_services import ANNA
from tests.proof.model import Order
from tests.proof.model_machine import few, modest, pick, ways, which
from tests.proof.model_orders import OrderMachine
from tests.proof.model_system import Way

nothing_named: st.SearchStrategy[dict[int, int]] = st.just({})
units_of_lines = nothing_named | st.dictionaries(st.integers(1, 3), few, max_size=2)


class GoodsMachine(OrderMachine):
    """Shipments, returns and transfers."""

    # Shipments.

    def leaving(self, at: int, asked: dict[int, int], place: int) -> tuple[Order, ShipOrder]:
        """Of units of lines that there are; of all that is held, if there are none."""
        order = self.order(at, "CONFIRMED", "PARTIALLY_SHIPPED")
        items = {
            no: modest(units, order.lines[no].units - order.shipped[no])
            for no, units in asked.items()
            if no in order.lines
        }
        places = ["", "", *self.model.locations]
        picked = tuple(AskedItem(no, units, "") for no, units in items.items())
        shipment = f"s-{next(self.numbers)}"
        where = pick(places, place)
        return order, ShipOrder(order.order_id, shipment, picked, where, "", "", "", ANNA)

    def shipped(self, order: Order, command: ShipOrder) -> None:
        items = {one.line_no: one.quantity for one in command.items}
        if self.both(
            lambda: self.model.ship(order, items, command.location_id),
            self.system.move_goods(command),
        ):
            self.done.append(lambda: self.system.move_goods(command))

    @precondition(lambda self: self.some("CONFIRMED", "PARTIALLY_SHIPPED"))
    @rule(at=which, asked=units_of_lines, place=which, way=ways)
    def ship(self, at: int, asked: dict[int, int], place: int, way: Way) -> None:
        self.begin()
        self.shipped(*self.leaving(at, asked, place))
        self.rest(way)

    @precondition(lambda self: self.some("CONFIRMED", "PARTIALLY_SHIPPED"))
    @rule(at=which, asked=st.tuples(units_of_lines, units_of_lines), cancel=st.booleans(), way=ways)
    def ship_twice_before_anybody_hears(
        self, at: int, asked: tuple[dict[int, int], dict[int, int]], cancel: bool, way: Way
    ) -> None:
        """And cancel the rest, perhaps."""
        self.begin()
        order, first = self.leaving(at, asked[0], 0)
        self.shipped(order, first)
        items = tuple(AskedItem(no, n, "") for no, n in asked[1].items() if no in order.lines)
        self.shipped(order, first._replace(shipment_id=self.request_id(), items=items))
        if cancel:
            self.both(lambda: self.model.cancel(order), self.system.cancel(order.order_id))
        self.rest(way)

    # Returns.

    def left(self, at: int) -> Order | None:
        """An order of which something has left."""
        some = [one for one in reversed(self.model.orders.values()) if one.shipped]
        return pick(some, at) if some else None

    @precondition(lambda self: self.left(0))
    @rule(at=which, asked=st.dictionaries(st.integers(0, 2), few, min_size=1, max_size=2), way=ways)
    def open_return(self, at: int, asked: dict[int, int], way: Way) -> None:
        self.begin()
        order = self.left(at)
        assert order is not None, "there is one"
        lines = Counter[int]()
        for place, units in asked.items():
            line_no = pick(sorted(order.shipped), place)
            lines[line_no] = modest(units, order.shipped[line_no])
        return_id = self.system.shop.clock.new_id()
        picked = tuple(AskedReturnLine(no, units, "") for no, units in lines.items())
        command = OpenReturn(order.order_id, return_id, self.request_id(), picked, ANNA)
        if self.both(
            lambda: self.model.open_return(order, return_id, lines),
            self.system.move_goods(command),
        ):
            self.done.append(lambda: self.system.move_goods(command))
        self.rest(way)

    def returning(self, at: int) -> tuple[Order, str] | None:
        """A return, the newest first; one that is open, if there is one."""
        some = [
            (order, one)
            for order in reversed(self.model.orders.values())
            for one in reversed(order.returns)
        ]
        open_ones = [(order, one) for order, one in some if order.returns[one].is_open]
        found = open_ones if open_ones and at < 10 else some
        return pick(found, at) if found else None

    @precondition(lambda self: self.returning(0))
    @rule(
        at=which,
        line=which,
        units=few,
        where=st.sampled_from(["RESTOCK", "QUARANTINE", "WRITE_OFF"]),
        place=which,
        way=ways,
    )
    def receive_return(
        self, at: int, line: int, units: int, where: str, place: int, way: Way
    ) -> None:
        self.begin()
        found = self.returning(at)
        assert found is not None, "there is one"
        order, return_id = found
        one = order.returns[return_id]
        line_no = pick(sorted(one.lines), line)
        units = modest(units, one.lines[line_no] - one.received[line_no])
        at_place = pick(list(self.model.locations), place)
        came = (AskedReceiptLine(line_no, units, Disposition(where), at_place),)
        command = ReceiveReturn(order.order_id, return_id, self.request_id(), came, ANNA)
        if self.both(
            lambda: self.model.receive_return(order, return_id, line_no, units, where, at_place),
            self.system.move_goods(command),
        ):
            self.done.append(lambda: self.system.move_goods(command))
        self.rest(way)

    @precondition(lambda self: self.returning(0))
    @rule(at=which, way=ways)
    def close_return(self, at: int, way: Way) -> None:
        self.begin()
        found = self.returning(at)
        assert found is not None, "there is one"
        order, return_id = found
        command = CloseReturn(order.order_id, return_id, ANNA)
        self.both(
            lambda: self.model.close_return(order, return_id), self.system.move_goods(command)
        )
        self.done.append(lambda: self.system.move_goods(command))
        self.rest(way)

    # Transfers.

    def units(self, asked: dict[int, int]) -> Counter[str]:
        products = list(self.model.products)
        return Counter({pick(products, at): units for at, units in asked.items()})

    @precondition(lambda self: len(self.model.locations) > 1)
    @rule(
        origin=which,
        further=st.integers(1, 3),
        asked=st.dictionaries(st.integers(0, 2), few, min_size=1, max_size=2),
        way=ways,
    )
    def send(self, origin: int, further: int, asked: dict[int, int], way: Way) -> None:
        self.begin()
        places = list(self.model.locations)
        product, start = self.level(origin, self.model.free)
        ends = start, pick(places, places.index(start) + further)
        if ends[0] == ends[1]:
            return
        request, units = self.request_id(), self.units(asked)
        if len(units) == 1:
            units = Counter({product: units.total()})
        for name in units:
            units[name] = modest(units[name], self.model.free(name, start))
        told, transfer_id = self.run(self.system.send(request, *ends, units))

        async def answer() -> str | None:
            return told

        async def again() -> str | None:
            refused, same = await self.system.send(request, *ends, units)
            assert same == transfer_id, "a repeat sends nothing more"
            return refused

        if self.both(lambda: self.model.send(transfer_id, *ends, units), answer()):
            self.done.append(again)
        self.rest(way)

    def transfer(self, at: int) -> str:
        some = list(reversed(self.model.transfers))
        open_ones = [one for one in some if self.model.transfers[one].is_open]
        return pick(open_ones if open_ones and at < 10 else some, at)

    @precondition(lambda self: self.model.transfers)
    @rule(at=which, asked=st.dictionaries(st.integers(0, 2), few, max_size=1), way=ways)
    def receive_transfer(self, at: int, asked: dict[int, int], way: Way) -> None:
        """Units that came, or all that is still to come."""
        self.begin()
        transfer_id, request = self.transfer(at), self.request_id()
        coming = self.model.transfers[transfer_id].coming
        units = Counter[str]()
        for one, n in asked.items():
            if coming:
                name = pick(list(coming), one)
                units[name] = modest(n, coming[name])
        if self.both(
            lambda: self.model.receive_transfer(transfer_id, units),
            self.system.receive(transfer_id, units, request),
        ):
            self.done.append(lambda: self.system.receive(transfer_id, units, request))
        self.rest(way)

    @precondition(lambda self: self.model.transfers)
    @rule(at=which, way=ways)
    def close_transfer(self, at: int, way: Way) -> None:
        self.begin()
        transfer_id = self.transfer(at)
        self.both(lambda: self.model.close_transfer(transfer_id), self.system.close(transfer_id))
        self.done.append(lambda: self.system.close(transfer_id))
        self.rest(way)
