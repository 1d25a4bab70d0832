"""What holds templates to their instrument while they learn: a prior seen through the instrument's own timbre."""

from dataclasses import dataclass

import numpy as np

from soli.decompose.bodies import IntArray
from soli.decompose.constraints import Components, Kind
from soli.score.notes import frequency_hz
from soli.signal.audio import FloatArray
from soli.signal.spectrogram import Grid

_SMOOTH_HZ = 200.0
FADE = 0.85
_HARMONICS = 30
_CAUTION = 0.02
# Where an instrument sounds alone, nothing is taken for another's.
_ALONE = 1.0
# Drums are held to nothing; tones that are not held either learn what a drum that always comes with them sounds like.
_AMONG_DRUMS = 2.0


@dataclass(frozen=True, eq=False)
class Timbre:
    """A maximum a posteriori update of templates under the Kullback-Leibler divergence.

    rows: the prior templates, float32 (R, K). group: which components share a timbre, one a part and kind (int64, (R,)).
    harmonic: the number of the partial nearest to each bin, from 0 below the first to a last one for all above (int64, (R, K)).
    smooth_bins: standard deviation of the smoothing over frequency. strength: pseudo-counts of each component (float32, (R,)),
    as a fraction of the mean activation, fading by 0.85 an iteration; 0 for drums, of which each is its own.
    """

    rows: FloatArray
    group: IntArray
    harmonic: IntArray
    smooth_bins: float
    strength: FloatArray

    @classmethod
    def of(cls, W: FloatArray, components: Components, grid: Grid, *, strength: float, bins: slice = slice(None)) -> "Timbre":
        """The prior that starts from the templates W (K, R) of `components`; `bins` of the grid are the rows of W."""
        _, group = np.unique(np.stack([components.part, components.kind]), axis=1, return_inverse=True)
        f0 = np.array([frequency_hz(pitch) for pitch in components.pitch.tolist()])
        harmonic = np.rint(grid.frequencies_hz()[bins] / f0[:, None]).clip(0, _HARMONICS).astype(np.int64)
        alone = len([part for part in components.parts if not part.is_drum]) <= 1
        firmness = np.array([min(part.family.firmness, _ALONE) if alone else part.family.firmness for part in components.parts])
        firmness *= _AMONG_DRUMS if any(part.is_drum for part in components.parts) else 1
        return cls(
            np.ascontiguousarray(W.T),
            group.reshape(-1).astype(np.int64),
            harmonic,
            _SMOOTH_HZ * grid.window_length / grid.rate,
            np.where(components.kind == Kind.DRUM, 0.0, strength * firmness[components.part]).astype(np.float32),
        )

    def update(self, counts: FloatArray, iteration: int) -> FloatArray:
        """New templates as rows (R, K), of any scale, from `counts` = W * ((V / WH) H') as rows: what each was heard to sound."""
        weight = counts.sum(axis=1)
        prior = self.seen(counts, weight)
        pseudo = self.strength * np.float32(FADE**iteration * weight.mean())
        prior *= pseudo[:, None] / np.maximum(prior.sum(axis=1, keepdims=True), np.float32(1e-30))
        prior += counts
        return prior

    def learnt(self, counts: FloatArray, mass: FloatArray, iteration: int) -> FloatArray:
        """The same for templates of which the scale matters, since the activations, of sum `mass` (R,), stay as they are."""
        pseudo = (self.strength * np.float32(FADE**iteration * mass.mean()))[:, None]
        total = mass[:, None] + pseudo
        rows: FloatArray = counts + pseudo * self.seen(counts, mass)
        return np.divide(rows, total, out=self.rows.copy(), where=total > 0)

    def seen(self, counts: FloatArray, weight: FloatArray) -> FloatArray:
        """The prior through each group's timbre: an equaliser, smooth over frequency, and a weight for each partial.

        Both are what was heard over what the prior foretells, if components sound as much as `weight` (R,) says.
        """
        from scipy.ndimage import gaussian_filter1d

        prior = np.empty_like(counts)
        for g in range(int(self.group.max()) + 1):
            members = np.flatnonzero(self.group == g)
            heard = gaussian_filter1d(counts[members].sum(axis=0), self.smooth_bins)
            foretold = gaussian_filter1d(weight[members] @ self.rows[members], self.smooth_bins)
            tiny = np.float32(1e-7) * heard.mean() + np.float32(1e-30)
            rows = self.rows[members] * ((heard + tiny) / (foretold + tiny))
            which = self.harmonic[members].ravel()
            by_partial = np.bincount(which, counts[members].ravel(), minlength=_HARMONICS + 1)
            expected = np.bincount(which, (rows * weight[members, None]).ravel(), minlength=_HARMONICS + 1)
            caution = _CAUTION * expected.mean() + 1e-30
            gains = ((by_partial + caution) / (expected + caution)).astype(np.float32)
            prior[members] = rows * gains[self.harmonic[members]]
        return prior
