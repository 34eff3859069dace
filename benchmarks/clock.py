"""Processor time, step by step."""

from __future__ import annotations

import time


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
