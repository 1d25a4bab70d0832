"""A long piece with many notes, and a hand that drives the window: what the benchmarks of the roll share."""

from types import MappingProxyType

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from soli.project.state import LAYER_COLOURS, Layer, State
from soli.score.alignment import unaligned
from soli.score.notes import Beat, Note, Score
from soli.signal.audio import Audio

RATE = 8000
NO_KEYS, CTRL, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
LAYERS = 4


def big_piece(*, notes: int = 10_000, seconds: float = 1800.0, crowded: bool = False) -> State:
    """Noise with `notes` notes in four layers over all pitches; `crowded` puts all of them into one second of it."""
    rng = np.random.default_rng(1)
    first_s, last_s = (seconds / 2, seconds / 2 + 1) if crowded else (0.0, seconds - 2)
    onsets = np.sort(rng.uniform(first_s, last_s, notes))
    lengths = rng.uniform(0.1, 1.2, notes) * (0.05 if crowded else 1.0)
    lengths[0] = seconds - onsets[0]  # a pedal point as long as the piece
    pitches = rng.normal(64, 13, notes).clip(24, 105).astype(int)
    written = tuple(
        Note(i, float(onset), float(onset + length), int(pitch), 80, track=i % LAYERS, layer=i % LAYERS)
        for i, (onset, length, pitch) in enumerate(zip(onsets, lengths, pitches, strict=True))
    )
    beats = tuple(Beat(0.5 * i, 1 + i // 4, 1 + i % 4) for i in range(int(2 * seconds)))
    score = Score(written, tuple(f"Voice {i + 1}" for i in range(LAYERS)), beats, title="Big piece")
    sound = (0.05 * rng.standard_normal((round(seconds * RATE), 1))).astype(np.float32)
    return State(
        audio=Audio(sound, RATE),
        score=score,
        alignment=unaligned(score),
        notes=MappingProxyType({n.id: n for n in written}),
        layers=tuple(Layer(i, f"Voice {i + 1}", colour) for i, colour in zip(range(LAYERS), LAYER_COLOURS, strict=False)),
    )


def send(widget: QWidget, kind: QEvent.Type, x: float, y: float, *, button=Qt.MouseButton.LeftButton, keys=NO_KEYS) -> None:
    at, moves = QPointF(x, y), kind == QEvent.Type.MouseMove
    held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else button
    event = QMouseEvent(kind, at, widget.mapToGlobal(at), Qt.MouseButton.NoButton if moves else button, held, keys)
    QApplication.sendEvent(widget, event)


def wheel(widget: QWidget, x: float, y: float, *, turn: QPoint, keys=NO_KEYS) -> None:
    at, none = QPointF(x, y), Qt.MouseButton.NoButton
    event = QWheelEvent(at, widget.mapToGlobal(at), QPoint(), turn, none, keys, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(widget, event)
