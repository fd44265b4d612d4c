"""Who calls: what every service knows of whoever is at the other end."""
