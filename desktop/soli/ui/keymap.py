"""Which keys call which command: defaults, what the user put in their place, and never one key for two commands."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeySequence

from soli.errors import InputError

PORTABLE, NATIVE = QKeySequence.SequenceFormat.PortableText, QKeySequence.SequenceFormat.NativeText
MODIFIERS = frozenset(
    {
        Qt.Key.Key_unknown,
        Qt.Key.Key_Shift,
        Qt.Key.Key_Control,
        Qt.Key.Key_Alt,
        Qt.Key.Key_AltGr,
        Qt.Key.Key_Meta,
        Qt.Key.Key_CapsLock,
        Qt.Key.Key_NumLock,
        Qt.Key.Key_ScrollLock,
    }
)

# What the roll and the window do with keys of their own; no command can have them.
FIXED = {
    "Up": "Move notes up a semitone",
    "Down": "Move notes down a semitone",
    "Ctrl+Up": "Move notes up an octave",
    "Ctrl+Down": "Move notes down an octave",
    "Left": "Move notes earlier",
    "Right": "Move notes later",
    "Ctrl+Left": "Move notes earlier, farther",
    "Ctrl+Right": "Move notes later, farther",
    "Shift+Left": "Notes end earlier",
    "Shift+Right": "Notes end later",
    "Ctrl+Shift+Left": "Notes end earlier, farther",
    "Ctrl+Shift+Right": "Notes end later, farther",
    "Alt+Left": "Notes begin earlier",
    "Alt+Right": "Notes begin later",
    "Ctrl+Alt+Left": "Notes begin earlier, farther",
    "Ctrl+Alt+Right": "Notes begin later, farther",
    "Tab": "Next note; next control",
    "Shift+Tab": "Previous note; previous control",
    "Esc": "Stop the run, the sound, or let go of the selection",
}


@dataclass(frozen=True)
class Command:
    """Something that keys can call: a name that lasts from one version to the next, words for the user, default keys."""

    id: str
    name: str
    keys: tuple[str, ...] = ()


class Keymap:
    """The keys of all commands, each with one command at most.

    `stored` is what `changes` gave in an earlier session. What cannot be used there leaves the defaults: unknown
    commands, keys that are none, keys for two commands. A default key that the user has put on another command is free
    for that one alone. `fixed` says what keys do that no command can have.
    """

    def __init__(
        self, commands: Iterable[Command], stored: Mapping[str, Sequence[str]], *, fixed: Mapping[str, str] = FIXED
    ) -> None:
        self.commands = {command.id: command for command in commands}
        self.fixed = {portable(key): what for key, what in fixed.items()}
        self._defaults = {c.id: tuple(portable(key) for key in c.keys) for c in self.commands.values()}
        chosen = {name: keys for name, given in stored.items() if (keys := self._usable(name, given)) is not None}
        claims = Counter(key for keys in chosen.values() for key in keys)
        chosen = {name: keys for name, keys in chosen.items() if all(claims[key] == 1 for key in keys)}
        taken = {key for keys in chosen.values() for key in keys}
        self._keys = {
            name: chosen.get(name, tuple(key for key in keys if key not in taken)) for name, keys in self._defaults.items()
        }

    def keys(self, name: str) -> tuple[str, ...]:
        """The keys of a command, in portable spelling ("Ctrl+S"); the first is the one that menus show."""
        return self._keys[name]

    def defaults(self, name: str) -> tuple[str, ...]:
        return self._defaults[name]

    def is_changed(self, name: str) -> bool:
        return self._keys[name] != self._defaults[name]

    def clashes(self, name: str, keys: Iterable[str]) -> tuple[Command, ...]:
        """The other commands that have any of `keys`."""
        wanted = set(keys)
        return tuple(c for c in self.commands.values() if c.id != name and wanted & set(self._keys[c.id]))

    def bind(self, name: str, keys: Sequence[str], *, replace: bool = False) -> tuple[Command, ...]:
        """Give a command these keys in place of its own. Returns the commands that have one of them.

        If there are any, nothing is changed, unless `replace`: then they lose it.
        Raises InputError, in one sentence, for keys that no command can have.
        """
        wanted = tuple(dict.fromkeys(self._checked(key) for key in keys))
        others = self.clashes(name, wanted)
        if others and not replace:
            return others
        for other in others:
            self._keys[other.id] = tuple(key for key in self._keys[other.id] if key not in wanted)
        self._keys[name] = wanted
        return others

    def reset(self) -> None:
        """Give all commands their default keys."""
        self._keys = dict(self._defaults)

    def changes(self) -> dict[str, list[str]]:
        """The keys of the commands that have others than their defaults; what `stored` takes."""
        return {name: list(keys) for name, keys in self._keys.items() if self.is_changed(name)}

    def _checked(self, key: str) -> str:
        spelled = portable(key)
        if not spelled:
            raise InputError(f"{key or 'An empty key'} cannot call a command; press a key, with Ctrl, Alt or Shift if you like")
        if spelled in self.fixed:
            raise InputError(f"{native(spelled)} is fixed ({self.fixed[spelled]}); press other keys")
        return spelled

    def _usable(self, name: str, given: Sequence[str]) -> tuple[str, ...] | None:
        """Stored keys in their order, each once; None where they, or their command, cannot be used."""
        if name not in self.commands:
            return None
        try:
            keys = tuple(dict.fromkeys(self._checked(key) for key in given))
        except InputError:
            return None
        return keys if keys != self._defaults[name] else None


def portable(key: str) -> str:
    """One key with its modifiers, spelled as everywhere; "" for what is no such key."""
    sequence = QKeySequence(key, PORTABLE)
    if sequence.count() != 1:
        return ""
    combination: QKeyCombination = sequence[0]  # type: ignore[index]  # missing in the stubs alone
    if combination.key() in MODIFIERS:
        return ""
    if combination.key() == Qt.Key.Key_Backtab:
        combination = QKeyCombination(combination.keyboardModifiers() | Qt.KeyboardModifier.ShiftModifier, Qt.Key.Key_Tab)
    spelled = QKeySequence(combination).toString(PORTABLE)
    return spelled if QKeySequence(spelled, PORTABLE) == QKeySequence(combination) else ""


def native(key: str) -> str:
    """A key as this platform writes it."""
    return QKeySequence(key, PORTABLE).toString(NATIVE)
