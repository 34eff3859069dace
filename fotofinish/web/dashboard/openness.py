"""Whether participants find an event's gallery open, as `web/gallery/opening.py` decides it."""

from __future__ import annotations

from fotofinish.events.events import Event
from fotofinish.events.gallery import GalleryChoices


def why_closed(event: Event, choices: GalleryChoices) -> str | None:
    """What keeps the gallery shut: draft, archived, searches or nobody; None when it is open."""
    if event.status in ("draft", "archived"):
        return event.status
    if not event.event_enabled:
        return "searches"
    return "nobody" if choices.access == "off" else None
