"""The main job in a real window, by mouse and keys: recording and score in, layers heard and exported."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

HERE = Path(__file__).parent
DEMO = HERE.parents[1] / "resources" / "demo"


def sdr_db(truth: np.ndarray, estimate: np.ndarray) -> float:
    truth, estimate = truth.mean(axis=1), estimate.mean(axis=1)
    return 10 * np.log10((truth @ truth) / ((truth - estimate) @ (truth - estimate)))


def test_the_main_job(musician, tmp_path):
    soli = musician("demo")
    soli.waits("the demo", lambda s: len(s["notes"]) == 558 and not s["busy"])
    assert soli.sees["layers"] == ["Right hand", "Left hand"]

    soli.clicks("Decompose")
    soli.waits("the layers", lambda s: s["separated"] and not s["busy"])

    soli.clicks("Solo Left hand")
    soli.waits("the solo", lambda s: s["soloed"] == ["Left hand"])
    soli.window.click(*soli.point(4.6, 100))
    soli.clicks("Time ruler")
    soli.window.key("space")
    seen = soli.waits("the music", lambda s: s["playing"] and s["peaks"] and s["peaks"][1] > 0.01)
    assert seen["peaks"][0] == 0.0, "the right hand is heard although the left one is soloed"
    soli.window.key("space")
    soli.waits("silence", lambda s: not s["playing"])

    notes = soli.sees["notes"]
    soli.window.key("5")
    soli.window.drag(*soli.point(6.0, 52), *soli.point(7.0, 52))
    (stroke,) = soli.waits("a stroke of the brush", lambda s: s["mask"])["mask"]
    assert stroke[0] == 52
    assert stroke[1:3] == pytest.approx([6.0, 7.0], abs=0.05)
    assert soli.sees["done"][-1] == "allow E3"
    soli.waits("the layers that follow", lambda s: not s["stale"] and not s["busy"])
    soli.window.key("ctrl+z")
    soli.waits("the stroke undone", lambda s: not s["mask"] and not s["stale"] and not s["busy"])
    assert soli.sees["notes"] == notes

    soli.clicks("Solo Left hand")
    soli.window.key("ctrl+shift+e")
    soli.waits("the export dialog", lambda s: s["dialog"] == "Export layers")
    soli.clicks("Folder", times=3)
    soli.window.type(str(tmp_path / "stems"))
    soli.clicks("Export")
    soli.waits("the export", lambda s: "Exported 3 files" in s["message"])

    recording, rate = soundfile.read(DEMO / "recording.flac", always_2d=True)
    stems = {}
    for name in ("Right hand", "Left hand", "residual"):
        stems[name], stem_rate = soundfile.read(tmp_path / "stems" / f"{name}.wav", always_2d=True)
        assert stem_rate == rate
        assert stems[name].shape == recording.shape
    assert {p.name for p in (tmp_path / "stems").iterdir()} == {f"{name}.wav" for name in stems}
    assert np.abs(sum(stems.values()) - recording).max() < 1e-5
    for name, least_db in (("right", 12.0), ("left", 9.0)):
        truth, _ = soundfile.read(DEMO / f"stem_{name}.flac", always_2d=True)
        assert sdr_db(truth, stems[f"{name.capitalize()} hand"]) > least_db


def test_notes_are_edited_saved_and_found_again(musician, tmp_path):
    soli = musician()
    soli.clicks("Try the demo")
    before = soli.waits("the demo", lambda s: len(s["notes"]) == 558 and not s["busy"])["notes"]
    # A left-hand note of the fifth bar with room around it.
    note, (pitch, onset_s, offset_s) = min(((i, n) for i, n in before.items() if 4.0 < n[1] < 6.0), key=lambda item: item[1][0])
    middle = (onset_s + offset_s) / 2

    soli.window.drag(*soli.point(middle, pitch), *soli.point(middle, pitch - 2))
    soli.waits("the note moved", lambda s: s["notes"][note][0] == pitch - 2)
    x, y = soli.point(offset_s, pitch - 2)
    soli.window.drag(x - 2, y, x + 40, y)
    soli.waits("the note stretched", lambda s: s["notes"][note][2] > offset_s + 0.1)
    soli.window.key("2")
    soli.window.drag(*soli.point(1.0, 100), *soli.point(1.5, 100))
    soli.waits("a note drawn", lambda s: len(s["notes"]) == 559)
    soli.window.key("4")
    soli.window.click(*soli.point(middle, pitch - 2))
    soli.waits("the note erased", lambda s: note not in s["notes"])
    assert soli.sees["done"] == ["move note", "lengthen note", "draw note", "delete note"]

    soli.saves_as(tmp_path / "mine.soli")

    for _ in range(4):
        soli.window.key("ctrl+z")
    soli.waits("all undone", lambda s: s["notes"] == before and not s["done"])
    for _ in range(4):
        soli.window.key("ctrl+shift+z")
    after = soli.waits("all redone", lambda s: len(s["done"]) == 4)["notes"]

    again = musician(tmp_path / "mine.soli")
    assert again.waits("the project", lambda s: s["notes"] and not s["busy"])["notes"] == after


def test_what_cannot_be_opened_is_said_and_the_window_lives(musician, tmp_path):
    (tmp_path / "noise.wav").write_bytes(b"this is no sound")
    soli = musician(tmp_path / "noise.wav", DEMO / "score.mid")
    soli.waits("the message", lambda s: "noise.wav" in s["message"])
    soli.clicks("Close this message")
    soli.waits("the message gone", lambda s: "noise.wav" not in s["message"])
    soli.clicks("Try the demo")
    soli.waits("the demo", lambda s: len(s["notes"]) == 558)
