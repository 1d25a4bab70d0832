"""The decomposition beside the mixer: method, loss curves, progress, cancel."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFont, QWheelEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QProgressBar, QPushButton, QToolButton, QVBoxLayout, QWidget

from soli.decompose.model import Factors
from soli.progress import Progress
from soli.project import commands
from soli.project.document import Document
from soli.project.estimating import estimate, objection
from soli.ui.theme import Theme
from soli.ui.worker import Job

if TYPE_CHECKING:
    import pyqtgraph as pg

METHODS = (("nmf", "NMF"), ("nae", "NAE"))
OFTEN = frozenset({"notes", "absent", "mask", "strips", "history"})  # what a gesture may change at each step
DIVERGENCES = {0.0: "IS", 1.0: "KL", 2.0: "EUC"}
CURVES = 3
CURVE_COLOURS = ("border", "dim", "accent")  # oldest first


def method_name(method: str, beta: float) -> str:
    """The method and the divergence that it makes small, as in NMF · KL."""
    divergence = DIVERGENCES.get(beta, f"β={beta:g}")
    return f"{dict(METHODS)[method]} · {divergence}"


@dataclass(frozen=True)
class Run:
    """The losses of one run, which may still go on, and when each was known."""

    name: str
    losses: list[float]
    seconds: list[float]


class LossPlot(QWidget):
    """Losses of the last runs, logarithmic; by iteration or by second.

    Each is a share of the highest first value of its method: what begins from the last result begins lower.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._plot: pg.PlotWidget | None = None
        self._runs: list[Run] = []
        self._by_second = False
        self.setFixedHeight(118)
        self.setObjectName("well")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Loss of the last runs")
        self.legend = QLabel()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.axis = QToolButton()
        self.axis.setObjectName("tab")
        self.axis.setToolTip("Show the loss by iteration or by second")
        self.axis.clicked.connect(self._turn_axis)
        self.hint = QLabel("The loss appears here while Soli decomposes")
        self.hint.setObjectName("quiet")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        head = QHBoxLayout()
        head.setContentsMargins(6, 0, 0, 0)
        head.addWidget(self.legend, 1)
        head.addWidget(self.axis)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(4, 3, 6, 2)
        self._column.setSpacing(0)
        self._column.addLayout(head)
        self._column.addWidget(self.hint, 1)
        theme.changed.connect(self.draw)
        self.draw()

    def begin(self, name: str, job: Job) -> None:
        """A new run: the former ones turn grey, the oldest goes."""
        self._runs = [*self._runs[-(CURVES - 1) :], Run(name, job.losses, job.loss_s)]
        self.draw()

    def recall(self, name: str, losses: Sequence[float], seconds: float) -> None:
        """The run that opened layers come from, where no other is shown; its iterations are taken to have lasted alike."""
        if not self._runs:
            count = len(losses)
            self._runs = [Run(name, [*losses], [seconds * (n + 1) / count for n in range(count)])]
            self.draw()

    def forget(self) -> None:
        """The current run came to nothing."""
        self._runs = self._runs[:-1]
        self.draw()

    def clear(self) -> None:
        self._runs = []
        self.draw()

    def draw(self) -> None:
        runs = [run for run in self._runs if len(run.losses) > 1 and run.losses[0] > 0]
        self.hint.setVisible(not runs)
        self.axis.setVisible(bool(runs))
        self.legend.setVisible(bool(runs))
        self.axis.setText("by second" if self._by_second else "by iteration")
        if self._plot is not None:
            self._plot.setVisible(bool(runs))
        if not runs:
            return
        # Imported here because it costs half a second, which the window should not wait for.
        import pyqtgraph as pg

        if self._plot is None:
            self._plot = self._make_plot(pg)
        theme, plot = self._theme, self._plot
        plot.setBackground(theme.colour("canvas"))
        for axis in ("left", "bottom"):
            item = plot.getAxis(axis)
            item.setPen(pg.mkPen(theme.colour("border")))
            item.setTextPen(pg.mkPen(theme.colour("faint")))
            item.setTickFont(theme.font(7))
        plot.clear()
        names = []
        highest = {run.name: max(other.losses[0] for other in runs if other.name == run.name) for run in runs}
        for run, colour in zip(runs, CURVE_COLOURS[-len(runs) :], strict=True):
            number = min(len(run.losses), len(run.seconds))
            at = run.seconds[:number] if self._by_second else range(1, number + 1)
            shares = [loss / highest[run.name] for loss in run.losses[:number]]
            plot.plot(at, shares, pen=pg.mkPen(theme.colour(colour), width=1.8))
            names.append(f'<span style="color:{getattr(theme.colours, colour)}">{run.name}</span>')
        self.legend.setText("&nbsp;&nbsp;".join(names[::-1]))
        self.legend.setFont(theme.font(8))
        self.axis.setFont(theme.font(8))

    def _turn_axis(self) -> None:
        self._by_second = not self._by_second
        self.draw()

    def _make_plot(self, pg: Any) -> "pg.PlotWidget":
        plot = pg.PlotWidget()
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(False, False)
        plot.hideButtons()
        plot.setLogMode(False, True)
        plot.getAxis("left").setStyle(showValues=False)
        plot.getAxis("left").setWidth(8)
        plot.setFrameShape(plot.Shape.NoFrame)
        plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._column.addWidget(plot, 1)
        return plot


class QuietComboBox(QComboBox):
    """A wheel that passes by does not change it."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class DecompositionPanel(QWidget):
    """Says what the model is, how a run goes, and lets it be cancelled."""

    settings_requested = Signal()

    def __init__(self, document: Document, theme: Theme) -> None:
        super().__init__()
        self._document, self._theme = document, theme
        self._job: Job | None = None
        self._last: Progress | None = None
        self.pace: Callable[[], float] = lambda: 1.0  # of runs on this computer, see `estimate`
        heading = QLabel("DECOMPOSITION")
        heading.setObjectName("heading")
        self.method = QuietComboBox()
        self.method.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.method.setAccessibleName("Method of decomposition")
        self.method.setToolTip("Nonnegative matrix factorisation, or a nonnegative autoencoder")
        for key, name in METHODS:
            self.method.addItem(name, key)
        self.method.activated.connect(self._choose)
        self.more = QToolButton()
        self.more.setFixedSize(24, 24)
        self.more.setToolTip("Settings of the decomposition")
        self.more.setAccessibleName("Settings of the decomposition")
        self.more.clicked.connect(self.settings_requested)
        head = QHBoxLayout()
        head.addWidget(heading)
        head.addStretch()
        head.addWidget(self.method)
        head.addWidget(self.more)
        self.plot = LossPlot(theme)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress")
        self.says = QLabel()
        self.says.setObjectName("quiet")
        self.cancel = QPushButton("Cancel")
        self.cancel.setObjectName("link")
        self.cancel.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.cancel.setToolTip("Stop; what was there before stays (Esc)")
        self.cancel.clicked.connect(self._cancel)
        foot = QHBoxLayout()
        foot.addWidget(self.says, 1)
        foot.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(7)
        layout.addLayout(head)
        layout.addWidget(self.plot)
        layout.addWidget(self.bar)
        layout.addLayout(foot)
        # What a run will take is added up over all notes: not for each step of an edit.
        self._idle = QTimer(self, singleShot=True, interval=200)
        self._idle.timeout.connect(lambda: self._show_idle() if self._job is None else None)
        self._redraw = QTimer(self, interval=150)
        self._redraw.timeout.connect(self.plot.draw)
        document.subscribe(self._follow)
        theme.changed.connect(self._retheme)
        self._retheme()
        self._show_idle()
        self._show_settings()

    @property
    def job(self) -> Job | None:
        """The job that is shown, while it runs."""
        return self._job

    def watch(self, job: Job, *, curve: bool = False) -> None:
        """Show a job until it ends; `curve` draws its losses."""
        self._job, self._last = job, None
        self.bar.setValue(0)
        self.bar.setVisible(True)
        self.cancel.setVisible(True)
        self.cancel.setEnabled(True)
        self.says.setText(f"{job.name}…")
        if curve:
            settings = self._document.state.settings
            self.plot.begin(method_name(settings.method, settings.beta), job)
            self._redraw.start()
            job.cancelled.connect(self.plot.forget)
            job.failed.connect(lambda _: self.plot.forget())
        job.progressed.connect(self._progressed)
        job.ended.connect(lambda: self._ended(job))

    def _progressed(self, progress: Progress) -> None:
        job = self._job
        if job is None or self.sender() is not job:
            return
        self._last = progress
        self.bar.setValue(round(1000 * progress.fraction))
        if progress.loss is not None and 0 < progress.step < progress.total:
            left_s = (time.perf_counter() - job.started_s) * (1 / max(progress.fraction, 1e-6) - 1)
            so_far = job.model
            iterations = so_far.asked if isinstance(so_far, Factors) else self._document.state.settings.iterations
            self.says.setText(f"Iteration {len(job.losses) + 1} of {iterations} · about {max(1, round(left_s))} s left")
        else:
            self.says.setText(progress.what)

    def _ended(self, job: Job) -> None:
        if self._job is job:
            self._job = None
            self._redraw.stop()
            self.plot.draw()
            self._show_idle()

    def _show_idle(self) -> None:
        self.bar.setVisible(False)
        self.cancel.setVisible(False)
        self.says.setToolTip("")
        separation, state = self._document.separation, self._document.state
        if separation is not None:
            took = sum(separation.seconds.values())
            runs = len(separation.factors.losses)
            warm = " · from the last result" if separation.factors.warm else ""
            if separation.factors.origin is not None:
                self.says.setText(f"Followed the last edit in {_spent(took)}")
            else:
                self.says.setText(f"{runs} iterations in {_spent(took)}{warm}")
        elif state.audio is None:
            self.says.setText("Open the recording of this score" if state.notes else "Open a recording and its score to begin")
        elif not state.notes:
            self.says.setText("Open a score, or draw notes on the roll")
        else:
            expected = estimate(state, pace=self.pace(), played=True)
            objected = objection(state, expected)
            self.says.setText("Too large for the memory and disk here" if objected else f"Ready: {expected.in_words}")
            self.says.setToolTip(objected)

    def _recall(self) -> None:
        separation = self._document.separation
        if separation is not None and separation.factors.losses:
            settings = separation.factors.settings
            seconds = separation.seconds.get("decompose", 0.0)
            self.plot.recall(method_name(settings.method, settings.beta), separation.factors.losses, seconds)

    def _show_settings(self) -> None:
        settings = self._document.state.settings
        for i, (key, _) in enumerate(METHODS):
            self.method.setItemText(i, method_name(key, settings.beta))
        self.method.setCurrentIndex([key for key, _ in METHODS].index(settings.method))

    def _choose(self, index: int) -> None:
        state = self._document.state
        method = self.method.itemData(index)
        if method != state.settings.method:
            self._document.do(commands.set_settings(state, replace(state.settings, method=method)))

    def _cancel(self) -> None:
        if self._job is not None:
            self.cancel.setEnabled(False)
            self.says.setText("Stopping…")
            self._job.cancel()

    def _follow(self, aspects: frozenset[str]) -> None:
        if "settings" in aspects:
            self._show_settings()
        if "recording" in aspects:
            self.plot.clear()
        if "separation" in aspects:
            self._recall()
        if aspects <= OFTEN:
            self._idle.start()
        elif self._job is None:
            self._show_idle()

    def _retheme(self) -> None:
        self.says.setFont(self._theme.font(8.5, figures=True))
        self.plot.hint.setFont(self._theme.font(8.5))
        self.more.setIcon(self._theme.icon("more"))
        font = self._theme.font(8.5, weight=QFont.Weight.Medium)
        self.method.setFont(font)


def _spent(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"
