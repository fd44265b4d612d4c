"""The verbs of Inventory: one file per use case, and the ports that they need."""
