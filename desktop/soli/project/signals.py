"""Minutes of sound that share what they have in common: an edit replaces a stretch without a copy of the rest."""

from collections.abc import Iterator, Mapping
from threading import Lock

from soli.signal import maps
from soli.signal.audio import FloatArray
from soli.signal.patchwork import Patchwork


class Signals(Mapping[int, FloatArray]):
    """Signals by id, float32, all of one shape (length, channels); none of them may be written to.

    One in which stretches were replaced is made whole when it is first asked for, which takes as long as copying it; `stretch`
    does not need that. Safe to use from several threads.
    """

    def __init__(self, whole: Mapping[int, FloatArray], shape: tuple[int, ...] = (0, 0)) -> None:
        self._signals = {key: Patchwork(signal) for key, signal in whole.items()}
        self._shape = next((signal.shape for signal in whole.values()), shape)
        self._lock = Lock()

    def __getitem__(self, key: int) -> FloatArray:
        with self._lock:
            whole = self._signals[key].joined()
            self._signals[key] = Patchwork(whole)
            return whole

    def __iter__(self) -> Iterator[int]:
        return iter(self._signals)

    def __len__(self) -> int:
        return len(self._signals)

    def __contains__(self, key: object) -> bool:
        return key in self._signals

    def stretch(self, key: int, first: int, end: int) -> FloatArray:
        """Samples `first` to `end` of one signal, float32 (samples, channels), a copy."""
        return self._signals[key].stretch(first, end)

    def replaced(self, stretches: Mapping[int, tuple[tuple[int, FloatArray], ...]]) -> "Signals":
        """The same signals with `stretches` (first sample, samples) replaced; those not in `stretches` are left out.

        A signal that was not there begins as silence. What is not replaced is shared with the result, and may not be written to.
        """
        result = Signals({}, self._shape)
        for key, new in stretches.items():
            signal = self._signals.get(key)
            # Zeros that nobody has touched take no memory yet.
            result._signals[key] = (Patchwork(maps.zeros(self._shape)) if signal is None else signal).patched(new)
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
