"""The Notifier: follows both feeds, and tells who must know, by webhook and e-mail."""
