"""Levels of stock, and what moves them."""
