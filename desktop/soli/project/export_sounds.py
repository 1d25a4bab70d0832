"""The sound of each file of an export, and how loud it gets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from soli.decompose.masking import note_alone
from soli.playback.mixer import mix_offline
from soli.progress import Progress, Steps
from soli.project.export_order import Item, Order, What
from soli.project.pipeline import Separation, require_recording
from soli.project.state import ORIGINAL, RESIDUAL, State
from soli.signal.audio import FloatArray, resample
from soli.signal.encoding import BITS, FORMS


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest sample of a file before any gain, linear, and when it sounds, in seconds of the recording."""

    level: float
    time_s: float


def sound_of(separation: Separation, state: State, item: Item, order: Order) -> FloatArray:
    """Samples of one file before any gain, float32, shape (length, channels), at the rate of the order.

    They may be those of the separation itself, and may not be written to.
    """
    recording = require_recording(separation.source)
    first, end = item.first, item.end
    if item.what is What.MIX:
        ids = [*separation.layers, RESIDUAL, ORIGINAL]
        sound = mix_offline([_stretch(separation, i, first, end) for i in ids], [state.heard_strip(i) for i in ids])
    elif item.what is What.ALL_BUT:
        sound = recording.samples[first:end].copy()
        for layer in item.ids:
            sound -= _stretch(separation, layer, first, end)
    elif item.what is What.NOTE:
        at, alone = note_alone(recording, separation.factors, item.ids)
        sound = np.zeros((item.length, recording.channels), np.float32)
        low, high = max(at, first), min(at + len(alone), end)
        if high > low:
            sound[low - first : high - first] = alone[low - at : high - at]
    else:
        sound = _stretch(separation, item.ids[0], first, end)
    return resample(sound, recording.rate, order.rate or recording.rate)


def peaks_steps(separation: Separation, state: State, order: Order, items: Sequence[Item]) -> Steps[dict[str, Peak]]:
    """The peak of each file, by its name."""
    recording = require_recording(separation.source)
    peaks = {}
    for number, item in enumerate(items):
        yield Progress(number, len(items), "Looking for peaks")
        sound = sound_of(separation, state, item, order)
        at, level = 0, 0.0
        if sound.size:
            # Without a copy of the absolute values.
            high, low = int(sound.argmax()), int(sound.argmin())
            at = high if sound.flat[high] >= -sound.flat[low] else low
            level = abs(float(sound.flat[at]))
        time_s = item.first / recording.rate + at // sound.shape[1] / (order.rate or recording.rate)
        peaks[item.name] = Peak(level, time_s)
    return peaks


def common_gain(order: Order, peaks: Mapping[str, Peak]) -> float:
    """The one gain, linear, for all files of an order."""
    highest = max((peak.level for peak in peaks.values()), default=0.0)
    if order.peak_dbfs is None or highest == 0.0:
        return 1.0
    return float(10.0 ** (order.peak_dbfs / 20.0) / highest)


def may_clip(order: Order) -> bool:
    """Whether the form of an order has a loudest sample."""
    return FORMS[order.form][1] != "FLOAT"


def clipping(order: Order, peaks: Mapping[str, Peak]) -> dict[str, Peak]:
    """The files that would be louder than their form can hold, with their peaks after the gain of the order."""
    if not may_clip(order):
        return {}
    gain = common_gain(order, peaks)
    steps = 2.0 ** (BITS.get(FORMS[order.form][1], 24) - 1)
    louder = {name: Peak(peak.level * gain, peak.time_s) for name, peak in peaks.items()}
    # Half a step above full scale still rounds to it.
    return {name: peak for name, peak in louder.items() if peak.level > 1.0 + 0.5 / steps}


def _stretch(separation: Separation, strip: int, first: int, end: int) -> FloatArray:
    """Some samples of a layer, of the residual or of the original; all of them without a copy, for they may be half an hour."""
    recording = require_recording(separation.source)
    if strip == ORIGINAL:
        return recording.samples[first:end]
    if (first, end) == (0, recording.length):
        return separation.signals[strip]
    return separation.signals.stretch(strip, first, end)
