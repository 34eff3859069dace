"""Whether a gallery is open for who asks: the one door of every public page and call."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from fotofinish.errors import NotAllowed, NotFound
from fotofinish.events.gallery import GalleryChoices, find_choices
from fotofinish.events.openness import why_closed
from fotofinish.events.published import PublishedEvent, find_published
from fotofinish.web.gallery.door import UNKNOWN, holds_pass, pass_of, shows_key
from fotofinish.web.services import services

CLOSED = "This gallery is closed."


@dataclass(frozen=True, slots=True)
class OpenGallery:
    """A gallery that this request may see, and what its organiser decided; `fresh_pass` is for the
    cookie of who has just shown the key."""

    event: PublishedEvent
    choices: GalleryChoices
    fresh_pass: str | None = None


class GalleryClosed(NotAllowed):
    """The event is there, but not open; `reason` is draft, archived, off, link or code."""

    def __init__(self, event: PublishedEvent, choices: GalleryChoices, reason: str) -> None:
        super().__init__(CLOSED)
        self.event = event
        self.choices = choices
        self.reason = reason


async def open_gallery(request: Request) -> OpenGallery:
    """The gallery of the address' slug. Raises NotFound, GalleryClosed."""
    async with services(request).pool.connection() as connection:
        event = await find_published(connection, request.path_params["slug"])
        if event is None:
            raise NotFound(UNKNOWN)
        choices = await find_choices(connection, event.id)
    if (shut := why_closed(event, choices)) is not None:
        told = shut if shut in ("draft", "archived") else "off"  # what keeps it so is not said here
        raise GalleryClosed(event, choices, told)
    if choices.access == "public":
        return OpenGallery(event, choices)
    wanted = pass_of(event, choices)
    if wanted is not None and holds_pass(request, wanted):
        return OpenGallery(event, choices)
    if wanted is not None and shows_key(request, choices):
        return OpenGallery(event, choices, fresh_pass=wanted)
    raise GalleryClosed(event, choices, choices.access)
