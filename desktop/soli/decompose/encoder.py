"""A trained autoencoder, kept: it finds the activations of another recording of its instruments in one product.

H = max(0, W_E V) * M_H (Smaragdis and Venkataramani, ICASSP 2017; structured dropout M_H: Ewert and Sandler, ICASSP 2017).
"""

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soli.decompose import autoencoder
from soli.decompose.blocks import Block, Workers, partition
from soli.decompose.bodies import NO_LIMITS, IntArray, Part, ScoreInformation, modelled
from soli.decompose.channels import analyse_steps
from soli.decompose.constraints import Components, Constraint, build
from soli.decompose.growth import Spectra, grown
from soli.decompose.hidden import Hidden, loudness
from soli.decompose.limiting import limited_spectra
from soli.decompose.model import Factors, side_steps, solved_bins
from soli.decompose.settings import ModelSettings
from soli.errors import InputError
from soli.files import beside, check_readable
from soli.progress import Progress, Steps
from soli.signal.audio import Audio, FloatArray
from soli.signal.spectrogram import Grid

# Encoders with hidden layers have a number of their own, which earlier readers refuse.
_FORMAT, _DEEP = 1, 2
# What a file may provoke that somebody else made: RuntimeErrors by ciphers and recursion, MemoryErrors by shapes.
_DAMAGE = (
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, MemoryError, EOFError),
    *(zipfile.BadZipFile, zlib.error, SyntaxError),
)
_COLUMNS = ("part", "pitch", "kind", "copy", "voice")


@dataclass(frozen=True, eq=False)
class Encoder:
    """Weights and what they are for.

    rows: W_E (R, K); decoder: W_D (K, R), columns sum to one over the lower bins, `solved`, to which W_E listens; float32.
    components: part, pitch and kind of each; mass (R,): how much each sounded in training. rate, window_length, hop_length:
    the grid. settings: those of the training. hidden: the layers between the code and the decoder, where there are some.
    """

    rows: FloatArray
    decoder: FloatArray
    components: Components
    mass: FloatArray
    solved: int
    rate: int
    window_length: int
    hop_length: int
    settings: ModelSettings
    hidden: Hidden | None = None

    @classmethod
    def of(cls, factors: Factors) -> "Encoder":
        """What a decomposition has trained. Raises InputError when it was none by an autoencoder."""
        if factors.encoder is None:
            raise InputError("only an autoencoder trains an encoder; decompose with method 'nae' first")
        grid, solved = factors.grid, solved_bins(factors.constraint, factors.settings)
        where = (grid.rate, grid.window_length, grid.hop_length)
        mass = factors.H.sum(axis=1)
        return cls(factors.encoder, factors.W, factors.components, mass, solved, *where, factors.settings, factors.hidden)

    def save(self, path: Path) -> None:
        """Write to `path` as compressed NumPy arrays (.npz); raises InputError when that cannot be done."""
        about = {
            "format": _FORMAT if self.hidden is None else _DEEP,
            "parts": [[part.program, part.is_drum] for part in self.components.parts],
            "grid": [self.rate, self.window_length, self.hop_length, self.solved],
            "settings": asdict(self.settings),
            "level": None if self.hidden is None else self.hidden.level,
        }
        arrays = {name: getattr(self.components, name) for name in _COLUMNS}
        if self.hidden is not None:
            arrays["slot"] = self.hidden.slot
            arrays |= {f"hidden_{n}": matrix for n, matrix in enumerate(self.hidden.parameters)}
        try:
            with beside(path) as partial, partial.open("wb") as file:
                np.savez_compressed(
                    file, about=np.array(json.dumps(about)), rows=self.rows, decoder=self.decoder, mass=self.mass, **arrays
                )
        except OSError as error:
            raise InputError(f"{path.name}: cannot be written ({error.strerror}); choose another folder") from error

    @classmethod
    def load(cls, path: Path) -> "Encoder":
        """Read what `save` wrote. Raises InputError, in one sentence, for anything else."""
        check_readable(path, "choose an encoder saved by Soli")
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                about = json.loads(str(stored["about"]))
                arrays = {name: stored[name] for name in stored.files if name != "about"}
            known = {field.name for field in fields(ModelSettings)}
            settings = ModelSettings(**{name: value for name, value in about["settings"].items() if name in known})
            parts = tuple(Part(int(program), bool(is_drum)) for program, is_drum in about["parts"])
            rate, window_length, hop_length, solved = (int(number) for number in about["grid"])
            components = Components(**{name: arrays[name].astype(np.int64) for name in _COLUMNS}, parts=parts)
            rows, decoder, mass = (arrays[name].astype(np.float32) for name in ("rows", "decoder", "mass"))
            hidden = _layers_of(arrays, about["level"]) if about["format"] == _DEEP else None
            _check(about["format"], rows, decoder, mass, components, window_length, solved)
        except OSError as error:
            raise InputError(
                f"{path.name}: cannot be read ({error.strerror or error}); choose an encoder saved by Soli"
            ) from error
        except _DAMAGE as error:
            raise InputError(f"{path.name}: is no encoder that Soli can read; choose one that it saved") from error
        return cls(rows, np.asfortranarray(decoder), components, mass, solved, rate, window_length, hop_length, settings, hidden)


def apply_encoder_steps(
    encoder: Encoder,
    audio: Audio,
    known: ScoreInformation,
    settings: ModelSettings | None = None,
) -> Steps[Factors]:
    """Factors of another recording of the encoder's instruments: activations in one product, no iterations.

    The templates of what stands out of the middle in stereo are learnt anew, since where the instruments sit is the recording's.

    Pitches that it has not been trained on get the template of its instrument (see `growth.grown`). With `settings` (method
    `nae`) their `encoder_steps` further layers refine what the product says; those of the training, with none, otherwise.
    Raises InputError when the recording has another sampling rate, or an instrument that the encoder does not know.
    """
    settings = replace(encoder.settings, encoder_steps=0) if settings is None else settings
    if encoder.hidden is not None:
        # Hidden layers are of as many templates a pitch as they were trained with.
        settings = replace(settings, sustain_templates=encoder.settings.sustain_templates)
    grid = Grid.for_recording(audio.rate, audio.length)
    if (grid.rate, grid.window_length, grid.hop_length) != (encoder.rate, encoder.window_length, encoder.hop_length):
        raise InputError(
            f"the encoder was trained at {encoder.rate} Hz and the recording has {audio.rate} Hz; convert one of them"
        )
    constraint = build(modelled(known, settings), grid, settings)
    spectra, hidden = _spectra_for(encoder, constraint, settings)
    V = yield from analyse_steps(audio, grid)
    H = np.zeros_like(constraint.H)
    if hidden is not None:
        mask = constraint.H[hidden.first]
        mask = (mask > 0).astype(np.float32) if settings.dropout == "binary" else mask
        hidden = hidden.at(loudness(V.middle[: encoder.solved], mask))

    def run(block: Block) -> None:
        frames = slice(block.start, block.stop)
        H[block.alive, frames] = autoencoder.encoded(
            V.middle[: encoder.solved, frames],
            spectra.W[: encoder.solved, block.alive],
            rows[block.alive, : encoder.solved],
            constraint.H[block.alive, frames],
            settings=settings,
            hidden=None if hidden is None else hidden.some(block.alive)[1],
        )

    rows = spectra.encoder if spectra.encoder is not None else encoder.rows
    blocks, pool = partition(constraint.H), Workers()
    try:
        for done, _ in enumerate(pool.map(run, blocks)):
            yield Progress(done, len(blocks), "Encoding")
    finally:
        pool.close()
    side, coherence = yield from side_steps(audio, V, spectra.W, H, constraint, settings)
    found = Factors(spectra.W, H, constraint, settings, side=side, encoder=rows, hidden=hidden, joined=V.joined)
    return replace(found, coherence=coherence)


def _spectra_for(encoder: Encoder, constraint: Constraint, settings: ModelSettings) -> tuple[Spectra, Hidden | None]:
    """Decoder, encoder and hidden layers for the components of `constraint`."""
    now, known = constraint.components, encoder.components
    number = np.array(_parts_for(known.parts, now.parts), np.int64)
    names = _names(known, known.part)
    place = {name: n for n, name in enumerate(names)}
    wanted = _names(now, number[now.part])
    missing = [n for n, name in enumerate(wanted) if name not in place]
    place |= {wanted[n]: len(names) + at for at, n in enumerate(missing)}
    more = {name: getattr(now, name)[missing] for name in _COLUMNS} | {"part": number[now.part[missing]]}
    more["voice"] = more["voice"] + known.voice.max() + 1
    columns = {name: np.append(getattr(known, name), more[name]) for name in _COLUMNS}
    both = Components(**columns, parts=known.parts)
    spectra = grown(
        Spectra(encoder.decoder, None, encoder.rows),
        both,
        encoder.mass,
        constraint.grid,
        settings=settings,
        solved=encoder.solved,
        limits=constraint.bodies.limits,
    )
    order = np.array([place[name] for name in wanted], np.int64)
    rows, hidden = spectra.encoder, encoder.hidden
    if rows is not None and hidden is not None:
        hidden = hidden.grown(both, encoder.mass)
        rows, hidden = hidden.united(rows, len(known)), hidden.some(order)[1]
    rows = None if rows is None else rows[order]
    spectra = Spectra(spectra.W.T[order].T, None, rows)
    limited = limited_spectra(
        spectra,
        spectra,
        now,
        constraint.grid,
        pitches=tuple(constraint.bodies.limits),
        before=NO_LIMITS,
        limits=constraint.bodies.limits,
        settings=settings,
        solved=encoder.solved,
    )
    return limited, hidden


def _parts_for(known: Sequence[Part], asked: Sequence[Part]) -> list[int]:
    """Which of the known parts each one asked for is: the same program, or else the same family; each is taken once at most."""
    free, found = list(range(len(known))), []
    for part in asked:
        same = [n for n in free if known[n] == part] or [n for n in free if known[n].family == part.family]
        if not same:
            families = ", ".join(sorted({group.family.name for group in known}))
            raise InputError(f"the encoder knows {families}, and no {part.family.name} beside; decompose this recording instead")
        found.append(same[0])
        free.remove(same[0])
    return found


def _names(components: Components, part: IntArray) -> list[tuple[int, ...]]:
    columns = (part, components.pitch, components.kind, components.copy)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _layers_of(arrays: Mapping[str, NDArray[Any]], level: object) -> Hidden:
    """Hidden layers as they were stored; raises ValueError or LookupError where they do not fit together."""
    count = sum(name.startswith("hidden_") for name in arrays)
    parameters = [arrays[f"hidden_{n}"].astype(np.float32) for n in range(count)]
    slot = arrays["slot"].astype(np.int64)
    P, M, _ = parameters[0].shape
    shapes = [(P, M, 1 if n == 0 or n % 2 else M) for n in range(count)]
    if count % 2 or [matrix.shape for matrix in parameters] != shapes or slot.shape != arrays["mass"].shape:
        raise ValueError
    if slot.min() < 0 or not np.array_equal(np.unique(slot // M), np.arange(P)) or len(np.unique(slot)) < len(slot):
        raise ValueError
    if not all(np.isfinite(matrix).all() and matrix.min() >= 0 for matrix in parameters):
        raise ValueError
    return Hidden(slot, tuple(parameters[0::2]), tuple(parameters[1::2]), None if level is None else float(str(level)))


def _check(
    version: int, rows: FloatArray, decoder: FloatArray, mass: FloatArray, components: Components, window_length: int, solved: int
) -> None:
    R, K = len(components), window_length // 2 + 1
    fits = rows.shape == (R, K) and decoder.shape == (K, R) and mass.shape == (R,) and 0 < solved <= K
    if version not in (_FORMAT, _DEEP) or not fits or any(getattr(components, name).shape != (R,) for name in _COLUMNS):
        raise ValueError
    if R == 0 or components.part.min() < 0 or components.part.max() >= len(components.parts):
        raise ValueError
    if not all(np.isfinite(matrix).all() for matrix in (rows, decoder, mass)) or decoder.min() < 0:
        raise ValueError
