"""Orders: what was asked for, and where it stands."""
