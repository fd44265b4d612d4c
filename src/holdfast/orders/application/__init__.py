"""The verbs of Orders: one file per use case, and the ports that they need."""
