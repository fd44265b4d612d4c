"""Shipments as rows."""
