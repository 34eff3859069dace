"""What a participant looks for, as it is written in addresses: a bib, a selfie's id, or a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection

from fotofinish.bibs.numbers import MAX_BIB_LENGTH
from fotofinish.delivery.selections import (
    Original,
    originals_between,
    originals_of_bib,
    originals_of_selfie,
)
from fotofinish.errors import NotAllowed, NotFound
from fotofinish.events.published import PublishedEvent
from fotofinish.faces.selfies import find_agreed_search
from fotofinish.photos.gallery import (
    DayCount,
    ImagePage,
    ImageSet,
    images_between,
    images_of_bib,
    images_of_selfie,
    set_of_bib,
    set_of_selfie,
)

MOST_IN_ARCHIVE = 1000
NOTHING_ASKED = "There is nothing to look for in this address."
SWITCHED_OFF = "This search is switched off."
GONE = "This search is deleted or has expired."


class NothingAsked(NotFound):
    """The address holds no search, or an empty one."""


@dataclass(frozen=True, slots=True)
class Search:
    """One of bib, selfie, or a span of time on a day (the event's wall clock)."""

    bib: str = ""
    selfie: UUID | None = None
    day: str = ""
    start: str = ""
    end: str = ""

    @property
    def query(self) -> str:
        """How it is written in an address."""
        if self.bib:
            return urlencode({"bib": self.bib})
        if self.selfie:
            return urlencode({"selfie": str(self.selfie)})
        return urlencode({"day": self.day, "from": self.start, "to": self.end})


@dataclass(frozen=True, slots=True)
class Hour:
    """Photos of an hour of the event's clock, and the search that shows them."""

    label: str
    photos: int
    search: Search


def read_search(given: Mapping[str, str]) -> Search:
    """The search in an address; raises NothingAsked when there is none, NotFound for a selfie that
    cannot be."""
    bib = given.get("bib", "").strip()
    if bib:
        return Search(bib=bib[:MAX_BIB_LENGTH])
    if given.get("selfie"):
        try:
            return Search(selfie=UUID(given["selfie"]))
        except ValueError:
            raise NotFound(GONE) from None
    try:
        day = date.fromisoformat(given.get("day", ""))
        start, end = (time.fromisoformat(given.get(name, "")) for name in ("from", "to"))
    except ValueError:
        raise NothingAsked(NOTHING_ASKED) from None
    return Search(day=day.isoformat(), start=f"{start:%H:%M}", end=f"{end:%H:%M}")


async def check_search(connection: AsyncConnection, event: PublishedEvent, search: Search) -> None:
    """Raise NotAllowed for a search that is switched off, NotFound for a selfie that is gone."""
    if (search.bib and not event.bib_search) or (search.selfie and not event.selfie_search):
        raise NotAllowed(SWITCHED_OFF)
    if search.selfie and not await find_agreed_search(connection, event.id, search.selfie):
        raise NotFound(GONE)


async def find_images(
    connection: AsyncConnection, event: PublishedEvent, search: Search, *, offset: int, limit: int
) -> ImagePage:
    """A page of what the search finds."""
    if search.bib:
        return await images_of_bib(connection, event.id, search.bib, offset=offset, limit=limit)
    if search.selfie:
        return await images_of_selfie(
            connection, event.id, search.selfie, offset=offset, limit=limit
        )
    start, end = span_of(event, search)
    return await images_between(connection, event.id, start, end, offset=offset, limit=limit)


async def find_set(connection: AsyncConnection, event: PublishedEvent, search: Search) -> ImageSet:
    """Which photos the search finds; of those of a time, which may be all, how many alone."""
    if search.bib:
        return await set_of_bib(connection, event.id, search.bib)
    if search.selfie:
        return await set_of_selfie(connection, event.id, search.selfie)
    found = await find_images(connection, event, search, offset=0, limit=0)
    return ImageSet(found.total, 0)


async def find_originals(
    connection: AsyncConnection, event: PublishedEvent, search: Search, *, limit: int
) -> list[Original]:
    """The originals of what the search finds."""
    if search.bib:
        return await originals_of_bib(connection, event.id, search.bib, limit=limit)
    if search.selfie:
        return await originals_of_selfie(connection, event.id, search.selfie, limit=limit)
    return await originals_between(connection, event.id, *span_of(event, search), limit=limit)


def span_of(event: PublishedEvent, search: Search) -> tuple[datetime, datetime]:
    """The moments between which the search looks; `24:00` is written `00:00`.

    Times that the clock shows twice, in the night it is put back, are found both times.
    """
    zone = ZoneInfo(event.time_zone)
    day = date.fromisoformat(search.day)
    start = datetime.combine(day, time.fromisoformat(search.start), zone)
    end = datetime.combine(day, time.fromisoformat(search.end), zone)
    if end <= start and day < date.max:
        end += timedelta(days=1)
    last = end - timedelta(microseconds=1)
    if last.replace(fold=1).timestamp() > last.timestamp():
        end = end.replace(fold=1)
    return start, end


def hours_of(event: PublishedEvent, days: list[DayCount]) -> dict[str, list[Hour]]:
    """The event's hours with photos, by day, on the event's own clock."""
    zone = ZoneInfo(event.time_zone)
    found: dict[str, list[Hour]] = {}
    for day in days:
        for hour in day.hours:
            begin = datetime.combine(day.date, time(hour.hour), UTC).astimezone(zone)
            end = begin + timedelta(hours=1)
            search = Search(day=f"{begin:%Y-%m-%d}", start=f"{begin:%H:%M}", end=f"{end:%H:%M}")
            label, hours = f"{begin:%H:%M}–{end:%H:%M}", found.setdefault(search.day, [])
            if hours and hours[-1].search == search:  # the clock was put back
                hours[-1] = Hour(label, hours[-1].photos + hour.count, search)
            else:
                hours.append(Hour(label, hour.count, search))
    return found


def busiest_day(hours: dict[str, list[Hour]]) -> str | None:
    """The day with the most photos: a camera whose clock is wrong has few on another day."""
    return max(hours, key=lambda day: sum(hour.photos for hour in hours[day]), default=None)
