"""Refusals of returns."""

from holdfast.orders.domain.errors import OrdersError


class ReturnNotFound(OrdersError):
    """There is no return of this id."""

    reason = "RETURN_NOT_FOUND"

    def __init__(self, return_id: str) -> None:
        super().__init__(f"return {return_id} does not exist")
        self.return_id = return_id


class ReturnClosed(OrdersError):
    """Nothing more comes by this return."""

    reason = "RETURN_CLOSED"

    def __init__(self, return_id: str) -> None:
        super().__init__(f"return {return_id} is closed: open another one for what still comes")


class OverReturn(OrdersError):
    """More units than have left and are in no other return."""

    reason = "OVER_RETURN"

    def __init__(self, order_id: str, line_no: int, *, wanted: int, left: int) -> None:
        super().__init__(
            f"order {order_id}, line {line_no}: {wanted:,} units can't come back: units that have "
            f"left and are in no other return: {left:,}"
        )
        self.facts = {"line_no": str(line_no), "wanted": str(wanted), "left": str(left)}


class OverReceipt(OrdersError):
    """More units than are still to come."""

    reason = "OVER_RECEIPT"

    def __init__(self, return_id: str, line_no: int, *, wanted: int, left: int) -> None:
        super().__init__(
            f"return {return_id}, line {line_no}: {wanted:,} units can't have come: units still to "
            f"come: {left:,}"
        )
        self.facts = {"line_no": str(line_no), "wanted": str(wanted), "left": str(left)}


class ReturnRequestReused(OrdersError):
    """The request id was used for another return, or other contents of one."""

    reason = "REQUEST_ID_REUSED"

    def __init__(self, request_id: str, return_id: str, order_id: str) -> None:
        super().__init__(
            f"request id {request_id} was used for return {return_id} with other contents: look at "
            "it first"
        )
        self.facts = {"return_id": return_id, "order_id": order_id}


class TooManyReturns(OrdersError):
    """The order has as many returns as it may."""

    reason = "TOO_MANY_CHANGES"

    def __init__(self, order_id: str, allowed: int) -> None:
        super().__init__(f"order {order_id} has {allowed:,} returns, and more are not allowed")
