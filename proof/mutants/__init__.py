"""Planted bugs: what real programmers get wrong, put in on purpose, to see that it is found."""
