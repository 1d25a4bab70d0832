"""Another speed at the same pitch, as a linear operation: what is made from the recording stretches every layer alike.

A phase vocoder whose phases are locked around each peak (Laroche and Dolson, "Improved Phase Vocoder Time-Scale
Modification of Audio", IEEE Trans. Speech and Audio Processing 7(3), 1999) and follow the recording itself from one
frame to the next (Puckette, "Phase-Locked Vocoder", IEEE Workshop on Applications of Signal Processing to Audio and
Acoustics, 1995), with long frames for low frequencies and short ones for high, where attacks are. By how much each
region of a spectrum is turned is found in the recording and done to any part of it. Where something is struck, what is new
there is not turned at all (Roebel, "A New Approach to Transient Processing in the Phase Vocoder", DAFx 2003), and is not
drawn out either. So the stretched layers and the
stretched residual sum to the stretched recording, faders work after the stretching, and the channels of a layer keep
their phases to each other. Libraries stretch each signal by itself, which gives none of that.
"""

import numpy as np
from numpy.typing import NDArray

from soli.playback.frames import Read, Spectra, overlap_added, power_of, power_of_two, spectra_of
from soli.playback.onsets import Onsets
from soli.playback.pace import Pace
from soli.signal.audio import FloatArray

SLOWEST, FASTEST = 0.25, 2.0

_FRAMES_S = (0.093, 0.046)  # of the lower and of the higher frequencies
_CROSSOVER_HZ = (700.0, 900.0)
_NEW = 2.0  # times the power before an onset: that much after it belongs to what is struck there
_BLOCK = 64  # frames looked at together


def stretched_length(length: int, speed: float) -> int:
    """How many samples `length` of them become."""
    return int(np.ceil(length / speed - 1e-9))


class Stretcher:
    """Plays `reference` (read by `Read`) and all its parts at `speed`, which is 0.25 to 2 times its own.

    Sample n of what is stretched sounds as sample n * speed of the recording does; slower, an onset passes as fast as it
    was played, and what is around it makes room (`Pace`). Any stretch of the result can be had on its own: it is the same
    however the whole is cut, and in whichever order. Not for several threads at once.
    """

    def __init__(self, reference: Read, *, rate: int, speed: float) -> None:
        if not SLOWEST <= speed <= FASTEST:
            raise ValueError(f"a speed is from {SLOWEST} to {FASTEST}, not {speed}")
        self.speed = speed
        onsets = Onsets(reference, rate)
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


class _Band:
    """The vocoder of one length of frames, for the low or the high frequencies."""

    def __init__(self, reference: Read, onsets: Onsets, rate: int, speed: float, *, high: bool) -> None:
        self._reference, self._onsets, self._speed = reference, onsets, speed
        self._frame = power_of_two(_FRAMES_S[high] * rate)
        self._hop = self._frame // 4
        low_hz, high_hz = _CROSSOVER_HZ
        along = np.clip((np.fft.rfftfreq(self._frame, 1.0 / rate) - low_hz) / (high_hz - low_hz), 0.0, 1.0)
        share = np.sin(0.5 * np.pi * along) ** 2
        self._share = (share if high else 1.0 - share).astype(np.float32)
        self._pace = Pace(onsets, rate=rate, speed=speed, half=self._frame // 2)
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
            struck, begun = self._strikes(part)
            spectra = spectra_of(self._reference, self._places(part), self._frame)
            earlier = spectra_of(self._reference, self._places(part) - self._hop, self._frame)
            power = power_of(spectra)
            previous = np.concatenate([before if start else spectra[:1], spectra[:-1]])
            steps = np.einsum("fkc,fkc->fk", previous, earlier.conj())
            for index, frame in enumerate(part.tolist()):
                if frame in resets:
                    phasor = np.ones_like(phasor)
                elif (start or index) and not struck[index]:
                    phasor = _follow(phasor, steps[index], power[index])
                    if frame in begun:
                        phasor = np.where(begun[frame], np.complex64(1.0), phasor)
                if frame >= frames[0]:
                    turns[frame - frames[0]] = phasor
            before = spectra[-1:]
        self._last = (int(frames[-1]), phasor)
        return frames, turns * self._share

    def turned(self, part: Read, frames: NDArray[np.int64], turns: Spectra, first: int, end: int) -> FloatArray:
        """Samples [first, end) of the result that a part of the recording has in this band."""
        spectra = spectra_of(part, self._places(frames), self._frame)
        spectra *= turns[:, :, None]
        return overlap_added(spectra, frames * self._hop - self._frame // 2, self._hop, first, end)

    def _places(self, frames: NDArray[np.int64]) -> NDArray[np.int64]:
        """Samples of the recording on which frames of the result are centred."""
        return self._pace.places(frames * self._hop)

    def _strikes(self, frames: NDArray[np.int64]) -> tuple[NDArray[np.bool_], dict[int, NDArray[np.bool_]]]:
        """Which frames, after a first one, hold an onset as it was played; what of the spectrum is struck, for each first one."""
        hop, held, edges = self._hop, np.zeros(len(frames), bool), {}
        for strike in self._pace.strikes(int(frames[0]) * hop, int(frames[-1]) * hop + 1):
            first, end = -(-strike.first // hop), strike.end // hop
            held |= (frames > first) & (frames <= end)
            if frames[0] <= first < end:
                edges[first] = (strike.first + strike.shift, strike.end + strike.shift)
        if not edges:
            return held, {}
        power = power_of(spectra_of(self._reference, np.array([*edges.values()], np.int64).reshape(-1), self._frame))
        wide = np.pad(power, ((0, 0), (1, 1)))
        power = wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]
        return held, dict(zip(edges, power[1::2] > _NEW * power[::2], strict=True))

    def _reset_before(self, frame: int) -> int:
        """The newest frame up to `frame` at which the phases are those of the recording."""
        step = self._hop * self._speed
        resets = (round(onset / step) for onset in self._onsets.beginnings(max(0.0, frame * step)))
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
