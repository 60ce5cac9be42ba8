"""``planner``: the desktop without arguments or with ``open FILE``, else one of the command-line verbs."""

from __future__ import annotations

import sys


def main() -> int:
    """Entry point of the ``planner`` command; returns the exit code."""
    arguments = sys.argv[1:]
    if not arguments or (arguments[0] == "open" and len(arguments) == 2 and not arguments[1].startswith("-")):
        from planner_app.ui.app import run

        return run(arguments[1] if arguments else None)
    try:
        from planner_app.cli import run_verb

        return run_verb(arguments)
    except KeyboardInterrupt:  # before the verb could take note of it: nothing has begun, nothing is said
        return 130


if __name__ == "__main__":
    sys.exit(main())
