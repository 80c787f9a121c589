"""What some frames took."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter, process_time


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU time of one process with all of its threads, and time on the wall, in seconds."""

    frames: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.frames + other.frames, self.cpu_s + other.cpu_s, self.wall_s + other.wall_s)

    @property
    def per_core_s(self) -> float:
        return self.frames / self.cpu_s

    @property
    def per_s(self) -> float:
        return self.frames / self.wall_s


class Stopwatch:
    """CPU and wall time of this process since it was made."""

    def __init__(self) -> None:
        self._cpu, self._wall = process_time(), perf_counter()

    def cost_of(self, frames: int) -> Cost:
        return Cost(frames, process_time() - self._cpu, perf_counter() - self._wall)
