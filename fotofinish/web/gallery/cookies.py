"""Cookies that belong to one gallery alone."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fotofinish.events.published import PublishedEvent
from fotofinish.web.services import services


def keep_cookie(
    request: Request, answer: Response, event: PublishedEvent, name: str, value: str, seconds: int
) -> None:
    """Have the browser keep a value for this event's pages, out of reach of their scripts."""
    answer.set_cookie(
        name,
        value,
        seconds,
        path=f"/e/{event.slug}",
        httponly=True,
        samesite="lax",
        secure=services(request).settings.public_url.startswith("https://"),
    )
