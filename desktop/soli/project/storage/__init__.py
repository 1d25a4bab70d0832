"""The project file: what the user owns, whole and checked."""

from soli.project.storage.file import Kept, Opened, open_steps, save, save_steps
from soli.project.storage.recordings import Wanted
from soli.project.storage.schema import APPLICATION_ID, SUFFIX, VERSION

__all__ = ["APPLICATION_ID", "SUFFIX", "VERSION", "Kept", "Opened", "Wanted", "open_steps", "save", "save_steps"]
