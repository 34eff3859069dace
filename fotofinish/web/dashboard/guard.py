"""Who may post to the dashboard: pages of ours, with their session's token.

Who guesses passwords is held back by `organisations/attempts.py`.
"""

from __future__ import annotations

import hmac

from starlette.requests import Request

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
