"""The organiser's logo and colour in the gallery."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fotofinish.errors import NotFound
from fotofinish.photos.watermark import find_picture
from fotofinish.web.gallery.opening import OpenGallery
from fotofinish.web.services import services

KEPT = {"Cache-Control": "private, max-age=300", "X-Content-Type-Options": "nosniff"}


async def logo(request: Request, gallery: OpenGallery) -> Response:
    """GET `/e/{slug}/logo.png`."""
    async with services(request).pool.connection() as connection:
        png = await find_picture(connection, gallery.event.id, "brand")
    if png is None:
        raise NotFound("There is no logo.")
    return Response(png, media_type="image/png", headers=KEPT)


async def colours(request: Request, gallery: OpenGallery) -> Response:
    """GET `/e/{slug}/brand.css`: the organiser's colour, with letters that are legible on it."""
    colour = gallery.choices.brand_colour
    if not colour:
        raise NotFound("There is no colour.")
    ink = "#fff" if luminance(colour) < 0.179 else "#000"  # WCAG 2: where both contrasts are equal
    style = (
        f"button, .button, .file {{ --accent: {colour}; --accent-strong: {colour}; "
        f"--accent-ink: {ink}; }}\n.top {{ border-top: .3rem solid {colour}; }}\n"
    )
    return Response(style, media_type="text/css", headers=KEPT)


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, 0 to 1 (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
