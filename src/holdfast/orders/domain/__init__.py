"""The nouns of Orders and their rules; only the standard library is imported here."""
