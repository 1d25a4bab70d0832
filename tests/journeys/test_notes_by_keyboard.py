"""Notes found, edited, sorted into a layer and left out in a real window, without a mouse."""

NOTES = 558


def test_notes_are_found_and_edited_without_a_mouse(musician):
    soli = musician("demo")
    first = soli.waits("the demo", lambda s: len(s["notes"]) == NOTES and not s["busy"])

    soli.window.key("ctrl+f")
    soli.window.type("left bar 5")
    soli.window.key("Return", "ctrl+a")
    seen = soli.waits("the left hand of a bar selected", lambda s: 0 < len(s["selected"]) < 20)
    chosen = [str(note) for note in seen["selected"]]
    assert {seen["layer_of"][note] for note in chosen} == {1}

    soli.window.key("F2")
    soli.window.type("+12")
    soli.window.key("Return")
    seen = soli.waits("the notes an octave higher", lambda s: s["done"])
    assert [seen["notes"][note][0] for note in chosen] == [first["notes"][note][0] + 12 for note in chosen]
    assert all(seen["notes"][note] == first["notes"][note] for note in first["notes"].keys() - set(chosen))

    soli.window.key("alt+1")
    seen = soli.waits("the notes in the right hand", lambda s: len(s["done"]) == 2)
    assert {seen["layer_of"][note] for note in chosen} == {0}
    soli.window.key("x")
    soli.waits("the notes left out", lambda s: len(s["done"]) == 3)
    number = len(chosen)
    last = soli.waits("three steps", lambda s: len(s["done"]) == 3)
    assert last["done"] == [f"transpose {number} notes", f"assign {number} notes to Right hand", f"leave out {number} notes"]

    soli.window.key("ctrl+z", "ctrl+z", "ctrl+z")
    assert soli.waits("all undone", lambda s: not s["done"])["content"] == first["content"]
