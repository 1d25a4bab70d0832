"""What wheels, trackpads and pinches do to the view, over each part of the roll."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QNativeGestureEvent, QWheelEvent

from soli.ui.roll.view import View

NOTCH = 120
WHEEL_SEMITONES = 3.0
WHEEL_PART = 0.1  # of the window's seconds
TIME_ZOOM, PITCH_ZOOM = 1.25, 1.15
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
LEAST_PINCH = 0.2  # fingers that close at once tell of -1 and less


def notches(event: QWheelEvent) -> float:
    """How far the wheel was turned; wheels of high resolution send parts of a notch. Alt and Shift turn some wheels sideways."""
    return (event.angleDelta().y() or event.angleDelta().x()) / NOTCH


def over_canvas(view: View, event: QWheelEvent) -> None:
    """Up and down through the pitches; Shift: through time; Ctrl: zoom in time, with Shift in pitch; two fingers: anywhere."""
    keys, at, turn = event.modifiers(), event.position(), notches(event)
    pixels, sideways = event.pixelDelta(), event.angleDelta().x() / NOTCH
    if keys & CTRL and keys & SHIFT:
        view.zoom_pitch(PITCH_ZOOM**turn, at.y())
    elif keys & CTRL:
        view.zoom_time(TIME_ZOOM**turn, at.x())
    elif keys & SHIFT:
        view.scroll(seconds=-turn * WHEEL_PART * view.span_s)
    elif not pixels.isNull():
        view.scroll(seconds=-pixels.x() / view.px_per_s, semitones=pixels.y() / view.px_per_semitone)
    else:
        seconds = -sideways * WHEEL_PART * view.span_s
        view.scroll(seconds=seconds, semitones=event.angleDelta().y() / NOTCH * _semitones(view))
    event.accept()


def over_ruler(view: View, event: QWheelEvent) -> None:
    """Zoom in time at the pointer; Shift or a turn sideways: through time."""
    sideways, pixels = event.angleDelta().x() and not event.angleDelta().y(), event.pixelDelta()
    if event.modifiers() & SHIFT or sideways:
        seconds = -pixels.x() / view.px_per_s if pixels.x() else -notches(event) * WHEEL_PART * view.span_s
        view.scroll(seconds=seconds)
    else:
        view.zoom_time(TIME_ZOOM ** notches(event), event.position().x())
    event.accept()


def over_keys(view: View, event: QWheelEvent) -> None:
    """Up and down through the pitches; Ctrl: zoom in pitch at the pointer."""
    pixels = event.pixelDelta()
    if event.modifiers() & CTRL:
        view.zoom_pitch(PITCH_ZOOM ** notches(event), event.position().y())
    elif pixels.y():
        view.scroll(semitones=pixels.y() / view.px_per_semitone)
    else:
        view.scroll(semitones=notches(event) * _semitones(view))
    event.accept()


def over_map(view: View, event: QWheelEvent, time_s: float) -> None:
    """Through the piece; Ctrl: zoom in time around `time_s`, what lies under the pointer."""
    if event.modifiers() & CTRL:
        inside = view.start_s <= time_s <= view.end_s
        view.zoom_time(TIME_ZOOM ** notches(event), view.x_of(time_s) if inside else None)
    else:
        view.scroll(seconds=-notches(event) * WHEEL_PART * view.span_s)
    event.accept()


def pinched(view: View, event: QEvent) -> bool:
    """Zoom in time if the event is a pinch; whether it was."""
    if not isinstance(event, QNativeGestureEvent) or event.gestureType() != Qt.NativeGestureType.ZoomNativeGesture:
        return False
    view.zoom_time(max(LEAST_PINCH, 1.0 + event.value()), event.position().x())
    return True


def _semitones(view: View) -> float:
    """What a notch scrolls: some semitones, or as much of the window where they are of different heights."""
    return WHEEL_SEMITONES if view.axis == "log" else 0.06 * view.height / view.px_per_semitone
