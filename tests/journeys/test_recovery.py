"""The program is killed in the middle of work: the next start offers it, and what cannot be opened is not offered again."""

import os
import signal
import time
from pathlib import Path

import pytest
from musician import Musician
from xserver import wait_until

NOTES = 558
DRAWN = NOTES + 1


def autosaves(home: Path) -> list[Path]:
    return list((home / "state" / "soli" / "autosave").glob("*/about.json"))


def edited(soli: Musician) -> dict:
    """Draw a note; what there is then."""
    soli.waits("the demo", lambda s: len(s["notes"]) == NOTES and not s["busy"])
    soli.window.key("2")
    soli.window.drag(*soli.point(3.0, 100), *soli.point(4.0, 100))
    return soli.waits("a note drawn", lambda s: len(s["notes"]) == DRAWN)


def edited_and_killed(soli: Musician, home: Path) -> dict:
    """Draw a note, wait until it is kept, and end the program as a crash does; what there was."""
    seen = edited(soli)
    wait_until(lambda: autosaves(home), "an autosave", timeout_s=20)
    os.kill(soli.program.pid, signal.SIGKILL)
    assert soli.program.wait() == -signal.SIGKILL
    return seen


def test_what_was_edited_before_a_kill_is_there_again(musician, tmp_path):
    home = tmp_path / "home"
    before = edited_and_killed(musician("demo"), home)
    again = musician()
    asked = again.waits("the offer", lambda s: s["dialog"] == "Unsaved work")["asked"]
    moment = time.localtime(autosaves(home)[0].stat().st_mtime)
    assert f"kept at {moment.tm_hour}:{moment.tm_min:02} " in asked
    again.clicks("Open it")
    seen = again.waits("the work", lambda s: len(s["notes"]) == DRAWN and not s["busy"] and not s["dialog"])
    assert seen["content"] == before["content"]
    assert seen["title"].startswith("*")

    again.saves_as(tmp_path / "mine.soli")
    wait_until(lambda: not autosaves(home), "nothing left to recover", timeout_s=20)


def test_work_that_is_damaged_is_told_once_and_never_offered_again(musician, tmp_path):
    home = tmp_path / "home"
    edited_and_killed(musician("demo"), home)
    folder = autosaves(home)[0].parent
    for name in ("work.soli", "work.soli-wal"):
        (folder / name).write_bytes(b"damaged" * 5000)
    again = musician()
    again.waits("the offer", lambda s: s["dialog"] == "Unsaved work")
    again.clicks("Open it")
    again.waits("what became of it", lambda s: "put aside" in s["message"] and not s["dialog"])
    again.program.stop()
    assert autosaves(home) == []
    assert list((folder.parent / "set aside").glob("*/work.soli"))

    third = musician("demo")
    seen = third.waits("the demo", lambda s: len(s["notes"]) == NOTES and not s["busy"] and "put aside" not in s["message"])
    assert seen["dialog"] == ""


def ended(soli: Musician, number: signal.Signals) -> None:
    """End the program as the system does; it asks nothing, and is gone in less than the seconds that a session waits."""
    os.kill(soli.program.pid, number)
    assert soli.program.wait() == 0


def is_offered_again(again: Musician, before: dict) -> None:
    again.waits("the offer", lambda s: s["dialog"] == "Unsaved work")
    again.clicks("Open it")
    seen = again.waits("the work", lambda s: len(s["notes"]) == DRAWN and not s["busy"] and not s["dialog"])
    assert seen["content"] == before["content"]
    assert seen["title"].startswith("*")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_who_is_told_to_end_keeps_what_is_not_saved_and_goes(musician, number):
    soli = musician("demo")
    before = edited(soli)
    ended(soli, number)
    is_offered_again(musician(), before)


def test_who_is_told_to_end_while_asking_what_to_save_goes_as_well(musician, tmp_path):
    soli = musician("demo")
    before = edited(soli)
    soli.window.key("ctrl+q")
    soli.waits("the question", lambda s: s["dialog"] == "Unsaved changes")
    ended(soli, signal.SIGTERM)
    is_offered_again(musician(), before)


def test_who_is_told_to_end_with_nothing_unsaved_leaves_nothing(musician, tmp_path):
    soli = musician("demo")
    soli.waits("the demo", lambda s: len(s["notes"]) == NOTES and not s["busy"])
    ended(soli, signal.SIGTERM)
    assert autosaves(tmp_path / "home") == []
