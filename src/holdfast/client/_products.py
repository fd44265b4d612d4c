"""The verbs of Inventory that are about products: they are made, changed and listed."""

from collections.abc import AsyncGenerator, Sequence

from holdfast.client import _product_requests
from holdfast.client._calls import Calls
from holdfast.client._checks import Checks
from holdfast.client._money import Money
from holdfast.client._pages import PAGE_SIZE, walk
from holdfast.client._requests import page_bounds
from holdfast.client._stock_types import Backorder, Product
from holdfast.client._wire import product_from_wire
from holdfast.contracts.inventory.v1 import inventory_pb2, inventory_pb2_grpc


class Products:
    """A part of `Inventory`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._stub = inventory_pb2_grpc.InventoryServiceStub(calls.channel)

    async def create_product(
        self,
        product_id: str,
        *,
        unit_price: Money,
        name: str = "",
        description: str = "",
        active: bool = True,
        backorder: Backorder | None = None,
        safety_stock: int = 0,
    ) -> Product:
        """Make a product under the merchant's own code.

        Repeating with the same contents returns it and changes nothing.

        :param backorder: whether orders may wait for it; None: they may not.
        :param safety_stock: units that are not promised, at each location.
        :raises AlreadyExists: the id has other contents (PRODUCT_EXISTS); use `update_product`.
        """
        answer = await self._calls.ask(
            self._stub.CreateProduct,
            _product_requests.create_product(
                product_id,
                name=name,
                description=description,
                unit_price=unit_price,
                active=active,
                backorder=backorder,
                safety_stock=safety_stock,
            ),
            repeatable=True,
        )
        return product_from_wire(answer)

    async def update_product(
        self,
        product_id: str,
        *,
        version: int,
        name: str | None = None,
        description: str | None = None,
        unit_price: Money | None = None,
        active: bool | None = None,
        backorder: Backorder | None = None,
        safety_stock: int | None = None,
    ) -> Product:
        """Change a product's details; None leaves a field as it is.

        Never repeated after an unknown outcome: read the product to see whether it changed.

        :param version: the product's version as last read.
        :param backorder: the whole policy; it binds new promises only, and what waits stays.
        :param safety_stock: what is promised already stays promised.
        :raises StaleVersion: the product changed since.
        :raises NotFound: the product does not exist.
        """
        answer = await self._calls.ask(
            self._stub.UpdateProduct,
            _product_requests.update_product(
                product_id,
                version=version,
                name=name,
                description=description,
                unit_price=unit_price,
                active=active,
                backorder=backorder,
                safety_stock=safety_stock,
            ),
            repeatable=False,
        )
        return product_from_wire(answer)

    def list_products(
        self,
        *,
        id_prefix: str = "",
        active: bool | None = None,
        available_max: int | None = None,
        waited_for: bool | None = None,
        limit: int | None = None,
        page_size: int = PAGE_SIZE,
    ) -> AsyncGenerator[Product]:
        """Every product, or those that fit all that is given, by id, fetched page by page.

        :param id_prefix: what their ids begin with; letter case counts.
        :param active: whether they are sold; None: both.
        :param available_max: only of what was in stock once, and of which at most so many units
            are available; 0: nothing is left to promise; None: any.
        :param waited_for: whether orders wait for them; None: both.
        :param limit: at most so many products; None: all.
        :param page_size: products per call, at most 1,000; fewer come where they are large.
        """
        size, wanted = page_bounds(page_size, limit)
        request = _product_requests.list_products(id_prefix, active, available_max, waited_for)

        async def page(size: int, token: str) -> tuple[Sequence[Product], str]:
            return await self._products(request, size, token)

        return walk(page, page_size=size, limit=wanted)

    async def product_page(
        self,
        page_token: str = "",
        *,
        id_prefix: str = "",
        active: bool | None = None,
        available_max: int | None = None,
        waited_for: bool | None = None,
        page_size: int = PAGE_SIZE,
    ) -> tuple[Sequence[Product], str]:
        """One page of what `list_products` walks over, and the next one's token, "" on the last.

        :param page_token: as the page before told it, with the same filter; "": the first page.
        :raises InvalidRequest: the token is none, or of another filter.
        """
        checks = Checks()
        token, size = checks.page(page_token, page_size)
        checks.raise_any()
        request = _product_requests.list_products(id_prefix, active, available_max, waited_for)
        return await self._products(request, size, token)

    async def _products(
        self, request: inventory_pb2.ListProductsRequest, size: int, token: str
    ) -> tuple[Sequence[Product], str]:
        request.page_size, request.page_token = size, token
        answer = await self._calls.ask(self._stub.ListProducts, request, repeatable=True)
        return list(map(product_from_wire, answer.products)), answer.next_page_token
