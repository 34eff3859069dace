"""The form that makes or changes an event: what was typed, and what it means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from zoneinfo import available_timezones

from starlette.datastructures import FormData

from fotofinish.errors import InvalidValue
from fotofinish.events.events import Event
from fotofinish.vision.thresholds import DEFAULT_MATCH_THRESHOLD
from fotofinish.web.forms import text

ODD_ZONES = ("Etc/", "SystemV/", "US/", "posix/", "right/")


@dataclass(frozen=True, slots=True)
class EventForm:
    """The fields as they stand in the form; `starts_at` as `2026-05-17T09:00`."""

    name: str
    starts_at: str
    time_zone: str
    status: str = "active"
    event_enabled: bool = True
    bib_search: bool = True
    selfie_search: bool = True
    link_faces: bool = True
    slug: str = ""
    own_threshold: bool = False
    threshold: str = f"{DEFAULT_MATCH_THRESHOLD * 100:.0f}"
    retention_days: str = ""

    def start(self) -> datetime:
        """The wall clock at the start; raises InvalidValue."""
        try:
            start = datetime.fromisoformat(self.starts_at)
        except ValueError:
            raise InvalidValue("Choose the date and time of the start.") from None
        if start.tzinfo is not None:
            raise InvalidValue(
                "Write the start without an offset; the time zone has its own field."
            )
        return start.replace(microsecond=0)

    def match_threshold(self) -> float | None:
        """The event's own limit for selfies, None for the recommended one; raises InvalidValue."""
        if not self.own_threshold:
            return None
        return _number(self.threshold, "Choose the limit for selfies in per cent.") / 100

    def retention(self) -> int | None:
        """Days that selfies are kept, None for the server's setting; raises InvalidValue."""
        if not self.retention_days:
            return None
        return _number(self.retention_days, "Write the days that selfies are kept as a number.")

    def applied_to(self, event: Event) -> Event:
        """The event with everything as it stands here; raises InvalidValue."""
        return replace(
            event,
            name=self.name,
            starts_at=self.start(),
            time_zone=self.time_zone,
            status=self.status,
            event_enabled=self.event_enabled,
            bib_search=self.bib_search,
            selfie_search=self.selfie_search,
            link_faces=self.link_faces,
            slug=self.slug,
            match_threshold=self.match_threshold(),
            retention_days=self.retention(),
        )


SETTINGS = tuple(field.name for field in fields(EventForm))


def filled_in(form: FormData) -> EventForm:
    """What somebody typed. A switch that is off is not sent at all."""
    return EventForm(
        name=text(form, "name"),
        starts_at=text(form, "starts_at"),
        time_zone=text(form, "time_zone").strip(),
        status=text(form, "status"),
        event_enabled="event_enabled" in form,
        bib_search="bib_search" in form,
        selfie_search="selfie_search" in form,
        link_faces="link_faces" in form,
        slug=text(form, "slug").strip().lower(),
        own_threshold="own_threshold" in form,
        threshold=text(form, "threshold").strip(),
        retention_days=text(form, "retention_days").strip(),
    )


def of_event(event: Event) -> EventForm:
    """The form of an event as it is."""
    return EventForm(
        event.name,
        event.starts_at.isoformat(timespec="minutes"),
        event.time_zone,
        event.status,
        event.event_enabled,
        event.bib_search,
        event.selfie_search,
        event.link_faces,
        event.slug,
        event.match_threshold is not None,
        f"{(event.match_threshold or DEFAULT_MATCH_THRESHOLD) * 100:.0f}",
        "" if event.retention_days is None else str(event.retention_days),
    )


def _number(given: str, otherwise: str) -> int:
    if not given.isascii() or not given.isdigit() or len(given) > 6:
        raise InvalidValue(otherwise)
    return int(given)


def time_zones() -> Sequence[str]:
    """Time zones by the names that people know, to choose from; others may be typed."""
    places = (zone for zone in available_timezones() if "/" in zone)
    return ["UTC", *sorted(zone for zone in places if not zone.startswith(ODD_ZONES))]
