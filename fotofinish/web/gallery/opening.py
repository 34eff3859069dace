"""Whether a gallery is open for who asks: the one door of every public page and call."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from fotofinish.errors import NotAllowed, NotFound
from fotofinish.events.gallery import GalleryChoices, find_choices
from fotofinish.events.published import PublishedEvent, find_published
from fotofinish.web.services import services

UNKNOWN = "There is no such event."
CLOSED = "This gallery is closed."


@dataclass(frozen=True, slots=True)
class OpenGallery:
    """A gallery that this request may see, and what its organiser decided."""

    event: PublishedEvent
    choices: GalleryChoices


class GalleryClosed(NotAllowed):
    """The event is there, but not open; `reason` is draft, archived or off."""

    def __init__(self, event: PublishedEvent, reason: str) -> None:
        super().__init__(CLOSED)
        self.event = event
        self.reason = reason


async def open_gallery(request: Request) -> OpenGallery:
    """The gallery of the address' slug. Raises NotFound, GalleryClosed."""
    async with services(request).pool.connection() as connection:
        event = await find_published(connection, request.path_params["slug"])
        if event is None:
            raise NotFound(UNKNOWN)
        choices = await find_choices(connection, event.id)
    if event.status in ("draft", "archived"):
        raise GalleryClosed(event, event.status)
    # a gallery by link or code is closed to all until its door is built
    if not event.event_enabled or choices.access != "public":
        raise GalleryClosed(event, "off")
    return OpenGallery(event, choices)
