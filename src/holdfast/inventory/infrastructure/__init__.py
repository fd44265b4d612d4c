"""The technologies under Inventory: databases, events on the wire, the way to its neighbour."""
