"""A server that no longer answers: the musician works on, saves elsewhere, and ends the program."""

from black_hole import hanging

NOTES = 558


def test_a_project_on_a_share_that_hangs_is_saved_elsewhere(musician, tmp_path):
    share, other = tmp_path / "share", tmp_path / "other.soli"
    share.mkdir()
    soli = musician("demo")
    soli.waits("the demo", lambda s: len(s["notes"]) == NOTES and not s["busy"])
    soli.saves_as(share / "mine.soli")
    with hanging(share, for_all=True):
        soli.window.key("2")
        soli.window.drag(*soli.point(3.0, 100), *soli.point(4.0, 100))
        soli.waits("a note drawn", lambda s: len(s["notes"]) == NOTES + 1)
        soli.window.key("ctrl+s")
        soli.waits("what it waits for", lambda s: f"waits for an answer from {share}" in s["message"])
        soli.window.drag(*soli.point(5.0, 100), *soli.point(6.0, 100))
        soli.waits("another note drawn", lambda s: len(s["notes"]) == NOTES + 2)
        soli.clicks("Give up")
        soli.waits("that it is not saved", lambda s: "was not saved" in s["message"] and s["title"].startswith("*"))
        soli.saves_as(other, keys="ctrl+shift+s")
        soli.window.key("ctrl+q")
        assert soli.program.wait() == 0
    assert other.exists()
