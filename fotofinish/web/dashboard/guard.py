"""The token that every form of a session carries.

Who guesses passwords is held back by `organisations/attempts.py`.
"""

from __future__ import annotations

import hmac

PURPOSE = b"fotofinish: forms of this session, version 1"


def form_token(session_token: str) -> str:
    """What every form of a session carries; only who holds the session's cookie can make it."""
    return hmac.digest(session_token.encode("utf-8", "surrogateescape"), PURPOSE, "sha256").hex()


def form_token_fits(session_token: str, given: str) -> bool:
    """Whether a form carries its session's token."""
    expected = form_token(session_token).encode()
    return hmac.compare_digest(expected, given.encode("utf-8", "replace"))
