"""Minutes of sound that share what they have in common: an edit replaces a stretch without a copy of the rest."""

from collections.abc import Iterator, Mapping
from threading import Lock

import numpy as np

from soli.signal.audio import FloatArray

# Beyond this many stretches one signal is made anew, so that looking one up stays quick.
_MOST = 64


class Signals(Mapping[int, FloatArray]):
    """Signals by id, float32, all of one shape (length, channels); none of them may be written to.

    Some are held as an older array and the stretches that replace parts of it. Such a one is made whole when it is first asked
    for, which takes as long as copying it; `stretch` does not need that. Safe to use from several threads.
    """

    def __init__(self, whole: Mapping[int, FloatArray], shape: tuple[int, ...] = (0, 0)) -> None:
        self._whole = dict(whole)
        self._shape = next((signal.shape for signal in self._whole.values()), shape)
        self._stretches: dict[int, tuple[tuple[int, FloatArray], ...]] = {}
        self._lock = Lock()

    def __getitem__(self, key: int) -> FloatArray:
        with self._lock:
            stretches = self._stretches.get(key, ())
            if stretches:
                signal = self._whole[key].copy()
                for first, piece in stretches:
                    signal[first : first + len(piece)] = piece
                self._whole[key] = signal
                del self._stretches[key]
            return self._whole[key]

    def __iter__(self) -> Iterator[int]:
        return iter(self._whole)

    def __len__(self) -> int:
        return len(self._whole)

    def __contains__(self, key: object) -> bool:
        return key in self._whole

    def stretch(self, key: int, first: int, end: int) -> FloatArray:
        """Samples `first` to `end` of one signal, a copy."""
        with self._lock:
            found = self._whole[key][first:end].copy()
            for at, piece in self._stretches.get(key, ()):
                low, high = max(at, first), min(at + len(piece), end)
                if high > low:
                    found[low - first : high - first] = piece[low - at : high - at]
            return found

    def replaced(self, stretches: Mapping[int, tuple[tuple[int, FloatArray], ...]]) -> "Signals":
        """The same signals with `stretches` (first sample, samples) replaced; those not in `stretches` are left out.

        A signal that was not there begins as silence. Whole arrays are shared with the result, and may not be written to.
        """
        result = Signals({}, self._shape)
        for key, new in stretches.items():
            with self._lock:
                whole, old = self._whole.get(key), self._stretches.get(key, ())
            # Zeros that nobody has touched take no memory yet.
            result._whole[key] = np.zeros(self._shape, np.float32) if whole is None else whole
            kept = [(at, p) for at, p in old if not any(a <= at and at + len(p) <= a + len(q) for a, q in new)]
            if kept or new:
                result._stretches[key] = (*kept, *new)
            if len(kept) + len(new) > _MOST:
                result[key]
        return result


class Layers(Mapping[int, FloatArray]):
    """All `signals` but one."""

    def __init__(self, signals: Mapping[int, FloatArray], without: int) -> None:
        self._signals, self._without = signals, without

    def __getitem__(self, key: int) -> FloatArray:
        if key == self._without:
            raise KeyError(key)
        return self._signals[key]

    def __iter__(self) -> Iterator[int]:
        return (key for key in self._signals if key != self._without)

    def __len__(self) -> int:
        return len(self._signals) - (self._without in self._signals)

    def __contains__(self, key: object) -> bool:
        return key != self._without and key in self._signals
