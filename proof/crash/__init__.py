"""Crash points: every named point of a batch's life, times kill, stop, exception and delay."""
