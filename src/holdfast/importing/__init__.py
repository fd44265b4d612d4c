"""Files of orders: bytes to text, text to rows, rows to lines, lines to orders."""
