"""The program, as `holdfast` or `python -m holdfast`."""

import gc
import sys

# Allocated and not freed, before Python looks for garbage: what is loaded has hardly any, and
# looking took a tenth of every start.
LOADED_OBJECTS = 50_000
INTERRUPTED = 130  # as a shell says of a program that Ctrl-C has ended


def main() -> None:
    """Run the command; Ctrl-C is no traceback while its parts are still being loaded."""
    gc.set_threshold(LOADED_OBJECTS)
    try:
        from holdfast.cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
