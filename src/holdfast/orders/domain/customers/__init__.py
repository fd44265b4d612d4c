"""Who an order is for."""
