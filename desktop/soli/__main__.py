"""`soli`, or `python -m soli`: the window, or a command without one."""

import multiprocessing
import sys


def main() -> int:
    """Run what the command line asks for; the exit status is 0 for done, 1 for unusable input, 2 for wrong usage."""
    multiprocessing.freeze_support()  # the sound process of a frozen bundle starts here
    from soli import cli

    arguments = cli.parse(sys.argv[1:])
    if not cli.wants_window(arguments):
        return cli.run(arguments)
    try:
        from soli import app
    except ImportError as error:
        library, _, why = str(error).partition(": ")
        if "shared object file" not in why:
            raise
        from soli.cli.telling import say

        say(f"soli: the window needs {library}, which this computer has not; the README says which system packages to install")
        return cli.EXIT_INPUT
    return app.run(arguments.files, demo=arguments.command == "demo")


if __name__ == "__main__":
    sys.exit(main())
