"""What holds templates to their instrument while they learn: a prior seen through the instrument's own filter."""

from dataclasses import dataclass

import numpy as np

from soli.decompose.bodies import IntArray
from soli.decompose.constraints import Components
from soli.signal.audio import FloatArray
from soli.signal.spectrogram import Grid

_SMOOTH_HZ = 200.0
_FADE = 0.85


@dataclass(frozen=True, eq=False)
class Timbre:
    """A maximum a posteriori update of templates under the Kullback-Leibler divergence.

    rows: the prior templates, float32 (R, K), rows sum to one. group: which components share an equaliser, one a part and
    kind (int64, (R,)). smooth_bins: standard deviation of the smoothing over frequency. strength: pseudo-counts, as a
    fraction of the mean activation, fading by 0.85 an iteration.
    """

    rows: FloatArray
    group: IntArray
    smooth_bins: float
    strength: float

    @classmethod
    def of(cls, W: FloatArray, components: Components, grid: Grid, *, strength: float) -> "Timbre":
        """The prior that starts from the templates W (K, R) of `components`."""
        _, group = np.unique(np.stack([components.part, components.kind]), axis=1, return_inverse=True)
        return cls(W.T, group.reshape(-1).astype(np.int64), _SMOOTH_HZ * grid.window_length / grid.rate, strength)

    def update(self, counts: FloatArray, iteration: int) -> FloatArray:
        """New templates as rows (R, K) from `counts` = W * ((V / WH) H'), as rows: what each was heard to sound.

        The prior of each group is shaped by an equaliser, what was heard over what the prior foretold, both smooth.
        """
        from scipy.ndimage import gaussian_filter1d

        weight = counts.sum(axis=1)
        groups = int(self.group.max()) + 1
        prior = np.empty_like(counts)
        for g in range(groups):
            members = np.flatnonzero(self.group == g)
            heard = gaussian_filter1d(counts[members].sum(axis=0), self.smooth_bins)
            foretold = gaussian_filter1d(weight[members] @ self.rows[members], self.smooth_bins)
            tiny = np.float32(1e-7) * heard.mean() + np.float32(1e-30)
            prior[members] = self.rows[members] * ((heard + tiny) / (foretold + tiny))
        strength = self.strength * _FADE**iteration * float(weight.mean())
        prior *= strength / np.maximum(prior.sum(axis=1, keepdims=True), np.float32(1e-30))
        prior += counts
        return prior
