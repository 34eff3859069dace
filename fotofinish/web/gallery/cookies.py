"""Cookies of galleries: of one event's pages, or of all of them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fotofinish.events.published import PublishedEvent
from fotofinish.web.services import services


def keep_cookie(
    request: Request,
    answer: Response,
    name: str,
    value: str,
    seconds: int,
    *,
    event: PublishedEvent | None = None,
) -> None:
    """Have the browser keep a value, for pages of the event or all galleries, not for scripts."""
    answer.set_cookie(
        name,
        value,
        seconds,
        path=f"/e/{event.slug}" if event else "/e/",
        httponly=True,
        samesite="lax",
        secure=services(request).settings.public_url.startswith("https://"),
    )
