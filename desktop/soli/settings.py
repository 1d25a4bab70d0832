"""What Soli remembers between sessions: theme, sound, keys, folders, recent files. One TOML file in the platform's place."""

import contextlib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeAlias

from soli.files import beside

FILE_NAME = "settings.toml"
MOST_RECENT = 10
LATENCIES_S = {"short": 0.03, "normal": None, "long": 0.3}  # None: what the player finds to be safe

Table: TypeAlias = dict[str, str | int | float | bool]


@dataclass
class Settings:
    """Preferences with their defaults. A field that the file spells wrongly keeps its default.

    `device` is PortAudio's name of one with its host API ("name, API"), "" for the system's; `latency` a key of LATENCIES_S,
    `first_channel` the first of the two channels that are played on, from 0; `keys` the keys of commands that have others
    than their defaults; `decomposition` what new projects begin with, and `presets` named settings of the decomposition, as
    tables of the fields that differ from None.
    """

    theme: str = "dark"
    folder: str = ""
    export_folder: str = ""
    export_format: str = "wav32f"
    export: Table = field(default_factory=dict)  # what else was chosen in the export dialog
    follow_playhead: bool = True
    device: str = ""
    latency: str = "normal"
    first_channel: int = 0
    window: list[int] = field(default_factory=list)  # x, y, width, height
    maximised: bool = False
    frequency_axis: str = "log"  # or "linear"
    brightness: float = 0.0  # of the spectrogram, from -1 to 1
    contrast: float = 1.0  # from 0.2 to 5
    click_level: str = "medium"  # of the metronome
    count_in: int = 0  # bars
    snap: str = "off"  # what dragged times snap to
    opacity: str = "confidence"  # what the opacity of notes says
    note_table: bool = False
    note_table_width: int = 410  # device-independent pixels
    pace: float = 1.0  # of a decomposition here, as a multiple of what is expected
    recent: list[str] = field(default_factory=list)
    keys: dict[str, list[str]] = field(default_factory=dict)
    decomposition: Table = field(default_factory=dict)
    presets: dict[str, Table] = field(default_factory=dict)

    @property
    def latency_s(self) -> float | None:
        """How far the sound device is to be fed ahead; None for what the player finds to be safe."""
        return LATENCIES_S.get(self.latency)

    def known_folders(self) -> list[Path]:
        """The folders that the user has chosen files from lately."""
        folders = [Path(name).parent for name in self.recent]
        return list(dict.fromkeys([*folders, Path(self.folder)] if self.folder else folders))

    def remember(self, path: Path) -> None:
        """Put a file on top of the recent ones."""
        name = str(path.absolute())
        self.recent = [name, *(other for other in self.recent if other != name)][:MOST_RECENT]


def place() -> Path:
    """The settings file of this user."""
    from platformdirs import user_config_path

    return user_config_path("soli", appauthor=False) / FILE_NAME


def load(path: Path) -> Settings:
    """Settings from `path`; the defaults where it is missing or cannot be read."""
    settings = Settings()
    with contextlib.suppress(OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        stored = tomllib.loads(path.read_text(encoding="utf-8"))
        for known in fields(settings):
            value, default = stored.get(known.name), getattr(settings, known.name)
            if type(value) is type(default):
                setattr(settings, known.name, value)
    settings.recent = [name for name in settings.recent if isinstance(name, str)]
    if len(settings.window) != 4 or any(type(n) is not int for n in settings.window):
        settings.window = []
    settings.keys = {
        name: keys for name, keys in settings.keys.items() if isinstance(keys, list) and all(isinstance(key, str) for key in keys)
    }
    if not 0 < settings.pace < math.inf:
        settings.pace = 1.0
    settings.decomposition = _plain(settings.decomposition)
    settings.export = _plain(settings.export)
    settings.presets = {name: _plain(table) for name, table in settings.presets.items() if isinstance(table, dict)}
    return settings


def save(path: Path, settings: Settings) -> None:
    """Write settings, whole or not at all; a place that cannot be written is no reason to disturb the user."""
    stored = asdict(settings)
    tables = {key: stored.pop(key) for key, value in tuple(stored.items()) if isinstance(value, dict)}
    lines = [f"{key} = {_toml(value)}" for key, value in stored.items()]
    for key, table in tables.items():
        lines += ["", f"[{key}]", *(f"{_toml(name)} = {_toml(value)}" for name, value in table.items())]
    text = "\n".join(lines) + "\n"
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside(path) as partial:
            # A file name in no encoding cannot be said in TOML; the rest of the preferences can.
            partial.write_bytes(text.encode("utf-8", "replace"))


def _plain(table: Mapping[str, Any]) -> Table:
    """What of a table can be written again: texts, truths and finite numbers."""
    return {
        name: value
        for name, value in table.items()
        if isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
    }


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(name)} = {_toml(content)}" for name, content in value.items()) + "}"
    # Strings, numbers, booleans and lists of them are written alike in JSON and TOML, but for the one sign DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
