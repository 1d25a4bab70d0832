"""The spectrogram as a picture over hertz, so that the harmonics of a tone lie at equal distances."""

import numpy as np

from soli.signal.audio import Audio, FloatArray
from soli.signal.log_spectrogram import HIGHEST_PITCH, SHORT_WINDOW_S, TILT_DB_PER_OCTAVE
from soli.signal.picture import SILENT_DB, Picture, PictureMaker, Rows, to_decibels

HIGHEST_HZ = 440.0 * 2.0 ** ((HIGHEST_PITCH + 0.5 - 69) / 12)
ROWS = 640
MOST_FRAMES = 72_000
_TILT_FROM_HZ = 130.8


class LinearSpectrogramMaker(PictureMaker[Picture]):
    """Makes a Picture whose unit is the hertz, from 0 to HIGHEST_HZ."""

    def __init__(self, recording: Audio) -> None:
        super().__init__(recording, most_frames=MOST_FRAMES)
        edges = np.linspace(0, HIGHEST_HZ, ROWS + 1)
        centre = (edges[:-1] + edges[1:]) / 2
        self._rows = {
            coarse: Rows.between(self.grid(SHORT_WINDOW_S, coarse=coarse), edges[:-1], centre, edges[1:])
            for coarse in (False, True)
        }
        self._heard = int(np.searchsorted(centre, recording.rate / 2))
        octaves = np.log2(np.maximum(centre / _TILT_FROM_HZ, 1.0))
        self._tilt_db = (TILT_DB_PER_OCTAVE * octaves).astype(np.float32)[:, None]
        values = np.zeros((ROWS, self._frames), np.uint8)
        self.picture = Picture(values, self._hop / self._rate, 0.0, ROWS / HIGHEST_HZ)

    def decibels(self, start: int, stop: int, *, coarse: bool) -> FloatArray:
        """See `PictureMaker.decibels`."""
        decibels: FloatArray = to_decibels(self._rows[coarse].of_frames(self._samples, start, stop)) + self._tilt_db
        decibels[self._heard :] = SILENT_DB
        return decibels
