"""The one owner of what the user works on. Changes by edits; tells whoever listens what changed.

Used from the GUI thread alone; workers get snapshots (State is immutable) and hand back results.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

from soli.decompose.model import Factors
from soli.project.commands import Edit
from soli.project.history import History
from soli.project.pipeline import Loaded, Separation
from soli.project.state import State
from soli.signal.audio import Audio

Listener = Callable[[frozenset[str]], None]

EVERYTHING = frozenset(f.name for f in fields(State)) - {"recording_path", "audio", "score_path"} | {
    "recording",
    "separation",
    "history",
    "path",
}


class Document:
    """State, its history, the last separation, and where it is saved.

    Listeners are called with the aspects that changed: names of State's fields, "recording", "separation", "history", "path".
    """

    def __init__(self) -> None:
        self._state = State()
        self._history = History()
        self._separation: Separation | None = None
        self._path: Path | None = None
        self._saved: State = self._state
        self._saved_run: Factors | None = None
        self._embeds = self._saved_embeds = False
        self._listeners: list[Listener] = []
        self._next_layer_id = 0

    @property
    def state(self) -> State:
        return self._state

    @property
    def history(self) -> History:
        return self._history

    @property
    def separation(self) -> Separation | None:
        return self._separation

    @property
    def path(self) -> Path | None:
        return self._path

    @property
    def title(self) -> str:
        score = self._state.score
        if self._path is None and score is not None and score.title:
            return score.title
        path = self._path or self._state.recording_path
        return path.stem if path else "Untitled"

    @property
    def edited(self) -> bool:
        """Whether anything would be lost by closing now.

        The layers of a new run are, where there is a project file that lacks them; those that only follow edits are not.
        """
        if self._path is not None and (self._embeds != self._saved_embeds or _run(self._separation) is not self._saved_run):
            return True
        return not _same(self._state, self._saved)

    @property
    def embeds(self) -> bool:
        """Whether the project file is to hold the recording itself."""
        return self._embeds

    def set_embeds(self, on: bool) -> None:
        if on != self._embeds:
            self._embeds = on
            self._tell(frozenset({"path"}))

    @property
    def stale(self) -> bool:
        """Whether there are layers that do not sound what the roll shows."""
        return self._separation is not None and not self._separation.is_of(self._state)

    def next_layer_id(self) -> int:
        """An id that no layer of this document ever had: the layers of the last run are known by theirs."""
        return self._next_layer_id

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` after each change, with the aspects of the document that have changed."""
        self._listeners.append(listener)

    def do(self, edit: Edit) -> None:
        """Apply an edit as one step of history; an edit that changes nothing is none."""
        if edit.changes_nothing:
            return
        self._state = self._history.do(self._state, edit)
        self._tell(edit.aspects | {"history"})

    def end_gesture(self) -> None:
        self._history.end_gesture()

    def undo(self) -> None:
        self.go_to(len(self._history.done) - 1)

    def redo(self) -> None:
        self.go_to(len(self._history.done) + 1)

    def go_to(self, index: int) -> None:
        """Undo or redo until `index` steps of history are done: 0 is where it begins, and it ends where the last edit led."""
        done, undone = len(self._history.done), len(self._history.undone)
        steps = min(max(0, index), done + undone) - done
        if steps:
            self._state, aspects = self._history.jump(self._state, steps)
            self._tell(aspects | {"history"})

    def restore(
        self,
        loaded: Loaded,
        *,
        path: Path | None = None,
        separation: Separation | None = None,
        embeds: bool = False,
        saved: bool = True,
    ) -> None:
        """Begin anew with what was loaded; history and layers of before are gone.

        saved: all of it lies in the project file, or can be loaded again; not so after a crash.
        """
        self._state = loaded.state
        self._saved = loaded.state if saved else State()
        self._path = path
        self._history.clear()
        self._separation = separation
        self._saved_run = _run(separation)
        self._embeds = self._saved_embeds = embeds
        self._tell(EVERYTHING)

    def place(self, edit: Edit) -> None:
        """Do an edit that belongs to opening: nothing of the user's is lost by it, so it is no step of a fresh history."""
        if self._history.done or self._path is not None:
            self.do(edit)
            return
        fresh = not self.edited
        self._history.clear()  # what was undone belongs to the state of before
        self._state = edit.apply(self._state)
        if fresh:
            self._saved = self._state
        self._tell(edit.aspects | {"history"})

    def complete(
        self,
        *,
        recording: tuple[Path | None, Audio] | None = None,
        separation: Separation | None = None,
        embeds: bool | None = None,
    ) -> None:
        """Take over what is read later than the rest of a project: its recording, or its layers. Nothing is unsaved by it."""
        aspects = set()
        if recording is not None:
            path, audio = recording
            self._state = replace(self._state, recording_path=path, audio=audio)
            self._saved = replace(self._saved, recording_path=path, audio=audio)
            aspects |= {"recording", "path"}
        if separation is not None:
            self._separation, self._saved_run = separation, _run(separation)
            aspects.add("separation")
        if embeds is not None and embeds != self._saved_embeds:
            self._embeds = self._saved_embeds = embeds
            aspects.add("path")
        if aspects:
            self._tell(frozenset(aspects))

    def publish(self, separation: Separation) -> None:
        """Take over the layers of a finished run."""
        self._separation = separation
        self._tell(frozenset({"separation"}))

    def saved(self, path: Path, state: State, separation: Separation | None = None, *, embeds: bool | None = None) -> None:
        """`state` and the results `separation` are now what lies in the project file at `path`.

        embeds: whether it holds the recording itself; None: as it is chosen now.
        """
        self._path = path
        # What was not read yet when it was saved went from file to file.
        here = self._state
        unread = state.audio is None and here.audio is not None and state.recording_path == here.recording_path
        self._saved = replace(state, audio=here.audio) if unread else state
        self._saved_run = _run(separation)
        self._saved_embeds = self._embeds if embeds is None else embeds
        self._tell(frozenset({"path", "history"}))

    def attach(self, path: Path, recording: Audio) -> None:
        """Give a piece that has none its recording; nothing of the user's changes."""
        self._state = replace(self._state, recording_path=path, audio=recording)
        self._tell(frozenset({"recording", "path"}))

    def _tell(self, aspects: frozenset[str]) -> None:
        self._next_layer_id = max(self._next_layer_id, self._state.next_layer_id())
        for listener in tuple(self._listeners):
            listener(aspects)


def _run(separation: Separation | None) -> Factors | None:
    """What the whole run found that a separation goes back to."""
    return None if separation is None else separation.factors.origin or separation.factors


def _same(a: State, b: State) -> bool:
    """Whether two states hold the same, field by field; what undo gives back is equal without being identical."""
    return a is b or all(getattr(a, f.name) == getattr(b, f.name) for f in fields(State))
