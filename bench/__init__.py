"""The benchmark suite: nine scenarios, each measured beside hand-written SQL on the same server."""
