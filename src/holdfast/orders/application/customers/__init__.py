"""What is done about customers, beside their orders."""
