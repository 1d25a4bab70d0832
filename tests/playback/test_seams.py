"""Sections of a stretched sound that meet: nothing is heard of it, and layers still sum to the mix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playback.test_stretch import SPEEDS, music

from soli.playback.seams import MOST_SHIFT_S, Section, excerpt_for, joined
from soli.playback.stretch import reader, stretched_length
from soli.playback.tiles import Stretching

RATE = 8000


def stretching_of(sound: np.ndarray, speed: float, rate: int = RATE) -> Stretching:
    length = stretched_length(len(sound), speed)
    return Stretching(1, 1, speed, rate, length, (sound.shape[1],))


def section_of(stretching: Stretching, sounds: list[np.ndarray], tiles: range, **known) -> tuple[Section, np.ndarray]:
    excerpt = excerpt_for(stretching, tiles)
    sound = np.concatenate([reader(sound)(*excerpt.source) for sound in sounds], axis=1)
    guides = sounds[0].shape[1]
    return joined(stretching, tiles, excerpt.made_of(sound, guides), guides, **known)


def in_sections(stretching: Stretching, sounds: list[np.ndarray], sizes: list[int]) -> tuple[list[Section], np.ndarray]:
    """All of it, made in sections of so many tiles, one after another."""
    sections, parts, first = [], [], 0
    while first < stretching.tiles:
        end = min(stretching.tiles, first + sizes[len(sections) % len(sizes)])
        before = sections[-1].after if sections else None
        section, sound = section_of(stretching, sounds, range(first, end), before=before)
        sections.append(section)
        parts.append(sound[stretching.margin : -stretching.margin])
        first = end
    return sections, np.concatenate(parts)


@settings(max_examples=8, deadline=None)
@given(SPEEDS, st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_layers_sum_to_the_recording_across_the_seams(speed, sizes):
    layer, rest = music(1.0, seed=1), music(1.0, seed=2)
    sound = layer + rest
    _, whole = in_sections(stretching_of(sound, speed), [sound, layer, rest], sizes)
    assert np.abs(whole[:, 2:4] + whole[:, 4:] - whole[:, :2]).max() < 3e-5 * np.abs(whole).max()


@pytest.mark.parametrize("speed", [0.25, 0.6, 1.5])
@pytest.mark.parametrize("pitch_hz", [110.0, 440.0, 1000.3])
def test_a_held_tone_goes_on_over_the_seams(speed, pitch_hz):
    time_s = np.arange(round(4 * RATE * max(1.0, speed))) / RATE
    sound = 0.3 * np.sin(2 * np.pi * pitch_hz * time_s)[:, None].astype(np.float32)
    sections, whole = in_sections(stretching_of(sound, speed), [sound], [1, 2])
    assert len(sections) >= 5
    tone = whole[RATE // 2 : stretched_length(len(sound), speed) - RATE // 2, 0].astype(np.float64)
    # A step between two samples, or a moment in which two waves take each other away, would be heard.
    assert np.abs(np.diff(tone)).max() < 1.1 * 2 * 0.3 * np.sin(np.pi * pitch_hz / RATE)
    blocks = tone[: len(tone) // 160 * 160].reshape(-1, 160)
    level_db = 10 * np.log10((blocks**2).mean(axis=1) / 0.045)
    assert np.abs(level_db).max() < 1.5


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_no_section_is_further_off_than_it_may_be(speed):
    sound = music(4.0)
    sections, whole = in_sections(stretching_of(sound, speed), [sound], [1])
    assert all(abs(section.shift) <= MOST_SHIFT_S * RATE for section in sections)
    assert any(section.shift for section in sections)
    assert sections[0].shift == 0
    assert len(whole) >= stretched_length(len(sound), speed)


def test_the_margins_of_tiles_that_meet_are_alike_near_the_border():
    sound = music(3.0)
    stretching = stretching_of(sound, 0.6)
    first, before = section_of(stretching, [sound], range(2))
    _, after = section_of(stretching, [sound], range(2, 4), before=first.after)
    border = 2 * stretching.margin
    np.testing.assert_array_equal(before[-border : -stretching.margin], after[: stretching.margin])
    reach = round(0.005 * RATE)
    np.testing.assert_array_equal(before[-stretching.margin :][:reach], after[stretching.margin :][:reach])


def test_a_section_of_other_layers_goes_on_into_the_one_that_was_there():
    layer, rest = music(3.0, seed=1), music(3.0, seed=2)
    sound, edited = layer + rest, layer.copy()
    edited[round(0.55 * RATE) : round(0.65 * RATE)] *= 0.3
    stretching = stretching_of(sound, 0.5)
    first, _ = section_of(stretching, [sound, layer], range(2))
    second, was = section_of(stretching, [sound, layer], range(2, 5), before=first.after)
    again, now = section_of(stretching, [sound, edited], range(2, 5), before=first.after, shift=second.shift)
    follower, _ = section_of(stretching, [sound, layer], range(5, 6), before=second.after)
    assert again.shift == second.shift
    assert follower.fits(again)
    assert again.fits(first)
    np.testing.assert_allclose(now[:, :2], was[:, :2], atol=1e-6)
    apart = np.flatnonzero(np.abs(now[:, 2:] - was[:, 2:]).max(axis=1) > 1e-5) / RATE
    start_s = stretching.span(2)[0] / RATE
    assert 0.55 / 0.5 - 0.35 < apart[0] + start_s < apart[-1] + start_s < 0.65 / 0.5 + 0.35


def test_a_section_fits_what_it_was_joined_to_and_nothing_else():
    sound = music(2.0)
    stretching = stretching_of(sound, 0.8)
    first, _ = section_of(stretching, [sound], range(2))
    other, _ = section_of(stretching, [sound], range(1, 2))
    alone, _ = section_of(stretching, [sound], range(2, 3))
    joint, _ = section_of(stretching, [sound], range(2, 3), before=first.after)
    assert alone.fits(None)
    assert not alone.fits(first)
    assert joint.fits(first)
    assert not joint.fits(other)
    assert not joint.fits(None)


def test_silence_is_joined_to_silence():
    silent = np.zeros((RATE, 1), np.float32)
    sections, whole = in_sections(stretching_of(silent, 0.5), [silent], [1])
    assert not whole.any()
    assert all(section.shift == 0 for section in sections)
