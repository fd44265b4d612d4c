"""What is done with reservations."""
