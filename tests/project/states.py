"""States and edits for the tests of the project, drawn at random or made by hand."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from soli.decompose.constraints import MaskEdit
from soli.decompose.settings import ModelSettings
from soli.decompose.template_limit import TemplateLimit
from soli.playback.mixer import Strip
from soli.project import commands, layering
from soli.project.commands import Edit
from soli.project.state import ORIGINAL, RESIDUAL, Layer, State
from soli.score.alignment import Alignment, unaligned
from soli.score.notes import Note, Score

SECONDS = st.integers(-3000, 3000).map(lambda ms: ms / 1000)
PITCHES = st.integers(0, 127)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
COLOURS = st.integers(0, 0xFFFFFF).map("#{:06x}".format)
STRIPS = st.builds(
    Strip, gain_db=st.floats(-90, 12) | st.just(float("-inf")), pan=st.floats(-1, 1), muted=st.booleans(), soloed=st.booleans()
)
TOLERANCES = st.none() | st.integers(0, 3000).map(lambda ms: ms / 1000)
FLAGS = st.none() | st.booleans()
LIMITS = st.builds(TemplateLimit, harmonics=st.none() | st.integers(1, 50), tolerance_cents=st.none() | st.floats(1, 600))
SETTINGS = st.builds(
    ModelSettings, iterations=st.integers(1, 99), seed=st.integers(0, 2**63 - 1), harmonics=st.none() | st.integers(1, 50)
)


@st.composite
def a_note(draw: st.DrawFn, note_id: int, layers: int) -> Note:
    onset_s = draw(st.integers(-500, 20_000)) / 1000
    offset_s = onset_s + draw(st.integers(5, 3000)) / 1000
    return Note(
        id=note_id,
        onset_s=onset_s,
        offset_s=offset_s,
        pitch=draw(PITCHES),
        velocity=draw(st.integers(1, 127)),
        track=draw(st.integers(0, 3)),
        channel=draw(st.integers(0, 15)),
        program=draw(PITCHES),
        pedal_s=max(offset_s + draw(st.integers(0, 2000)) / 1000, 0.001) if draw(st.booleans()) else 0.0,
        layer=draw(st.integers(0, layers - 1)),
        before_s=draw(TOLERANCES),
        after_s=draw(TOLERANCES),
    )


@st.composite
def a_stroke(draw: st.DrawFn, layers: tuple[Layer, ...]) -> MaskEdit:
    start_s = draw(st.integers(0, 20_000)) / 1000
    layer = draw(st.sampled_from([None, *(layer.id for layer in layers)]))
    return MaskEdit(draw(PITCHES), start_s, start_s + draw(st.integers(1, 3000)) / 1000, draw(st.booleans()), layer)


@st.composite
def states(draw: st.DrawFn, aligned: bool | None = None) -> State:
    count = draw(st.integers(1, 4))
    # Locks are rare, as they keep edits from doing anything.
    layers = tuple(
        Layer(
            i,
            draw(NAMES),
            draw(COLOURS),
            hidden=draw(st.booleans()),
            locked=draw(st.integers(0, 7)) == 7,
            templates=draw(st.none() | st.integers(0, 2)),
        )
        for i in range(count)
    )
    ids = draw(st.sets(st.integers(0, 30), max_size=8))
    strips = draw(st.dictionaries(st.sampled_from([RESIDUAL, ORIGINAL, *range(count)]), STRIPS))
    notes = {i: draw(a_note(i, count)) for i in sorted(ids)}
    alignment = None
    if aligned if aligned is not None else draw(st.booleans()):
        # Some notes are where the alignment put them, others were moved by the user or are gone.
        elsewhere = draw(st.sets(st.sampled_from([*ids, 31])))
        alignment = an_alignment([draw(a_note(i, count)) if i in elsewhere else notes[i] for i in sorted({*ids} | elsewhere)])
    return State(
        notes=MappingProxyType(notes),
        score=Score(alignment.notes) if alignment else None,
        alignment=alignment,
        anchors=tuple(draw(st.lists(st.tuples(SECONDS, SECONDS), max_size=2))),
        mask=tuple(draw(st.lists(a_stroke(layers), max_size=4))),
        absent=draw(st.frozensets(st.sampled_from(sorted(ids)))) if ids else frozenset(),
        template_limits=MappingProxyType(draw(st.dictionaries(PITCHES, LIMITS, max_size=3))),
        layers=layers,
        strips=MappingProxyType(strips),
        settings=draw(SETTINGS),
    )


def an_alignment(notes: Sequence[Note], absent: Iterable[int] = ()) -> Alignment:
    return replace(unaligned(Score(tuple(notes))), absent=frozenset(absent))


def _realign(draw: st.DrawFn, state: State) -> Edit:
    ids = [note.id for note in state.alignment.notes] if state.alignment else sorted(state.notes)
    alignment = an_alignment([draw(a_note(i, 1)) for i in ids], draw(st.sets(st.sampled_from(ids))) if ids else ())
    return commands.realign(state, alignment, tuple(draw(st.lists(st.tuples(SECONDS, SECONDS), max_size=2))), "align")


def _some(draw: st.DrawFn, state: State) -> list[int]:
    return draw(st.lists(st.sampled_from(sorted(state.notes)), max_size=6)) if state.notes else []


def _layer(draw: st.DrawFn, state: State) -> int:
    return draw(st.sampled_from([layer.id for layer in state.layers])) if state.layers else 0


def _layers(draw: st.DrawFn, state: State) -> list[int]:
    return draw(st.lists(st.sampled_from([layer.id for layer in state.layers]), max_size=3)) if state.layers else []


def _changes(draw: st.DrawFn, state: State) -> Edit:
    values = {
        "onset_s": SECONDS.map(abs),
        "duration_s": st.integers(10, 3000).map(lambda ms: ms / 1000),
        "pitch": PITCHES,
        "velocity": PITCHES,
        "layer": st.just(_layer(draw, state)) if state.layers else st.nothing(),
        "before_s": TOLERANCES,
        "after_s": TOLERANCES,
    }
    wanted = {i: draw(st.fixed_dictionaries({}, optional=values)) for i in _some(draw, state)}
    return commands.alter_notes(state, wanted, "edit notes")


def _paste(draw: st.DrawFn, state: State) -> Edit:
    notes = [*commands.copy_notes(state, _some(draw, state)), *draw(st.lists(a_note(3, 5), max_size=2))]
    layer = draw(st.none() | st.just(_layer(draw, state)))
    return commands.paste_notes(state, notes, draw(SECONDS), draw(st.integers(-140, 140)), layer=layer)


def _split(draw: st.DrawFn, state: State) -> Edit:
    kind = draw(st.sampled_from(layering.KINDS))
    return commands.set_layers(state, layering.split(state.notes.values(), ("Right", "Left"), kind), "split into layers")


def _place(draw: st.DrawFn, state: State) -> Edit:
    notes = tuple(draw(a_note(i, 1)) for i in range(draw(st.integers(0, 3))))
    score = Score(notes)
    layers = layering.split(notes, (), "one").layers
    placed = MappingProxyType({note.id: note for note in notes})
    return commands.place_score(state, score=score, alignment=unaligned(score), notes=placed, layers=layers)


# One a constructor of commands.py: how to draw its arguments for a state.
EDITS: dict[str, Callable[[st.DrawFn, State], Edit]] = {
    "move_notes": lambda draw, s: commands.move_notes(
        s, _some(draw, s), seconds=draw(SECONDS), semitones=draw(st.integers(-140, 140))
    ),
    "stretch_notes": lambda draw, s: commands.stretch_notes(s, _some(draw, s), onset_s=draw(SECONDS), offset_s=draw(SECONDS)),
    "draw_note": lambda draw, s: commands.draw_note(
        s, pitch=draw(st.integers(-5, 140)), onset_s=draw(SECONDS), offset_s=draw(SECONDS), layer=_layer(draw, s)
    ),
    "delete_notes": lambda draw, s: commands.delete_notes(s, _some(draw, s)),
    "set_absent": lambda draw, s: commands.set_absent(s, _some(draw, s), absent=draw(st.booleans())),
    "assign_layer": lambda draw, s: commands.assign_layer(s, _some(draw, s), _layer(draw, s)),
    "paint_mask": lambda draw, s: commands.paint_mask(s, draw(st.lists(a_stroke(s.layers), max_size=3))),
    "split_notes": lambda draw, s: commands.split_notes(s, _some(draw, s), draw(SECONDS)),
    "set_tolerances": lambda draw, s: commands.set_tolerances(
        s,
        _some(draw, s),
        before_s=draw(TOLERANCES | st.just(commands.UNCHANGED)),
        after_s=draw(TOLERANCES | st.just(commands.UNCHANGED)),
        gesture=draw(st.sampled_from(["", "tolerance"])),
    ),
    "alter_notes": _changes,
    "paste_notes": _paste,
    "erase_mask": lambda draw, s: commands.erase_mask(s, draw(st.lists(a_stroke(s.layers), max_size=3))),
    "limit_template": lambda draw, s: commands.limit_template(
        s, draw(st.lists(st.sampled_from([*s.template_limits, 60]), max_size=3)), draw(st.none() | LIMITS)
    ),
    "merge_layers": lambda draw, s: commands.merge_layers(s, _layers(draw, s), _layer(draw, s)),
    "move_layer": lambda draw, s: commands.move_layer(s, _layer(draw, s), draw(st.integers(-2, 6))),
    "set_layer_flags": lambda draw, s: commands.set_layer_flags(s, _layer(draw, s), hidden=draw(FLAGS), locked=draw(FLAGS)),
    "set_layer_templates": lambda draw, s: commands.set_layer_templates(s, _layers(draw, s), draw(st.none() | st.integers(0, 3))),
    "split_at_pitch": lambda draw, s: commands.split_at_pitch(s, _some(draw, s), draw(PITCHES)),
    "set_program": lambda draw, s: commands.set_program(s, _layer(draw, s), draw(st.integers(0, 127)), "Flute"),
    "set_layers": _split,
    "add_layer": lambda draw, s: commands.add_layer(s, draw(NAMES), _some(draw, s)),
    "alter_layer": lambda draw, s: commands.alter_layer(
        s, _layer(draw, s), name=draw(st.none() | NAMES), colour=draw(st.none() | COLOURS)
    ),
    "remove_layer": lambda draw, s: commands.remove_layer(s, _layer(draw, s), _layer(draw, s)),
    "set_strip": lambda draw, s: commands.set_strip(
        s, _layer(draw, s), draw(STRIPS), gesture=draw(st.sampled_from(["", "gain 0", "gain 1"]))
    ),
    "set_strips": lambda draw, s: commands.set_strips(s, {_layer(draw, s): draw(STRIPS), RESIDUAL: draw(STRIPS)}, "solo"),
    "set_settings": lambda draw, s: commands.set_settings(s, draw(SETTINGS)),
    "place_score": _place,
    "realign": _realign,
}


@st.composite
def an_edit(draw: st.DrawFn, state: State) -> Edit:
    return EDITS[draw(st.sampled_from(sorted(EDITS)))](draw, state)


def content(state: State) -> dict[str, Any]:
    """Everything of a state, to be compared; a copy that no later change can reach."""
    values = {f.name: getattr(state, f.name) for f in fields(State)}
    return {**values, "notes": dict(state.notes), "strips": dict(state.strips), "template_limits": dict(state.template_limits)}


def listing(folder: Path) -> list[str]:
    """Names of everything in a folder, hidden or not."""
    return sorted(path.name for path in folder.iterdir())
