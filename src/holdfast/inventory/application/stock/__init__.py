"""What is done with stock."""
