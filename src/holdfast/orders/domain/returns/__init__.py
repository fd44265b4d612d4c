"""Returns: what has come back of what left."""
