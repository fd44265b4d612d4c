"""Errors that may pass by themselves: whoever meets one waits a moment and tries again."""


class Transient(Exception):
    """Root of what a background loop waits out; what is meant by it, each error says itself."""
