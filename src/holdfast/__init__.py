"""Holdfast: an order management system that never oversells and never loses an order."""
