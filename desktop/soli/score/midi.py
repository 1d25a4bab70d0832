"""Standard MIDI Files: reading one into a Score, writing notes as one."""

import functools
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from soli.errors import InputError
from soli.files import beside, check_readable
from soli.score.midi_events import LARGEST_BYTES, SUSTAIN_PEDAL, Division, Track, parse
from soli.score.notes import LONGEST_S, MOST_NOTES, Beat, KeySignature, Note, Pedal, Score
from soli.score.tempo_map import TempoMap, tempo_map

_MAJOR_KEYS = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
SHORTEST_BEAT_US = 10_000  # a tempo of zero would stop time
MOST_BEATS = 100_000
WRITTEN_TICKS_PER_BEAT = 9600  # at 120 BPM a tick is 0.05 ms, far below what an ear or an alignment resolves
_LONGEST_DELTA = 2**28 - 1  # ticks from event to event, in the four bytes that the standard gives to a number


def read(path: Path) -> Score:
    """Read a Standard MIDI File of type 0 or 1; `midi_events` has the bounds.

    A pitch struck again before its note-off ends the older note there; no note is lost. Ids count from 0 in order of onset.
    Raises InputError, in one sentence, when the file is missing, no MIDI file, or holds no note.
    """
    check_readable(path, "choose a score (a MIDI file)")
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror or error}); choose another score") from error
    if len(data) > LARGEST_BYTES:
        raise InputError(f"{path.name}: larger than {LARGEST_BYTES // 2**20} MB, which no score is; choose another MIDI file")
    division, tracks = parse(data, path.name)
    strikes = sum(velocity > 0 for track in tracks for *_, velocity in track.strikes)
    if not strikes:
        raise InputError(f"{path.name}: no notes in any track; choose another MIDI file")
    if strikes > MOST_NOTES:
        raise InputError(f"{path.name}: more than {MOST_NOTES:,} notes; cut the score into pieces")
    seconds = _clock(tracks, division)
    end_tick = max(track.end_tick for track in tracks)
    pedals = _pedals(tracks, end_tick)
    score = Score(
        notes=_placed(_notes(tracks, end_tick), pedals, seconds),
        track_names=tuple(track.name or f"Track {i + 1}" for i, track in enumerate(tracks)),
        beats=_beats(tracks, division.ticks_per_beat, end_tick, seconds),
        pedals=tuple(
            Pedal(channel, seconds(down), seconds(up)) for channel, presses in sorted(pedals.items()) for down, up in presses
        ),
        title=_title(tracks) or path.stem,
        keys=_keys(tracks, seconds),
    )
    if score.duration_s > LONGEST_S:
        raise InputError(
            f"{path.name}: its last note ends after {score.duration_s / 3600:.0f} hours, and a score lasts "
            f"{LONGEST_S / 3600:.0f} at most; choose another MIDI file"
        )
    return score


def write(
    path: Path,
    notes: Iterable[Note],
    *,
    track_names: Sequence[str] = (),
    pedals: Iterable[Pedal] = (),
    keys: Iterable[KeySignature] = (),
    beats: Sequence[Beat] = (),
) -> None:
    """Write notes at their seconds as a MIDI file of type 1: tracks, channels and programs kept, every note once.

    The beats become its tempo map, a quarter note each; without them it has 120 a minute.
    Written beside its final name first and renamed when whole. Raises InputError when the place cannot be written.
    """
    import mido

    notes = sorted(notes, key=lambda n: (n.onset_s, n.pitch))
    pedals = tuple(pedals)
    tempi = tempo_map(beats)
    tick = functools.partial(tempi.ticks, ticks_per_beat=WRITTEN_TICKS_PER_BEAT)
    file = mido.MidiFile(type=1, ticks_per_beat=WRITTEN_TICKS_PER_BEAT)
    track_of_channel = {n.channel: n.track for n in reversed(notes)}
    for index in range(max([len(track_names), *(n.track + 1 for n in notes)])):
        # At one tick: pedal and program first, then note-offs, then note-ons; a note lasts a tick at least.
        events: list[tuple[int, int, Any]] = _grid(tempi) if index == 0 else []
        for key in keys if index == 0 else ():
            message = mido.MetaMessage("key_signature", key=_MAJOR_KEYS[key.fifths + 7])
            events.append((tick(key.time_s), 0, message))
        programs: dict[int, int] = {}
        for pedal in pedals:
            if track_of_channel.get(pedal.channel, 0) == index:
                for time_s, value in ((pedal.down_s, 127), (pedal.up_s, 0)):
                    message = mido.Message("control_change", channel=pedal.channel, control=SUSTAIN_PEDAL, value=value)
                    events.append((tick(time_s), 0, message))
        for note in (n for n in notes if n.track == index):
            start = tick(note.onset_s)
            stop = max(start + 1, tick(note.offset_s))
            if programs.get(note.channel) != note.program:
                programs[note.channel] = note.program
                events.append((start, 0, mido.Message("program_change", channel=note.channel, program=note.program)))
            velocity = min(127, max(1, note.velocity))
            events.append((start, 2, mido.Message("note_on", channel=note.channel, note=note.pitch, velocity=velocity)))
            events.append((stop, 1, mido.Message("note_off", channel=note.channel, note=note.pitch)))
        track = mido.MidiTrack()
        if index < len(track_names):
            # Standard MIDI Files speak Latin-1; a name beyond it keeps what can be said.
            name = track_names[index].encode("latin-1", "replace").decode("latin-1")
            track.append(mido.MetaMessage("track_name", name=name))
        before = 0
        for at, _, message in sorted(events, key=lambda event: event[:2]):
            while at - before > _LONGEST_DELTA:
                track.append(mido.MetaMessage("text", text="", time=_LONGEST_DELTA))
                before += _LONGEST_DELTA
            track.append(message.copy(time=at - before))
            before = at
        file.tracks.append(track)
    try:
        with beside(path) as partial:
            file.save(partial)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); choose another folder") from error


def _grid(tempi: TempoMap) -> list[tuple[int, int, Any]]:
    """Events of the tempo map: where they stand, before which others at one tick, and what they say."""
    import mido

    events: list[tuple[int, int, Any]] = [
        (number * WRITTEN_TICKS_PER_BEAT, -2, mido.MetaMessage("time_signature", numerator=length, denominator=4))
        for number, length in tempi.meters
    ]
    former = 0
    for number, tempo in enumerate(tempi.tempo_us.tolist()):
        if tempo != former:
            events.append((number * WRITTEN_TICKS_PER_BEAT, -1, mido.MetaMessage("set_tempo", tempo=tempo)))
        former = tempo
    return events


Clock = Callable[[int], float]


def _title(tracks: Sequence[Track]) -> str:
    """The name of the first track where it holds no notes: by custom the title of the piece."""
    silent = len(tracks) > 1 and not any(velocity for *_, velocity in tracks[0].strikes)
    return tracks[0].name if silent else ""


def _keys(tracks: Sequence[Track], seconds: Clock) -> tuple[KeySignature, ...]:
    """Key signatures in order, each once; the last of those at one tick holds."""
    at = dict(_in_time(row for track in tracks for row in track.keys))
    keys: list[KeySignature] = []
    for tick, fifths in at.items():
        if not keys or keys[-1].fifths != fifths:
            keys.append(KeySignature(seconds(tick), fifths))
    return tuple(keys)


Row = TypeVar("Row", bound=tuple[int, ...])


def _in_time(rows: Iterable[Row]) -> list[Row]:
    """Events of several tracks by their tick; at one tick in the order of the tracks."""
    return sorted(rows, key=lambda row: row[0])


def _clock(tracks: Sequence[Track], division: Division) -> Clock:
    """Seconds of a tick, the tempo map honoured; film frames have one length throughout."""
    if not division.ticks_per_beat:
        return lambda tick: tick / division.ticks_per_second
    ticks_per_beat = division.ticks_per_beat
    changes = {0: 500_000}
    for tick, tempo in _in_time(row for track in tracks for row in track.tempos):
        changes[tick] = max(SHORTEST_BEAT_US, tempo)
    ticks, tempos = list(changes), list(changes.values())
    starts = [0.0]
    for (first, second), tempo in zip(pairwise(ticks), tempos, strict=False):
        starts.append(starts[-1] + (second - first) * tempo / ticks_per_beat / 1e6)

    def seconds(tick: int) -> float:
        i = bisect_right(ticks, tick) - 1
        return starts[i] + (tick - ticks[i]) * tempos[i] / ticks_per_beat / 1e6

    return seconds


@dataclass(slots=True)
class _Open:
    """A note whose end is not known yet; `owed` note-offs of older notes of its pitch are still to come."""

    onset: int
    pitch: int
    velocity: int
    track: int
    channel: int
    program: int
    owed: int = 0
    offset: int = -1


def _notes(tracks: Sequence[Track], end_tick: int) -> list[_Open]:
    """All notes of all tracks, in ticks. Programs belong to a channel, across tracks."""
    programs: dict[int, list[tuple[int, int]]] = defaultdict(lambda: [(-1, 0)])
    for tick, channel, program in _in_time(row for track in tracks for row in track.programs):
        programs[channel].append((tick, program))

    done: list[_Open] = []
    for index, track in enumerate(tracks):
        # Where each strike has a note-off of its own, they come in the order of the strikes; else each ends what sounds.
        balance = Counter[tuple[int, int]]()
        for _, channel, pitch, velocity in track.strikes:
            balance[channel, pitch] += 1 if velocity else -1
        sounding: dict[tuple[int, int], list[_Open]] = defaultdict(list)
        for tick, channel, pitch, velocity in track.strikes:
            stack = sounding[channel, pitch]
            if velocity:
                # Notes struck at the very same tick are a unison of two voices and both stay; an older note ends here.
                older = [n for n in stack if n.onset < tick]
                for note in older:
                    note.offset = tick
                done.extend(older)
                owed = sum(n.owed + 1 for n in older) if balance[channel, pitch] <= 0 else 0
                changes = programs[channel]
                program = changes[bisect_right(changes, (tick, 128)) - 1][1]
                stack[:] = [n for n in stack if n.onset == tick]
                stack.append(_Open(tick, pitch, velocity, index, channel, program, owed))
            elif stack and stack[0].owed > 0:
                stack[0].owed -= 1
            elif stack:
                note = stack.pop(0)
                note.offset = tick
                done.append(note)
        for stack in sounding.values():
            for note in stack:
                note.offset = end_tick
                done.append(note)
    return done


def _pedals(tracks: Sequence[Track], end_tick: int) -> dict[int, list[tuple[int, int]]]:
    """Presses of the sustain pedal, channel -> (down, up) in ticks; a pedal never released is held to the end."""
    presses: dict[int, list[tuple[int, int]]] = defaultdict(list)
    down: dict[int, int] = {}
    for tick, channel, value in _in_time(row for track in tracks for row in track.pedals):
        if value >= 64:
            down.setdefault(channel, tick)
        elif channel in down:
            presses[channel].append((down.pop(channel), tick))
    for channel, tick in down.items():
        presses[channel].append((tick, max(end_tick, tick)))
    return presses


def _placed(notes: Sequence[_Open], pedals: dict[int, list[tuple[int, int]]], seconds: Clock) -> tuple[Note, ...]:
    """Notes in seconds and in order; held by the pedal until it rises or the same pitch is struck again."""
    strikes: dict[tuple[int, int], list[int]] = defaultdict(list)
    for note in notes:
        strikes[note.channel, note.pitch].append(note.onset)
    for onsets in strikes.values():
        onsets.sort()
    downs = {channel: [down for down, _ in presses] for channel, presses in pedals.items()}

    placed: list[Note] = []
    for note in sorted(notes, key=lambda n: (n.onset, n.pitch, n.track)):
        held = note.offset
        press = bisect_right(downs.get(note.channel, []), note.offset) - 1
        if press >= 0 and note.offset < pedals[note.channel][press][1]:
            held = pedals[note.channel][press][1]
            onsets = strikes[note.channel, note.pitch]
            following = bisect_right(onsets, note.onset)
            if following < len(onsets):
                held = max(note.offset, min(held, onsets[following]))
        placed.append(
            Note(
                id=len(placed),
                onset_s=seconds(note.onset),
                offset_s=seconds(note.offset),
                pitch=note.pitch,
                velocity=note.velocity,
                track=note.track,
                channel=note.channel,
                program=note.program,
                pedal_s=seconds(held) if held > note.offset else 0.0,
            )
        )
    return tuple(placed)


def _beats(tracks: Sequence[Track], ticks_per_beat: int, end_tick: int, seconds: Clock) -> tuple[Beat, ...]:
    """Beats by the time signatures; a new signature begins a new bar where it stands."""
    if not ticks_per_beat:
        return ()
    signatures = {0: (4, 4)}
    for tick, numerator, denominator in _in_time(row for track in tracks for row in track.meters):
        signatures[tick] = (numerator, denominator)
    ticks = [*signatures, max(end_tick, 1)]
    beats: list[Beat] = []
    bar = 0
    for (start, stop), (numerator, denominator) in zip(pairwise(ticks), signatures.values(), strict=False):
        step = max(1, ticks_per_beat * 4 // denominator)
        for count, tick in enumerate(range(start, stop, step)):
            if len(beats) >= MOST_BEATS:
                return tuple(beats)
            if count % numerator == 0:
                bar += 1
            beats.append(Beat(seconds(tick), bar, count % numerator + 1))
    return tuple(beats)
