"""How loud a mix is beside the recording, as the ear weighs it (ITU-R BS.1770, without its gates)."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from soli.playback.mixer import Strip, channel_gains, fold
from soli.progress import Progress, Steps, finish
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


class Loudness:
    """How loud any mix of some signals is, without a further look at them, and how loud the original beside it.

    `products`: for each excerpt and output channel what each two signals have in common as the ear weighs it, float64 of
    shape (excerpts, 2, signals, signals); `original`: its energies, (excerpts,).
    """

    def __init__(self, products: NDArray[np.float64], original: NDArray[np.float64]) -> None:
        self._products, self._original = products, original

    def matching_gain_db(self, strips: Sequence[Strip]) -> float:
        """The gain that makes the original as loud as the mix under `strips`, one a signal, in dB.

        Between QUIETEST_DB and LOUDEST_DB; 0 where mix or original are silent.
        """
        gains = channel_gains(strips).astype(np.float64)
        mix = float(np.einsum("ic,cij,jc->", gains, self._products.sum(axis=0), gains))
        original = float(self._original.sum())
        if not (mix > 0.0 and original > 0.0 and math.isfinite(mix / original)):
            return 0.0
        return min(LOUDEST_DB, max(QUIETEST_DB, 10.0 * math.log10(mix / original)))

    @staticmethod
    def steps(
        signals: Sequence[Stretch],
        original: Stretch,
        length: int,
        rate: int,
        *,
        former: "Loudness | None" = None,
        changed: Sequence[tuple[int, int]] = (),
    ) -> "Steps[Loudness]":
        """Listen to excerpts all over the piece, so that it takes no longer for a longer one.

        Each signal is a function that gives its samples from one to another as float32 of shape (length, channels), all
        `length` samples long at `rate` Hz. What they were `former`ly is kept but where ranges of samples have `changed`.
        """
        places = excerpts(length, rate)
        products = np.zeros((len(places), 2, len(signals), len(signals)))
        energies = np.zeros(len(places))
        if former is not None and former._products.shape == products.shape:
            products[:], energies[:] = former._products, former._original
        else:
            changed = [(0, length)]
        power = power_weights(max((end - first for first, end in places), default=1), rate)
        for number, (first, end) in enumerate(places):
            yield Progress(number, len(places), "Weighing the loudness")
            if not any(low < end and first < high for low, high in changed):
                continue
            spectra = np.stack([_spectrum(_in_two(signal(first, end)), power) for signal in signals], axis=1)
            parts = np.concatenate([spectra.real, spectra.imag])  # (bins twice, signals, 2)
            products[number] = np.einsum("kic,kjc->cij", parts, parts, optimize=True)
            energies[number] = weighted_energy(_in_two(original(first, end)), power)
        return Loudness(products, energies)


def matching_gain_db(signals: Sequence[Stretch], strips: Sequence[Strip], original: Stretch, length: int, rate: int) -> float:
    """The gain that makes the original as loud as the mix of `signals` under `strips`, as Loudness says."""
    return finish(Loudness.steps(signals, original, length, rate)).matching_gain_db(strips)


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
    spectrum = _spectrum(sound, power)
    return float((spectrum.real**2 + spectrum.imag**2).sum())


def _spectrum(sound: FloatArray, power: FloatArray) -> NDArray[np.complex64]:
    """The weighted spectrum of a sound as it is heard, in its one or two channels: its energy is that of the sound.

    By Parseval's theorem: no filter has to run over the samples, which would need a library that takes long to load.
    """
    spectrum = np.fft.rfft(sound, 2 * (len(power) - 1), axis=0)
    return np.asarray(spectrum * np.sqrt(power), np.complex64)


def _in_two(sound: FloatArray) -> FloatArray:
    folded: FloatArray = fold(sound) * np.ones(2, np.float32)
    return folded


def excerpts(length: int, rate: int) -> list[tuple[int, int]]:
    """Where to listen: (first, end) in samples, spread evenly; all of a short piece."""
    size = round(EXCERPT_S * rate)
    if length <= EXCERPTS * size:
        return [(0, length)] if length else []
    starts = np.linspace(0, length - size, EXCERPTS).astype(int).tolist()
    return [(first, first + size) for first in starts]
