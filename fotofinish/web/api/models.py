"""The bodies of the external API, as they are checked and as its description shows them."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def parse_uuid(text: str) -> UUID | None:
    """A UUID in its usual form, with hyphens; None for anything else."""
    return UUID(text) if UUID_FORM.fullmatch(text) else None


MOST_IDS = 1000


def _check_uuid(text: str) -> str:
    if parse_uuid(text) is None:
        raise PydanticCustomError("uuid", "Input should be a valid UUID")
    return text


def _check_count(ids: list[str]) -> list[str]:
    if len(set(ids)) > MOST_IDS:
        raise PydanticCustomError("too_long", f"List should have at most {MOST_IDS:,} items")
    return ids


UuidText = Annotated[
    str, AfterValidator(_check_uuid), WithJsonSchema({"type": "string", "format": "uuid"})
]


class ParticipantRequest(BaseModel):
    """The originals of one participant, by bib number or by a selfie search's UUID."""

    method: Literal["bib", "selfie"]
    identifier: Annotated[str, Field(min_length=1, max_length=64)]


class ImageRequest(BaseModel):
    """One original."""

    method: Literal["image_id"]
    identifier: UuidText


class ImagesRequest(BaseModel):
    """Originals that the caller knows by their ids."""

    method: Literal["image_ids"]
    identifier: Annotated[
        list[UuidText],
        Field(min_length=1, description=f"1 to {MOST_IDS:,} ids; duplicates count once."),
        AfterValidator(_check_count),
    ]


OriginalsRequest = ParticipantRequest | ImageRequest | ImagesRequest


class Answer(BaseModel):
    """Base of what is answered: nothing but the fields named."""

    model_config = ConfigDict(extra="forbid")


class ErrorAnswer(Answer):
    """The body of every error."""

    responseType: Literal["error"]
    message: str
    data: None


class PageInfo(Answer):
    """Where a page stands among all items."""

    total: Annotated[int, Field(ge=0)]
    currentPage: Annotated[int, Field(ge=1)]
    totalPages: Annotated[int, Field(ge=0)]
    hasNextPage: bool
    hasPreviousPage: bool
    page_size: Annotated[int, Field(ge=1)]


class PresignedUrl(Answer):
    """A time-limited link to an original; it needs no key."""

    url: str
    filename: str


class FailedUrl(Answer):
    """A photo whose link could not be made, and why."""

    image_id: str
    error: str
    path: str | None


class OriginalsAnswer(Answer):
    """One page of originals. `total_images` counts this page's, `pagination.total` all matches."""

    presigned_urls: list[PresignedUrl]
    failed_urls: list[FailedUrl]
    total_images: int
    successful_count: int
    failed_count: int
    identifier: str | None
    message: str | None
    pagination: PageInfo


class PingAnswer(Answer):
    """The key reaches this event."""

    status: Literal["ok"]
    org_id: int
    event_id: int


class EventSummary(Answer):
    """An event in the list; `event_date` is the wall clock where it takes place."""

    event_id: int
    event_name: str
    event_slug: str
    event_date: str
    status: Literal["draft", "active", "archived"]
    cover_image: str | None


class DetailsAnswer(Answer):
    """An event and what may be searched in it."""

    event_id: int
    event_name: str
    event_slug: str
    event_date: str
    status: Literal["draft", "active", "archived"]
    event_enabled: bool
    bib_search: bool
    selfie_search: bool
    name_search: bool


class ImageItem(Answer):
    """A photo: links to its previews, and the size of the upright original in pixels."""

    img_url: str
    height: int
    width: int
    image_id: str
    thumbnail_url: str
    original_url: None


class Events(Answer):
    """A page of events."""

    events: list[EventSummary]
    pagination: PageInfo


class Images(Answer):
    """A page of photos."""

    images: list[ImageItem]
    pagination: PageInfo


class SearchResult(Answer):
    """A page of the photos that a selfie matched."""

    request_id: str
    confidence_percentage: float
    images: list[ImageItem]
    pagination: PageInfo


class HourItem(Answer):
    """Photos captured in one hour (UTC)."""

    hour: Annotated[int, Field(ge=0, le=23)]
    count: int


class DayItem(Answer):
    """Photos captured on one day (UTC)."""

    date: str
    total: int
    hours: list[HourItem]


class Days(Answer):
    """How photos lie in time."""

    days: list[DayItem]


class Forgotten(Answer):
    """The search that is gone."""

    request_id: str


class Envelope(Answer):
    """What every answer in an envelope has."""

    responseType: Literal["success"]
    message: str


class EventsAnswer(Envelope):
    """A page of events, in the envelope."""

    data: Events


class ImagesAnswer(Envelope):
    """A page of photos, in the envelope."""

    data: Images


class SearchAnswer(Envelope):
    """A selfie search, in the envelope."""

    data: SearchResult


class DaysAnswer(Envelope):
    """Photos by day and hour, in the envelope."""

    data: Days


class ForgottenAnswer(Envelope):
    """The end of a selfie search, in the envelope."""

    data: Forgotten
