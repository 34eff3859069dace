"""Who may post to the dashboard: no other site's pages, and nobody who guesses passwords."""

from __future__ import annotations

import hmac
import time
from collections import defaultdict, deque

from starlette.requests import Request

MOST_ATTEMPTS = 5
WINDOW = 15 * 60.0
MOST_REMEMBERED = 10_000
PURPOSE = b"fotofinish: forms of this session, version 1"


def from_our_own_page(request: Request) -> bool:
    """Whether a form was sent from a page of ours (OWASP: fetch metadata, else the origin).

    Browsers send `Sec-Fetch-Site` since 2023 where the connection is secure; all of them send
    `Origin` with every post.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] == request.headers.get("host")


def form_token(session_token: str) -> str:
    """What every form of a session carries; only who holds the session's cookie can make it."""
    return hmac.digest(session_token.encode("utf-8", "surrogateescape"), PURPOSE, "sha256").hex()


def form_token_fits(session_token: str, given: str) -> bool:
    """Whether a form carries its session's token."""
    expected = form_token(session_token).encode()
    return hmac.compare_digest(expected, given.encode("utf-8", "replace"))


class Attempts:
    """Sign-ins of the last quarter of an hour that did not succeed, by network address and e-mail.

    In this process's memory: several servers each keep their own count, a restart forgets it.
    """

    def __init__(self) -> None:
        self._times: defaultdict[str, deque[float]] = defaultdict(deque)

    def take(self, who: str) -> bool:
        """Count an attempt before it is looked at (many at once are many); False: too many."""
        times = self._times.get(who)
        while times and times[0] < time.monotonic() - WINDOW:
            times.popleft()
        if times is not None and len(times) >= MOST_ATTEMPTS:
            return False
        if times is None and len(self._times) >= MOST_REMEMBERED:
            self._times.pop(next(iter(self._times)))
        self._times[who].append(time.monotonic())
        return True

    def forget(self, who: str) -> None:
        """After a success."""
        self._times.pop(who, None)
