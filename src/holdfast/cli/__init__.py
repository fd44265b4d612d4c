"""The `holdfast` command: it speaks to the services through the client, and starts them."""
