"""Pages, style sheets and scripts made small for slow networks; pictures are small already.

Public pages and files alone: a page that holds a secret beside what a stranger can put there tells
the secret by its length (BREACH, 2013).
"""

from __future__ import annotations

import gzip

from starlette.requests import Request

LEVEL = 5  # a gallery of 60 photos: a fifth, in half a millisecond


def accepts_gzip(request: Request) -> bool:
    """Whether the browser takes gzip (RFC 9110, section 12.5.3)."""
    for part in request.headers.get("accept-encoding", "").split(","):
        coding, _, weight = part.partition(";")
        if coding.strip().lower() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def compress(content: bytes) -> bytes:
    """The content as gzip, without a time in it: the same content, the same bytes."""
    return gzip.compress(content, LEVEL, mtime=0)
