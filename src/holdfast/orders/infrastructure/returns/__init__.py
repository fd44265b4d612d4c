"""Returns as rows."""
