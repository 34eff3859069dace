"""What the calls return: the answers of the contract as frozen values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; `total` counts all pages' items."""

    items: Sequence[T]
    total: int
    last: bool


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the organisation; `status` is draft, active or archived."""

    event_id: int
    name: str
    slug: str
    starts_at: datetime
    status: str
    cover_image: str | None


@dataclass(frozen=True, slots=True)
class Details:
    """An event and what may be searched in it."""

    event_id: int
    name: str
    slug: str
    starts_at: datetime
    status: str
    event_enabled: bool
    bib_search: bool
    selfie_search: bool
    name_search: bool


@dataclass(frozen=True, slots=True)
class Image:
    """A photo's previews; width and height are the original's, upright, in pixels."""

    image_id: UUID
    img_url: str
    thumbnail_url: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Original:
    """A photo's original: its link, or why there is none."""

    image_id: UUID | None
    filename: str
    url: str | None
    error: str | None = None

    def __repr__(self) -> str:
        """Without the link: whoever has it can download."""
        return f"Original(filename={self.filename!r}, error={self.error!r})"


@dataclass(frozen=True, slots=True)
class Search:
    """A selfie search that the server keeps; `message` says so when no face was found."""

    request_id: UUID
    total: int
    threshold_percent: float
    message: str


@dataclass(frozen=True, slots=True)
class Hour:
    """How many photos were captured in an hour (0 to 23, UTC)."""

    hour: int
    count: int


@dataclass(frozen=True, slots=True)
class Day:
    """How many photos were captured on a day (UTC)."""

    date: date
    total: int
    hours: Sequence[Hour]


Json = Mapping[str, Any]


def event(item: Json) -> Event:
    """An item of the list of events."""
    return Event(
        item["event_id"],
        item["event_name"],
        item["event_slug"],
        datetime.fromisoformat(item["event_date"]),
        item["status"],
        item["cover_image"],
    )


def details(body: Json) -> Details:
    """The flat answer of `details`."""
    return Details(
        body["event_id"],
        body["event_name"],
        body["event_slug"],
        datetime.fromisoformat(body["event_date"]),
        body["status"],
        body["event_enabled"],
        body["bib_search"],
        body["selfie_search"],
        body["name_search"],
    )


def image(item: Json) -> Image:
    """An item of a list of images."""
    return Image(
        UUID(item["image_id"]),
        item["img_url"],
        item["thumbnail_url"],
        item["width"],
        item["height"],
    )


def search(body: Json) -> Search:
    """The envelope of a selfie search."""
    data = body["data"]
    return Search(
        UUID(data["request_id"]),
        data["pagination"]["total"],
        data["confidence_percentage"],
        body["message"],
    )


def days(body: Json) -> list[Day]:
    """The envelope of the timeline."""
    return [
        Day(
            date.fromisoformat(day["date"]),
            day["total"],
            [Hour(hour["hour"], hour["count"]) for hour in day["hours"]],
        )
        for day in body["data"]["days"]
    ]


def listed(name: str, parse: Callable[[Json], T]) -> Callable[[Json], Page[T]]:
    """A reader of the envelope whose data has a list of this name."""

    def read(body: Json) -> Page[T]:
        data = body["data"]
        return _page([parse(item) for item in data[name]], data["pagination"])

    return read


def originals(body: Json) -> Page[Original]:
    """The flat answer of `original-photos`: links first, then what has none."""
    links = [
        Original(_id_of(link["filename"]), link["filename"], link["url"])
        for link in body["presigned_urls"]
    ]
    failures = [
        Original(
            UUID(failure["image_id"]),
            (failure["path"] or failure["image_id"]).rpartition("/")[2],
            None,
            failure["error"],
        )
        for failure in body["failed_urls"]
    ]
    return _page(links + failures, body["pagination"])


def _page(items: Sequence[T], pagination: Json) -> Page[T]:
    return Page(items, pagination["total"], not pagination["hasNextPage"])


def _id_of(filename: str) -> UUID | None:
    try:
        return UUID(filename.partition(".")[0])
    except ValueError:
        return None
