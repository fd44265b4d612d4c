"""Files: bytes to text, text to rows, rows to lines of orders or to records of tables."""
