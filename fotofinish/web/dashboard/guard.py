"""Who may post to the dashboard: no other site's pages, and nobody who guesses passwords."""

from __future__ import annotations

import time
from collections import defaultdict, deque

from starlette.requests import Request

MOST_FAILURES = 5
WINDOW = 15 * 60.0
MOST_REMEMBERED = 10_000


def from_our_own_page(request: Request) -> bool:
    """Whether a form was sent from a page of ours (OWASP: fetch metadata, else the origin).

    Browsers send `Sec-Fetch-Site` since 2023; older ones send `Origin` with every post.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] == request.headers.get("host")


class Failures:
    """Failed sign-ins of the last quarter of an hour, in this process's memory, by address."""

    def __init__(self) -> None:
        self._times: defaultdict[str, deque[float]] = defaultdict(deque)

    def too_many(self, who: str) -> bool:
        """Whether `who` has to wait."""
        times = self._times.get(who)
        while times and times[0] < time.monotonic() - WINDOW:
            times.popleft()
        return times is not None and len(times) >= MOST_FAILURES

    def note(self, who: str) -> None:
        """Remember a failure; the oldest addresses are forgotten when there are very many."""
        if len(self._times) >= MOST_REMEMBERED:
            self._times.pop(next(iter(self._times)))
        self._times[who].append(time.monotonic())

    def forget(self, who: str) -> None:
        """After a success."""
        self._times.pop(who, None)
