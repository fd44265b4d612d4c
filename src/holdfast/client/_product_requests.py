"""Products as request messages, checked like everything in `_requests`."""

from holdfast.client._checks import STOCK_MAX, Checks
from holdfast.client._details import write_backorder
from holdfast.client._money_wire import money_to_wire
from holdfast.contracts.inventory.v1 import inventory_pb2


def create_product(
    product_id: object,
    *,
    name: object,
    description: object,
    unit_price: object,
    active: object,
    backorder: object,
    safety_stock: object,
) -> inventory_pb2.CreateProductRequest:
    """Without a policy of back-orders nothing of it is waited for."""
    checks = Checks()
    product = inventory_pb2.Product(
        product_id=checks.text("product.product_id", product_id),
        name=checks.text("product.name", name),
        description=checks.text("product.description", description),
        unit_price=money_to_wire(checks.price("product.unit_price", unit_price)),
        active=checks.flag("product.active", active),
        safety_stock=_safety_stock(checks, safety_stock),
    )
    if backorder is not None:
        write_backorder(checks, product.backorder, backorder)
    checks.raise_any()
    return inventory_pb2.CreateProductRequest(product=product)


def update_product(
    product_id: object,
    *,
    version: object,
    name: object,
    description: object,
    unit_price: object,
    active: object,
    backorder: object,
    safety_stock: object,
) -> inventory_pb2.UpdateProductRequest:
    """Of the details, None is left as it is."""
    checks = Checks()
    request = inventory_pb2.UpdateProductRequest()
    product, paths = request.product, request.update_mask.paths
    product.product_id = checks.text("product.product_id", product_id)
    product.version = checks.number("product.version", version, lowest=1)
    if name is not None:
        paths.append("name")
        product.name = checks.text("product.name", name)
    if description is not None:
        paths.append("description")
        product.description = checks.text("product.description", description)
    if unit_price is not None:
        paths.append("unit_price")
        price = checks.price("product.unit_price", unit_price)
        product.unit_price.CopyFrom(money_to_wire(price))
    if active is not None:
        paths.append("active")
        product.active = checks.flag("product.active", active)
    if backorder is not None:
        paths.append("backorder")
        write_backorder(checks, product.backorder, backorder)
    if safety_stock is not None:
        paths.append("safety_stock")
        product.safety_stock = _safety_stock(checks, safety_stock)
    checks.raise_any()
    return request


def _safety_stock(checks: Checks, units: object) -> int:
    return checks.number("product.safety_stock", units, lowest=0, highest=STOCK_MAX)


def list_products(
    id_prefix: object, active: object, available_max: object, waited_for: object
) -> inventory_pb2.ListProductsRequest:
    checks = Checks()
    request = inventory_pb2.ListProductsRequest(
        product_id_prefix=checks.text("product_id_prefix", id_prefix)
    )
    if active is not None:
        request.active = checks.flag("active", active)
    if waited_for is not None:
        request.waited_for = checks.flag("waited_for", waited_for)
    if available_max is not None:
        request.available_max = checks.number(
            "available_max", available_max, lowest=0, highest=STOCK_MAX
        )
    checks.raise_any()
    return request
