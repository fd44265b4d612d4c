"""The proof of the promise: histories, checker, simulator, crash points, chaos, planted bugs."""
