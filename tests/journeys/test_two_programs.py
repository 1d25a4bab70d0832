"""Two programs on one project: the second may look and save elsewhere, and the first stays the owner."""

import os
import signal

NOTES = 558


def test_the_second_opens_read_only_with_a_message(musician, tmp_path):
    path, copy = tmp_path / "mine.soli", tmp_path / "copy.soli"
    first = musician("demo")
    first.waits("the demo", lambda s: len(s["notes"]) == NOTES and not s["busy"])
    first.saves_as(path)
    before = path.read_bytes()

    second = musician(path)
    seen = second.waits("the project, read-only", lambda s: s["title"] == "mine (read-only) – Soli" and not s["busy"])
    assert len(seen["notes"]) == NOTES
    assert "open in another Soli" in seen["message"]
    second.saves_as(copy)
    assert copy.exists()
    assert path.read_bytes() == before


def test_when_the_first_is_killed_the_second_takes_over(musician, tmp_path):
    path = tmp_path / "mine.soli"
    first = musician("demo")
    first.waits("the demo", lambda s: len(s["notes"]) == NOTES and not s["busy"])
    first.saves_as(path)
    second = musician(path)
    second.waits("the project, read-only", lambda s: s["title"] == "mine (read-only) – Soli" and not s["busy"])

    os.kill(first.program.pid, signal.SIGKILL)
    assert first.program.wait() == -signal.SIGKILL
    seen = second.waits("its own project", lambda s: s["title"] == "mine – Soli")
    assert "open nowhere else any more" in seen["message"]
    second.window.key("2")
    second.window.drag(*second.point(3.0, 100), *second.point(4.0, 100))
    second.waits("a note drawn", lambda s: len(s["notes"]) == NOTES + 1 and s["title"].startswith("*"))
    second.window.key("ctrl+s")
    second.waits("it saved without a question", lambda s: s["title"] == "mine – Soli" and not s["dialog"])
