"""The life of a process: its settings, its loops, its workers, its log."""
