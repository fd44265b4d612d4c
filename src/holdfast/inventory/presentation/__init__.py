"""The protocols in front of Inventory: gRPC and events."""
