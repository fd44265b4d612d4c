"""Chaos: Holdfast as a cluster of real processes, under load, while everything breaks by a seed."""
