"""Layers from the score: every note in exactly one of them, whatever the score."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soli.errors import InputError
from soli.project.layering import KINDS, split, suggested_kind, unique
from soli.score.notes import Note

NOTES = st.lists(
    st.builds(
        Note, st.just(0), st.just(0.0), st.just(1.0), st.integers(0, 127), track=st.integers(0, 4), channel=st.integers(0, 15)
    ),
    max_size=12,
).map(lambda notes: [Note(i, n.onset_s, n.offset_s, n.pitch, track=n.track, channel=n.channel) for i, n in enumerate(notes)])


def note(i, pitch, track=0, channel=0):
    return Note(i, 0.0, 1.0, pitch, track=track, channel=channel)


def heard(layering):
    names = {layer.id: layer.name for layer in layering.layers}
    return {i: names[layer] for i, layer in layering.layer_of.items()}


@given(NOTES, st.lists(st.text(max_size=4), max_size=5), st.sampled_from([*KINDS, "pitch:0", "pitch:127"]))
def test_every_note_is_in_exactly_one_layer_and_no_two_layers_share_a_name(notes, names, kind):
    result = split(notes, names, kind)
    assert result.layers
    assert set(result.layer_of) == {n.id for n in notes}
    ids = [layer.id for layer in result.layers]
    assert set(result.layer_of.values()) <= set(ids)
    assert len(set(ids)) == len(ids)
    assert len({layer.name.casefold() for layer in result.layers}) == len(result.layers)
    assert not notes or set(result.layer_of.values()) == set(ids), "no layer without notes"


@given(st.lists(st.sampled_from(["a", "A", "a 2", "a 3", "b", ""]), max_size=8))
def test_names_are_made_unique_and_the_first_of_each_keeps_its_own(names):
    result = unique(names)
    assert len({name.casefold() for name in result}) == len(names)
    for i, name in enumerate(names):
        assert result[i].startswith(name)
        if name.casefold() not in {other.casefold() for other in result[:i]}:
            assert result[i] == name


def test_by_track_takes_the_names_of_the_tracks():
    notes = [note(0, 60, track=1), note(1, 60, track=2), note(2, 60, track=5)]
    assert heard(split(notes, ("Title", "Voice", "Piano"), "track")) == {0: "Voice", 1: "Piano", 2: "Track 6"}


def test_by_channel_counts_from_one_and_knows_the_drums():
    notes = [note(0, 60), note(1, 36, channel=9), note(2, 60, channel=15)]
    assert heard(split(notes, (), "channel")) == {0: "Channel 1", 1: "Drums", 2: "Channel 16"}


def test_two_tracks_are_two_hands_by_name_where_they_are_named():
    notes = [note(0, 72, track=0), note(1, 48, track=1)]
    assert heard(split(notes, ("Left hand", "Right hand"), "hand")) == {0: "Left hand", 1: "Right hand"}


def test_two_tracks_without_such_names_are_told_apart_by_height():
    notes = [note(0, 48, track=0), note(1, 50, track=0), note(2, 72, track=3)]
    assert heard(split(notes, ("Piano", "", "", "Piano"), "hand")) == {0: "Left hand", 1: "Left hand", 2: "Right hand"}


@pytest.mark.parametrize("tracks", [(0, 0, 0), (0, 1, 2)])
def test_hands_of_one_track_or_of_three_are_found_in_the_notes(tracks):
    notes = [note(i, pitch, track) for i, (pitch, track) in enumerate(zip((45, 72, 76), tracks, strict=True))]
    assert heard(split(notes, (), "hand")) == {0: "Left hand", 1: "Right hand", 2: "Right hand"}


def test_drums_are_played_by_no_left_hand():
    notes = [note(0, 36, channel=9), note(1, 40), note(2, 76)]
    assert heard(split(notes, (), "hand")) == {0: "Right hand", 1: "Left hand", 2: "Right hand"}


def test_a_split_at_a_pitch_names_it():
    assert heard(split([note(0, 55), note(1, 54)], (), "pitch:55")) == {0: "G3 and above", 1: "Below G3"}


def test_one_layer_holds_all():
    assert set(heard(split([note(0, 1), note(1, 99, track=3, channel=9)], ("x",), "one")).values()) == {"Notes"}


@pytest.mark.parametrize(
    "kind", ["", "voice", "pitch", "pitch:", "pitch:128", "pitch:-1", "pitch:60.5", "pitch:060x", "Track", "hand "]
)
def test_an_unknown_kind_is_told_with_those_that_are_known(kind):
    with pytest.raises(InputError, match="choose track, channel, hand, one or pitch:60") as told:
        split([note(0, 60)], (), kind)
    assert "\n" not in str(told.value)


def test_several_tracks_suggest_tracks_and_one_suggests_hands():
    assert suggested_kind([note(0, 60), note(1, 60, track=1)]) == "track"
    assert suggested_kind([note(0, 60), note(1, 40)]) == "hand"
