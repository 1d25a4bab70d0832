"""The sound of each file of an export, and how loud it gets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from soli.decompose.masking import note_alone, residual_steps
from soli.playback.mixer import mix_offline
from soli.progress import Progress, Steps, relayed
from soli.project.export_order import Item, Order, What
from soli.project.pipeline import Separation, require_recording
from soli.project.state import ORIGINAL, RESIDUAL, State
from soli.signal import maps
from soli.signal.audio import Audio, FloatArray, resample_steps
from soli.signal.encoding import BITS, FORMS

PARTS = 1000  # of a file, in reports of progress
_BLOCK_LENGTH = 2**20  # samples that are worked on before anyone can cancel


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest sample of a file before any gain, linear, and when it sounds, in seconds of the recording."""

    level: float
    time_s: float


def sound_steps(separation: Separation, state: State, item: Item, order: Order) -> Steps[FloatArray]:
    """Samples of one file before any gain, float32, shape (length, channels), at the rate of the order.

    They may be those of the separation itself, and may not be written to.
    """
    recording = require_recording(separation.source)
    first, end = item.first, item.end
    if item.what is What.MIX:
        sound = yield from _mix_steps(separation, state, first, end)
    elif item.what is What.ALL_BUT:
        part = Audio(recording.samples[first:end], recording.rate)
        sound = yield from residual_steps(part, [_stretch(separation, layer, first, end) for layer in item.ids])
    elif item.what is What.NOTE:
        at, alone = note_alone(recording, separation.factors, item.ids)
        sound = maps.zeros((item.length, recording.channels))
        low, high = max(at, first), min(at + len(alone), end)
        if high > low:
            sound[low - first : high - first] = alone[low - at : high - at]
    else:
        sound = _stretch(separation, item.ids[0], first, end)
    return (yield from resample_steps(sound, recording.rate, order.rate or recording.rate))


def peaks_steps(separation: Separation, state: State, order: Order, items: Sequence[Item]) -> Steps[dict[str, Peak]]:
    """The peak of each file, by its name."""
    recording = require_recording(separation.source)
    peaks, what = {}, "Looking for peaks"
    for number, item in enumerate(items):
        yield Progress(number * PARTS, len(items) * PARTS, what)
        # Making a sound takes longer than looking at it.
        made = relayed(
            sound_steps(separation, state, item, order),
            lambda p, n=number: Progress(n * PARTS + int(p.fraction * PARTS), len(items) * PARTS, what),  # type: ignore[misc]
        )
        sound = yield from made
        at, level = 0, 0.0
        for start in range(0, len(sound), _BLOCK_LENGTH):
            block = sound[start : start + _BLOCK_LENGTH]
            # Without a copy of the absolute values.
            high, low = int(block.argmax()), int(block.argmin())
            here = high if block.flat[high] >= -block.flat[low] else low
            if abs(float(block.flat[here])) > level:
                at, level = start + here // sound.shape[1], abs(float(block.flat[here]))
            maps.release(block)
            yield Progress((number + 1) * PARTS, len(items) * PARTS, what)
        time_s = item.first / recording.rate + at / (order.rate or recording.rate)
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


def _mix_steps(separation: Separation, state: State, first: int, end: int) -> Steps[FloatArray]:
    """What is heard of a stretch, block by block: every strip as the mixer has it."""
    ids = [*separation.layers, RESIDUAL, ORIGINAL]
    strips, signals = [state.strip(i) for i in ids], [_stretch(separation, i, first, end) for i in ids]
    mixed = maps.zeros((end - first, max(signal.shape[1] for signal in signals)))
    for start in range(0, len(mixed), _BLOCK_LENGTH):
        blocks = [signal[start : start + _BLOCK_LENGTH] for signal in signals]
        mixed[start : start + _BLOCK_LENGTH] = mix_offline(blocks, strips, channels=mixed.shape[1])
        for used in (*blocks, mixed[start : start + _BLOCK_LENGTH]):
            maps.release(used)
        yield Progress(start, len(mixed), "Mixing")
    return mixed


def _stretch(separation: Separation, strip: int, first: int, end: int) -> FloatArray:
    """Some samples of a layer, of the residual or of the original; all of them without a copy, for they may be half an hour."""
    recording = require_recording(separation.source)
    if strip == ORIGINAL:
        return recording.samples[first:end]
    if (first, end) == (0, recording.length) or 4 * (end - first) * recording.channels > maps.LARGEST_IN_MEMORY:
        return separation.signals[strip][first:end]
    return separation.signals.stretch(strip, first, end)
