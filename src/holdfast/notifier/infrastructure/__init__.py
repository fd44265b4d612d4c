"""The technologies under the Notifier: its database, the feeds, HTTP to receivers, SMTP."""
