"""The filter of the photo pages as it stands in their addresses, so that it can be shared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fotofinish.events.events import Event
from fotofinish.photos.browsing import SHOWN, Filter

LABELS = {
    "all": "All photos",
    "ready": "In the gallery",
    "no-bib": "Without a number",
    "no-face": "Without a face",
    "unsure": "Unsure numbers",
    "failed": "Failed",
    "waiting": "Waiting",
    "hidden": "Hidden",
}
LONGEST = 255


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter's fields as they were typed; times are the event's local ones."""

    show: str
    bib: str
    folder: str
    begin: str
    end: str

    @property
    def query(self) -> str:
        """The fields that say something, for an address."""
        fields = {
            "show": "" if self.show == "all" else self.show,
            "bib": self.bib,
            "folder": self.folder,
            "from": self.begin,
            "to": self.end,
        }
        return urlencode({name: value for name, value in fields.items() if value})

    @property
    def narrowed(self) -> bool:
        """Whether anything is filtered out."""
        return bool(self.query)


def asked(query: Mapping[str, str]) -> Asked:
    """What an address asks for; what makes no sense is left out."""
    show = query.get("show", "all")
    return Asked(
        show if show in SHOWN else "all",
        _text(query, "bib"),
        _text(query, "folder"),
        _moment(_text(query, "from")),
        _moment(_text(query, "to")),
    )


def filter_of(given: Asked, event: Event) -> Filter:
    """The filter itself, with times in the event's zone."""
    zone = ZoneInfo(event.time_zone)

    def at(text: str) -> datetime | None:
        return datetime.fromisoformat(text).replace(tzinfo=zone) if text else None

    return Filter(given.show, given.bib, given.folder, at(given.begin), at(given.end))


def _text(query: Mapping[str, str], name: str) -> str:
    return query.get(name, "").replace("\0", "").strip()[:LONGEST]


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return moment.replace(tzinfo=None).isoformat(timespec="minutes")
