"""The verbs of the Notifier: one file per use case, and the ports that they need."""
