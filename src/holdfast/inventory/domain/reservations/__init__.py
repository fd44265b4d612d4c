"""What is held for each order."""
