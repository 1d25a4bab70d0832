"""The pipeline without a window: `soli separate | align | render | info | batch | demo`."""

import argparse

from soli.cli.arguments import COMMANDS, parse
from soli.cli.telling import say
from soli.errors import SoliError

__all__ = ["COMMANDS", "EXIT_DONE", "EXIT_INPUT", "EXIT_STOPPED", "parse", "run", "wants_window"]

EXIT_DONE, EXIT_INPUT, EXIT_STOPPED = 0, 1, 130


def wants_window(arguments: argparse.Namespace) -> bool:
    return arguments.command == "open" or (arguments.command == "demo" and not arguments.headless)


def run(arguments: argparse.Namespace) -> int:
    """Run a command that needs no window; return the exit status."""
    from soli.cli import batching, projects, separating

    command = {
        "separate": separating.separate_command,
        "align": separating.align_command,
        "demo": separating.demo_command,
        "render": projects.render_command,
        "info": projects.info_command,
        "batch": batching.batch_command,
    }[arguments.command]
    try:
        done = command(arguments)
    except SoliError as error:
        say(f"soli: {error}")
        return EXIT_INPUT
    except MemoryError:
        say("soli: this computer's memory does not hold the recording and its layers; choose a shorter recording")
        return EXIT_INPUT
    except KeyboardInterrupt:
        say("soli: stopped; no unfinished file was left")
        return EXIT_STOPPED
    return EXIT_DONE if done else EXIT_INPUT
