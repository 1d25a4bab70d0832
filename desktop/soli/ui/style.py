"""Small habits of the style that a sheet cannot change."""

from PySide6.QtWidgets import QProxyStyle, QStyle, QStyleHintReturn, QStyleOption, QWidget


class SoliStyle(QProxyStyle):
    """Fusion, but Alt alone does not walk into the menu bar (it is held while dragging), and dialog buttons carry no icons."""

    def __init__(self) -> None:
        super().__init__("Fusion")

    def styleHint(
        self,
        hint: QStyle.StyleHint,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
        returnData: QStyleHintReturn | None = None,
    ) -> int:
        if hint in {QStyle.StyleHint.SH_MenuBar_AltKeyNavigation, QStyle.StyleHint.SH_DialogButtonBox_ButtonsHaveIcons}:
            return 0
        return super().styleHint(hint, option, widget, returnData)
