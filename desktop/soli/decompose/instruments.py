"""What is known of an instrument before it is heard: how its notes begin, decay and ring on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """Defaults of one family of instruments.

    before_s, after_s: how far its notes may sound outside onset and offset; decay_s: time constant while held;
    inharmonicity: B in f_m = m f0 sqrt(1 + B m^2); firmness: how firmly its templates are held to harmonic partials where
    instruments sound together.
    """

    name: str
    before_s: float
    after_s: float
    attack_before_s: float
    attack_after_s: float
    decay_s: float
    inharmonicity: float = 0.0
    firmness: float = 4.0


PIANO = Family("piano", 0.12, 0.3, 0.12, 0.13, 0.5, 1e-4)
PLUCKED = Family("plucked", 0.12, 0.4, 0.12, 0.13, 0.6)
SUSTAINED = Family("sustained", 0.15, 0.4, 0.12, 0.13, 9.0, firmness=2.0)
# The partials of bars and bells lie where no string has them, so that little is foretold of them; they ring on.
BELLS = Family("bells", 0.12, 0.8, 0.12, 0.13, 0.6, firmness=0.2)
DRUM = Family("drum", 0.1, 0.6, 0.1, 0.1, 0.12)

# General MIDI programs, from 0.
_KEYBOARDS = frozenset(range(24))
_PIANOS = frozenset(range(8))
_BELLS = frozenset((*range(8, 15), 47, 108, *range(112, 119)))
_PLUCKED = frozenset((15, *range(24, 40), 45, 46, *range(104, 108), 119))


def family(program: int, *, is_drum: bool = False) -> Family:
    """The family of a General MIDI program (0 to 127)."""
    if is_drum:
        return DRUM
    if program in _PIANOS:
        return PIANO
    if program in _BELLS:
        return BELLS
    return PLUCKED if program in _PLUCKED else SUSTAINED


def is_keyboard(program: int) -> bool:
    """Whether one player reads it from several staves, so that its tracks are one instrument."""
    return program in _KEYBOARDS
