"""What is done with locations."""
