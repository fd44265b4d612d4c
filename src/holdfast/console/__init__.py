"""The console: a day's work in the browser, through the client, as its users could do it."""
