"""The calls of the contract as values: what is sent, how the answer is read. No network here."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote
from uuid import UUID

import httpx

from fotofinish.client import answers
from fotofinish.client.answers import Day, Details, Event, Image, Original, Page, Search
from fotofinish.client.errors import ConnectionFailed, DownloadFailed, refusal

T = TypeVar("T")

BASE = "/api/v1/ext"
LONGEST_PAUSE = 60.0  # seconds
FIRST_PAUSE = 0.5
RETRIED = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request and how its answer is read. All of them may be sent again: searching by selfie
    carries an id that makes it one search."""

    method: str
    path: str
    read: Callable[[Any], T]
    params: Mapping[str, int] = field(default_factory=dict)
    json: Any = None
    data: Mapping[str, str] | None = None
    files: Mapping[str, tuple[str, bytes]] | None = None

    def arguments(self) -> dict[str, Any]:
        """What httpx sends."""
        return {
            "method": self.method,
            "url": BASE + self.path,
            "params": self.params,
            "json": self.json,
            "data": self.data,
            "files": self.files,
        }

    def result(self, answer: httpx.Response | httpx.TransportError, *, repeated: bool = False) -> T:
        """The answer as a value; raises ApiError for a refusal, ConnectionFailed for no answer.

        What is to be deleted and is not there when the call is `repeated`, the first one deleted.
        """
        if isinstance(answer, httpx.TransportError):
            url = answer.request.url
            server = f"{url.scheme}://{url.netloc.decode()}"  # without what stands before an @
            raise ConnectionFailed(f"No answer from {server} ({type(answer).__name__}).") from None
        try:
            body = answer.json()
        except ValueError:
            body = None
        if repeated and self.method == "DELETE" and answer.status_code == 404:
            return self.read(body)
        if answer.status_code != 200 or body is None:
            raise refusal(answer.status_code, body)
        return self.read(body)


class Attempts:
    """Counts attempts of one call, and says how long to pause before the next one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._made = 0

    @property
    def repeated(self) -> bool:
        """Whether more than one was made."""
        return self._made > 1

    def pause(self, answer: httpx.Response | httpx.TransportError) -> float | None:
        """Seconds until the next attempt; None when this answer is to be taken as it is."""
        self._made += 1
        if self._made >= self._most:
            return None
        if isinstance(answer, httpx.Response):
            if answer.status_code not in RETRIED:
                return None
            if (asked := answer.headers.get("retry-after", "")).isdecimal():
                return min(float(asked), LONGEST_PAUSE)
        # doubled each time, with half of it left to chance, so that many clients spread
        longest: float = min(FIRST_PAUSE * 2.0 ** (self._made - 1), LONGEST_PAUSE)
        return longest * random.uniform(0.5, 1.0)

    def pause_or_fail(self, error: Exception, filename: str) -> float:
        """Seconds until a download goes on; raises DownloadFailed when it is given up."""
        lost = error if isinstance(error, httpx.TransportError) else httpx.ReadError("")
        pause = self.pause(lost)
        if pause is None:
            raise DownloadFailed(f"{filename}: the connection failed too often.") from None
        return pause


def only_link(page: Page[Original]) -> str:
    """The fresh link of one photo; raises DownloadFailed when it has none any more."""
    for original in page.items:
        if original.url is not None:
            return original.url
    raise DownloadFailed("There is no link to this photo any more.")


def events(org_id: int, page: int) -> Call[Page[Event]]:
    """The organisation's events."""
    return Call(
        "GET", f"/{org_id}/events", answers.listed("events", answers.event), _paged(page, 100)
    )


def ping(org_id: int, event_id: int) -> Call[None]:
    """Whether the key reaches the event."""
    return Call("GET", f"{_event(org_id, event_id)}/ping", lambda body: None)


def details(org_id: int, event_id: int) -> Call[Details]:
    """The event's details."""
    return Call("GET", f"{_event(org_id, event_id)}/details", answers.details)


def images(org_id: int, event_id: int, page: int) -> Call[Page[Image]]:
    """All photos."""
    return _images(f"{_event(org_id, event_id)}/images", page)


def images_with_bib(org_id: int, event_id: int, bib: str, page: int) -> Call[Page[Image]]:
    """The photos that show a bib."""
    return _images(f"{_event(org_id, event_id)}/bibs/{quote(bib, safe='')}", page)


def images_of_search(org_id: int, event_id: int, id: UUID, page: int) -> Call[Page[Image]]:
    """The photos that a selfie search found."""
    return _images(f"{_event(org_id, event_id)}/faces/{id}", page)


def search(org_id: int, event_id: int, selfie: bytes, request_id: UUID) -> Call[Search]:
    """A search by selfie, once for this id."""
    return Call(
        "POST",
        f"{_event(org_id, event_id)}/faces",
        answers.search,
        {"page_size": 1},
        data={"request_id": str(request_id)},
        files={"file": ("selfie", selfie)},
    )


def forget(org_id: int, event_id: int, request_id: UUID) -> Call[None]:
    """Forget a selfie search."""
    return Call("DELETE", f"{_event(org_id, event_id)}/faces/{request_id}", lambda body: None)


def timeline_days(org_id: int, event_id: int) -> Call[list[Day]]:
    """Photos by day and hour."""
    return Call("GET", f"{_event(org_id, event_id)}/timeline/days", answers.days)


def timeline_images(
    org_id: int, event_id: int, begin: datetime, end: datetime, page: int
) -> Call[Page[Image]]:
    """The photos captured from `begin` to before `end`, whole seconds, with time zones."""
    for moment in (begin, end):
        if moment.tzinfo is None:
            raise ValueError("Give times with a time zone.")
    span = {"from": int(begin.timestamp()), "to": int(end.timestamp())}
    return _images(f"{_event(org_id, event_id)}/timeline/images", page, span)


def originals(
    org_id: int, event_id: int, wanted: Mapping[str, Any], page: int
) -> Call[Page[Original]]:
    """Links to originals; `wanted` as `wanted_originals` makes it."""
    return Call(
        "POST",
        f"{_event(org_id, event_id)}/original-photos",
        answers.originals,
        _paged(page, 60),
        json=wanted,
    )


def wanted_originals(
    bib: str | None, selfie: UUID | str | None, image_ids: Sequence[UUID | str] | None
) -> dict[str, Any]:
    """The body of `original-photos`; raises ValueError unless exactly one is given."""
    given = [value for value in (bib, selfie, image_ids) if value is not None]
    if len(given) != 1:
        raise ValueError("Give one of bib, selfie (a search's request_id) and image_ids.")
    if bib is not None:
        return {"method": "bib", "identifier": bib}
    if selfie is not None:
        return {"method": "selfie", "identifier": str(selfie)}
    return {"method": "image_ids", "identifier": [str(id) for id in image_ids or ()]}


def picture(selfie: Path | bytes) -> bytes:
    """The bytes of a selfie; raises OSError for a file that cannot be read."""
    return selfie if isinstance(selfie, bytes) else selfie.read_bytes()


def server_address(url: str) -> str:
    """The address without its last slash; raises ValueError for what is no http(s) address."""
    if not re.match(r"https?://[^/]", url):
        raise ValueError("The server's address begins with https:// or http://.")
    return url.rstrip("/")


def _images(path: str, page: int, more: Mapping[str, int] | None = None) -> Call[Page[Image]]:
    params = {**_paged(page, 100), **(more or {})}
    return Call("GET", path, answers.listed("images", answers.image), params)


def _event(org_id: int, event_id: int) -> str:
    return f"/{org_id}/event/{event_id}"


def _paged(page: int, size: int) -> dict[str, int]:
    return {"page": page, "page_size": size}
