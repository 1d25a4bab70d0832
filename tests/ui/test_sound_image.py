"""The painted spectrogram: a true pyramid however it grew, right places on both axes, bounded memory."""

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter

from soli.signal import linear_spectrogram, log_spectrogram
from soli.signal.linear_spectrogram import HIGHEST_HZ
from soli.signal.log_spectrogram import LOWEST_PITCH, ROWS_PER_SEMITONE
from soli.signal.picture import Picture
from soli.ui.roll.backdrop import MOST_BYTES
from soli.ui.roll.sound_image import MOST_TILE_COLUMNS, SoundImage, shades
from soli.ui.roll.view import View
from soli.ui.theme import DARK, LIGHT

BOUND_BYTES = 256 * 2**20


def blank(rows: int, frames: int, *, linear: bool = False) -> Picture:
    if linear:
        return Picture(np.zeros((rows, frames), np.uint8), 0.01, 0.0, rows / HIGHEST_HZ)
    return Picture(np.zeros((rows, frames), np.uint8), 0.01, LOWEST_PITCH - 0.5, ROWS_PER_SEMITONE)


def fill(picture: Picture, first: int, last: int, values) -> None:
    picture.values[:, first:last] = values
    picture.filled.append((first, last))
    picture.ready = max(picture.ready, last)


@pytest.mark.parametrize("frames", [100, 2048, 5001, 20_000])
def test_each_level_holds_the_loudest_of_two_columns_of_the_finer_one(frames):
    rng = np.random.default_rng(frames)
    picture = blank(20, frames)
    image = SoundImage(picture)
    edges = np.unique(np.concatenate([[0, frames], rng.integers(0, frames, 12)]))
    for first, last in rng.permutation(np.stack([edges[:-1], edges[1:]], axis=1)).tolist() * 2:
        fill(picture, first, last, rng.integers(0, 256, (20, last - first)))
        ((start_s, end_s),) = image.grow()
        assert start_s <= first * picture.hop_s
        assert end_s >= last * picture.hop_s
    assert image.grow() == []
    for finer, coarser in zip(image._levels, image._levels[1:], strict=False):
        padded = np.pad(finer, ((0, 0), (0, finer.shape[1] % 2)))
        np.testing.assert_array_equal(coarser, np.maximum(padded[:, ::2], padded[:, 1::2]))


def painted(image: SoundImage, view: View) -> np.ndarray:
    """Red of each pixel."""
    canvas = QImage(view.width, view.height, QImage.Format.Format_RGB32)
    canvas.fill(0)
    with QPainter(canvas) as painter:
        image.paint(painter, view, 1.0)
    return np.frombuffer(canvas.constBits(), np.uint8).reshape(view.height, view.width, 4)[:, :, 2].astype(int)


@pytest.mark.parametrize("axis", ["log", "linear"])
@pytest.mark.parametrize("span_s", [3.0, 60.0, 250.0])
def test_what_sounds_at_a_pitch_is_painted_where_the_view_has_it(axis, span_s, qapp):
    view = View()
    view.set_duration(300)
    view.resize(600, 400)
    view.use_axis(axis)
    view.show(100.0, 100.0 + span_s, 60, 84)
    picture = blank(640 if axis == "linear" else log_spectrogram.ROWS, 30_000, linear=axis == "linear")
    place = 440.0 * 2 ** (3 / 12) if axis == "linear" else 72.0
    row = int((place - picture.lowest) * picture.rows_per_unit)
    values = np.zeros_like(picture.values)
    # From a third to a half of what is shown.
    begin, end = (round((view.start_s + part * view.span_s) / picture.hop_s) for part in (1 / 3, 1 / 2))
    values[row - 1 : row + 2, begin:end] = 255
    fill(picture, 0, 30_000, values)
    image = SoundImage(picture)
    image.colour(DARK)
    image.grow()
    seen = painted(image, view)
    ground = int(DARK.canvas[1:3], 16)
    bright = seen > ground + 60
    assert bright.any()
    x = np.flatnonzero(bright.any(axis=0))
    assert x.min() == pytest.approx(200, abs=3)
    assert x.max() == pytest.approx(300, abs=3)
    y = np.flatnonzero(bright.any(axis=1)).mean()
    assert y == pytest.approx(view.edge_of(72.0), abs=max(3.0, 1.5 * view.height_of(72) / 4))


def test_growth_that_is_out_of_sight_colours_nothing_anew(qapp):
    view = View()
    view.set_duration(200)
    view.show(10, 20)
    picture = blank(log_spectrogram.ROWS, 20_000)
    image = SoundImage(picture)
    image.colour(DARK)
    fill(picture, 0, 8000, 200)
    image.grow()
    painted(image, view)
    tile = image._tile.cacheKey()
    fill(picture, 15_000, 15_256, 90)
    image.grow()
    painted(image, view)
    assert image._tile.cacheKey() == tile
    fill(picture, 1000, 1256, 90)
    image.grow()
    painted(image, view)
    assert image._tile.cacheKey() != tile


def test_pictures_of_the_longest_recording_on_the_widest_screen_stay_within_256_mib(qapp):
    view = View()
    view.set_duration(3 * 3600)
    view.resize(7680, 4320)
    total = most = 0  # both pictures, and what one of them needs to be shown
    for axis, module in (("log", log_spectrogram), ("linear", linear_spectrogram)):
        picture = blank(module.ROWS, module.MOST_FRAMES + 1, linear=axis == "linear")
        picture.hop_s = 3 * 3600 / module.MOST_FRAMES
        image = SoundImage(picture)
        view.use_axis(axis)
        for span_s in (0.5, 600, 3 * 3600):
            view.show(0, span_s)
            image._colour_tile(0, 0.0, float(min(MOST_TILE_COLUMNS, view.span_s / picture.hop_s)))
            painted(image, view)
            painted(image, view)
        assert image._tile.width() <= 2 * 7680 + 4
        shown = image.nbytes
        image.rest()
        total += image.nbytes
        most = max(most, shown - image.nbytes)
    assert most > 0
    assert total + most + MOST_BYTES <= BOUND_BYTES


@pytest.mark.parametrize("colours", [DARK, LIGHT])
def test_brighter_is_never_darker_and_the_ends_stay_inks_of_the_theme(colours):
    def ink(table):
        """How far each shade is from the ground."""
        channels = np.stack([(table >> shift) & 255 for shift in (16, 8, 0)]).astype(int)
        return np.abs(channels - channels[:, [0]]).sum(axis=0)

    plain, bright, steep = shades(colours), shades(colours, brightness=0.4), shades(colours, contrast=3.0)
    assert (ink(bright) >= 0).all()
    assert ink(bright)[100] > ink(plain)[100]
    assert (np.diff(ink(plain)) >= 0).all()
    assert ink(steep)[255] == ink(plain)[255]
    assert ink(steep)[90] <= ink(plain)[90]
