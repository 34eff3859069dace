"""How both clients are set up."""

from __future__ import annotations

from typing import Any

import httpx

from fotofinish import __version__

ATTEMPTS = 6
PARALLEL = 4
RENEWALS = 2  # fresh links a photo may take
TIMEOUT = httpx.Timeout(30.0, read=60.0)
NAME = f"fotofinish/{__version__}"


def for_api(url: str, key: str) -> dict[str, Any]:
    """Options of the connection to the server; raises ValueError for what can be no key."""
    key = key.strip()
    if not key.isascii() or not key.isprintable():
        raise ValueError("The API key holds signs that no key has. Copy it once more.")
    headers = {"X-API-Key": key, "User-Agent": NAME}
    return {"base_url": url, "headers": headers, "timeout": TIMEOUT}


def for_links() -> dict[str, Any]:
    """Options of connections to wherever originals lie; their bytes come as they are."""
    headers = {"User-Agent": NAME, "Accept-Encoding": "identity"}
    return {"headers": headers, "timeout": TIMEOUT, "follow_redirects": False}
