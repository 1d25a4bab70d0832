"""How loud a mix is beside the recording, as the ear weighs it (ITU-R BS.1770, without its gates)."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from soli.playback.mixer import Strip, channel_gains, fold
from soli.signal.audio import FloatArray

EXCERPTS = 16
EXCERPT_S = 0.4
QUIETEST_DB, LOUDEST_DB = -24.0, 12.0

Stretch = Callable[[int, int], FloatArray]


def k_weighting(rate: int) -> NDArray[np.float64]:
    """The weighting filter of BS.1770 at a sampling rate in Hz: second-order sections, shape (2, 6).

    A shelf for the head and a high pass, from the analogue prototypes of its filters at 48 kHz.
    """

    def section(frequency_hz: float, quality: float, high: float, band: float, low: float) -> list[float]:
        k = math.tan(math.pi * frequency_hz / rate)
        scale = 1.0 + k / quality + k * k
        return [
            (high + band * k / quality + low * k * k) / scale,
            2.0 * (low * k * k - high) / scale,
            (high - band * k / quality + low * k * k) / scale,
            1.0,
            2.0 * (k * k - 1.0) / scale,
            (1.0 - k / quality + k * k) / scale,
        ]

    gain = 10.0 ** (3.999843853973347 / 20.0)
    shelf = section(1681.974450955533, 0.7071752369554196, gain, gain**0.4996667741545416, 1.0)
    high_pass = section(38.13547087602444, 0.5003270373238773, 1.0, 0.0, 0.0)
    # The standard leaves the numerator of the high pass at 1, -2, 1.
    high_pass[:3] = [1.0, -2.0, 1.0]
    return np.array([shelf, high_pass])


def matching_gain_db(signals: Sequence[Stretch], strips: Sequence[Strip], original: Stretch, length: int, rate: int) -> float:
    """The gain that makes the original as loud as the mix of `signals` under `strips`, in dB.

    Each signal is a function that gives its samples from one to another as float32 of shape (length, channels), all `length`
    samples long at `rate` Hz. Listens to excerpts all over the piece, so that it takes no longer for a longer one. Between
    QUIETEST_DB and LOUDEST_DB; 0 where mix or original are silent.
    """
    gains = channel_gains(strips)
    mixed_energy = original_energy = 0.0
    places = excerpts(length, rate)
    power = power_weights(max((end - first for first, end in places), default=1), rate)
    for first, end in places:
        mix = np.zeros((end - first, 2), np.float32)
        for signal, gain in zip(signals, gains, strict=True):
            if gain.any():
                mix += fold(signal(first, end)) * gain
        mixed_energy += weighted_energy(mix, power)
        whole = fold(original(first, end)) * np.ones(2, np.float32)
        original_energy += weighted_energy(whole, power)
    if not (mixed_energy > 0.0 and original_energy > 0.0 and math.isfinite(mixed_energy / original_energy)):
        return 0.0
    return min(LOUDEST_DB, max(QUIETEST_DB, 10.0 * math.log10(mixed_energy / original_energy)))


def power_weights(length: int, rate: int) -> FloatArray:
    """What the weighting does to the power of each frequency of `length` samples at `rate` Hz, float32, shape (bins, 1)."""
    size = 1 << max(1, length - 1).bit_length()
    z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    power = np.ones(len(z))
    for section in k_weighting(rate):
        power *= np.abs(np.polyval(section[2::-1], z) / np.polyval(section[:2:-1], z)) ** 2
    return power.astype(np.float32)[:, None]


def weighted_energy(sound: FloatArray, power: FloatArray) -> float:
    """Energy of a sound of shape (length, channels) under `power_weights` of its length, up to a factor that hangs on that."""
    # By Parseval's theorem: no filter has to run over the samples, which would need a library that takes long to load.
    spectrum = np.fft.rfft(sound, 2 * (len(power) - 1), axis=0)
    return float(((spectrum.real**2 + spectrum.imag**2) * power).sum())


def excerpts(length: int, rate: int) -> list[tuple[int, int]]:
    """Where to listen: (first, end) in samples, spread evenly; all of a short piece."""
    size = round(EXCERPT_S * rate)
    if length <= EXCERPTS * size:
        return [(0, length)] if length else []
    starts = np.linspace(0, length - size, EXCERPTS).astype(int).tolist()
    return [(first, first + size) for first in starts]
