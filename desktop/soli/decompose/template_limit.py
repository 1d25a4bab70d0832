"""What the user allows the templates of one pitch: how many partials, and how wide each."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from soli.decompose.settings import RANGES
from soli.errors import InputError


@dataclass(frozen=True, slots=True)
class TemplateLimit:
    """Limits of the templates of a pitch; None leaves them as the settings and the instrument have it.

    harmonics: how many partials it has; what lies above them is zero. tolerance_cents: the half-width of each partial; what
    lies between them is zero. An attack keeps its noise: only its partials are limited.

    Raises InputError, in one sentence, for a value outside its range.
    """

    harmonics: int | None = None
    tolerance_cents: float | None = None

    def __post_init__(self) -> None:
        for name, key in (("harmonics", "harmonics"), ("tolerance_cents", "template_tolerance_cents")):
            value, (low, high) = getattr(self, name), RANGES[key]
            if value is not None and not (math.isfinite(value) and low <= value <= high):
                raise InputError(f"{name} of a template is {value}; choose a number from {low:g} to {high:g}")


def changed_pitches(old: Mapping[int, TemplateLimit], new: Mapping[int, TemplateLimit]) -> tuple[int, ...]:
    """The pitches of which the limits differ, in order."""
    return tuple(sorted(pitch for pitch in {*old} | {*new} if old.get(pitch) != new.get(pitch)))
