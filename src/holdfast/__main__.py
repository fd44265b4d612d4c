"""The program, as `holdfast` or `python -m holdfast`."""

import sys

INTERRUPTED = 130  # as a shell says of a program that Ctrl-C has ended


def main() -> None:
    """Run the command; Ctrl-C is no traceback while its parts are still being loaded."""
    try:
        from holdfast.cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
