"""How the roll shows what there is: the frequency axis, the light of the spectrogram, what opacity says; all remembered."""

from functools import partial

from PySide6.QtCore import QObject

from soli.project.document import Document
from soli.settings import Settings
from soli.ui.actions import Actions
from soli.ui.light_popover import BRIGHTEST, CONTRASTS, LightPopover
from soli.ui.roll.opacity import CHOICES, Opacity
from soli.ui.roll.pictures import Pictures
from soli.ui.roll.roll import Roll
from soli.ui.roll.view import Axis
from soli.ui.theme import Theme
from soli.ui.worker import Worker

BRIGHTNESS_STEP, CONTRAST_STEP = 0.1, 1.2


class Sight(QObject):
    """Ties the actions of the menu View to the roll. Pictures and energies are made in `worker`."""

    def __init__(
        self, document: Document, worker: Worker, roll: Roll, actions: Actions, settings: Settings, theme: Theme
    ) -> None:
        super().__init__()
        self._roll, self._actions, self._settings = roll, actions, settings
        self.pictures = Pictures(document, worker)
        self.opacity = Opacity(document, worker)
        self.popover = LightPopover(theme, roll.canvas)
        self.pictures.ready.connect(roll.canvas.scene.set_picture)
        self.pictures.grew.connect(roll.canvas.scene.picture_grew)
        self.pictures.loudness_ready.connect(roll.minimap.set_loudness)
        self.opacity.changed.connect(roll.canvas.set_strengths)
        self.popover.changed.connect(self._light)
        roll.view.changed.connect(self._look)
        actions.on("linear", lambda: self.use_axis("linear" if actions["linear"].isChecked() else "log"))
        actions.on("brighter", lambda: self._lighten(BRIGHTNESS_STEP))
        actions.on("darker", lambda: self._lighten(-BRIGHTNESS_STEP))
        actions.on("more_contrast", lambda: self._lighten(factor=CONTRAST_STEP))
        actions.on("less_contrast", lambda: self._lighten(factor=1 / CONTRAST_STEP))
        actions.on("sound_light", lambda: self.popover.toggle(settings.brightness, settings.contrast))
        for choice in CHOICES:
            actions.on(f"opacity_{choice.key}", partial(self.use_opacity, choice.key))
        self.use_axis("linear" if settings.frequency_axis == "linear" else "log")
        self.use_opacity(settings.opacity)
        self._light(settings.brightness, settings.contrast)

    def use_axis(self, axis: Axis) -> None:
        """Put pitches at equal distances, or hertz."""
        self._settings.frequency_axis = axis
        self._actions["linear"].setChecked(axis == "linear")
        self._roll.view.use_axis(axis)
        self.pictures.want(axis)

    def use_opacity(self, key: str) -> None:
        self.opacity.use(key)
        self._settings.opacity = self.opacity.choice.key
        for choice in CHOICES:
            self._actions[f"opacity_{choice.key}"].setChecked(choice is self.opacity.choice)

    def _look(self) -> None:
        self.pictures.look_at(self._roll.view.start_s, self._roll.view.end_s)

    def _lighten(self, step: float = 0.0, *, factor: float = 1.0) -> None:
        self._light(self._settings.brightness + step, self._settings.contrast * factor)

    def _light(self, brightness: float, contrast: float) -> None:
        brightness = min(BRIGHTEST, max(-BRIGHTEST, brightness))
        contrast = min(CONTRASTS[1], max(CONTRASTS[0], contrast))
        self._settings.brightness, self._settings.contrast = brightness, contrast
        self._roll.canvas.scene.set_light(brightness, contrast)
