"""What a run will take, before it is begun: seconds by what other runs took, and memory."""

from collections.abc import Mapping
from dataclasses import dataclass

from soli.memory import memory_bytes
from soli.project.state import State
from soli.signal.spectrogram import Grid

# What runs of one to thirty minutes took on two cores: for each entry of the support and bin in each iteration, for each sample
# of the recording, and for each of a layer.
SECONDS_PER_ENTRY, SECONDS_PER_SAMPLE, SECONDS_PER_LAYER_SAMPLE = 1.7e-10, 1.7e-7, 4.5e-8
ENCODER_STEP = 0.6  # what one more layer of the encoder takes, as a part of an iteration
TOLERANCE_S, COPIES = 0.42, 2.4  # what a note may use beyond itself; templates that sound with it
PROGRAM_MB = 180.0
LEAST_S = 1.0  # shorter runs say little of how fast a computer is
SLOWEST, FASTEST = 50.0, 0.05


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take, roughly."""

    seconds: float
    megabytes: float

    @property
    def in_words(self) -> str:
        """As in: about 85 s and 1.2 GB of memory."""
        if self.seconds < 100:
            time_needed = f"{max(1, round(self.seconds))} s"
        elif self.seconds < 100 * 60:
            time_needed = f"{round(self.seconds / 60)} min"
        else:
            time_needed = f"{round(self.seconds / 3600)} h"
        return f"about {time_needed} and {self.megabytes / 1000:.1f} GB of memory"


def objection(state: State, expected: Estimate) -> str:
    """Why decomposing `state` goes beyond the memory of this computer, and what to do; "" when it does not."""
    memory = memory_bytes() / 1e6
    if expected.megabytes <= memory or state.audio is None:
        return ""
    return (
        f"{state.audio.duration_s / 60:.0f} minutes in {len(state.layers)} layers take {expected.in_words}, and this computer "
        f"has {memory / 1000:.1f} GB; cut the recording into pieces, or take fewer layers, one channel or a lower sample rate"
    )


def estimate(state: State, *, pace: float = 1.0) -> Estimate:
    """What decomposing `state` will take, from the length of its recording, which it must have, and what sounds in it.

    pace: how much longer runs take on this computer than on two cores of the one that was measured, see `pace_of`.
    """
    recording, settings = state.audio, state.settings
    if recording is None:
        raise ValueError("there is no recording")
    grid = Grid.for_recording(recording.rate, recording.length)
    channels = min(recording.channels, 2)
    held_s = sum(n.sounding_offset_s - n.onset_s + TOLERANCE_S for n in state.present_notes())
    work = held_s / grid.hop_s * COPIES * grid.bins * max(1, settings.iterations)
    if settings.method == "nae":
        work *= 1 + ENCODER_STEP * settings.encoder_steps
    each_sample = SECONDS_PER_SAMPLE + SECONDS_PER_LAYER_SAMPLE * len(state.layers)
    seconds = work * SECONDS_PER_ENTRY + each_sample * recording.samples.size
    sound = 4e-6 * recording.samples.size
    spectra = 4e-6 * grid.bins * grid.frames * channels
    return Estimate(seconds * pace, PROGRAM_MB + spectra + sound * (2 + len(state.layers)))


def pace_of(state: State, seconds: Mapping[str, float]) -> float | None:
    """How much longer a whole run of `state` took here than was to be expected, by the `seconds` of its stages.

    None where it tells nothing: a run that was too short, or none of all stages.
    """
    if not {"decompose", "separate"} <= seconds.keys() or state.audio is None:
        return None
    took, expected = seconds["decompose"] + seconds["separate"], estimate(state).seconds
    return min(max(took / expected, FASTEST), SLOWEST) if took >= LEAST_S and expected > 0 else None
