"""Where a hand has passed over the roll: stretches of pitches, joined where they touch."""

from dataclasses import dataclass, field


@dataclass
class Sweep:
    """Collects ways from point to point. However long a hand scribbles in a place, it stays as few stretches."""

    _stretches: dict[int, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, pitch: int, start_s: float, end_s: float) -> None:
        """Pass over a stretch of one pitch, in either direction."""
        low, high = sorted((start_s, end_s))
        apart = []
        for former in self._stretches.get(pitch, ()):
            if former[1] < low or former[0] > high:
                apart.append(former)
            else:
                low, high = min(low, former[0]), max(high, former[1])
        self._stretches[pitch] = [*apart, (low, high)]

    def go(self, start: tuple[int, float], end: tuple[int, float]) -> None:
        """Pass from one (pitch, seconds) to another: each pitch on the way gets its part of it."""
        (pitch, start_s), (last, end_s) = start, end
        steps, direction = abs(last - pitch), 1 if last > pitch else -1
        # Both ends exactly as they were given: a stretch that goes on from there touches it.
        edges = [start_s, *(start_s + (end_s - start_s) * i / (steps + 1) for i in range(1, steps + 1)), end_s]
        for i in range(steps + 1):
            self.add(pitch + direction * i, edges[i], edges[i + 1])

    def stretches(self) -> list[tuple[int, float, float]]:
        """Pitch, from and to in seconds, pitches in the order they were first passed; those of no length too."""
        return [(pitch, *stretch) for pitch, stretches in self._stretches.items() for stretch in sorted(stretches)]
