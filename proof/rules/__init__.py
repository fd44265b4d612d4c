"""The promises, each a function that names what broke it."""
