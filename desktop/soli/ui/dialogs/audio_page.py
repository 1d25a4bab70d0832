"""The page of sound: on which device the music plays, and how far ahead it is prepared."""

import threading

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from soli.errors import DeviceError
from soli.playback.controls import PlayerStatus
from soli.playback.devices import OutputDevice, output_devices
from soli.playback.output import may_hurry
from soli.settings import LATENCIES_S, Settings

LATENCY_NAMES = {
    "short": "Short: 30 ms, or what the device can",
    "normal": "Normal: 70 ms, and more once the computer proves to need it",
    "long": "Long: 300 ms, for machines with much else to do",
}
PRIORITY_ADVICE = (
    " The music stalls less where Soli may come before other programs: write “@audio - rtprio 20” into a file in "
    "/etc/security/limits.d, join the group audio, and log in again."
)


class AudioPage(QWidget):
    """Lists the devices when it is first shown. `changed` when another device or latency is chosen."""

    changed = Signal()
    _found = Signal(object)

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._asked = False
        self._told = ""
        self._default: OutputDevice | None = None
        self.device = QComboBox()
        self.device.setAccessibleName("Sound device")
        self.device.setToolTip("The device that the music plays on")
        self.device.setMinimumContentsLength(34)
        self.device.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.refresh = QPushButton("Look again")
        self.refresh.setToolTip("List the devices anew, after plugging one in")
        self.refresh.setAutoDefault(False)
        self.refresh.clicked.connect(self.look)
        self.latency = QComboBox()
        self.latency.setAccessibleName("Latency")
        self.latency.setToolTip("How far ahead the device is fed: the more, the fewer stalls are heard, and the later a change")
        for key in LATENCIES_S:
            self.latency.addItem(LATENCY_NAMES[key], key)
        self.latency.setCurrentIndex(max(0, self.latency.findData(settings.latency)))
        if settings.latency not in LATENCIES_S:
            self.latency.setCurrentIndex(self.latency.findData("normal"))
        self.channels = QComboBox()
        self.channels.setAccessibleName("Channels")
        self.channels.setToolTip("On which channels of the device the music plays")
        self._advice = "" if may_hurry() else PRIORITY_ADVICE
        self.says = QLabel()
        self.says.setWordWrap(True)
        self.says.setObjectName("quiet")
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(10)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.device, 1)
        row.addWidget(self.refresh)
        form.addRow("Device", row)
        form.addRow("Channels", self.channels)
        form.addRow("Latency", self.latency)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(14)
        layout.addLayout(form)
        layout.addWidget(self.says)
        layout.addStretch()
        self._show(())
        self.device.activated.connect(self._choose)
        self.channels.activated.connect(self._choose)
        self.latency.activated.connect(self._choose)
        self._found.connect(self._show_found)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        if not self._asked:
            self.look()

    def look(self) -> None:
        """Ask for the devices, in a thread because drivers take their time."""
        self._asked = True
        self.refresh.setEnabled(False)
        self._say("Looking for devices…")

        def ask() -> None:
            try:
                found: object = output_devices()
            except DeviceError as error:
                found = str(error)
            try:
                self._found.emit(found)
            except RuntimeError:  # the dialog is gone
                return

        threading.Thread(target=ask, name="soli sound devices", daemon=True).start()

    def tell_status(self, status: PlayerStatus) -> None:
        """Say what the player says about the device, if anything."""
        message = status.message
        if message != self._told:
            self._told = message
            self._about()

    def _show_found(self, found: tuple[OutputDevice, ...] | str) -> None:
        self.refresh.setEnabled(True)
        if isinstance(found, str):
            self._say(found, warns=True)
            return
        self._show(found)
        self._about()

    def _show(self, found: tuple[OutputDevice, ...]) -> None:
        default = next((d.name for d in found if d.is_default), "")
        self._default = next((d for d in found if d.is_default), None)
        self.device.blockSignals(True)
        self.device.clear()
        self.device.addItem(f"System default ({default})" if default else "System default", None)
        for device in found:
            self.device.addItem(f"{device.name}  ·  {device.host_api}", device)
        index = next((i for i, d in enumerate(found, 1) if d.key == self._settings.device), 0)
        if self._settings.device and not index:
            # What was chosen stays chosen while it is away.
            self.device.addItem(f"{self._settings.device} (not found)" if found else self._settings.device, self._settings.device)
            index = self.device.count() - 1
        self.device.setCurrentIndex(index)
        self.device.blockSignals(False)
        self._show_channels()

    @property
    def _device(self) -> OutputDevice | None:
        """What is known of the device that is chosen."""
        chosen = self.device.currentData()
        return self._default if chosen is None else chosen if isinstance(chosen, OutputDevice) else None

    def _show_channels(self) -> None:
        """Pairs of channels that the device has; of one that is away, the pair that is chosen."""
        device, wanted = self._device, max(0, self._settings.first_channel)
        self.channels.blockSignals(True)
        self.channels.clear()
        if device is not None and device.channels == 1:
            self.channels.addItem("Mono", 0)
        else:
            for first in [wanted] if device is None else range(0, device.channels - 1, 2):
                self.channels.addItem(f"{first + 1} and {first + 2}", first)
        self.channels.setCurrentIndex(max(0, self.channels.findData(wanted)))
        self.channels.setEnabled(self.channels.count() > 1)
        self.channels.blockSignals(False)

    def _choose(self, _index: int) -> None:
        chosen = self.device.currentData()
        key = chosen.key if isinstance(chosen, OutputDevice) else (chosen or "")
        if key != self._settings.device:
            self._settings.device, self._settings.first_channel = key, 0
            self._show_channels()
        else:
            self._settings.first_channel = int(self.channels.currentData())
        self._settings.latency = str(self.latency.currentData())
        self._about()
        self.changed.emit()

    def _about(self) -> None:
        device = self._device
        if self._told:
            self._say(self._told, warns=True)
        elif device is not None:
            heard = "mono" if device.channels == 1 else "stereo"
            if device.channels > 2:
                where = self.channels.currentText()
                heard += " on all its speakers" if device.is_server and where == "1 and 2" else f" on its channels {where}"
            latency = f" Its latency is {1000 * device.least_latency_s:.0f} ms at least." if device.least_latency_s else ""
            self._say(f"Plays in {heard}, at the rate of the device: {device.rate / 1000:g} kHz.{latency}{self._advice}")
        else:
            self._say(f"Recordings play in stereo, at the rate of the device.{self._advice}")

    def _say(self, text: str, *, warns: bool = False) -> None:
        self.says.setText(text)
        self.says.setObjectName("warn" if warns else "quiet")
        self.says.style().unpolish(self.says)
        self.says.style().polish(self.says)
