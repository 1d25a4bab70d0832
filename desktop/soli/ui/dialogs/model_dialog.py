"""Settings of the decomposition: the few that matter on top, the model's own below."""

from dataclasses import replace

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from soli.decompose.settings import RANGES, ModelSettings

METHODS = {"nmf": "NMF (factorisation)", "nae": "NAE (nonnegative autoencoder)"}
BETAS = {1.0: "Kullback–Leibler", 2.0: "Euclidean", 0.0: "Itakura–Saito"}
INITIALISATIONS = {
    "onsets": "Templates, activations and onsets",
    "both": "Templates and activations",
    "activations": "Activations from the score",
    "templates": "Harmonic templates",
    "random": "Random",
}
AUTOMATIC = "by instrument"


class ModelDialog(QDialog):
    """Shows settings and gives them back changed."""

    def __init__(self, parent: QWidget, settings: ModelSettings) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setWindowTitle("Decomposition settings")
        self.setMinimumWidth(420)
        self._method = self._choice(METHODS, settings.method)
        self._iterations = QSpinBox()
        self._iterations.setRange(1, 1000)
        self._iterations.setValue(settings.iterations)
        self._iterations.setToolTip("How often W and H are updated; 16 is enough for most pieces")
        self._beta = self._choice(BETAS, settings.beta)
        self._initialisation = self._choice(INITIALISATIONS, settings.initialisation)
        self._initialisation.setToolTip("What the score decides before the first iteration")
        self._before = self._seconds(settings.before_s, "before_s", "How long before its onset a note may sound")
        self._after = self._seconds(settings.after_s, "after_s", "How long after its end a note may sound: reverberation, pedal")
        self._exponent = QDoubleSpinBox()
        self._exponent.setRange(*RANGES["mask_exponent"])
        self._exponent.setSingleStep(0.1)
        self._exponent.setDecimals(2)
        self._exponent.setValue(settings.mask_exponent)
        self._exponent.setToolTip("Higher separates harder, lower leaves more of each other in the layers")
        form = QFormLayout()
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(9)
        for label, widget in (
            ("Method", self._method),
            ("Iterations", self._iterations),
            ("Divergence", self._beta),
            ("Start from", self._initialisation),
            ("Before onsets", self._before),
            ("After ends", self._after),
            ("Mask exponent", self._exponent),
        ):
            form.addRow(label, widget)
            widget.setAccessibleName(label)
        note = QLabel("What a note may use is the paler body around it on the roll. Changes are heard at the next run.")
        note.setObjectName("quiet")
        note.setWordWrap(True)
        standard = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(standard.Ok | standard.Cancel | standard.RestoreDefaults)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        buttons.button(standard.RestoreDefaults).clicked.connect(self._restore)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(14)
        layout.addLayout(form)
        layout.addWidget(note)
        layout.addWidget(buttons)

    def settings(self) -> ModelSettings:
        """The settings as they are chosen now."""
        return replace(
            self._settings,
            method=self._method.currentData(),
            iterations=self._iterations.value(),
            beta=self._beta.currentData(),
            initialisation=self._initialisation.currentData(),
            before_s=self._value(self._before),
            after_s=self._value(self._after),
            mask_exponent=self._exponent.value(),
        )

    def _restore(self) -> None:
        default = ModelSettings()
        for box, value in (
            (self._method, default.method),
            (self._beta, default.beta),
            (self._initialisation, default.initialisation),
        ):
            box.setCurrentIndex(box.findData(value))
        self._iterations.setValue(default.iterations)
        self._exponent.setValue(default.mask_exponent)
        for spin in (self._before, self._after):
            spin.setValue(spin.minimum())

    @staticmethod
    def _choice(choices: dict, value: object) -> QComboBox:  # type: ignore[type-arg]
        box = QComboBox()
        for key, name in choices.items():
            box.addItem(name, key)
        box.setCurrentIndex(max(0, box.findData(value)))
        return box

    @staticmethod
    def _seconds(value: float | None, name: str, tip: str) -> QDoubleSpinBox:
        """Seconds; the lowest place means that each instrument family has its own."""
        spin = QDoubleSpinBox()
        spin.setRange(-0.01, RANGES[name][1])
        spin.setSingleStep(0.01)
        spin.setDecimals(2)
        spin.setSuffix(" s")
        spin.setSpecialValueText(AUTOMATIC)
        spin.setValue(-0.01 if value is None else value)
        spin.setToolTip(tip)
        return spin

    @staticmethod
    def _value(spin: QDoubleSpinBox) -> float | None:
        return None if spin.value() < 0 else spin.value()
