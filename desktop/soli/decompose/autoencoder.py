"""The nonnegative autoencoder V ~ W_D ((W_E V) * M_H), trained on the support, with further layers on either side.

Multiplicative updates: Özer, Hansen, Zunner, Müller, Investigating Nonnegative Autoencoders for Efficient Audio
Decomposition, EUSIPCO 2022. Rectified layers: Smaragdis and Venkataramani, ICASSP 2017. Structured dropout M_H: Ewert
and Sandler, ICASSP 2017. Further layers of the encoder are steps of NMF: Hershey, Le Roux, Weninger, Deep unfolding, 2014;
those of the decoder are in `hidden`.
"""

import numpy as np

from soli.decompose.blocks import Block, Workers, chunks, partition
from soli.decompose.descent import Descent, descent
from soli.decompose.encoding import first_rows
from soli.decompose.hidden import Hidden, loudness
from soli.decompose.hidden_training import HiddenTraining, Slopes
from soli.decompose.network import Network
from soli.decompose.nmf import Solution, check, check_finite, mean_sounding, rows_to_one, settled
from soli.decompose.settings import ModelSettings
from soli.decompose.sums import Sums
from soli.decompose.timbre import Timbre
from soli.progress import Progress, Steps
from soli.signal.audio import FloatArray

# In few frames few components are alive, which saves more than products of long blocks would.
_FRAMES = 16


def factorize(
    V: FloatArray,
    W: FloatArray,
    H: FloatArray,
    *,
    settings: ModelSettings | None = None,
    timbre: Timbre | None = None,
    encoder: FloatArray | None = None,
    hidden: Hidden | None = None,
) -> Steps[Solution]:
    """Train an encoder W_E (R, K) and a decoder W_D (K, R) so that V (K, N) ~ W_D H' with H' = (W_E V) * M_H.

    All float32 and nonnegative; none is altered. W is the decoder to begin with, H the structured dropout M_H: activations
    are weighed by it, and removed where it is zero. The encoder starts as `encoder`, or as `encoding.first_rows`; its
    `encoder_steps` further layers refine what it says, one of them in the first iteration, two in the second and so on.
    Returns H' as the solution's H, and the nonnegative part of a decoder with signed weights as its W. Progress and errors as
    in `nmf.factorize`.

    hidden: layers between the code and W_D, trained too. The code then has a row a voice, under the mask of the voice's first
    component. The solution's H is what the last of the layers says, so that V ~ WH holds of it as well; all components of a
    voice have the same row of the encoder.
    """
    settings = settings or ModelSettings(method="nae")
    check(V, W, H)
    Vt = V.T
    if settings.dropout == "binary":
        H = (H > 0).astype(np.float32)
    decoder, _ = rows_to_one(np.ascontiguousarray(W.T))
    mask, trained = H, encoder is not None
    if encoder is None:
        # As a single product it begins with each bin's likelihood of belonging to a component, whatever else sounds.
        encoder = first_rows(decoder, mask if settings.encoder_steps else np.ones((len(mask), 1), np.float32))
        encoder = encoder if hidden is None else hidden.united(encoder)
    if hidden is not None:
        encoder, mask = encoder[hidden.first], H[hidden.first]
        H = mask[hidden.voice]
    work = chunks(partition(H, frames=_FRAMES))
    scale = mean_sounding(Vt, work)
    if scale <= 0:
        return Solution(decoder.T, np.zeros_like(H), (0.0,), _of_components(encoder, hidden), hidden)
    signed, additive = settings.updates == "relu", settings.updates != "multiplicative"
    slopes: tuple[Descent, Descent] | None = None
    training: HiddenTraining | None = None
    if hidden is not None:
        level = loudness(V, mask)
        training, hidden = HiddenTraining(hidden, settings, level=level), hidden.at(level)
    prior = timbre if settings.beta == 1.0 and not additive else None
    pool, losses = Workers(), list[float]()
    latest = np.zeros_like(H)
    total = 2 * settings.iterations * len(work)
    try:
        for iteration in range(settings.iterations):
            previous = decoder, encoder
            if additive and iteration == 1:
                # One multiplicative step has set the scale, which additive ones would take long to find.
                encoder_slope, decoder_slope = (descent(rows, settings, signed=signed) for rows in previous[::-1])
                slopes = encoder_slope, decoder_slope
            # A new encoder grows by a layer an iteration: what fits untaught templates too well teaches them what others sound.
            depth = None if trained else iteration + 1
            network = Network(
                Vt, decoder, encoder, mask, scale=scale, settings=settings, latest=latest, hidden=hidden, steps=depth
            )
            bends = None if hidden is None else Slopes.zero(hidden)
            for half, run in enumerate((network.encoder_sums, network.decoder_sums)):
                rows = len(encoder) if half == 0 else len(decoder)
                sums = Sums.zero(np.arange(rows), Vt.shape[1], 0.0 if half == 0 else settings.beta)
                for done, (part, bend) in enumerate(pool.map(run, work)):
                    sums.add(part)
                    if bends is not None and bend is not None:
                        bends.add(bend)
                    at = (2 * iteration + half) * len(work) + done
                    yield Progress(at, total, "Decomposing", losses[-1] if losses else None)
                if slopes is not None:
                    slopes[half].begin()
                if half == 0:
                    encoder = sums.updated(encoder, settings.beta) if slopes is None else slopes[0].moved(encoder, sums.slope())
                    network.encoder = encoder
            losses.append(sums.loss)
            check_finite(losses[-1])
            so_far = Solution(decoder.T, latest, tuple(losses), _of_components(encoder, hidden))
            yield Progress(2 * (iteration + 1) * len(work), total, "Decomposing", losses[-1], so_far)
            if slopes is not None:
                decoder = slopes[1].moved(decoder, sums.slope())
            elif prior is not None:
                decoder, _ = rows_to_one(prior.update(decoder * sums.above, iteration), otherwise=decoder)
            else:
                decoder, gain = rows_to_one(sums.updated(decoder, settings.beta), otherwise=decoder)
                # Hidden layers learn the scale themselves; to move it in both places would be too far.
                encoder = encoder * gain[:, None] if hidden is None else encoder
            if hidden is not None and training is not None and bends is not None:
                hidden = training.moved(hidden, bends, latest)
            if settled(settings, losses, previous, (decoder, encoder)):
                break
        with np.errstate(over="ignore", invalid="ignore"):
            templates, gain = rows_to_one(np.maximum(decoder, 0), otherwise=np.full_like(decoder, 1 / Vt.shape[1]))
        network = Network(Vt, decoder, encoder, mask, scale=scale, settings=settings, latest=latest, hidden=hidden)
        for _ in pool.map(network.encode, work):
            yield Progress(total, total, "Decomposing", losses[-1])
    finally:
        pool.close()
    with np.errstate(over="ignore", invalid="ignore"):
        latest *= gain[:, None]
    check_finite(decoder, encoder, gain, latest)
    # Scaled as the activations are, so that the layers say H also where the decoder was not normal.
    if hidden is not None:
        return Solution(templates.T, latest, tuple(losses), encoder[hidden.voice], hidden.scaled(gain))
    return Solution(templates.T, latest, tuple(losses), encoder * gain[:, None])


def encoded(
    V: FloatArray,
    decoder: FloatArray,
    encoder: FloatArray,
    mask: FloatArray,
    *,
    settings: ModelSettings,
    hidden: Hidden | None = None,
) -> FloatArray:
    """The activations H' (R, n) of frames V (K, n): max(0, W_E V) * M_H, refined by `encoder_steps` further layers.

    decoder (K, R), encoder (R, K), mask (R, n) and the `hidden` layers, where there are some, are of the components that may be
    alive there; all float32.
    """
    if settings.dropout == "binary":
        mask = (mask > 0).astype(np.float32)
    Wt, H = np.ascontiguousarray(decoder.T), np.zeros_like(mask)
    if hidden is not None:
        encoder, mask = encoder[hidden.first], mask[hidden.first]
    network = Network(V.T, Wt, encoder, mask, scale=float(V.mean()), settings=settings, latest=H, hidden=hidden)
    network.encode([Block(0, V.shape[1], np.arange(len(Wt)))])
    return np.maximum(H, 0, out=H)


def _of_components(encoder: FloatArray, hidden: Hidden | None) -> FloatArray:
    return encoder if hidden is None else encoder[hidden.voice]
