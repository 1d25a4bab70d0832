"""Soli's alignment against synctoolbox: accuracy, seconds and peak memory on the same pieces, in one run. Run by hand.

    python tests/benchmarks/compare_synctoolbox.py ENVIRONMENT PIECE_DIR ...

ENVIRONMENT is a folder for synctoolbox and the 900 MB it needs: a virtual environment, made by the first run and used again by
later ones; synctoolbox is no dependency of Soli. PIECE_DIR holds mix.flac, score.mid and performance.mid, which has the same
notes where they are played. Each program aligns each piece three times in a process of its own, and the quickest counts, so
that neither pays for its start or its compiler; both begin with the samples and the score in memory.

synctoolbox is used as its authors' tutorial on high-resolution synchronisation does: tuning, chroma from its filter bank
shifted against each other, DLNCO features, MrMsDTW at 50 frames a second, a strictly monotonic path.
"""

import json
import resource
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

RUNS = 3
RATE = 50


def synctoolbox_onsets(folder):
    """(pitch, score seconds, recording seconds) of every note, and the seconds it took."""
    import librosa
    import numpy as np
    import pandas as pd
    import pretty_midi
    from synctoolbox.dtw.mrmsdtw import sync_via_mrmsdtw
    from synctoolbox.dtw.utils import compute_optimal_chroma_shift, make_path_strictly_monotonic, shift_chroma_vectors
    from synctoolbox.feature.chroma import pitch_to_chroma, quantize_chroma, quantized_chroma_to_CENS
    from synctoolbox.feature.csv_tools import df_to_pitch_features, df_to_pitch_onset_features
    from synctoolbox.feature.dlnco import pitch_onset_features_to_DLNCO
    from synctoolbox.feature.pitch import audio_to_pitch_features
    from synctoolbox.feature.pitch_onset import audio_to_pitch_onset_features
    from synctoolbox.feature.utils import estimate_tuning

    samples, _ = librosa.load(folder / "mix.flac", sr=22050)
    notes = [note for part in pretty_midi.PrettyMIDI(str(folder / "score.mid")).instruments for note in part.notes]
    columns = ("start", "duration", "pitch", "velocity", "instrument")
    table = pd.DataFrame([(n.start, n.end - n.start, n.pitch, n.velocity / 127, "piano") for n in notes], columns=columns)
    table = table.sort_values("start")

    def coarse(chroma):
        return quantized_chroma_to_CENS(chroma, 201, 50, RATE)[0]

    quickest = float("inf")
    for _ in range(RUNS):
        begin = time.perf_counter()
        tuning = estimate_tuning(samples, 22050)
        heard = quantize_chroma(pitch_to_chroma(audio_to_pitch_features(samples, 22050, RATE, tuning_offset=tuning)))
        peaks = audio_to_pitch_onset_features(samples, 22050, tuning_offset=tuning)
        heard_onsets = pitch_onset_features_to_DLNCO(peaks, heard.shape[1], RATE)
        drawn = quantize_chroma(pitch_to_chroma(df_to_pitch_features(table, RATE)))
        drawn_onsets = pitch_onset_features_to_DLNCO(df_to_pitch_onset_features(table), drawn.shape[1], RATE)
        shift = compute_optimal_chroma_shift(coarse(heard), coarse(drawn))
        drawn, drawn_onsets = shift_chroma_vectors(drawn, shift), shift_chroma_vectors(drawn_onsets, shift)
        path = sync_via_mrmsdtw(
            f_chroma1=heard,
            f_onset1=heard_onsets,
            f_chroma2=drawn,
            f_onset2=drawn_onsets,
            input_feature_rate=RATE,
            step_weights=np.array([1.5, 1.5, 2.0]),
            threshold_rec=10**6,
        )
        path = make_path_strictly_monotonic(path) / RATE
        placed = np.interp(table["start"], path[1], path[0])
        quickest = min(quickest, time.perf_counter() - begin)
    return list(zip(table["pitch"].tolist(), table["start"].tolist(), placed.tolist(), strict=True)), quickest


def soli_onsets(folder):
    from soli.score import midi
    from soli.score.alignment import align
    from soli.signal.audio import read

    recording, score = read(folder / "mix.flac"), midi.read(folder / "score.mid")
    quickest = float("inf")
    for _ in range(RUNS):
        begin = time.perf_counter()
        alignment = align(recording, score)
        quickest = min(quickest, time.perf_counter() - begin)
    return [
        (found.pitch, note.onset_s, found.onset_s) for note, found in zip(score.notes, alignment.notes, strict=True)
    ], quickest


def work(name, folder):
    onsets, seconds = {"soli": soli_onsets, "synctoolbox": synctoolbox_onsets}[name](folder)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    # On a line of its own: synctoolbox prints dots as it goes.
    print("\n" + json.dumps({"onsets": onsets, "seconds": seconds, "megabytes": megabytes}))


def played(folder):
    """Onsets of each pitch, in seconds and in order."""
    import mido

    onsets, now_s = defaultdict(list), 0.0
    for message in mido.MidiFile(folder / "performance.mid"):
        now_s += message.time
        if message.type == "note_on" and message.velocity:
            onsets[message.note].append(now_s)
    return onsets


def errors_ms(found, truth):
    by_pitch = defaultdict(list)
    for pitch, score_s, recording_s in found:
        by_pitch[pitch].append((score_s, recording_s))
    return [
        1000 * abs(at_s - true_s)
        for pitch, times in truth.items()
        for (_, at_s), true_s in zip(sorted(by_pitch[pitch]), times, strict=True)
    ]


def environment_python(folder):
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "synctoolbox"], check=True)
    return python


def main(arguments):
    if len(arguments) < 2:
        sys.exit(__doc__)
    pythons = {"soli": sys.executable, "synctoolbox": environment_python(Path(arguments[0]))}
    for folder in map(Path, arguments[1:]):
        truth, seconds = played(folder), {}
        for name, python in pythons.items():
            command = [python, __file__, "--work", name, folder]
            result = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])
            off_ms = errors_ms(result["onsets"], truth)
            seconds[name] = result["seconds"]
            print(
                f"{folder.name:24} {name:12} mean {sum(off_ms) / len(off_ms):5.1f} ms,"
                f" {100 * sum(ms > 50 for ms in off_ms) / len(off_ms):4.1f} % over 50 ms,"
                f" {result['seconds']:6.2f} s, peak {result['megabytes']:5.0f} MB"
            )
        print(f"{folder.name:24} Soli takes {seconds['soli'] / seconds['synctoolbox']:.3f} of synctoolbox's time")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2], Path(sys.argv[3]))
    else:
        main(sys.argv[1:])
