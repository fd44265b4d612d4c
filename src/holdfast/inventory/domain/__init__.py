"""The nouns of Inventory and their rules; only the standard library is imported here."""
