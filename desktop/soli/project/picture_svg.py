"""The piano roll as SVG: the notes as shapes that can be restyled, over the spectrogram as an image."""

from base64 import b64encode
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from soli.project.picture_ground import Ground, doubled, ground, visible_notes
from soli.project.png import png
from soli.project.state import State
from soli.score.notes import pitch_name
from soli.signal.log_spectrogram import LOWEST_PITCH, ROWS, ROWS_PER_SEMITONE

MARGIN, RULER, LEGEND = 44, 24, 30  # pixels: keys on the left, seconds above, layers below
INK, QUIET_INK, PAPER = "#E8ECF4", "#8A93A6", "#0D0F14"
_LEAST_SPACE = 60  # pixels between two seconds on the ruler
_STEPS_S = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800)


def svg(state: State) -> str:
    """The whole piece as one SVG document: a group for each layer, named after it, a rectangle for each note.

    Raises InputError where there is no recording.
    """
    under = ground(state)
    width, height = under.pixels.shape[1], 2 * ROWS
    whole = f"{MARGIN + width} {RULER + height + LEGEND}"
    image = b64encode(png(doubled(under.pixels))).decode()
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{MARGIN + width}" height="{RULER + height + LEGEND}" '
        f'viewBox="0 0 {whole}" font-family="Inter, sans-serif" font-size="11">',
        f'<rect width="{MARGIN + width}" height="{RULER + height + LEGEND}" fill="{PAPER}"/>',
        *_ruler(under, width),
        *_keys(),
        f'<g transform="translate({MARGIN} {RULER})">',
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{image}"/>',
        *_notes(state, under),
        "</g>",
        *_legend(state, RULER + height + 20),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _notes(state: State, under: Ground) -> Iterator[str]:
    notes, width = visible_notes(state), under.pixels.shape[1]
    names = {layer.id: (layer.name, layer.colour) for layer in state.layers}
    for layer in [*names, *sorted({note.layer for note in notes} - names.keys())]:
        name, colour = names.get(layer, ("Notes", INK))
        yield f"<g fill={quoteattr(colour)} data-layer={quoteattr(_plain(name))}>"
        for note in sorted((n for n in notes if n.layer == layer), key=lambda n: (n.onset_s, n.pitch)):
            left, top, right, bottom = under.box(note)
            if bottom <= 0 or top >= ROWS or right <= 0 or left >= width:
                continue  # nowhere on the roll
            left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, ROWS)
            opacity = 0.3 if note.id in state.absent else 0.85
            what = escape(
                f"{state.pitch_name(note.pitch, note.onset_s)}, {note.onset_s:.2f} to {note.offset_s:.2f} s, {_plain(name)}"
            )
            yield (
                f'<rect x="{left}" y="{2 * top}" width="{right - left}" height="{2 * (bottom - top)}" rx="2" '
                f'fill-opacity="{opacity}"><title>{what}</title></rect>'
            )
        yield "</g>"


def _ruler(under: Ground, width: int) -> Iterator[str]:
    step_s = next((s for s in _STEPS_S if s / under.column_s >= _LEAST_SPACE), _STEPS_S[-1])
    for number in range(int(width * under.column_s / step_s) + 1):
        time_s = number * step_s
        said = f"{time_s:g} s" if time_s < 60 else f"{int(time_s // 60)}:{time_s % 60:02.0f}"
        yield f'<text x="{MARGIN + time_s / under.column_s:.0f}" y="16" fill="{QUIET_INK}">{said}</text>'


def _keys() -> Iterator[str]:
    for pitch in range(LOWEST_PITCH, LOWEST_PITCH + ROWS // ROWS_PER_SEMITONE):
        if pitch % 12 == 0:
            y = RULER + 2 * (ROWS - (pitch - LOWEST_PITCH) * ROWS_PER_SEMITONE)
            yield f'<text x="{MARGIN - 8}" y="{y}" fill="{QUIET_INK}" text-anchor="end">{pitch_name(pitch)}</text>'


def _legend(state: State, y: int) -> Iterator[str]:
    x = MARGIN
    for layer in state.layers:
        if not layer.hidden:
            yield f'<rect x="{x}" y="{y - 9}" width="10" height="10" rx="2" fill={quoteattr(layer.colour)}/>'
            yield f'<text x="{x + 15}" y="{y}" fill="{INK}">{escape(_plain(layer.name))}</text>'
            x += 40 + 7 * len(layer.name)


def _plain(name: str) -> str:
    """A name without the signs that XML has no way to hold."""
    return "".join(c for c in name if c.isprintable())
