"""What a service asks of its database, and the two engines that give it."""
