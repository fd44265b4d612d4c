"""Deterministic simulation: the real services in virtual time, one seed is one run."""
