"""What is done with products."""
