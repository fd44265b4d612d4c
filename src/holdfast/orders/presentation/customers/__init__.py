"""Customers as gRPC tells of them."""
