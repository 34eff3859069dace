"""The organiser's name, logo and colour, on every page of the gallery and before its door."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from fotofinish.errors import NotFound
from fotofinish.events.gallery import GalleryChoices, find_choices
from fotofinish.events.published import PublishedEvent, find_published
from fotofinish.photos.watermark import find_picture
from fotofinish.web.gallery.door import UNKNOWN
from fotofinish.web.services import services

KEPT = {"Cache-Control": "private, max-age=300", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Brand:
    """What a page shows of the organiser; `colour` is empty for our own."""

    name: str
    colour: str
    has_logo: bool


def brand_of(event: PublishedEvent, choices: GalleryChoices) -> Brand:
    """As the organiser chose; else under the organisation's name."""
    return Brand(choices.brand_name or event.organiser, choices.brand_colour, choices.has_logo)


async def find_brand(request: Request) -> Brand | None:
    """The brand of the event in the address, if there is such an event."""
    async with services(request).pool.connection() as connection:
        event = await find_published(connection, request.path_params["slug"])
        if event is None:
            return None
        return brand_of(event, await find_choices(connection, event.id))


async def logo(request: Request) -> Response:
    """GET `/e/{slug}/logo.png`: for everybody, as it is on the page that asks for the code."""
    async with services(request).pool.connection() as connection:
        event = await find_published(connection, request.path_params["slug"])
        if event is None:
            raise NotFound(UNKNOWN)
        png = await find_picture(connection, event.id, "brand")
    if png is None:
        raise NotFound("There is no logo.")
    return Response(png, media_type="image/png", headers=KEPT)


async def colours(request: Request) -> Response:
    """GET `/e/{slug}/brand.css`: the organiser's colour, with letters that are legible on it."""
    brand = await find_brand(request)
    if brand is None or not brand.colour:
        raise NotFound("There is no colour.")
    colour = brand.colour
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
