"""Measurements, in groups. Each module of this folder with a ``run`` is a bench.

``run() -> Iterable[Measurement]`` measures and yields; it may be a generator, so that figures appear as they are made.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """``target`` is the figure that ``value`` must not exceed, in the same unit; ``how`` the figure was come by."""

    name: str
    value: float
    unit: str
    target: float
    how: str = ""

    @property
    def ok(self) -> bool:
        return self.value <= self.target
