"""Inventory, one of the two services; it never imports Orders."""
