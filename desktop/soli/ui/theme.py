"""How Soli looks: two palettes of equal care, one type face, one style sheet, icons in the palette's ink."""

from dataclasses import dataclass, fields
from functools import cache
from typing import Literal

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from soli.assets import asset
from soli.ui.style import SoliStyle

ThemeName = Literal["dark", "light"]


@dataclass(frozen=True)
class Colours:
    """The colours of one theme, "#rrggbb". Layers bring their own; `accent` is the one other."""

    name: ThemeName
    canvas: str  # under the spectrogram
    canvas_line: str
    ground: str
    surface: str
    raised: str
    border: str
    ink: str
    dim: str
    faint: str
    accent: str
    on_accent: str
    accent_ground: str
    good: str
    warn: str
    bad: str
    sound_low: str  # the spectrogram's ink, from quiet
    sound_high: str  # to loud
    key_white: str
    key_black: str
    selection: str


DARK = Colours(
    name="dark",
    canvas="#0C0E13",
    canvas_line="#242934",
    ground="#15181E",
    surface="#1B1F27",
    raised="#262B35",
    border="#2C323D",
    ink="#E9ECF2",
    dim="#9BA3B4",
    faint="#666E80",
    accent="#FFB54A",
    on_accent="#1A1206",
    accent_ground="#40341F",
    good="#3EDB86",
    warn="#FFCF5C",
    bad="#FF5F5F",
    sound_low="#1B2740",
    sound_high="#C9D8F0",
    key_white="#D9DCE3",
    key_black="#20242C",
    selection="#FFFFFF",
)
LIGHT = Colours(
    name="light",
    canvas="#FBFBFC",
    canvas_line="#DDE1E8",
    ground="#E9ECF1",
    surface="#F5F6F9",
    raised="#FFFFFF",
    border="#D3D8E1",
    ink="#171B23",
    dim="#566074",
    faint="#8B94A6",
    accent="#D97F00",
    on_accent="#FFFFFF",
    accent_ground="#FBE7C8",
    good="#118A4A",
    warn="#A86A00",
    bad="#CF2E2E",
    sound_low="#D6DDEA",
    sound_high="#3C4C6E",
    key_white="#FFFFFF",
    key_black="#3A404C",
    selection="#11151C",
)
BY_NAME: dict[str, Colours] = {"dark": DARK, "light": LIGHT}
SYSTEM = "system"
THEMES = {"dark": "Dark", "light": "Light", SYSTEM: "As the system"}


class Theme(QObject):
    """The palette in use. Widgets that paint themselves read `colours` and repaint on `changed`."""

    changed = Signal()

    def __init__(self, app: QApplication, name: str) -> None:
        super().__init__()
        self._app = app
        self._pixmaps: dict[tuple[str, str, int], QPixmap] = {}
        self.name = name if name in THEMES else DARK.name  # what was chosen, one of THEMES
        self.colours = self._palette()
        app.styleHints().colorSchemeChanged.connect(self._follow_system)
        for file in ("Inter-Regular.otf", "Inter-Medium.otf", "Inter-SemiBold.otf"):
            QFontDatabase.addApplicationFont(str(asset("fonts", file)))
        app.setStyle(SoliStyle())
        self._apply()

    def use(self, name: str) -> None:
        """Take the palette "dark", "light", or that of the "system", now and as it changes."""
        self.name = name if name in THEMES else DARK.name
        self.colours = self._palette()
        self._apply()
        self.changed.emit()

    def colour(self, name: str, alpha: int = 255) -> QColor:
        """A colour of the palette by its name, or "#rrggbb", with alpha from 0 to 255."""
        colour = QColor(name if name.startswith("#") else getattr(self.colours, name))
        colour.setAlpha(alpha)
        return colour

    def font(self, points: float = 9.5, *, weight: QFont.Weight = QFont.Weight.Normal, figures: bool = False) -> QFont:
        """The type face; `figures` gives numbers of equal width."""
        font = QFont("Inter")
        font.setPointSizeF(points)
        font.setWeight(weight)
        if figures:
            font.setFeature(QFont.Tag.fromString("tnum"), 1)
        return font

    def icon(self, name: str) -> QIcon:
        """An icon in the palette's ink: dim, full when hovered or checked."""
        icon = QIcon()
        dim, ink, faint, accent = self.colours.dim, self.colours.ink, self.colours.faint, self.colours.accent
        for mode, off, on in (
            (QIcon.Mode.Normal, dim, accent),
            (QIcon.Mode.Active, ink, accent),
            (QIcon.Mode.Disabled, faint, faint),
        ):
            for size in (20, 40):
                icon.addPixmap(self.pixmap(name, off, size), mode, QIcon.State.Off)
                icon.addPixmap(self.pixmap(name, on, size), mode, QIcon.State.On)
        return icon

    def pixmap(self, name: str, colour: str, size: int) -> QPixmap:
        key = (name, colour, size)
        if key not in self._pixmaps:
            # QtSvg does not follow currentColor, so the colour is put in its place.
            drawing = _drawing(name).replace('color="#888888"', f'color="{colour}"').replace("currentColor", colour)
            pixmap = QPixmap(size, size)
            pixmap.fill(Qt.GlobalColor.transparent)
            with QPainter(pixmap) as painter:
                QSvgRenderer(QByteArray(drawing.encode())).render(painter, QRectF(0, 0, size, size))
            self._pixmaps[key] = pixmap
        return self._pixmaps[key]

    def _palette(self) -> Colours:
        if self.name == SYSTEM:
            return LIGHT if self._app.styleHints().colorScheme() == Qt.ColorScheme.Light else DARK
        return BY_NAME[self.name]

    def _follow_system(self) -> None:
        if self.name == SYSTEM and self._palette() is not self.colours:
            self.use(SYSTEM)

    def _apply(self) -> None:
        c = self.colours
        palette = QPalette()
        roles = {
            QPalette.ColorRole.Window: c.ground,
            QPalette.ColorRole.WindowText: c.ink,
            QPalette.ColorRole.Base: c.raised,
            QPalette.ColorRole.AlternateBase: c.surface,
            QPalette.ColorRole.Text: c.ink,
            QPalette.ColorRole.PlaceholderText: c.faint,
            QPalette.ColorRole.Button: c.raised,
            QPalette.ColorRole.ButtonText: c.ink,
            QPalette.ColorRole.Highlight: c.accent,
            QPalette.ColorRole.HighlightedText: c.on_accent,
            QPalette.ColorRole.ToolTipBase: c.raised,
            QPalette.ColorRole.ToolTipText: c.ink,
            QPalette.ColorRole.Link: c.accent,
        }
        for role, colour in roles.items():
            palette.setColor(role, QColor(colour))
        for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(c.faint))
        self._app.setPalette(palette)
        self._app.setFont(self.font())
        sheet = asset("theme.qss").read_text(encoding="utf-8").replace("@icons", asset("icons").as_posix())
        # Longer names first: "accent_ground" must not be read as "accent".
        for name in sorted((f.name for f in fields(c)), key=len, reverse=True):
            sheet = sheet.replace(f"@{name}", getattr(c, name))
        self._app.setStyleSheet(sheet)


@cache
def _drawing(name: str) -> str:
    """The SVG of an icon, which is drawn in several colours and sizes."""
    return asset("icons", f"{name}.svg").read_text(encoding="utf-8")
