"""What a project holds, as one immutable value: recording, score, notes, mask edits, layers, mix and settings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from soli.decompose.constraints import MaskEdit
from soli.decompose.settings import ModelSettings
from soli.decompose.template_limit import TemplateLimit
from soli.playback.mixer import Strip
from soli.score.alignment import Alignment
from soli.score.limits import LIMITS, Limits
from soli.score.notes import Beat, KeySignature, Note, Score, pitch_name
from soli.signal.audio import Audio

# Strips that every project has beside its layers.
RESIDUAL = -1
ORIGINAL = -2

LAYER_COLOURS = {
    "#5ABBF8": "Sky",
    "#F4828F": "Rose",
    "#6FD08C": "Green",
    "#C79BF2": "Violet",
    "#4FD1C5": "Teal",
    "#F2A65A": "Orange",
    "#E58FD0": "Pink",
    "#A8C256": "Lime",
}


@dataclass(frozen=True, slots=True)
class Layer:
    """A group of notes that is heard on its own. `colour` is "#rrggbb".

    hidden: it is not shown on the roll. locked: its notes and strokes cannot be edited. templates: layers with the same number
    share one set of templates; None is by the instruments of its notes.
    """

    id: int
    name: str
    colour: str
    hidden: bool = False
    locked: bool = False
    templates: int | None = None


@dataclass(frozen=True, eq=False)
class State:
    """Everything the user owns. Edits make a new State; what they leave alone is shared between old and new.

    `notes` are in the recording's seconds, by id, as aligned and edited by the user. Those whose ids are in `absent` are
    left out of all layers: by the alignment, where the recording lacks them, or by hand. `anchors` are pairs of score seconds and
    recording seconds that the user made sure of, `limits` the slowest and fastest local tempo that the alignment may take, as
    parts of that of the whole piece. `template_limits` are by pitch.
    """

    recording_path: Path | None = None
    audio: Audio | None = None
    score_path: Path | None = None
    score: Score | None = None
    alignment: Alignment | None = None
    notes: Mapping[int, Note] = field(default_factory=lambda: MappingProxyType({}))
    absent: frozenset[int] = frozenset()
    anchors: tuple[tuple[float, float], ...] = ()
    limits: Limits = LIMITS
    mask: tuple[MaskEdit, ...] = ()
    template_limits: Mapping[int, TemplateLimit] = field(default_factory=lambda: MappingProxyType({}))
    layers: tuple[Layer, ...] = ()
    strips: Mapping[int, Strip] = field(default_factory=lambda: MappingProxyType({}))
    settings: ModelSettings = field(default_factory=ModelSettings)

    @property
    def duration_s(self) -> float:
        """How long the piece is: the recording, or the notes where there is none."""
        if self.audio is not None:
            return self.audio.duration_s
        return max((n.sounding_offset_s for n in self.notes.values()), default=0.0)

    def layer(self, layer_id: int) -> Layer | None:
        return next((layer for layer in self.layers if layer.id == layer_id), None)

    def strip(self, strip_id: int) -> Strip:
        """The mixer strip of a layer, of RESIDUAL or of ORIGINAL; at unity where nothing was set, the original muted."""
        return self.strips.get(strip_id, Strip(muted=strip_id == ORIGINAL))

    def heard_strip(self, strip_id: int) -> Strip:
        """The same as it sounds: the original is muted because it is no part of the mix, and soloed it is heard all the same."""
        strip = self.strip(strip_id)
        return replace(strip, muted=False) if strip_id == ORIGINAL and strip.soloed else strip

    def next_note_id(self) -> int:
        """An id that no note has, nor had in the score: what is known of a deleted note is not true of a new one."""
        scored = self.score.notes if self.score else ()
        return max([*self.notes, *(note.id for note in scored)], default=-1) + 1

    def next_layer_id(self) -> int:
        return max((layer.id for layer in self.layers), default=-1) + 1

    def next_template_group(self) -> int:
        """A number for `Layer.templates` that no layer has."""
        return max((layer.templates for layer in self.layers if layer.templates is not None), default=-1) + 1

    @property
    def locked_layers(self) -> frozenset[int]:
        return frozenset(layer.id for layer in self.layers if layer.locked)

    @property
    def hidden_layers(self) -> frozenset[int]:
        return frozenset(layer.id for layer in self.layers if layer.hidden)

    def editable(self, ids: Iterable[int]) -> list[int]:
        """Those of the notes `ids` that are there and in no locked layer, each once, in order."""
        locked = self.locked_layers
        return [i for i in sorted(set(ids)) if i in self.notes and self.notes[i].layer not in locked]

    def keys(self) -> tuple[KeySignature, ...]:
        """The key signatures of the score at their places in the recording."""
        keys = self.score.keys if self.score is not None else ()
        # That of a whole piece needs no place.
        if self.alignment is None or len(keys) < 2:
            return keys
        to_recording = self.alignment.time_map.to_recording
        return tuple(replace(key, time_s=float(to_recording(key.time_s))) for key in keys)

    def beats(self) -> tuple[Beat, ...]:
        """The beats of the score at their places in the recording."""
        beats = self.score.beats if self.score is not None else ()
        if self.alignment is None or not beats:
            return beats
        times_s = self.alignment.time_map.to_recording(np.array([beat.time_s for beat in beats]))
        return tuple(replace(beat, time_s=time_s) for beat, time_s in zip(beats, times_s.tolist(), strict=True))

    def pitch_name(self, pitch: int, time_s: float = 0.0) -> str:
        """Name of a MIDI pitch as the key signature spells it that holds at `time_s`, in seconds of the recording."""
        keys = self.keys()
        known = [key for key in keys if key.time_s <= time_s + 1e-6] or list(keys[:1])
        return pitch_name(pitch, known[-1].fifths if known else None)

    def present_notes(self) -> list[Note]:
        """The notes that the model is to find, ordered by onset."""
        return sorted((n for n in self.notes.values() if n.id not in self.absent), key=lambda n: (n.onset_s, n.id))


def free_colour(layers: tuple[Layer, ...]) -> str:
    """The first colour that no layer has yet; they repeat when all are taken."""
    taken = {layer.colour for layer in layers}
    return next((c for c in LAYER_COLOURS if c not in taken), list(LAYER_COLOURS)[len(layers) % len(LAYER_COLOURS)])
