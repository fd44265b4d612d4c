"""One file for each thing that people look at, and the table of all of them."""
