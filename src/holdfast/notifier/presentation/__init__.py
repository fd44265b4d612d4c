"""The protocols in front of the Notifier: gRPC and HTTP/JSON."""
