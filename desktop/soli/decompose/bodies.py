"""What may sound, in seconds: the notes with their tolerances, cut and extended by the mask brush."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from soli.decompose.instruments import Family, family, is_keyboard
from soli.decompose.settings import Grouping, ModelSettings
from soli.decompose.template_limit import TemplateLimit
from soli.score.notes import DRUM_CHANNEL, Note

IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]
Times: TypeAlias = NDArray[np.float64]

NO_LIMITS: Mapping[int, TemplateLimit] = MappingProxyType({})
PAINTED = -1
# Layer and note of what is found along but wanted in no layer.
PHANTOM = -3
_PAINTED_VELOCITY = 80
NO_SETS: Mapping[int, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class MaskEdit:
    """One stroke of the mask brush, in seconds of the recording, so that it survives a new hop size.

    With `allow`, `pitch` may sound in `layer` from start_s to end_s (layer None: in the layer of the nearest note).
    Without it the pitch may not sound there: in no layer, or only not in `layer`.
    """

    pitch: int
    start_s: float
    end_s: float
    allow: bool
    layer: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """The notes that share templates: one instrument, by its General MIDI program."""

    program: int
    is_drum: bool = False

    @property
    def family(self) -> Family:
        return family(self.program, is_drum=self.is_drum)


@dataclass(frozen=True, eq=False)
class ScoreInformation:
    """What is known of a recording before it is decomposed: what may sound in it, and when.

    notes: in the recording's seconds. edits: the strokes of the mask brush, in order, later ones win.
    unwanted: notes that no layer shall hold, see `modelled`. limits: what the templates of some pitches may be, by pitch.
    sets: the sets of templates that layers share, see `parts`.
    """

    notes: Sequence[Note]
    edits: Sequence[MaskEdit] = ()
    unwanted: Sequence[Note] = ()
    limits: Mapping[int, TemplateLimit] = field(default_factory=lambda: NO_LIMITS)
    sets: Mapping[int, int] = field(default_factory=lambda: NO_SETS)


@dataclass(frozen=True, eq=False)
class Bodies:
    """The stretches of time in which something may sound, as columns of one length.

    pitch, layer, part (index into `parts`), velocity, note (a note's id, PAINTED for the brush): int64. Layer and note are
    PHANTOM for what the model is to find along but no layer shall hold.
    start_s, end_s: where it may sound; onset_s, offset_s: the note itself; float64, seconds of the recording.
    limits: what the templates of a pitch may be, by pitch.
    """

    pitch: IntArray
    layer: IntArray
    part: IntArray
    velocity: IntArray
    note: IntArray
    start_s: Times
    end_s: Times
    onset_s: Times
    offset_s: Times
    parts: tuple[Part, ...]
    limits: Mapping[int, TemplateLimit] = field(default_factory=lambda: NO_LIMITS)

    def __len__(self) -> int:
        return len(self.pitch)

    @property
    def wanted(self) -> BoolArray:
        """Which rows are some layer's, shape (len(self),)."""
        wanted: BoolArray = self.layer != PHANTOM
        return wanted

    def of_layers(self, *layers: int) -> BoolArray:
        """Which rows sound in one of `layers`, shape (len(self),)."""
        return np.isin(self.layer, layers)

    def of_notes(self, ids: Sequence[int]) -> BoolArray:
        """Which rows belong to the notes `ids`, shape (len(self),)."""
        return np.isin(self.note, np.asarray(ids, np.int64))


COLUMNS = ("pitch", "layer", "part", "velocity", "note", "start_s", "end_s", "onset_s", "offset_s")
_INTEGERS = attrgetter("id", "pitch", "velocity", "track", "channel", "program", "layer")
_SECONDS = attrgetter("onset_s", "offset_s", "pedal_s", "before_s", "after_s")


def parts(
    notes: Sequence[Note], *, grouping: Grouping = "instrument", sets: Mapping[int, int] = NO_SETS
) -> tuple[IntArray, tuple[Part, ...]]:
    """Which template group each note belongs to (int64, one a note), and the groups.

    By `instrument`: keyboard notes of one program share a part over tracks and channels, as the two hands of a piano do;
    other instruments have one for each track, channel and program; all drums are one part.
    By `track`: each track is kept apart. As `one`: all pitched notes share the templates of the first program.
    `sets`, the number of a set of templates by layer, goes before all that: layers of one number share a part, and no others
    do; drums stay apart from what is pitched. The program of such a part is that of most of its notes, of equals the lowest.
    """
    columns = np.array(list(map(_INTEGERS, notes)), np.int64).reshape(-1, 7)
    return _parts(columns, grouping, sets)


def _parts(columns: IntArray, grouping: Grouping, sets: Mapping[int, int]) -> tuple[IntArray, tuple[Part, ...]]:
    if len(columns) == 0:
        return np.zeros(0, np.int64), ()
    track, channel, program, layer = columns[:, 3:].T
    drum = channel == DRUM_CHANNEL
    key = np.stack([drum, np.zeros_like(track), program, track, channel]).astype(np.int64)
    if grouping == "one":
        pitched = np.flatnonzero(~drum)
        key[2:] = 0
        key[2] = program[pitched[0]] if len(pitched) else 0
    elif grouping == "instrument":
        keyboard = np.array([is_keyboard(p) for p in range(128)])[np.clip(program, 0, 127)]
        key[3:, keyboard] = 0
    key[2:, drum] = 0
    numbers = {number: n for n, number in enumerate(sorted(set(sets.values())), 1)}
    for layer_id, number in sets.items():
        key[1, layer == layer_id] = numbers[number]
    key[2:, key[1] > 0] = 0
    # One number a note: finding its like is ten times faster than among rows of a matrix.
    low = key.min(axis=1, keepdims=True)
    flat = np.ravel_multi_index(tuple(key - low), tuple((key - low).max(axis=1) + 1))
    _, first, index = np.unique(flat, return_index=True, return_inverse=True)
    index = index.reshape(-1)
    for n in np.flatnonzero((key[1, first] > 0) & ~drum[first]).tolist():
        key[2, first[n]] = np.bincount(np.clip(program[index == n], 0, 127)).argmax()
    return index.astype(np.int64), tuple(Part(int(key[2, n]), bool(key[0, n])) for n in first)


def bodies(
    notes: Sequence[Note],
    edits: Sequence[MaskEdit] = (),
    settings: ModelSettings | None = None,
    *,
    limits: Mapping[int, TemplateLimit] = NO_LIMITS,
    sets: Mapping[int, int] = NO_SETS,
) -> Bodies:
    """What may sound in layers, exactly: the roll draws it and the engine quantises it to frames.

    `notes` are in the recording's seconds. Edits apply in order, later ones win. A note's own tolerances go before
    those of the settings, and those before the ones of its instrument. `limits` are those of templates, by pitch, `sets` the
    sets of templates that layers share, see `parts`.
    """
    result = _placed(notes, settings or ModelSettings(), limits, sets)
    for edit in edits:
        result = _allowed(result, edit) if edit.allow else _forbidden(result, edit)
    return result


def modelled(known: ScoreInformation, settings: ModelSettings | None = None) -> Bodies:
    """What the engine explains the sound with: the `bodies`, and phantoms beside them where the settings ask for these.

    A phantom stands for what is wanted in no layer: notes that are unwanted, and what strokes have cut off from bodies. Such
    tones are most often in the sound. What the model finds of them goes to the residual; without, other notes would take it, and
    their templates would learn it. Where a layer may sound the same pitch of the same part it has all of it.
    """
    settings = settings or ModelSettings()
    if settings.forbidden == "unmodelled":
        return bodies(known.notes, known.edits, settings, limits=known.limits, sets=known.sets)
    ids = {note.id for note in known.unwanted}
    # In the order of time: leaving a note out alters its row, and moves no others.
    both = (*known.notes, *known.unwanted)
    everything = sorted(both, key=lambda note: (note.onset_s, note.id)) if ids else known.notes
    rows = _placed(everything, settings, known.limits, known.sets)
    if ids:
        gone = rows.of_notes([*ids])
        rows = replace(rows, layer=np.where(gone, PHANTOM, rows.layer), note=np.where(gone, PHANTOM, rows.note))
    for edit in known.edits:
        rows = _allowed(rows, edit) if edit.allow else _forbidden(rows, edit, phantoms=True)
    return rows


def _placed(
    notes: Sequence[Note], settings: ModelSettings, limits: Mapping[int, TemplateLimit], sets: Mapping[int, int]
) -> Bodies:
    """The notes with their tolerances."""
    integers = np.array(list(map(_INTEGERS, notes)), np.int64).reshape(-1, 7)
    seconds = np.array(list(map(_SECONDS, notes)), np.float64).reshape(-1, 5)
    part, groups = _parts(integers, settings.grouping, sets)
    onset = seconds[:, 0]
    # A pedal of 0 is none, also for notes placed before the recording begins.
    offset = np.maximum(onset, np.maximum(seconds[:, 1], np.where(seconds[:, 2] > 0, seconds[:, 2], -np.inf)))
    drum = integers[:, 4] == DRUM_CHANNEL
    # By the note's own instrument, whatever it shares templates with.
    played, kind = np.unique(np.stack([np.where(drum, 0, integers[:, 5]), drum]), axis=1, return_inverse=True)
    families = [family(program, is_drum=bool(is_drum)) for program, is_drum in played.T.tolist()]
    before = np.array([f.before_s if settings.before_s is None else settings.before_s for f in families])
    after = np.array([f.after_s if settings.after_s is None else settings.after_s for f in families])
    # How long a drum is held says nothing: it rings as it will.
    offset = np.where(drum, onset, offset)
    return Bodies(
        pitch=integers[:, 1],
        layer=integers[:, 6],
        part=part,
        velocity=integers[:, 2],
        note=integers[:, 0],
        start_s=onset - _chosen(seconds[:, 3], before, kind.reshape(-1)),
        end_s=offset + _chosen(seconds[:, 4], after, kind.reshape(-1)),
        onset_s=onset,
        offset_s=offset,
        parts=groups,
        limits=limits,
    )


def _chosen(own: Times, usual: Times, kind: IntArray) -> Times:
    """The notes' own tolerances where they are set (NaN: not), else those of their kind of instrument."""
    result: Times = np.where(np.isnan(own), usual[kind], own) if len(kind) else own
    return result


def _forbidden(rows: Bodies, edit: MaskEdit, *, phantoms: bool = False) -> Bodies:
    if not edit.end_s > edit.start_s:
        return rows
    if edit.start_s <= 0:  # a stroke from the very beginning leaves nothing that begins before it
        edit = replace(edit, start_s=-np.inf)
    hit = rows.wanted & (rows.pitch == edit.pitch) & (rows.start_s < edit.end_s) & (rows.end_s > edit.start_s)
    if edit.layer is not None:
        hit &= rows.layer == edit.layer
    if not hit.any():
        return rows
    left, right = hit & (rows.start_s < edit.start_s), hit & (rows.end_s > edit.end_s)
    pieces = [np.flatnonzero(~hit), np.flatnonzero(left), np.flatnonzero(right), np.flatnonzero(hit & phantoms)]
    order = np.concatenate(pieces)
    ends = np.cumsum([len(piece) for piece in pieces])
    columns = {name: getattr(rows, name)[order] for name in COLUMNS}
    columns["end_s"][ends[0] : ends[1]] = edit.start_s
    columns["start_s"][ends[1] : ends[2]] = edit.end_s
    off = slice(ends[2], None)
    columns["start_s"][off] = np.maximum(columns["start_s"][off], edit.start_s)
    columns["end_s"][off] = np.minimum(columns["end_s"][off], edit.end_s)
    columns["layer"][off] = columns["note"][off] = PHANTOM
    return replace(rows, **columns)


def _allowed(rows: Bodies, edit: MaskEdit) -> Bodies:
    if not edit.end_s > edit.start_s:
        return rows
    groups = rows.parts or (Part(0),)
    wanted = rows.wanted
    same_layer = rows.layer == edit.layer if edit.layer is not None else wanted
    pitched = ~np.array([group.is_drum for group in groups], bool)[rows.part]
    part, layer = 0, edit.layer if edit.layer is not None else 0
    # The stroke sounds with the templates of what lies nearest, of its own layer where there is one.
    same_pitch = rows.pitch == edit.pitch
    for candidates in (same_layer & same_pitch, same_layer & pitched, same_layer, wanted & pitched, wanted, pitched | True):
        near = np.flatnonzero(candidates)
        if len(near):
            gap = np.maximum(rows.start_s[near] - edit.end_s, edit.start_s - rows.end_s[near])
            gap = np.maximum(gap, 0.0)
            near = near[gap == gap.min()]
            # Among equals the first in time: phantoms and strokes have put the rows in another order.
            nearest = near[np.lexsort((rows.note[near], rows.onset_s[near]))[0]]
            part = int(rows.part[nearest])
            layer = edit.layer if edit.layer is not None else max(0, int(rows.layer[nearest]))
            break
    painted = {
        "pitch": edit.pitch,
        "layer": layer,
        "part": part,
        "velocity": _PAINTED_VELOCITY,
        "note": PAINTED,
        "start_s": edit.start_s,
        "end_s": edit.end_s,
        "onset_s": edit.start_s,
        "offset_s": edit.end_s,
    }
    columns: dict[str, Any] = {
        name: np.append(getattr(rows, name), np.array(painted[name], getattr(rows, name).dtype)) for name in COLUMNS
    }
    return replace(rows, **columns, parts=groups)
