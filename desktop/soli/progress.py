"""How long work reports itself: a generator that yields Progress and returns its result.

Whoever drives such a generator may show each step, stop asking, or close it; closing is cancelling.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of a long computation: `step` of `total` done, in words, with the loss where there is one.

    `model` is what has been found so far, where the work has something to show (soli.decompose.model.Factors of a
    decomposition, about once an iteration). It is for looking at only: its arrays are those being worked on and change
    with the next step. `place` is the file or folder that is visited until the next report: a disk or a server may not answer.
    """

    step: int
    total: int
    what: str = ""
    loss: float | None = None
    model: object | None = None
    place: Path | None = None

    @property
    def fraction(self) -> float:
        return min(1.0, self.step / self.total) if self.total > 0 else 0.0


Steps = Generator[Progress, None, Result]


def relayed(steps: Steps[Result], change: Callable[[Progress], Progress]) -> Steps[Result]:
    """The same work, with every report passed through `change`."""
    try:
        while True:
            try:
                report = next(steps)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            yield change(report)
    finally:
        steps.close()


def visiting(place: Path, steps: Steps[Result]) -> Steps[Result]:
    """The same work, every report of which that names no place names this one."""
    return relayed(steps, lambda report: replace(report, place=report.place or place))


def finish(steps: Steps[Result]) -> Result:
    """Drive `steps` to its end without showing anything; return its result."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
