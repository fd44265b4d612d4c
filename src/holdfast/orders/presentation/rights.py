"""What a caller needs to call a method of Orders: one of these scopes. Not here: nobody may."""

from holdfast.chassis.identity.gate import Rights
from holdfast.chassis.identity.roles import CUSTOMER

ORDER_SERVICE: Rights = {
    "CreateOrder": frozenset({"orders:write", CUSTOMER}),
    "GetOrderDetails": frozenset({"orders:read", CUSTOMER}),
    "BatchCreateOrders": frozenset({"orders:write"}),
    "ListOrders": frozenset({"orders:read", CUSTOMER}),
    "SearchOrders": frozenset({"orders:read", CUSTOMER}),
    "UpdateOrder": frozenset({"orders:write", CUSTOMER}),
    "CancelOrder": frozenset({"orders:write", CUSTOMER}),
    "ShipOrder": frozenset({"orders:ship"}),
    "UpdateShipment": frozenset({"orders:ship"}),
    "OpenReturn": frozenset({"returns:write", CUSTOMER}),
    "ReceiveReturn": frozenset({"returns:write"}),
    "CloseReturn": frozenset({"returns:write"}),
    "ConfirmOrder": frozenset({"orders:write"}),
    "ExtendHold": frozenset({"orders:write"}),
    "RecordPayment": frozenset({"orders:write"}),
    "WatchOrder": frozenset({"orders:read", CUSTOMER}),
    "GetCustomer": frozenset({"customers:read", CUSTOMER}),
    "UpdateCustomer": frozenset({"customers:write"}),
    "ListCustomers": frozenset({"customers:read"}),
    "EraseCustomer": frozenset({"customers:erase"}),
    "ExportCustomer": frozenset({"customers:read"}),
}
