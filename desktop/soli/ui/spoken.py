"""Notes in words, as a screen reader should say them."""

SIGNS = {"♯": " sharp", "♭": " flat"}


def spoken_pitch(name: str) -> str:
    """The pitch C♯4 as "C sharp 4"."""
    letter, sign = name[0], SIGNS.get(name[1], "")
    octave = name[2:] if sign else name[1:]
    return f"{letter}{sign} {octave.replace('-', 'minus ')}"


def spoken_note(name: str, *, bar: int | None = None, layer: str = "", marks: tuple[str, ...] = ()) -> str:
    """The note of a pitch's name as "C sharp 4, bar 12, left hand, muted".

    `marks` are what else there is to say of it; empty ones are left out.
    """
    parts = (spoken_pitch(name), f"bar {bar}" if bar is not None else "", layer, *marks)
    return ", ".join(part for part in parts if part)


def marks_of(*, silent: bool, absent: bool, locked: bool = False, hidden: bool = False) -> tuple[str, ...]:
    """What else there is to say of a note."""
    said = {"muted": silent, "left out": absent, "locked": locked, "hidden": hidden}
    return tuple(word for word, holds in said.items() if holds)


def sentence(text: str) -> str:
    """`text` with a capital, unless it begins with the name of a file."""
    names_file = text.split(" ", 1)[0].endswith(":")
    return text if names_file else text[:1].upper() + text[1:]
