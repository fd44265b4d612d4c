"""What a caller needs to call a method of Inventory: one of these scopes. Not here: nobody may."""

from holdfast.chassis.identity.gate import Rights, named
from holdfast.chassis.identity.roles import CUSTOMER, SERVICE

INVENTORY_SERVICE: Rights = {
    "UpdateStock": frozenset({"stock:write"}),
    "GetStockInfo": frozenset({"stock:read"}),
    "BatchGetStockInfo": frozenset({"stock:read"}),
    "BatchUpdateStock": frozenset({"stock:write"}),
    "AdjustStock": frozenset({"stock:write"}),
    "CreateProduct": frozenset({"products:write"}),
    "UpdateProduct": frozenset({"products:write"}),
    "ListProducts": frozenset({"stock:read"}),
    "ListMovements": frozenset({"stock:read"}),
    "QuarantineStock": frozenset({"stock:write"}),
    "ReleaseQuarantine": frozenset({"stock:write"}),
    "CreateLocation": frozenset({"products:write"}),
    "UpdateLocation": frozenset({"products:write"}),
    "ListLocations": frozenset({"stock:read"}),
    "CheckAvailability": frozenset({"stock:read", CUSTOMER}),
    "ExplainStock": frozenset({"stock:read"}),
    "ListBackorders": frozenset({"stock:read"}),
    "CreateTransfer": frozenset({"stock:write"}),
    "ReceiveTransfer": frozenset({"stock:write"}),
    "CloseTransfer": frozenset({"stock:write"}),
    "GetTransfer": frozenset({"stock:read"}),
    "ListTransfers": frozenset({"stock:read"}),
    "ReadEvents": frozenset({"events:read"}),
    "StreamEvents": frozenset({"events:read"}),
}

KEY_INTAKE_SERVICE: Rights = {"TakeKeys": frozenset({SERVICE})}

RIGHTS: Rights = named("holdfast.inventory.v1.InventoryService", INVENTORY_SERVICE) | named(
    "holdfast.identity.v1.KeyIntakeService", KEY_INTAKE_SERVICE
)
