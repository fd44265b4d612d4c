"""What a caller needs to call a method of Orders: one of these scopes. Not here: nobody may."""

from holdfast.chassis.identity.gate import Rights, named
from holdfast.chassis.identity.roles import ANY, ANYBODY, CUSTOMER, HELD_KEYS

ORDER_SERVICE: Rights = {
    "CreateOrder": frozenset({"orders:write", CUSTOMER}),
    "GetOrderDetails": frozenset({"orders:read", CUSTOMER}),
    "BatchCreateOrders": frozenset({"orders:write"}),
    "ListOrders": frozenset({"orders:read", CUSTOMER}),
    "SearchOrders": frozenset({"orders:read", CUSTOMER}),
    "GetOrderFigures": frozenset({"orders:read"}),
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
    "ReadEvents": frozenset({"events:read"}),
    "StreamEvents": frozenset({"events:read"}),
}

KEY_SERVICE: Rights = {
    "WhoAmI": ANY,
    "CreateKey": frozenset({"keys:manage"}),
    "ListKeys": frozenset({"keys:manage"}),
    "RotateKey": frozenset({"keys:manage"}),
    "RevokeKey": frozenset({"keys:manage"}),
}

USER_SERVICE: Rights = {
    "SignIn": frozenset({ANYBODY}),
    "SignOut": ANY,
    "ChangePassword": ANY,
    "CreateUser": frozenset({"keys:manage"}),
    "ListUsers": frozenset({"keys:manage"}),
    "UpdateUser": frozenset({"keys:manage"}),
    "DeleteUser": frozenset({"keys:manage"}),
}

KEY_OFFER_SERVICE: Rights = {"OfferKeys": frozenset({HELD_KEYS})}

RIGHTS: Rights = (
    named("holdfast.orders.v1.OrderService", ORDER_SERVICE)
    | named("holdfast.identity.v1.KeyService", KEY_SERVICE)
    | named("holdfast.identity.v1.UserService", USER_SERVICE)
    | named("holdfast.identity.v1.KeyOfferService", KEY_OFFER_SERVICE)
)
