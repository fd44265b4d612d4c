"""Where customers' profiles stand: SQL and rows."""
