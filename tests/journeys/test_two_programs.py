"""Two programs on one project: the second may look and save elsewhere, and the first stays the owner."""

from pathlib import Path

NOTES = 558


def saves_as(soli, path: Path, *, keys: str) -> None:
    soli.window.key(keys)
    soli.waits("the save dialog", lambda s: s["dialog"])
    soli.window.key("ctrl+a")
    soli.window.type(str(path))
    soli.window.key("Return")


def test_the_second_opens_read_only_with_a_message(musician, tmp_path):
    path, copy = tmp_path / "mine.soli", tmp_path / "copy.soli"
    first = musician("demo")
    first.waits("the demo", lambda s: len(s["notes"]) == NOTES and not s["busy"])
    saves_as(first, path, keys="ctrl+s")
    first.waits("the project saved", lambda s: s["title"] == "mine – Soli")
    before = path.read_bytes()

    second = musician(path)
    seen = second.waits("the project, read-only", lambda s: s["title"] == "mine (read-only) – Soli" and not s["busy"])
    assert len(seen["notes"]) == NOTES
    assert "open in another Soli" in seen["message"]
    saves_as(second, copy, keys="ctrl+s")  # it asks where to
    second.waits("the copy saved", lambda s: s["title"] == "copy – Soli")
    assert copy.exists()
    assert path.read_bytes() == before
