"""What Soli remembers between sessions: theme, folders, recent files. One TOML file in the platform's place."""

import contextlib
import json
import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from soli.files import beside

FILE_NAME = "settings.toml"
MOST_RECENT = 10


@dataclass
class Settings:
    """Preferences with their defaults. A field that the file spells wrongly keeps its default."""

    theme: str = "dark"
    folder: str = ""
    export_folder: str = ""
    export_format: str = "wav32f"
    follow_playhead: bool = True
    device: str = ""
    window: list[int] = field(default_factory=list)  # x, y, width, height
    maximised: bool = False
    recent: list[str] = field(default_factory=list)

    def remember(self, path: Path) -> None:
        """Put a file on top of the recent ones."""
        name = str(path.resolve())
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
    return settings


def save(path: Path, settings: Settings) -> None:
    """Write settings, whole or not at all; a place that cannot be written is no reason to disturb the user."""
    # Strings, numbers, booleans and lists of them are written alike in JSON and TOML, but for the one sign DEL.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in asdict(settings).items()]
    text = "\n".join(lines).replace("\x7f", "\\u007f") + "\n"
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside(path) as partial:
            # A file name in no encoding cannot be said in TOML; the rest of the preferences can.
            partial.write_bytes(text.encode("utf-8", "replace"))
