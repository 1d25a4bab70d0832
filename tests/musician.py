"""A musician in a journey: looks at the window of a running Soli and uses it by mouse and keys."""

import json
from collections.abc import Callable
from pathlib import Path

from xserver import Program, XWindow


class Musician:
    """Looks at the window and uses it."""

    def __init__(self, program: Program, window: XWindow) -> None:
        self.program, self.window = program, window

    @property
    def sees(self) -> dict:
        whole = self.program.output.rpartition("\n")[0]  # the last line may still be written
        lines = [line for line in whole.splitlines() if line.startswith("{")]
        return json.loads(lines[-1])

    def waits(self, what: str, condition: Callable[[dict], object], timeout_s: float = 60) -> dict:
        def looks() -> dict | None:
            if "{" not in self.program.output.rpartition("\n")[0]:
                return None
            seen = self.sees
            return seen if condition(seen) else None

        return self.program.wait_until(looks, what, timeout_s=timeout_s)

    def clicks(self, name: str, **options) -> None:
        seen = self.waits(f"the control {name!r}", lambda s: name in s["controls"])
        x, y, width, height = seen["controls"][name]
        self.window.click(x + width / 2, y + height / 2, **options)

    def saves_as(self, path: Path, *, keys: str = "ctrl+s") -> None:
        """Press the keys that save, and type where to; the window asks."""
        self.window.key(keys)
        self.waits("the save dialog", lambda s: s["dialog"])
        self.window.key("ctrl+a")
        self.window.type(str(path))
        self.window.key("Return")
        self.waits("the project saved", lambda s: s["title"] == f"{path.stem} – Soli")

    def point(self, time_s: float, pitch: float) -> tuple[float, float]:
        """Where a time and the middle of a pitch lie on the screen."""
        seen = self.sees
        x, y, _, _ = seen["controls"]["Piano roll"]
        start_s, px_per_s, top, px_per_semitone = seen["view"]
        return x + (time_s - start_s) * px_per_s, y + (top - pitch) * px_per_semitone
