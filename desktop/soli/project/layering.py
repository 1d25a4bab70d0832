"""Which notes are heard together: layers by track, by channel, by hand, by a pitch, or one."""

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from soli.errors import InputError
from soli.project.hands import left_hand
from soli.project.state import LAYER_COLOURS, Layer
from soli.score.notes import Note, pitch_name

KINDS = ("track", "channel", "hand", "one", "pitch:60")
RIGHT_HAND, LEFT_HAND = "Right hand", "Left hand"


@dataclass(frozen=True)
class Layering:
    """Layers, and the layer of each note by the note's id."""

    layers: tuple[Layer, ...]
    layer_of: Mapping[int, int]

    def numbered_from(self, first_id: int) -> "Layering":
        """The same with other ids, so that no layer is taken for one that was there before."""
        layers = tuple(replace(layer, id=layer.id + first_id) for layer in self.layers)
        return Layering(layers, {note: layer + first_id for note, layer in self.layer_of.items()})


def split(notes: Iterable[Note], track_names: Sequence[str], kind: str) -> Layering:
    """Sort notes into layers. `kind` is one of "track", "channel", "hand", "one" or "pitch:N" (N a MIDI pitch).

    "hand" takes the tracks when exactly two hold notes, and follows the hands through the notes otherwise (see `hands`). Raises
    InputError for another kind.
    """
    notes = tuple(notes)
    if kind == "hand":
        return _by_hand(notes, track_names)
    if kind == "track":
        return _grouped(notes, lambda n: n.track, lambda track: _track_name(track_names, track))
    if kind == "channel":
        return _grouped(notes, lambda n: n.channel, lambda channel: "Drums" if channel == 9 else f"Channel {channel + 1}")
    if kind == "one":
        return _grouped(notes, lambda _: 0, lambda _: "Notes")
    pitch = re.fullmatch(r"pitch:(\d{1,3})", kind)
    if pitch and int(pitch[1]) <= 127:
        return _at_pitch(notes, int(pitch[1]))
    raise InputError(
        f"layers {kind!r} are not known; choose track, channel, hand, one or pitch:60 (any MIDI pitch from 0 to 127)"
    )


def suggested_kind(notes: Sequence[Note]) -> str:
    """By track when several tracks hold notes, by hand for a single one."""
    return "track" if len({n.track for n in notes}) > 1 else "hand"


def _by_hand(notes: tuple[Note, ...], track_names: Sequence[str]) -> Layering:
    tracks = sorted({n.track for n in notes})
    if len(tracks) != 2:
        left = left_hand([n for n in notes if not n.is_drum])
        return _grouped(notes, lambda n: n.id in left, lambda is_left: LEFT_HAND if is_left else RIGHT_HAND)
    names = {track: _track_name(track_names, track) for track in tracks}
    if not any("right" in name.lower() or "left" in name.lower() for name in names.values()):
        means = {t: sum(n.pitch for n in notes if n.track == t) / sum(n.track == t for n in notes) for t in tracks}
        upper = max(tracks, key=means.__getitem__)
        names = {track: RIGHT_HAND if track == upper else LEFT_HAND for track in tracks}
    return _grouped(notes, lambda n: n.track, names.__getitem__)


def _at_pitch(notes: tuple[Note, ...], pitch: int) -> Layering:
    above, below = f"{pitch_name(pitch)} and above", f"Below {pitch_name(pitch)}"
    return _grouped(notes, lambda n: n.pitch < pitch, lambda low: below if low else above)


def _grouped(notes: tuple[Note, ...], key: Callable[[Note], int], name: Callable[[int], str]) -> Layering:
    keys = sorted({key(n) for n in notes}) or [0]
    names, colours = unique([name(k) for k in keys]), list(LAYER_COLOURS)
    layers = tuple(Layer(i, names[i], colours[i % len(colours)]) for i in range(len(keys)))
    place: dict[Hashable, int] = {k: i for i, k in enumerate(keys)}
    return Layering(layers, {n.id: place[key(n)] for n in notes})


def _track_name(track_names: Sequence[str], track: int) -> str:
    return track_names[track] if track < len(track_names) else f"Track {track + 1}"


def unique(names: Sequence[str]) -> list[str]:
    """The names with a number behind those that stand more than once, whatever the case of their letters."""
    taken: set[str] = set()
    result = []
    for name in names:
        candidate, number = name, 2
        while candidate.casefold() in taken:
            candidate, number = f"{name} {number}", number + 1
        taken.add(candidate.casefold())
        result.append(candidate)
    return result
