"""Hostile input by the million: whatever is sent, each answer is one of the contract's."""
