"""V, W, H and the model WH as pictures on one pitch axis: what the decomposition view paints."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from soli.decompose.channels import middle_magnitudes
from soli.decompose.constraints import Kind
from soli.decompose.model import Factors
from soli.score.notes import pitch_name
from soli.signal.audio import Audio, FloatArray
from soli.signal.log_spectrogram import ROWS, log_rows
from soli.signal.picture import Rows
from soli.signal.spectrogram import Grid

Bytes = NDArray[np.uint8]

MOST_COLUMNS = 240  # of V and of the model, however long the stretch that is shown
SOUND_DB, TEMPLATE_DB, ACTIVATION_DB = 60.0, 50.0, 50.0


def as_bytes(values: FloatArray, range_db: float, loudest: float) -> Bytes:
    """0 for `range_db` below `loudest` and less, 255 for `loudest`; uint8 of the same shape."""
    if loudest <= 0:
        return np.zeros(values.shape, np.uint8)
    decibels = 20 * np.log10(np.maximum(values / loudest, 1e-9))
    return np.asarray(np.clip(255 * (1 + decibels / range_db), 0, 255), np.uint8)


@dataclass(frozen=True, eq=False)
class ModelPicture:
    """Pictures of one set of factors, uint8, row 0 the lowest pitch.

    Components are ordered by pitch, so that `order[i]` is the component in row i of H and in column i of W.
    """

    recording: Audio
    factors: Factors

    @cached_property
    def order(self) -> NDArray[np.int64]:
        parts = self.factors.components
        return np.lexsort((parts.copy, parts.kind == Kind.ATTACK, parts.part, parts.pitch))

    @cached_property
    def _rows(self) -> Rows:
        return log_rows(self.factors.grid, np.arange(ROWS))

    @cached_property
    def _log_templates(self) -> FloatArray:
        return self._rows.of_spectra(np.ascontiguousarray(self.factors.W))

    def templates(self) -> Bytes:
        """W over the rows of the roll's spectrogram, each column to its own loudest; shape (ROWS, R)."""
        return self._columns(self.factors.W)

    def activations(self, start_s: float, end_s: float, most: int) -> Bytes:
        """H in a stretch of time, the loudest of what falls into a column; shape (R, at most `most`)."""
        frames = self._frames(start_s, end_s)
        H = self.factors.H[:, frames]
        if H.shape[1] == 0:
            return np.zeros((len(self.order), 1), np.uint8)
        edges = np.unique(np.linspace(0, H.shape[1], min(most, H.shape[1]) + 1).astype(np.int64)[:-1])
        loudest = float(self.factors.H.max(initial=0.0))
        return as_bytes(np.maximum.reduceat(H, edges, axis=1)[self.order], ACTIVATION_DB, loudest)

    def sound(self, start_s: float, end_s: float) -> tuple[Bytes, Bytes]:
        """V and WH in a stretch of time, to one scale; both of shape (ROWS, columns)."""
        picked = self._picked(start_s, end_s)
        V = self._rows.of_spectra(np.stack([self._spectrum(int(n)) for n in picked], axis=1))
        model = self._log_templates @ self.factors.H[:, picked]
        loudest = float(V.max(initial=0.0))
        return as_bytes(V, SOUND_DB, loudest), as_bytes(np.asarray(model, np.float32), SOUND_DB, loudest)

    def encoders(self) -> tuple[Bytes, Bytes] | None:
        """W_E of an autoencoder and the pseudo-inverse of W_D, a column a component as in W; None without an encoder.

        What the lecture holds side by side: V = W_D H asks for H = W_D^+ V, and W_E learns to be something like it.
        """
        if self.factors.encoder is None:
            return None
        W = self.factors.W
        # Components are too alike for an exact inverse: a little of the diagonal keeps it from blowing up.
        gram = W.T @ W
        gram += np.float32(1e-3 * np.trace(gram) / len(gram)) * np.eye(len(gram), dtype=np.float32)
        inverse = np.linalg.solve(gram, W.T).T
        return self._columns(np.abs(self.factors.encoder).T), self._columns(np.abs(inverse))

    def _columns(self, weights: FloatArray) -> Bytes:
        """A column a component over the rows of the picture, each to its own loudest."""
        columns = self._rows.of_spectra(np.ascontiguousarray(weights, np.float32))[:, self.order]
        return as_bytes(columns / np.maximum(columns.max(axis=0), np.float32(1e-12)), TEMPLATE_DB, 1.0)

    def component_at(self, row: int, spell: Callable[[int], str] = pitch_name) -> str:
        """What the component in a row of H is, as a musician reads it."""
        parts, component = self.factors.components, int(self.order[row])
        kind = {Kind.SUSTAIN: "sustained", Kind.ATTACK: "attack", Kind.DRUM: "drum"}[Kind(int(parts.kind[component]))]
        return f"{spell(int(parts.pitch[component]))} · {kind}"

    def _grid(self) -> Grid:
        return self.factors.grid

    def _frames(self, start_s: float, end_s: float) -> slice:
        grid = self._grid()
        first = min(max(0, int(start_s / grid.hop_s)), grid.frames - 1)
        return slice(first, min(grid.frames, max(first + 1, int(np.ceil(end_s / grid.hop_s)))))

    def _picked(self, start_s: float, end_s: float) -> NDArray[np.int64]:
        frames = self._frames(start_s, end_s)
        count = min(MOST_COLUMNS, frames.stop - frames.start)
        return np.linspace(frames.start, frames.stop - 1, count).astype(np.int64)

    def _spectrum(self, frame: int) -> FloatArray:
        """What was decomposed, in one frame (K,): not the mean of the channels where that cancels."""
        return middle_magnitudes(self.recording, self._grid(), frame, frame + 1, joined=self.factors.joined)[:, 0]
