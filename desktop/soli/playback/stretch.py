"""Another speed at the same pitch, as a linear operation: what is made from the recording stretches every layer alike.

A phase vocoder whose phases are locked around each peak (Laroche and Dolson, "Improved Phase Vocoder Time-Scale
Modification of Audio", IEEE Trans. Speech and Audio Processing 7(3), 1999) and follow the recording itself from one
frame to the next (Puckette, "Phase-Locked Vocoder", IEEE Workshop on Applications of Signal Processing to Audio and
Acoustics, 1995), with long frames for low frequencies and short ones for high, where attacks are. By how much each
region of a spectrum is turned is found in the recording and done to any part of it. So the stretched layers and the
stretched residual sum to the stretched recording, faders work after the stretching, and the channels of a layer keep
their phases to each other. Libraries stretch each signal by itself, which gives none of that.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from soli.signal.audio import FloatArray

SLOWEST, FASTEST = 0.25, 2.0

_FRAMES_S = (0.093, 0.046)  # of the lower and of the higher frequencies
_CROSSOVER_HZ = (700.0, 900.0)
_CELL_S = 2.0  # of the recording; in each of them the strongest onset may begin the phases anew
_LONGEST_CHAIN = 3  # cells without an onset worth the name before the phases begin anew all the same
_ONSET_RISE = 0.3  # share of a spectrum that is new at such an onset
_BLOCK = 64  # frames looked at together

Spectra: TypeAlias = NDArray[np.complex64]
# Samples [first, end) of a signal, float32 (end - first, channels), zero where there are none.
Read: TypeAlias = Callable[[int, int], FloatArray]


def reader(signal: FloatArray) -> Read:
    """Reads `signal`, float32 (length, channels), with silence around it."""

    def read(first: int, end: int) -> FloatArray:
        part = signal[max(0, first) : max(0, end)]
        before = min(max(0, -first), end - first)
        return np.pad(part, ((before, end - first - before - len(part)), (0, 0)))

    return read


def stretched_length(length: int, speed: float) -> int:
    """How many samples `length` of them become."""
    return int(np.ceil(length / speed - 1e-9))


class Stretcher:
    """Plays `reference` (read by `Read`) and all its parts at `speed`, which is 0.25 to 2 times its own.

    Sample n of what is stretched sounds as sample n * speed of the recording does. Any stretch of the result can be
    had on its own: it is the same however the whole is cut, and in whichever order. Not for several threads at once.
    """

    def __init__(self, reference: Read, *, rate: int, speed: float) -> None:
        if not SLOWEST <= speed <= FASTEST:
            raise ValueError(f"a speed is from {SLOWEST} to {FASTEST}, not {speed}")
        self.speed = speed
        onsets = _Onsets(reference, rate)
        self._bands = [_Band(reference, onsets, rate, speed, high=high) for high in (False, True)]

    def stretch(self, first: int, end: int) -> "Stretch":
        """What is to be done for samples [first, end) of the result."""
        return Stretch([(band, *band.turns(first, end)) for band in self._bands], first, end)


class Stretch:
    """Samples [first, end) of what is stretched, for any part of the recording."""

    def __init__(self, turns: "list[tuple[_Band, NDArray[np.int64], Spectra]]", first: int, end: int) -> None:
        self._turns, self._first, self._end = turns, first, end

    def of(self, part: Read) -> FloatArray:
        """The same samples of a part of the recording, float32 (end - first, its channels); linear in it."""
        bands = [band.turned(part, frames, turns, self._first, self._end) for band, frames, turns in self._turns]
        return bands[0] + bands[1]


class _Onsets:
    """Where in the recording the phases begin anew: what is turned there is heard least."""

    def __init__(self, reference: Read, rate: int) -> None:
        self._reference = reference
        self._frame = _power_of_two(_FRAMES_S[1] * rate)
        self._cell = max(self._frame, round(_CELL_S * rate))
        self._found: dict[int, int | None] = {}

    def before(self, place: float) -> list[int]:
        """The samples of some onsets up to a little after `place`, the newest first, and of one well before it."""
        onsets = []
        for cell in range(int(place // self._cell) + 1, -1, -1):
            onset = self._in_cell(cell)
            if onset is not None:
                onsets.append(onset)
                if onset < place - self._cell:
                    break
        return onsets

    def _in_cell(self, cell: int) -> int | None:
        if cell not in self._found:
            hop = self._frame // 4
            start, count = cell * self._cell // hop, self._cell // hop
            places = (start + np.arange(-1, count)) * hop
            size = np.sqrt(_power(_spectra(self._reference, places, self._frame)))
            rise = np.maximum(size[1:] - size[:-1], 0.0).sum(axis=1) / np.maximum(size[1:].sum(axis=1), 1e-9)
            best = int(rise.argmax())
            worth = rise[best] >= _ONSET_RISE or cell % _LONGEST_CHAIN == 0
            self._found[cell] = (start + best) * hop if worth else None
        return self._found[cell]


class _Band:
    """The vocoder of one length of frames, for the low or the high frequencies."""

    def __init__(self, reference: Read, onsets: _Onsets, rate: int, speed: float, *, high: bool) -> None:
        self._reference, self._onsets, self._speed = reference, onsets, speed
        self._frame = _power_of_two(_FRAMES_S[high] * rate)
        self._hop = self._frame // 4
        low_hz, high_hz = _CROSSOVER_HZ
        along = np.clip((np.fft.rfftfreq(self._frame, 1.0 / rate) - low_hz) / (high_hz - low_hz), 0.0, 1.0)
        share = np.sin(0.5 * np.pi * along) ** 2
        self._share = (share if high else 1.0 - share).astype(np.float32)
        self._last: tuple[int, Spectra] | None = None  # a frame and its phasors, where the next stretch goes on

    def turns(self, first: int, end: int) -> tuple[NDArray[np.int64], Spectra]:
        """The frames that samples [first, end) of the result are made of, and what their spectra are multiplied by.

        A frame follows the one before it as, in the recording, it follows what lies one hop of the result before it: the
        product of that spectrum and the frame before says by how much they are apart. One phasor holds for the whole
        region around a peak.
        """
        half = self._frame // 2
        frames = np.arange((first - half) // self._hop + 1, -(-(end + half) // self._hop), dtype=np.int64)
        begin, phasor = self._reset_before(int(frames[0])), np.ones(len(self._share), np.complex64)
        if self._last is not None and begin <= self._last[0] <= frames[0]:
            begin, phasor = self._last
        chain = np.arange(begin, int(frames[-1]) + 1, dtype=np.int64)
        turns = np.empty((len(frames), len(phasor)), np.complex64)
        before = np.zeros((0, 0, 0), np.complex64)
        for start in range(0, len(chain), _BLOCK):
            part = chain[start : start + _BLOCK]
            resets = {self._reset_before(frame) for frame in part.tolist()}
            spectra = _spectra(self._reference, self._places(part), self._frame)
            earlier = _spectra(self._reference, self._places(part) - self._hop, self._frame)
            power = _power(spectra)
            previous = np.concatenate([before if start else spectra[:1], spectra[:-1]])
            steps = np.einsum("fkc,fkc->fk", previous, earlier.conj())
            for index, frame in enumerate(part.tolist()):
                if start or index:
                    phasor = np.ones_like(phasor) if frame in resets else _follow(phasor, steps[index], power[index])
                if frame >= frames[0]:
                    turns[frame - frames[0]] = phasor
            before = spectra[-1:]
        self._last = (int(frames[-1]), phasor)
        return frames, turns * self._share

    def turned(self, part: Read, frames: NDArray[np.int64], turns: Spectra, first: int, end: int) -> FloatArray:
        """Samples [first, end) of the result that a part of the recording has in this band."""
        spectra = _spectra(part, self._places(frames), self._frame)
        spectra *= turns[:, :, None]
        return _overlap_add(spectra, frames * self._hop - self._frame // 2, self._hop, first, end)

    def _places(self, frames: NDArray[np.int64]) -> NDArray[np.int64]:
        """Samples of the recording on which frames of the result are centred."""
        places: NDArray[np.int64] = np.rint(frames * (self._hop * self._speed)).astype(np.int64)
        return places

    def _reset_before(self, frame: int) -> int:
        """The newest frame up to `frame` at which the phases are those of the recording."""
        step = self._hop * self._speed
        resets = (round(onset / step) for onset in self._onsets.before(max(0.0, frame * step)))
        return next((reset for reset in resets if reset <= frame), min(frame, -2))


def _follow(phasor: Spectra, step: Spectra, power: FloatArray) -> Spectra:
    """The phasors of a frame, from those of the frame before, the products with it, and its own power (bins,)."""
    inner = power[1:-1]
    peaks = 1 + np.flatnonzero((inner > power[:-2]) & (inner >= power[2:]))
    if not len(peaks):
        return np.ones_like(phasor)
    starts = np.concatenate([[0], (peaks[1:] + peaks[:-1] + 1) // 2])
    apart = np.add.reduceat(phasor * step, starts)
    size = np.abs(apart)
    with np.errstate(divide="ignore", invalid="ignore"):
        turned = np.where(size > 0, apart / size, 1.0).astype(np.complex64)
    return np.repeat(turned, np.diff(np.append(starts, len(phasor))))


def _spectra(read: Read, centres: NDArray[np.int64], length: int) -> Spectra:
    """Spectra of Hann windows around samples of a signal, complex64 (centres, bins, channels)."""
    from scipy.fft import rfft

    cut = _cut(read, centres - length // 2, length)
    cut *= _hann(length)[None, :, None]
    return np.asarray(rfft(cut, axis=1), np.complex64)


def _cut(read: Read, starts: NDArray[np.int64], length: int) -> FloatArray:
    """Stretches of `length` samples that begin at `starts`, which rise, float32 (starts, length, channels), a copy."""
    if not len(starts):
        return np.zeros((0, length, read(0, 0).shape[1]), np.float32)
    low = int(starts.min())
    sound = read(low, int(starts.max()) + length)
    windows = np.lib.stride_tricks.sliding_window_view(sound, length, axis=0)
    return np.ascontiguousarray(windows[starts - low].transpose(0, 2, 1))


def _power(spectra: Spectra) -> FloatArray:
    return np.asarray((spectra.real**2 + spectra.imag**2).sum(axis=2), np.float32)


def _overlap_add(spectra: Spectra, starts: NDArray[np.int64], hop: int, first: int, end: int) -> FloatArray:
    """Samples [first, end) of frames with a Hann window that begin at `starts`, a quarter of their length apart."""
    from scipy.fft import irfft

    length = 4 * hop
    frames = irfft(spectra, n=length, axis=1)
    # The squares of Hann windows a quarter apart sum to three halves.
    frames *= (_hann(length) / np.float32(1.5))[None, :, None]
    return _put(np.asarray(frames, np.float32), starts, hop, first, end)


def _put(frames: FloatArray, starts: NDArray[np.int64], hop: int, first: int, end: int) -> FloatArray:
    """The sum of frames that begin at `starts`, `hop` after one another, in samples [first, end)."""
    count, length, channels = frames.shape
    overlap = length // hop
    whole = np.zeros((count + overlap - 1, hop, channels), np.float32)
    for part in range(overlap):
        whole[part : part + count] += frames[:, part * hop : (part + 1) * hop]
    flat = whole.reshape(-1, channels)
    return reader(flat)(first - int(starts[0]), end - int(starts[0]))


def _hann(length: int) -> FloatArray:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)


def _power_of_two(samples: float) -> int:
    return max(64, int(2 ** round(np.log2(samples))))
