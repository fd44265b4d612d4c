"""Shipments: what has left the house for an order."""
