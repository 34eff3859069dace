"""Headers of pages: what browsers may do with them, and where they may fetch from."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

SAFETY = {
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


def page_policy(pictures: Iterable[str], reached: Iterable[str] = ()) -> str:
    """The Content-Security-Policy of a page with pictures from these addresses, whose scripts may
    reach those."""
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; "
        f"connect-src {_sources(reached)}; img-src {_sources(pictures)}; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _sources(addresses: Iterable[str]) -> str:
    parts = [urlsplit(address) for address in addresses]
    return " ".join(sorted({f"{part.scheme}://{part.netloc}" for part in parts} | {"'self'"}))
