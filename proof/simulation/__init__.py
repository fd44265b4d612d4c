"""Deterministic simulation: the real services on a seeded loop in virtual time, one seed one run."""
