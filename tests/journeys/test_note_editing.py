"""Every hand tool in a real window, one after the other; then all of it undone and done again."""

import pytest

# What the document has at the start, and a place above its notes there, below where messages lie.
NOTES = 558
PITCH, ONSET_S, OFFSET_S = 92, 3.0, 4.0


def test_draw_move_stretch_tolerate_split_brush_erase_assign_and_back(musician):
    soli = musician("demo")
    first = soli.waits("the demo", lambda s: len(s["notes"]) == NOTES and not s["busy"])

    soli.window.key("2")
    soli.window.drag(*soli.point(ONSET_S, PITCH), *soli.point(OFFSET_S, PITCH))
    seen = soli.waits("a note drawn", lambda s: len(s["notes"]) == NOTES + 1)
    (note,) = seen["notes"].keys() - first["notes"].keys()
    assert seen["notes"][note][1:] == pytest.approx([ONSET_S, OFFSET_S], abs=0.05)
    assert seen["selected"] == [int(note)]

    soli.window.key("1")
    soli.window.drag(*soli.point(3.5, PITCH), *soli.point(4.5, PITCH - 2))
    seen = soli.waits("the note moved", lambda s: s["notes"][note][0] == PITCH - 2)
    pitch, onset_s, offset_s = seen["notes"][note]
    assert onset_s == pytest.approx(ONSET_S + 1, abs=0.05)

    x, y = soli.point(offset_s, pitch)
    soli.window.drag(x - 2, y, x + 30, y)
    offset_s = soli.waits("the note stretched", lambda s: s["notes"][note][2] > offset_s + 0.3)["notes"][note][2]

    soli.window.key("z", "minus")
    soli.waits("the note near", lambda s: s["view"][1] > 200)
    x, y = soli.point(onset_s - 0.12, pitch)  # a piano note may sound 120 ms before its onset
    soli.window.drag(x, y, x - 40, y)
    seen = soli.waits("a longer tolerance", lambda s: s["tolerances"][note][0] is not None)
    assert seen["tolerances"][note] == [pytest.approx(0.12 + 40 / seen["view"][1], abs=0.02), None]

    middle_s = (onset_s + offset_s) / 2
    soli.window.key("3")
    soli.window.click(*soli.point(middle_s, pitch))
    seen = soli.waits("the note cut", lambda s: len(s["notes"]) == NOTES + 2)
    (later,) = seen["notes"].keys() - first["notes"].keys() - {note}
    assert seen["notes"][note][2] == seen["notes"][later][1] == pytest.approx(middle_s, abs=0.02)

    soli.window.key("5")
    soli.window.drag(*soli.point(onset_s, pitch + 2), *soli.point(middle_s, pitch + 2))
    (stroke,) = soli.waits("a stroke of the brush", lambda s: s["mask"])["mask"]
    assert stroke[0] == pitch + 2

    soli.window.key("4")
    soli.window.click(*soli.point((middle_s + offset_s) / 2, pitch))
    soli.waits("the later part erased", lambda s: later not in s["notes"])

    soli.window.key("1")
    soli.window.click(*soli.point((onset_s + middle_s) / 2, pitch))
    soli.waits("the first part selected", lambda s: s["selected"] == [int(note)])
    soli.window.key("alt+2")
    last = soli.waits("the note in the left hand", lambda s: s["layer_of"][note] == 1)
    assert last["done"] == [
        "draw note",
        "move note",
        "lengthen note",
        "widen tolerance",
        "split note",
        "allow A♭6",
        "delete note",
        "assign note to Left hand",
    ]

    for _ in last["done"]:
        soli.window.key("ctrl+z")
    assert soli.waits("all undone", lambda s: not s["done"])["content"] == first["content"]
    for _ in last["done"]:
        soli.window.key("ctrl+shift+z")
    again = soli.waits("all done again", lambda s: s["done"] == last["done"])
    assert again["content"] == last["content"]


def test_copies_pastes_and_snaps_by_keys(musician):
    soli = musician("demo")
    first = soli.waits("the demo", lambda s: len(s["notes"]) == NOTES and not s["busy"])
    note, (pitch, onset_s, offset_s) = min(first["notes"].items(), key=lambda item: (item[1][0], item[1][1]))
    soli.window.click(*soli.point((onset_s + offset_s) / 2, pitch))
    soli.waits("a note selected", lambda s: s["selected"] == [int(note)])
    soli.window.key("ctrl+c")
    soli.clicks("Time ruler")
    seen = soli.waits("the playhead moved", lambda s: s["position_s"] > 1)
    soli.window.key("ctrl+v")
    pasted = soli.waits("a copy", lambda s: len(s["notes"]) == NOTES + 1)
    (copy,) = pasted["notes"].keys() - first["notes"].keys()
    assert pasted["notes"][copy][:2] == [pitch, pytest.approx(seen["position_s"], abs=0.01)]

    soli.window.key("g", "g")  # the second way to snap: onsets
    soli.clicks("Snap to: Onsets in the sound", button=3)  # it says so
    x, y = soli.point((onset_s + offset_s) / 2, pitch)
    soli.window.drag(x, y, x, y - 40, modifiers=["ctrl"])
    soli.waits("a copy by hand", lambda s: s["done"][-1] == "copy note")
    soli.window.key("ctrl+z", "ctrl+z")
    assert soli.waits("all undone", lambda s: not s["done"])["content"] == first["content"]
