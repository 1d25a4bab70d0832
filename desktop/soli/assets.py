"""Where the files that ship with Soli lie: inside the wheel, or at the top of a checkout."""

from pathlib import Path


def asset(*parts: str) -> Path:
    """Path of a shipped file, `asset("demo", "recording.flac")`; FileNotFoundError when the install is broken."""
    package = Path(__file__).resolve().parent
    for root in (package / "resources", package.parents[1] / "resources"):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise FileNotFoundError(f"resources/{'/'.join(parts)} is missing from this installation of Soli")
