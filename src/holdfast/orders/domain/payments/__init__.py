"""What is known of an order's payments."""
