"""Whether participants find an event's gallery open."""

from __future__ import annotations

from fotofinish.events.events import Event
from fotofinish.events.gallery import GalleryChoices
from fotofinish.events.published import PublishedEvent


def why_closed(event: Event | PublishedEvent, choices: GalleryChoices) -> str | None:
    """What keeps the gallery shut: draft, archived, searches or nobody; None when it is open."""
    if event.status in ("draft", "archived"):
        return event.status
    if not event.event_enabled:
        return "searches"
    return "nobody" if choices.access == "off" else None
