"""Figures of orders as gRPC tells of them."""
