"""The technologies under Orders: databases, events on the wire, the way to its neighbour."""
