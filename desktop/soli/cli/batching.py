"""`soli batch`: one line a piece, past those that fail, on from where it stopped."""

import argparse
from contextlib import closing
from pathlib import Path

from soli.cli.separating import model_settings
from soli.cli.telling import say, tell
from soli.project import batch, batch_workers, export


def batch_command(arguments: argparse.Namespace) -> bool:
    """Work on the pieces of a list that are not done yet; True when all are."""
    folder = arguments.output
    defaults = batch.Piece(
        name="",
        recording=Path(),
        score=Path(),
        folder=folder,
        layers=arguments.layers,
        align=not arguments.no_align,
        form=arguments.format,
        settings=model_settings(arguments),
    )
    pieces = batch.read_list(arguments.list, folder, defaults)
    export.make_folder(folder)
    manifest = batch.Manifest(folder)
    done, rest = batch.waiting(pieces, manifest)
    told, failed = 0, 0
    for outcome in done:
        told += 1
        tell(f"{told}/{len(pieces)} {outcome.name}: done before, {_files(outcome)}")
    if rest:
        if arguments.scheduler:
            outcomes = batch_workers.on_cluster(rest, arguments.scheduler)
        else:
            outcomes = batch_workers.on_this_computer(rest, arguments.jobs)
        with closing(outcomes):
            for outcome in outcomes:
                told += 1
                if outcome.fault:
                    failed += 1
                    tell(f"{told}/{len(pieces)} {outcome.name}: failed: {outcome.fault}")
                else:
                    manifest.add(outcome)
                    for warning in outcome.warnings:
                        say(f"soli: {outcome.name}: {warning}")
                    tell(f"{told}/{len(pieces)} {outcome.name}: {_files(outcome)} in {outcome.seconds:.1f} s")
    if failed:
        say(f"soli: {failed} of {len(pieces)} pieces failed; the same command tries them again")
    return not failed


def _files(outcome: batch.Outcome) -> str:
    return f"{len(outcome.files)} {'file' if len(outcome.files) == 1 else 'files'}"
