"""The protocols in front of Orders: gRPC and events."""
