"""The nouns of the Notifier and their rules; only the standard library is imported here."""
