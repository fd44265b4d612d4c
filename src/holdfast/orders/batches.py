"""How Orders works on many requests together, and the use cases that stand on that."""

from typing import NamedTuple

from holdfast.chassis.batcher import Batcher
from holdfast.chassis.clock import Clock
from holdfast.chassis.database.seam import retrying
from holdfast.chassis.process.lifecycle import Loop
from holdfast.orders.application.count_orders import CountOrders
from holdfast.orders.application.customers.erase_customer import EraseCustomer
from holdfast.orders.application.customers.export_customer import ExportCustomer
from holdfast.orders.application.customers.update_customer import UpdateCustomer
from holdfast.orders.application.ordering.cancel_order import CancelOrder
from holdfast.orders.application.ordering.change_orders import ChangeOrders, Command
from holdfast.orders.application.ordering.edit_orders import EditCommand, EditOrders
from holdfast.orders.application.ordering.extend_hold import ExtendHold
from holdfast.orders.application.ordering.place_orders import PlaceOrder, PlaceOrders
from holdfast.orders.application.ordering.update_order import UpdateOrder
from holdfast.orders.application.shipping.move_goods import GoodsCommand, MoveGoods
from holdfast.orders.application.use_cases import UseCases
from holdfast.orders.domain.caller import OrderRef
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.shipping.paid_first import PaidFirst
from holdfast.orders.infrastructure.customers.reader import ProfileReader
from holdfast.orders.infrastructure.ordering.figures import Counter
from holdfast.orders.infrastructure.ordering.inventory_client import GrpcStockCheck
from holdfast.orders.infrastructure.ordering.reader import Reader
from holdfast.orders.infrastructure.ordering.store import Store

BATCH_ITEMS_MAX = 1_000
CROWD_ITEMS = 200
QUEUE_ITEMS_MAX = 20_000
READ_ITEMS_MAX = 200


class Batches(NamedTuple):
    """How orders are placed, read, changed and edited, and how their goods move."""

    place_orders: Batcher[PlaceOrder, OrderState]
    get_order: Batcher[OrderRef, Order | None]
    change_orders: Batcher[Command, None]
    edit_orders: Batcher[EditCommand, None]
    move_goods: Batcher[GoodsCommand, Order]

    def loops(self) -> dict[str, Loop]:
        return {
            "orders placing": self.place_orders.run,
            "orders reading": self.get_order.run,
            "orders changing": self.change_orders.run,
            "orders editing": self.edit_orders.run,
            "orders moving goods": self.move_goods.run,
        }


def batches_of(
    store: Store,
    reader: Reader,
    clock: Clock,
    place: PlaceOrders,
    edits: EditOrders,
    stock_check: GrpcStockCheck,
    paid_first: PaidFirst,
) -> Batches:
    change = retrying(ChangeOrders(store.begin, clock))
    move_goods = MoveGoods(store.begin, reader, stock_check, clock, paid_first)
    limits = {"batch_items_max": READ_ITEMS_MAX, "queue_items_max": QUEUE_ITEMS_MAX}
    return Batches(
        Batcher(
            retrying(place),
            name="place orders",
            batch_items_max=BATCH_ITEMS_MAX,
            queue_items_max=QUEUE_ITEMS_MAX,
            crowd_items=CROWD_ITEMS,
        ),
        Batcher(reader.named, name="read orders", **limits),
        Batcher(change, name="change orders", **limits),
        Batcher(retrying(edits), name="edit orders", **limits),
        Batcher(retrying(move_goods), name="move goods", **limits),
    )


def use_cases_of(
    store: Store,
    reader: Reader,
    profiles: ProfileReader,
    counter: Counter,
    clock: Clock,
    batches: Batches,
    edits: EditOrders,
) -> UseCases:
    return UseCases(
        cancel_order=retrying(CancelOrder(store.begin, clock)),
        update_order=retrying(UpdateOrder(store.begin, clock)),
        extend_hold=retrying(ExtendHold(store.begin, clock)),
        edit_order=batches.edit_orders.submit,
        preview_edit=edits.preview,
        move_goods=batches.move_goods.submit,
        change_order=batches.change_orders.submit,
        update_customer=retrying(UpdateCustomer(store.begin, clock)),
        erase_customer=retrying(EraseCustomer(store.begin, clock)),
        export_customer=ExportCustomer(profiles, reader),
        count_orders=CountOrders(counter, clock),
    )
