"""Whether participants find an event's gallery open, and whether photos may still be put in."""

from __future__ import annotations

from fotofinish.errors import NotAllowed
from fotofinish.events.events import Event
from fotofinish.events.gallery import GalleryChoices
from fotofinish.events.published import PublishedEvent

ARCHIVED = "This event is archived. Make it active in its settings before photos are put in."


def refuse_archived(event: Event) -> None:
    """Raise NotAllowed for an event that takes no photos any more."""
    if event.status == "archived":
        raise NotAllowed(ARCHIVED)


def why_closed(event: Event | PublishedEvent, choices: GalleryChoices) -> str | None:
    """What keeps the gallery shut: draft, archived, searches or nobody; None when it is open."""
    if event.status in ("draft", "archived"):
        return event.status
    if not event.event_enabled:
        return "searches"
    return "nobody" if choices.access == "off" else None
