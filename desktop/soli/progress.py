"""How long work reports itself: a generator that yields Progress and returns its result.

Whoever drives such a generator may show each step, stop asking, or close it; closing is cancelling.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of a long computation: `step` of `total` done, in words, with the loss where there is one."""

    step: int
    total: int
    what: str = ""
    loss: float | None = None

    @property
    def fraction(self) -> float:
        return min(1.0, self.step / self.total) if self.total > 0 else 0.0


Steps = Generator[Progress, None, Result]


def finish(steps: Steps[Result]) -> Result:
    """Drive `steps` to its end without showing anything; return its result."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
