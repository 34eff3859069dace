"""Time: the processor's, step by step, and that of whole calls."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


class Clock:
    """Adds the processor's seconds since the last step to `totals`, to the step that ends."""

    def __init__(self, totals: dict[str, float]) -> None:
        self._totals = totals
        self._since = time.process_time()

    def ends(self, step: str) -> None:
        """The step is done; the next begins."""
        now = time.process_time()
        self._totals[step] = self._totals.get(step, 0.0) + now - self._since
        self._since = now


def median_ms(call: Callable[[], object], calls: int) -> float:
    """The median of so many calls, in milliseconds; one before them is for plans and caches."""
    call()
    times = []
    for _ in range(calls):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return 1000 * statistics.median(times)
