"""What a run will take, before it is begun: seconds by what other runs took, memory, and room on the disk."""

from collections.abc import Mapping
from dataclasses import dataclass

from soli.files import scratch_folder
from soli.memory import memory_bytes
from soli.playback.segments import LARGEST_IN_MEMORY
from soli.project.state import State
from soli.signal import maps
from soli.signal.spectrogram import Grid

# What runs of one to thirty minutes took on two cores: for each entry of the support and bin in each iteration, for each sample
# of the recording, and for each of a layer.
SECONDS_PER_ENTRY, SECONDS_PER_SAMPLE, SECONDS_PER_LAYER_SAMPLE = 1.7e-10, 1.7e-7, 4.5e-8
ENCODER_STEP = 1.3  # what one more layer of the encoder takes in both halves of an iteration, as a part of one of NMF
TOLERANCE_S, COPIES = 0.42, 2.4  # what a note may use beyond itself; templates that sound with it
PROGRAM_MB = 180.0
BYTES_PER_NOTE, BYTES_PER_ACTIVATION = 3000.0, 10.0  # of memory, as of half an hour and of three and a half
LEAST_S = 1.0  # shorter runs say little of how fast a computer is
SLOWEST, FASTEST = 50.0, 0.05


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take, roughly: `megabytes` of memory, and `disk_megabytes` where large arrays lie there (see `maps`)."""

    seconds: float
    megabytes: float
    disk_megabytes: float = 0.0

    @property
    def in_words(self) -> str:
        """As in: about 85 s and 1.2 GB of memory."""
        if self.seconds < 100:
            time_needed = f"{max(1, round(self.seconds))} s"
        elif self.seconds < 100 * 60:
            time_needed = f"{round(self.seconds / 60)} min"
        else:
            time_needed = f"{round(self.seconds / 3600)} h"
        memory = f"{self.megabytes / 1000:.1f} GB of memory"
        if not self.disk_megabytes:
            return f"about {time_needed} and {memory}"
        return f"about {time_needed}, {memory} and {self.disk_megabytes / 1000:.1f} GB of disk"


def objection(state: State, expected: Estimate) -> str:
    """Why decomposing `state` goes beyond the memory or the disk of this computer, and what to do; "" when it does not."""
    memory, room = memory_bytes() / 1e6, maps.room_bytes() / 1e6
    # What has no room on the disk has to fit into memory.
    needed = expected.megabytes + (expected.disk_megabytes if expected.disk_megabytes > room else 0.0)
    if needed <= memory or state.audio is None:
        return ""
    has, what = f"{memory / 1000:.1f} GB", "cut"
    if expected.disk_megabytes:
        has += f" of memory and {room / 1000:.1f} GB free in {scratch_folder()}"
    if expected.megabytes <= memory:
        what = "make room there, cut"
    return (
        f"{state.audio.duration_s / 60:.0f} minutes in {len(state.layers)} layers take {expected.in_words}, and this computer "
        f"has {has}; {what} the recording into pieces, or take fewer layers, one channel or a lower sample rate"
    )


def estimate(state: State, *, pace: float = 1.0, played: bool = False) -> Estimate:
    """What decomposing `state` will take, from the length of its recording, which it must have, and what sounds in it.

    pace: how much longer runs take on this computer than on two cores of the one that was measured, see `pace_of`. played:
    whether the layers are to be played too, which takes another copy of long ones.
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
    sounding = {(n.layer, n.program, n.pitch) for n in state.present_notes()}
    activations = len(sounding) * (settings.sustain_templates + 1) * grid.frames
    memory = PROGRAM_MB * 1e6 + len(state.notes) * BYTES_PER_NOTE + activations * BYTES_PER_ACTIVATION
    layers = len(state.layers) + 1  # with the residual
    sound, spectrum = 4 * recording.samples.size, 4 * grid.bins * grid.frames
    sound_on_disk, spectra_on_disk = (size > maps.LARGEST_IN_MEMORY for size in (sound, spectrum))
    # Spectra are there before the layers, and these before what is played.
    memory += 0 if sound_on_disk else sound
    memory += max(0 if spectra_on_disk else spectrum * channels, 0 if sound_on_disk else sound * layers)
    copies = sound * (1 + layers) if played else 0
    files = (sound * layers if sound_on_disk else 0) + (copies if copies > LARGEST_IN_MEMORY else 0)
    return Estimate(seconds * pace, memory / 1e6, max(spectrum * channels if spectra_on_disk else 0, files) / 1e6)


def pace_of(state: State, seconds: Mapping[str, float]) -> float | None:
    """How much longer a whole run of `state` took here than was to be expected, by the `seconds` of its stages.

    None where it tells nothing: a run that was too short, or none of all stages.
    """
    if not {"decompose", "separate"} <= seconds.keys() or state.audio is None:
        return None
    took, expected = seconds["decompose"] + seconds["separate"], estimate(state).seconds
    return min(max(took / expected, FASTEST), SLOWEST) if took >= LEAST_S and expected > 0 else None
