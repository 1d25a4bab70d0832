"""Undo and redo: edits by name, bounded in bytes."""

from collections import deque

from soli.project.commands import Edit
from soli.project.state import State

MOST_BYTES = 64 * 2**20


class History:
    """Edits that were done and can be undone, and edits that were undone and can be redone."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._done: deque[Edit] = deque()
        self._undone: list[Edit] = []
        self._bytes = 0

    @property
    def done(self) -> tuple[Edit, ...]:
        """Oldest first."""
        return tuple(self._done)

    @property
    def undone(self) -> tuple[Edit, ...]:
        """The next to redo first."""
        return tuple(reversed(self._undone))

    @property
    def last(self) -> Edit | None:
        return self._done[-1] if self._done else None

    @property
    def next(self) -> Edit | None:
        return self._undone[-1] if self._undone else None

    def do(self, state: State, edit: Edit) -> State:
        """Apply an edit and remember it; what was undone before is forgotten, and the oldest steps past the bound are too."""
        after = edit.apply(state)
        self._bytes -= sum(e.size for e in self._undone)
        self._undone.clear()
        if edit.gesture and self._done and self._done[-1].gesture == edit.gesture:
            former = self._done.pop()
            self._bytes -= former.size
            edit = former.merged(edit)
            if edit.changes_nothing:  # dragged back to where it began
                return after
        self._done.append(edit)
        self._bytes += edit.size
        while self._bytes > self._most_bytes and len(self._done) > 1:
            self._bytes -= self._done.popleft().size
        return after

    def undo(self, state: State) -> State:
        """The state before the last edit; the same state when there is none."""
        if not self._done:
            return state
        edit = self._done.pop()
        self._undone.append(edit)
        return edit.revert(state)

    def redo(self, state: State) -> State:
        """The state after the edit that was undone last; the same state when there is none."""
        if not self._undone:
            return state
        edit = self._undone.pop()
        self._done.append(edit)
        return edit.apply(state)

    def jump(self, state: State, steps: int) -> tuple[State, frozenset[str]]:
        """The state some steps later (or earlier, negative), as far as there are any, and all that changed on the way."""
        aspects: set[str] = set()
        for _ in range(min(steps, len(self._undone))):
            aspects |= self._undone[-1].aspects
            state = self.redo(state)
        for _ in range(min(-steps, len(self._done))):
            aspects |= self._done[-1].aspects
            state = self.undo(state)
        return state, frozenset(aspects)

    def end_gesture(self) -> None:
        """The next edit is a step of its own even if it carries the same gesture."""
        if self._done and self._done[-1].gesture:
            last = self._done.pop()
            self._done.append(Edit(last.name, last.changes))

    def clear(self) -> None:
        self._done.clear()
        self._undone.clear()
        self._bytes = 0
