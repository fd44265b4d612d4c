"""HTTP/JSON: the methods of a gRPC service for whoever speaks HTTP, made from its descriptors."""
