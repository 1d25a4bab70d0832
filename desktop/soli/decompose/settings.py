"""Everything a user may choose about the decomposition, with defaults that separate well."""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from soli.errors import InputError

Method: TypeAlias = Literal["nmf", "nae"]
Initialisation: TypeAlias = Literal["random", "templates", "activations", "both", "onsets"]
Updates: TypeAlias = Literal["multiplicative", "gradient", "relu"]
Grouping: TypeAlias = Literal["instrument", "track", "one"]
Stop: TypeAlias = Literal["iterations", "change", "loss"]
Rate: TypeAlias = Literal["adaptive", "fixed"]
Dropout: TypeAlias = Literal["soft", "binary"]
Forbidden: TypeAlias = Literal["modelled", "unmodelled"]
Stereo: TypeAlias = Literal["placed", "unplaced"]

RANGES = {
    "iterations": (1, 10_000),
    "encoder_steps": (0, 64),
    "decoder_layers": (1, 4),
    "beta": (0.0, 2.0),
    "learning_rate": (1e-6, 10.0),
    "tolerance": (1e-12, 1.0),
    "prior": (0.0, 100.0),
    "solve_to_hz": (500.0, 1e6),
    "mask_exponent": (0.25, 8.0),
    "before_s": (0.0, 10.0),
    "after_s": (0.0, 30.0),
    "attack_before_s": (0.0, 5.0),
    "attack_after_s": (0.0, 5.0),
    "harmonics": (1, 1000),
    "inharmonicity": (0.0, 0.05),
    "template_tolerance_cents": (1.0, 600.0),
    "tuning_cents": (-200.0, 200.0),
    "sustain_templates": (1, 4),
    "seed": (0, 2**63 - 1),
}


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What to factorise with. None means: by the family of each instrument.

    method: `nmf`, or `nae`, the nonnegative autoencoder.
    updates: `multiplicative` (default); `gradient`, additive with `learning_rate`, projected to stay nonnegative;
    `relu` (nae with beta 2), the same with signed weights and rectified layers. The latter two need 100 iterations or more.
    rate: of the additive updates, `adaptive` for each entry (Adam), or `fixed` for each row from the first step on.
    dropout: what the mask M_H of the autoencoder holds where it is not zero: `soft`, what the score foretells, or `binary`, 1.
    encoder_steps: further layers of the encoder (nae), each a multiplicative step towards the decoder's own activations;
    0 is the encoder as one product. decoder_layers: those of the decoder (nae); with more than one, the `sustain_templates` of
    a pitch are fed by one code, and sound from different levels on.
    beta: the beta-divergence that is made small: 2 Euclidean, 1 Kullback-Leibler, 0 Itakura-Saito.
    initialisation: what the score decides before the first iteration; `onsets` is templates, activations and attacks.
    stop: after `iterations`; or earlier, when W and H `change` (relative, Frobenius) or the `loss` falls by less than
    `tolerance`. prior: how firmly templates are held to the shape of their instrument (with beta 1); 0 lets them go free.
    solve_to_hz: activations are found in the bins up to this (None: 11 kHz, or all where there are drums); templates then
    learn the bins above.
    before_s, after_s: how far a note may sound outside its onset and offset; attack_before_s, attack_after_s: the same of
    its attack around the onset.
    template_tolerance_cents: None for soft harmonic templates, or the half-width of a hard comb that is zero elsewhere.
    grouping: which notes share templates: those of an `instrument` part, of a `track`, or all as `one`.
    forbidden: what was forbidden or left out by hand is `modelled` too, so that it goes to the residual; or `unmodelled`, as if
    it were not in the sound, and what else may sound there takes it.
    stereo: in two channels layers are told apart by where they stand too, `placed`; or by their spectra alone, `unplaced`.

    Raises InputError, in one sentence, for a value outside its range.
    """

    method: Method = "nmf"
    updates: Updates = "multiplicative"
    iterations: int = 16
    beta: float = 1.0
    initialisation: Initialisation = "onsets"
    stop: Stop = "iterations"
    tolerance: float = 1e-4
    learning_rate: float = 0.05
    rate: Rate = "adaptive"
    dropout: Dropout = "soft"
    encoder_steps: int = 8
    decoder_layers: int = 1
    prior: float = 0.6
    solve_to_hz: float | None = None
    before_s: float | None = None
    after_s: float | None = None
    attack_before_s: float | None = None
    attack_after_s: float | None = None
    harmonics: int | None = None
    inharmonicity: float | None = None
    template_tolerance_cents: float | None = None
    tuning_cents: float = 0.0
    sustain_templates: int = 2
    grouping: Grouping = "instrument"
    forbidden: Forbidden = "modelled"
    stereo: Stereo = "placed"
    mask_exponent: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choices in (
            ("method", Method),
            ("updates", Updates),
            ("initialisation", Initialisation),
            ("stop", Stop),
            ("rate", Rate),
            ("dropout", Dropout),
            ("grouping", Grouping),
            ("forbidden", Forbidden),
            ("stereo", Stereo),
        ):
            value = getattr(self, name)
            if value not in get_args(choices):
                raise InputError(f"{name} is {value!r}; choose one of {', '.join(get_args(choices))}")
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and low <= value <= high):
                raise InputError(f"{name} is {value}; choose a number from {low:g} to {high:g}")
        if self.updates == "relu" and self.method == "nmf":
            raise InputError("updates 'relu' trains an autoencoder; choose method 'nae' or other updates")
        if self.updates == "relu" and self.beta != 2:
            raise InputError("updates 'relu' needs the Euclidean distance; choose beta 2 or other updates")
