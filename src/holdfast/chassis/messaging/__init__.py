"""Events between services: outbox, inbox, and the two brokers that carry them."""
