"""Orders, what leaves and what comes back, against the model: see tests/proof/model_machine.py."""

from collections.abc import Callable
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from holdfast.orders.application.ordering.confirm_order import ConfirmOrder
from holdfast.orders.application.ordering.edit_orders import CancelUnits, EditCommand, EditOrder
from holdfast.orders.application.ordering.place_orders import AskedLine, PlaceOrder
from holdfast.orders.application.payments.record_payment import RecordPayment
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering import sourcing as wishes
from holdfast.orders.domain.ordering.edits import EditedLine
from holdfast.orders.domain.payments.payment import Payment, PaymentKind
from tests.integration.two_services import ANNA
from tests.proof.model import Line, Order, Sourcing
from tests.proof.model_machine import StockMachine, few, modest, pick, policies, ways, which
from tests.proof.model_system import Way, name_of

EDITABLE = ("CONFIRMED", "PARTIALLY_SHIPPED", "RESERVED")
NEWEST, OPEN_MAX = 3, 4  # few orders, and much that is done to each
DAY = timedelta(hours=24)
strategies = st.sampled_from(["PRIORITY", "PRIORITY", "FEWEST_SHIPMENTS", "NEAREST", "PINNED"])
wanted = st.lists(st.tuples(which, few), min_size=1, max_size=3)
edits = st.lists(st.tuples(which, st.integers(0, 6)), min_size=1, max_size=2)
holds = st.sampled_from([False, False, True])
sourcings = st.tuples(strategies, st.lists(which, min_size=1, max_size=2), st.integers(0, 4))


class OrderMachine(StockMachine):
    """The verbs of Orders that move no goods."""

    @initialize(
        seed=st.integers(0, 1_000),
        waits_max=st.tuples(policies, policies),
        units=st.lists(st.integers(0, 12), min_size=4, max_size=4),
        priority=st.integers(0, 2),
        asked=st.lists(st.tuples(wanted, sourcings), min_size=3, max_size=3),
    )
    def begin_with_orders(
        self,
        seed: int,
        waits_max: tuple[int, int],
        units: list[int],
        priority: int,
        asked: list[tuple[list[tuple[int, int]], tuple[str, list[int], int]]],
    ) -> None:
        """Without orders there is little to do."""
        self.open(seed, waits_max, units, priority)
        for lines, sourcing in asked:
            self.place(lines, sourcing, hold=False, way=Way.PLAIN)

    def lines(self, asked: list[tuple[int, int]]) -> list[Line]:
        return [Line(pick(list(self.model.products), at), units) for at, units in asked]

    def sourcing(self, asked: tuple[str, list[int], int]) -> Sourcing:
        """One order in five must not be split, one takes what is in stock only."""
        strategy, at, kind = asked
        locations = list(self.model.locations)
        places = tuple(dict.fromkeys(pick(locations, one) for one in at))
        named = places if strategy in ("NEAREST", "PINNED") else ()
        return Sourcing(strategy, named, kind != 4, kind == 3)

    def request(
        self, asked: list[tuple[int, int]], sourcing: Sourcing, *, hold: bool
    ) -> PlaceOrder:
        lines = tuple(AskedLine(*line, None) for line in self.lines(asked))
        wish = _wish(sourcing)
        held = DAY if hold else None
        number = self.request_id()
        return PlaceOrder(number, "c-1", lines, Customer(), ANNA, hold=held, sourcing=wish)

    def placed(
        self, asked: list[tuple[int, int]], sourcing: Sourcing, *, hold: bool
    ) -> Order | None:
        """An order that is recorded and not decided; None: it was refused."""
        request = self.request(asked, sourcing, hold=hold)
        told, order_id = self.run(self.system.place(request))

        async def answer() -> str | None:
            return told

        def verb() -> None:
            self.model.place(order_id, self.lines(asked), sourcing, hold=hold)

        if not self.both(verb, answer()):
            return None

        async def again() -> str | None:
            refused, same = await self.system.place(request)
            assert same == order_id, "a repeat makes no second order"
            return refused

        self.done.append(again)
        return self.model.orders[order_id]

    @precondition(lambda self: self.open_orders() < OPEN_MAX)
    @rule(asked=wanted, sourcing=sourcings, hold=holds, way=ways)
    def place(
        self,
        asked: list[tuple[int, int]],
        sourcing: tuple[str, list[int], int],
        hold: bool,
        way: Way,
    ) -> None:
        self.begin()
        if order := self.placed(asked, self.sourcing(sourcing), hold=hold):
            self.model.decide(order)
        self.rest(way)

    @precondition(lambda self: self.open_orders() < OPEN_MAX)
    @rule(
        asked=st.tuples(wanted, wanted),
        hold=holds,
        scarce=st.booleans(),
        turned=st.booleans(),
        way=ways,
    )
    def place_two_at_once(
        self,
        asked: tuple[list[tuple[int, int]], list[tuple[int, int]]],
        hold: bool,
        scarce: bool,
        turned: bool,
        way: Way,
    ) -> None:
        """Both want all that there is, perhaps; and Inventory hears of the second one first."""
        self.begin()
        lines = asked
        if scarce:
            at = asked[0][0][0]
            last = [(at, self.model.promisable(pick(list(self.model.products), at)) or 1)]
            lines = last, last
        wish = Sourcing(in_stock_only=scarce)
        placed = [self.placed(one, wish, hold=hold) for one in lines]
        orders = [order for order in placed if order]
        if turned:
            orders.reverse()
            self.run(self.system.turn_questions())
        for order in orders:
            self.model.decide(order)
        self.rest(Way.PLAIN if way in (Way.SHUFFLED, Way.LOST) else way)

    def some(self, *statuses: str) -> bool:
        return any(one.status in statuses for one in self.model.orders.values())

    def open_orders(self) -> int:
        return sum(not one.is_final for one in self.model.orders.values())

    def order(self, at: int, *statuses: str) -> Order:
        """One of the newest orders of these statuses, so that more is done to the same; or any."""
        orders = list(reversed(self.model.orders.values()))
        some = [one for one in orders if one.status in statuses][:NEWEST]
        return pick(some if some and at < 10 else orders, at)

    @precondition(lambda self: self.some("RESERVED", "CONFIRMED"))
    @rule(at=which, reference=st.sampled_from(["pi-1", "pi-2"]), way=ways)
    def confirm(self, at: int, reference: str, way: Way) -> None:
        self.begin()
        order = self.order(at, "RESERVED")
        self.both(
            lambda: self.model.confirm(order, reference),
            self._change(ConfirmOrder(order.order_id, reference, ANNA)),
        )
        self.rest(way)

    async def _change(self, command: ConfirmOrder | RecordPayment) -> str | None:
        return name_of(await self.system.shop.change_orders([command]))

    @precondition(lambda self: self.some("RESERVED", "CONFIRMED"))
    @rule(at=which, way=ways)
    def extend(self, at: int, way: Way) -> None:
        self.begin()
        order = self.order(at, "RESERVED")
        self.both(lambda: self.model.extend(order), self.system.extend(order.order_id))
        self.rest(way)

    @precondition(lambda self: any(o.status == "RESERVED" for o in self.model.orders.values()))
    @rule(at=which, way=ways)
    def expire(self, at: int, way: Way) -> None:
        self.begin()
        waiting = [one for one in self.model.orders.values() if one.status == "RESERVED"]
        order = pick(waiting, at)
        self.run(self.system.expire(order.order_id))
        self.model.expire(order)
        self.rest(way)

    @precondition(lambda self: self.open_orders() >= OPEN_MAX)
    @rule(at=which, way=ways)
    def cancel(self, at: int, way: Way) -> None:
        self.begin()
        order = self.order(at, *EDITABLE)
        done = self.both(lambda: self.model.cancel(order), self.system.cancel(order.order_id))
        if done and order.status == "CANCELLED":
            self.done.append(lambda: self.system.cancel(order.order_id))
        self.rest(way)

    @precondition(lambda self: self.open_orders() < OPEN_MAX)
    @rule(asked=wanted, sourcing=sourcings, hold=holds, way=ways)
    def place_and_cancel_before_anybody_hears(
        self,
        asked: list[tuple[int, int]],
        sourcing: tuple[str, list[int], int],
        hold: bool,
        way: Way,
    ) -> None:
        self.begin()
        if order := self.placed(asked, self.sourcing(sourcing), hold=hold):
            self.both(lambda: self.model.cancel(order), self.system.cancel(order.order_id))
        self.rest(way)

    @precondition(lambda self: self.model.orders)
    @rule(
        at=which,
        kind=st.sampled_from(["AUTHORIZED", "CAPTURED", "REFUNDED", "VOIDED"]),
        reference=st.sampled_from(["pi-1", "pi-2", "pi-3"]),
        part=st.sampled_from([0, 1, 2, 3]),
    )
    def pay(self, at: int, kind: str, reference: str, part: int) -> None:
        """All that it costs, half of it, or some other amount."""
        self.begin()
        order = self.order(at)
        total = self.model.total(order)
        amount = [total, max(total // 2, 1), 50, total + 1][part]
        payment = Payment(PaymentKind(kind), reference, Money("GBP", amount))
        command = RecordPayment(order.order_id, payment, ANNA)
        if self.both(lambda: self.model.pay(order, kind, reference, amount), self._change(command)):
            self.done.append(lambda: self._change(command))
        self.rest(Way.PLAIN)

    # Edits.

    def edited(self, order: Order, asked: list[tuple[int, int]]) -> list[tuple[int, Line]]:
        """The order's lines with other units: 0 removes one; and new lines for other products."""
        after: list[tuple[int, Line]] = []
        rest = list(order.lines.items())
        for at, units in asked:
            if rest and at < 8:
                line_no, line = rest.pop(0)
                after += [(line_no, Line(line.product, units))] if units else []
            elif units:
                after.append((0, Line(pick(list(self.model.products), at), units)))
        return after + rest

    @precondition(lambda self: self.some(*EDITABLE))
    @rule(
        at=which,
        asked=st.one_of(st.none(), edits, edits),
        sourcing=st.one_of(st.none(), sourcings),
        heard=st.sampled_from([True] * 7 + [False]),
        way=ways,
    )
    def edit(
        self,
        at: int,
        asked: list[tuple[int, int]] | None,
        sourcing: tuple[str, list[int], int] | None,
        heard: bool,
        way: Way,
    ) -> None:
        """Not heard: it is cancelled before anybody hears of the edit."""
        self.begin()
        order = self.order(at, *EDITABLE)
        lines = self.edited(order, asked) if asked else None
        wish = self.sourcing(sourcing) if sourcing else None
        if lines == [] or (lines is None and wish is None):
            return
        command = EditOrder(
            order.order_id,
            0,
            None if lines is None else tuple(EditedLine(no, *it, None) for no, it in lines),
            None,
            ANNA,
            sourcing=_wish(wish) if wish else None,
        )
        self._edit(order, command, lambda: self.model.edit(order, lines, wish), heard, way)

    @precondition(lambda self: self.some(*EDITABLE))
    @rule(
        at=which,
        asked=st.dictionaries(st.integers(1, 3), few, min_size=1, max_size=2),
        heard=st.sampled_from([True] * 7 + [False]),
        way=ways,
    )
    def cancel_units(self, at: int, asked: dict[int, int], heard: bool, way: Way) -> None:
        self.begin()
        order = self.order(at, *EDITABLE)
        asked = {
            no: modest(units, order.lines[no].units)
            for at, units in asked.items()
            if order.lines and (no := pick(list(order.lines), at))
        } or asked
        command = CancelUnits(order.order_id, 0, tuple(asked.items()), ANNA, "too many")
        self._edit(order, command, lambda: self.model.cancel_units(order, asked), heard, way)

    def _edit(
        self,
        order: Order,
        command: EditCommand,
        verb: Callable[[], None],
        heard: bool,
        way: Way,
    ) -> None:
        before = self.run(self.system.shop.order(order.order_id)).state.version
        command = command._replace(version=before)
        if heard:
            self.both(verb, self._ask(command))
            self.rest(way)
            again = self.run(self._ask(command))
            now = self.run(self.system.shop.order(order.order_id)).state.version
            assert now == before or again is not None, "a repeat is refused"
        else:
            self.model.is_heard = False
            self.both(verb, self._ask(command))
            self.model.is_heard = True
            self.both(lambda: self.model.cancel(order), self.system.cancel(order.order_id))
        self.rest(way)

    async def _ask(self, command: EditCommand) -> str | None:
        return name_of(await self.system.shop.edit_orders([command]))


def _wish(sourcing: Sourcing) -> wishes.Sourcing:
    if sourcing == Sourcing():
        return wishes.BY_PRIORITY
    return wishes.Sourcing(wishes.Strategy(sourcing.strategy), *sourcing[1:])
