"""Two programs on one project: the second may look and save elsewhere, and the first stays the owner."""

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
