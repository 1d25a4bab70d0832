"""Settings of the decomposition: the model on the left, what the notes allow on the right."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from soli.decompose.settings import RANGES, ModelSettings
from soli.errors import InputError
from soli.settings import Settings
from soli.ui.dialogs.preset_row import PresetRow

AUTOMATIC = "by instrument"


@dataclass(frozen=True)
class Choice:
    """A setting with a few values, and how they are called."""

    field: str
    label: str
    values: Mapping[Any, str]
    tip: str = ""


@dataclass(frozen=True)
class Number:
    """A setting with a number; `automatic` is what None is called, for settings that may be left open."""

    field: str
    label: str
    step: float
    decimals: int = 0
    suffix: str = ""
    automatic: str = ""
    tip: str = ""
    highest: float | None = None


MODEL: tuple[Choice | Number, ...] = (
    Choice("method", "Method", {"nmf": "NMF: factorisation", "nae": "NAE: autoencoder"}),
    Choice(
        "updates",
        "Updates",
        {"multiplicative": "Multiplicative", "gradient": "Gradient, projected", "relu": "Gradient, ReLU (NAE)"},
        "Multiplicative updates keep zeros at zero and need no learning rate",
    ),
    Choice("beta", "Divergence", {1.0: "Kullback–Leibler", 2.0: "Euclidean", 0.0: "Itakura–Saito"}, "What is made small"),
    Choice("rate", "Step of gradients", {"adaptive": "Adaptive (Adam)", "fixed": "Fixed"}, "Only gradient updates have a step"),
    Number(
        "learning_rate",
        "Learning rate",
        0.01,
        3,
        tip="How far gradient updates go in a step, in parts of the mean of a template or a row; multiplicative ones need none",
    ),
    Choice(
        "dropout",
        "Dropout (NAE)",
        {"soft": "Soft, as the notes decay", "binary": "Binary, as in the lecture"},
        "The mask that an autoencoder's code is multiplied with",
    ),
    Number(
        "encoder_steps",
        "Encoder steps (NAE)",
        1,
        tip="Layers after the encoder's product, each a step towards what NMF would find",
    ),
    Number(
        "decoder_layers",
        "Decoder layers (NAE)",
        1,
        tip="With two or more, a pitch has one activation, and its templates sound from different levels on",
    ),
    Choice(
        "initialisation",
        "Start from",
        {
            "onsets": "Templates, activations, onsets",
            "both": "Templates and activations",
            "activations": "Activations from the score",
            "templates": "Harmonic templates",
            "random": "Random",
        },
        "What the score decides before the first iteration",
    ),
    Number("iterations", "Iterations", 1, tip="16 is enough for most pieces", highest=1000),
    Choice(
        "stop",
        "Stop",
        {"iterations": "After the iterations", "change": "When W and H settle", "loss": "When the loss settles"},
    ),
    Number(
        "tolerance",
        "Settled below",
        1e-4,
        6,
        tip="The relative change of W and H, or the relative fall of the loss, in one iteration: less is taken for settled",
    ),
    Number(
        "prior", "Firmness", 0.1, 2, tip="How firmly templates are held to the shape of their instrument; 0 lets them go free"
    ),
    Number("mask_exponent", "Mask exponent", 0.1, 2, tip="Higher separates harder, lower lets the layers blend"),
)
SUPPORT: tuple[Choice | Number, ...] = (
    Number("before_s", "Before onsets", 0.01, 2, " s", AUTOMATIC, "How long before its onset a note may sound"),
    Number("after_s", "After ends", 0.01, 2, " s", AUTOMATIC, "How long after its end a note may sound: reverberation, pedal"),
    Number("attack_before_s", "Attack before", 0.01, 2, " s", AUTOMATIC, "How long before the onset an attack may sound"),
    Number("attack_after_s", "Attack after", 0.01, 2, " s", AUTOMATIC, "How long after the onset an attack may sound"),
    Number("harmonics", "Harmonics", 1, 0, "", "all", "How many harmonics a template may have", 60),
    Number("inharmonicity", "Inharmonicity", 1e-5, 5, "", AUTOMATIC, "How far a string's partials are stretched"),
    Number(
        "template_tolerance_cents", "Template width", 5, 0, " cents", "soft", "Half the width of a hard comb; soft has no edges"
    ),
    Number("sustain_templates", "Templates a pitch", 1, tip="How many spectra a held tone may be made of, beside its attack"),
    Choice(
        "grouping",
        "Share templates",
        {"instrument": "Within an instrument", "track": "Within a track", "one": "All together"},
        "The two hands of a piano share theirs, two violins do not",
    ),
    Choice(
        "forbidden",
        "What is left out",
        {"modelled": "Is found, for the residual", "unmodelled": "Is taken for silence"},
        "Notes left out and stretches that were forbidden; taken for silence, other notes may get what they sound",
    ),
    Choice(
        "stereo",
        "Two channels",
        {"placed": "Tell layers by place too", "unplaced": "Tell layers by spectrum alone"},
        "Instruments that stand apart separate better by where they stand; without it the plain masks of the spectra are left",
    ),
)


class ModelForm(QWidget):
    """All settings in two columns. `changed` comes with every change, by the user or by `show_settings`."""

    changed = Signal()

    def __init__(self, settings: ModelSettings, *, editor_width: int = 222) -> None:
        super().__init__()
        self._settings = settings
        self._editor_width = editor_width
        self._editors: dict[str, QComboBox | QSpinBox | QDoubleSpinBox] = {}
        self._shown: dict[str, float] = {}
        self._specs: dict[str, Choice | Number] = {spec.field: spec for spec in (*MODEL, *SUPPORT)}
        columns = QHBoxLayout(self)
        columns.setContentsMargins(0, 0, 0, 0)
        columns.setSpacing(30)
        for title, specs in (("MODEL", MODEL), ("WHAT NOTES ALLOW", SUPPORT)):
            columns.addLayout(self._column(title, specs))
        self.show_settings(settings)

    def show_settings(self, settings: ModelSettings) -> None:
        self._settings = settings
        for name, editor in self._editors.items():
            value = getattr(settings, name)
            if isinstance(editor, QComboBox):
                if editor.findData(value) < 0:
                    editor.addItem(f"{value:g}", value)
                editor.setCurrentIndex(editor.findData(value))
            else:
                editor.setValue(editor.minimum() if value is None else value)  # type: ignore[arg-type]
                self._shown[name] = editor.value()
        self.changed.emit()

    @property
    def tuning_cents(self) -> float:
        """What was measured in the recording; no other settings change it."""
        return self._settings.tuning_cents

    def settings(self) -> ModelSettings:
        """The settings as they are chosen now. Raises InputError for those that do not go together."""
        chosen: dict[str, Any] = {}
        for name, editor in self._editors.items():
            spec = self._specs[name]
            if isinstance(editor, QComboBox):
                chosen[name] = editor.currentData()
            elif editor.value() == self._shown[name]:
                # What was set elsewhere may have more digits than are shown here, or lie beyond what is offered here.
                chosen[name] = getattr(self._settings, name)
            elif isinstance(spec, Number) and spec.automatic and editor.value() <= editor.minimum():
                chosen[name] = None
            else:
                chosen[name] = editor.value()
        return replace(self._settings, **chosen)

    def _column(self, title: str, specs: tuple[Choice | Number, ...]) -> QVBoxLayout:
        heading = QLabel(title)
        heading.setObjectName("heading")
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        for spec in specs:
            editor = self._choice(spec) if isinstance(spec, Choice) else self._number(spec)
            editor.setAccessibleName(spec.label)
            editor.setToolTip(spec.tip or spec.label)
            editor.setMinimumWidth(self._editor_width)
            form.addRow(spec.label, editor)
            self._editors[spec.field] = editor
        column = QVBoxLayout()
        column.setSpacing(10)
        column.addWidget(heading)
        column.addLayout(form)
        column.addStretch(1)
        return column

    def _choice(self, spec: Choice) -> QComboBox:
        box = QComboBox()
        for value, name in spec.values.items():
            box.addItem(name, value)
        box.currentIndexChanged.connect(lambda _: self.changed.emit())
        return box

    def _number(self, spec: Number) -> QSpinBox | QDoubleSpinBox:
        """A number; where it may be left open, the step below its lowest value does that."""
        spin: QSpinBox | QDoubleSpinBox = QDoubleSpinBox() if spec.decimals else QSpinBox()
        low, high = RANGES[spec.field]
        low, high = low - (spec.step if spec.automatic else 0), spec.highest or high
        # What has too few digits for the lowest value would be shown as zero.
        low = max(low, 10.0**-spec.decimals) if low > 0 else low
        if isinstance(spin, QDoubleSpinBox):
            spin.setDecimals(spec.decimals)
            spin.setRange(low, high)
            spin.setSingleStep(spec.step)
        else:
            spin.setRange(int(low), int(high))
            spin.setSingleStep(int(spec.step))
        spin.setSuffix(spec.suffix)
        spin.lineEdit().setTextMargins(7, 0, 0, 0)
        spin.valueChanged.connect(lambda _: self.changed.emit())
        if spec.automatic:
            spin.setSpecialValueText(spec.automatic)
        return spin


class ModelDialog(QDialog):
    """Shows settings and gives them back changed. What does not go together is said, and cannot be accepted."""

    def __init__(self, parent: QWidget, settings: ModelSettings, preferences: Settings) -> None:
        super().__init__(parent)
        self.setWindowTitle("Decomposition settings")
        self.form = ModelForm(settings)
        self.presets = PresetRow(preferences, self.form)
        self._tuning_cents = settings.tuning_cents
        self._says = QLabel()
        self._says.setObjectName("quiet")
        self._says.setWordWrap(True)
        self._says.setMinimumHeight(34)
        standard = QDialogButtonBox.StandardButton
        self._buttons = QDialogButtonBox(standard.Ok | standard.Cancel | standard.RestoreDefaults)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        self._buttons.button(standard.RestoreDefaults).setText("Restore defaults")
        self._buttons.button(standard.RestoreDefaults).clicked.connect(lambda: self.show_settings(ModelSettings()))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 18, 22, 16)
        layout.setSpacing(14)
        layout.addWidget(self.presets)
        layout.addWidget(self.form)
        layout.addWidget(self._says)
        layout.addWidget(self._buttons)
        self.form.changed.connect(self._check)
        self._check()

    def settings(self) -> ModelSettings:
        """The settings as they are chosen now. Raises InputError for those that do not go together."""
        return self.form.settings()

    def show_settings(self, settings: ModelSettings) -> None:
        """Show other settings; the tuning was measured in the recording and stays."""
        self.form.show_settings(replace(settings, tuning_cents=self._tuning_cents))

    def _check(self) -> None:
        accept = self._buttons.button(QDialogButtonBox.StandardButton.Ok)
        try:
            self.settings()
        except InputError as error:
            self._says.setText(str(error)[:1].upper() + str(error)[1:])
            accept.setEnabled(False)
        else:
            self._says.setText("What a note may use is the paler body around it on the roll. Changes are heard at the next run.")
            accept.setEnabled(True)
