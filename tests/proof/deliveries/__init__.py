"""Every event delivered three times, shuffled, and again after 30 virtual days: one effect each."""
