"""Kills a Soli that edits, saves and autosaves, at random moments, and looks what is left.

    PYTHONPATH=desktop:tests python tests/benchmarks/kill.py --trials 200 --seed 1 --while saving

It saves as the window does: in a thread, while edits go on; with --window it is the window itself. Prints one JSON object: how
often the project opened, how many seconds of edits were lost at most, how long opening took, and the faults; a program that
ends by itself is one. Ends with status 1 where there are any, or where more than 5 s of edits were gone. Needs fork, and files
of Soli that nobody edits meanwhile.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from synth import melody, render

from soli.errors import SoliError
from soli.playback.mixer import Strip
from soli.progress import finish
from soli.project import commands, pipeline, recovery, storage
from soli.project.autosave import Autosave, Snapshot
from soli.project.document import Document
from soli.project.refit import refit_separation_steps
from soli.project.state import State
from soli.score import midi
from soli.signal import audio

MOST_LOST_S = 5.0

Working: TypeAlias = Callable[[Path, Path, random.Random, int], None]


def prepare(folder: Path) -> Path:
    """A small project with results."""
    notes = [*melody((72, 76, 79, 76), step_s=0.4, length_s=0.35), *melody((48, 43), step_s=0.8, length_s=0.75, first_id=10)]
    audio.write(folder / "song.wav", render(notes, channels=2), "wav24")
    midi.write(folder / "song.mid", notes, track_names=("notes",))
    state = finish(pipeline.open_steps(folder / "song.wav", folder / "song.mid", align=False)).state
    state = replace(state, settings=replace(state.settings, iterations=2))
    path = folder / "song.soli"
    storage.save(path, state, separation=finish(pipeline.separate_steps(state)))
    return path


def number_of(state: State) -> int:
    """How many edits a state has seen; it is kept in a gain."""
    return round(-state.strip(0).gain_db * 1000)


def work_in_window(path: Path, place: Path, rng: random.Random, told: int) -> None:
    """The same in the window, on a screen that is none; it takes care of saving, autosaving and following by itself."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from soli.app import Application
    from soli.playback.player import FakePlayer
    from soli.settings import Settings

    qt = QApplication([])
    application = Application(qt, FakePlayer(), Settings(), autosaves=place)
    document, session = application.document, application.session
    application.window.resize(800, 600)
    application.window.show()
    application.window.open_paths([path])
    timer = QTimer(singleShot=True)
    number = 0

    def tell(line: str) -> None:
        try:
            os.write(told, line.encode())
        except BrokenPipeError:
            os._exit(1)  # nobody is there to kill it

    def step() -> None:
        nonlocal number
        timer.start(round(rng.random() * 20))
        if document.separation is None or session.opening:
            return
        number = max(number, number_of(document.state)) + 1
        tell(f"{number} {time.time()}\n")
        document.do(commands.set_strip(document.state, 0, Strip(-number / 1000)))
        chance = rng.random()
        if chance < 0.05:
            document.do(commands.set_absent(document.state, [rng.randrange(5)], absent=rng.random() < 0.5))
        elif chance < 0.06 and session.keeper.saving.path is None:
            tell("saving\n")
            session.save(path)

    timer.timeout.connect(step)
    timer.start(0)
    qt.exec()


def apart(what: Callable[[], object]) -> None:
    """Do something in a process of its own: a process with threads is better not forked."""
    child = os.fork()
    if child == 0:
        try:
            what()
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(1)
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError("there is no project to begin with")


def work(path: Path, place: Path, rng: random.Random, told: int) -> None:
    """Edit for ever; each edit is told with its time before it is made."""
    opened = finish(storage.open_steps(path))
    document, keeper = Document(), Autosave(place)

    def keep(_: frozenset[str]) -> None:
        if document.edited or saving is not None:
            snapshot = Snapshot(document.state, document.separation, path=path, title="song")
            keeper.keep(snapshot)
        else:
            keeper.forget()

    document.restore(opened, path=path, separation=opened.separation)
    document.subscribe(keep)
    number = number_of(document.state)
    saving: tuple[threading.Thread, Snapshot] | None = None
    failed: list[str] = []

    def save(snapshot: Snapshot, *, reuses: bool) -> None:
        try:
            kept = keeper.held() if reuses else None
            os.write(told, b"saving\n")
            storage.save(path, snapshot.state, separation=snapshot.separation, kept=kept)
        except BaseException:
            failed.append(traceback.format_exc())

    while True:
        if failed:
            raise RuntimeError(failed[0])
        if saving is not None and not saving[0].is_alive():
            keeper.release()
            document.saved(path, saving[1].state, saving[1].separation)
            saving = None
        number += 1
        os.write(told, f"{number} {time.time()}\n".encode())
        document.do(commands.set_strip(document.state, 0, Strip(-number / 1000)))
        chance = rng.random()
        if chance < 0.05:
            state = document.state
            document.do(commands.set_absent(state, [rng.randrange(5)], absent=rng.random() < 0.5))
            followed = finish(refit_separation_steps(document.separation, document.state))
            document.publish(followed)
        elif chance < 0.06 and saving is None:
            snapshot, reuses = Snapshot(document.state, document.separation, path=path, title="song"), rng.random() < 0.7
            if reuses:
                keeper.hold(snapshot)
            saving = threading.Thread(target=save, args=(snapshot,), kwargs={"reuses": reuses}, daemon=True), snapshot
            saving[0].start()
        time.sleep(rng.random() * 0.02)


def trial(folder: Path, rng: random.Random, at: str, working: Working = work) -> dict[str, float | str]:
    """One life: when it ended, what was lost, and what stood in the way."""
    path, place = folder / "song.soli", folder / "autosave"
    end, told = os.pipe()
    child, luck = os.fork(), rng.random()
    if child == 0:
        try:
            os.close(end)
            working(path, place, random.Random(luck), told)
        except BaseException:
            (folder / "end.txt").write_text(traceback.format_exc())
        finally:
            os._exit(1)
    os.close(told)
    with os.fdopen(end) as lines:
        first = lines.readline()  # it is at work
        edits = [first]
        if at == "saving" or (at == "both" and rng.random() < 0.4):
            edits += iter(lambda: lines.readline() or "saving\n", "saving\n")
            time.sleep(rng.random() * 0.06)
        else:
            time.sleep(rng.random() ** 2 * 5)
        os.kill(child, signal.SIGKILL)
        died = time.time()
        _, status = os.waitpid(child, 0)
        edits += [line for line in lines if line != "saving\n"]
    if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
        told_why = folder / "end.txt"
        return {"fault": f"it ended by itself ({status}): {told_why.read_text() if told_why.exists() else ''}"}
    opening_s = time.monotonic()
    times = {int(line.split()[0]): float(line.split()[1]) for line in edits if line.endswith("\n")}
    try:
        reached = number_of(finish(storage.open_steps(path)).state)
        source = "project"
        for leftover in recovery.leftovers(place):
            found = finish(recovery.recover_steps(leftover))
            if found.warning or found.state.audio is None:
                return {"fault": f"recovered with a warning: {found.warning}"}
            if number_of(found.state) > reached:
                reached, source = number_of(found.state), "autosave"
            leftover.discard()
    except SoliError as error:
        return {"fault": str(error)}
    opening_s = time.monotonic() - opening_s
    lost = [moment for number, moment in times.items() if number > reached]
    lost_s = max(0.0, died - min(lost)) if lost else 0.0
    return {"lost_s": lost_s, "edits": len(times), "lost": len(lost), "from": source, "opening_s": opening_s}


def run(trials: int, seed: int, at: str = "both", working: Working = work) -> dict[str, object]:
    rng, folder = random.Random(seed), Path(tempfile.mkdtemp(prefix="soli-kill-"))
    try:
        apart(lambda: prepare(folder))
        results = [trial(folder, rng, at, working) for _ in range(trials)]
        halves = [path.name for path in folder.iterdir() if path.suffix == ".part"]
    finally:
        shutil.rmtree(folder)
    lives = [result for result in results if "fault" not in result]
    return {
        "trials": trials,
        "while": at,
        "opened": len(lives),
        "faults": [result["fault"] for result in results if "fault" in result],
        "edits": sum(int(life["edits"]) for life in lives),
        "longest_opening_s": round(max((float(life["opening_s"]) for life in lives), default=0.0), 2),
        "most_lost_s": round(max((float(life["lost_s"]) for life in lives), default=0.0), 2),
        "from_autosave": sum(life["from"] == "autosave" for life in lives),
        "killed_while_saving": len(halves),
    }


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--while", dest="at", choices=("both", "editing", "saving"), default="both")
    parser.add_argument("--window", action="store_true", help="kill the window")
    arguments = parser.parse_args(argv)
    report = run(arguments.trials, arguments.seed, arguments.at, work_in_window if arguments.window else work)
    print(json.dumps(report))
    return 1 if report["faults"] or float(str(report["most_lost_s"])) > MOST_LOST_S else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
