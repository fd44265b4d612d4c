"""E-mail to customers: what one is told, and what came of telling it."""
