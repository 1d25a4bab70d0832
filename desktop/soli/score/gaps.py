"""Where score and recording part: what one has and the other has not, said in a sentence."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from soli.score.notes import Score

_SAID_S = 2.0  # shorter ones are as likely a breath or a slip
_MOST_SAID = 3


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of the score that is not in the recording, or of the recording that is not in the score, or both at once.

    Score seconds and recording seconds, each from where both part to where they meet again; equal where there is nothing.
    """

    score_start_s: float
    score_stop_s: float
    recording_start_s: float
    recording_stop_s: float

    @property
    def score_length_s(self) -> float:
        return self.score_stop_s - self.score_start_s

    @property
    def recording_length_s(self) -> float:
        return self.recording_stop_s - self.recording_start_s

    @property
    def is_worth_saying(self) -> bool:
        return max(self.score_length_s, self.recording_length_s) >= _SAID_S


def described(gaps: Sequence[Gap], score: Score) -> str:
    """One sentence that names the gaps, by bars where the score has any; empty where there are none."""
    if not gaps:
        return ""
    said = [_clause(gap, score) for gap in gaps[:_MOST_SAID]]
    if len(gaps) > _MOST_SAID:
        said.append(f"and so in {len(gaps) - _MOST_SAID} more places")
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."


def _clause(gap: Gap, score: Score) -> str:
    skipped, more = gap.score_length_s >= _SAID_S, gap.recording_length_s >= _SAID_S
    between = f"{_clock(gap.score_start_s)} to {_clock(gap.score_stop_s)}"
    heard = f"{gap.recording_length_s:.1f} s of the recording ({_clock(gap.recording_start_s)} to {_clock(gap.recording_stop_s)})"
    if skipped:
        bars = _bars(gap, score)
        what = f"{bars} of the score ({between})" if bars else f"{between} of the score"
        instead = f", which has {gap.recording_length_s:.1f} s of something else there" if more else ""
        return f"{what} {_are(bars)} not in the recording{instead}"
    bar = _bar(gap.score_start_s, score)
    there = f"at bar {bar} ({_clock(gap.score_start_s)})" if bar else f"at {_clock(gap.score_start_s)}"
    return f"{heard} have no counterpart in the score {there}"


def _bars(gap: Gap, score: Score) -> str:
    # A bar of which only the very end or beginning is missing is not named.
    first, last = _bar(gap.score_start_s + 0.2, score), _bar(gap.score_stop_s - 0.2, score)
    if not first:
        return ""
    return f"bar {first}" if first == last else f"bars {first} to {last}"


def _are(bars: str) -> str:
    return "are" if bars.startswith("bars") else "is"


def _bar(score_s: float, score: Score) -> int:
    """The bar that holds a time of the score, 0 where it has none."""
    at = bisect_right([beat.time_s for beat in score.beats], score_s)
    return score.beats[max(0, at - 1)].bar if score.beats else 0


def _clock(seconds: float) -> str:
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"
