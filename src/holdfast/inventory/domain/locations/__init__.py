"""The places that stock is kept at."""
