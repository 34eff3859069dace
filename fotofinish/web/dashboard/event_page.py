"""One event: its numbers while photos come in, what failed, a first look, and its settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fotofinish.errors import Conflict, InvalidRequest, InvalidValue, StorageError
from fotofinish.events.events import (
    THRESHOLDS,
    Event,
    find_own_event,
    lock_choices,
    update_event,
)
from fotofinish.events.gallery import find_choices
from fotofinish.events.openness import why_closed
from fotofinish.photos.contact_sheet import SheetPhoto, contact_sheet
from fotofinish.photos.failures import list_failed, retry_failed
from fotofinish.photos.pace import pace_of
from fotofinish.photos.photos import event_status
from fotofinish.photos.preview_links import preview_links
from fotofinish.photos.removals import count_removals
from fotofinish.queue import workers_alive
from fotofinish.vision.thresholds import DEFAULT_MATCH_THRESHOLD
from fotofinish.web.dashboard.calls import originals_call
from fotofinish.web.dashboard.event_forms import (
    SETTINGS,
    EventForm,
    filled_in,
    of_event,
    time_zones,
)
from fotofinish.web.dashboard.gallery_page import gallery_address
from fotofinish.web.dashboard.meanwhile import CHANGED, as_they_are, drawn
from fotofinish.web.dashboard.shell import Frame, Shell, frame_of
from fotofinish.web.dashboard.visitors import Visitor, require
from fotofinish.web.forms import text
from fotofinish.web.services import Services, services

SHEET = 60
FAILED_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A photo of the sheet with the link to its small picture."""

    photo: SheetPhoto
    link: str


class EventPage:
    """Pages about one event."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def show(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}`."""
        return await self._render("event.html", request, visitor)

    async def live(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/live`: the part of the page that changes by itself."""
        return await self._render("event-live.html", request, visitor)

    async def retry(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/events/{event_id}/retry`: one failed photo (`photo`), or all without one."""
        one = _uuid(text(form, "photo"))
        ours = services(request)
        async with ours.pool.connection() as connection:
            event = await _find(connection, request, visitor)
            require(visitor.organisation(event.org_id), "editor")
            await retry_failed(connection, ours.queue, event.id, None if one is None else [one])
        return RedirectResponse(f"/events/{event.id}?done=retried", 303)

    async def ask(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/settings`."""
        async with services(request).pool.connection() as connection:
            event = await _find(connection, request, visitor)
        frame = frame_of(request, visitor, visitor.organisation(event.org_id))
        return self._form(request, frame, event, of_event(event))

    async def save(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/events/{event_id}/settings`."""
        given = filled_in(form)
        async with services(request).pool.connection() as connection, connection.transaction():
            event = await _find(connection, request, visitor)
            current = require(visitor.organisation(event.org_id), "editor")
            await lock_choices(connection, event.id)
            event = await _find(connection, request, visitor)
            now = as_they_are(form, given, of_event(event), SETTINGS)
            if now is not None:
                return self._form(request, Frame(visitor, current), event, now, Conflict(CHANGED))
            try:
                most_days = services(request).settings.selfie_retention_days
                await update_event(connection, given.applied_to(event), most_days=most_days)
            except (Conflict, InvalidValue) as error:
                frame = Frame(visitor, current)
                return self._form(request, frame, event, given, error)
        return RedirectResponse(f"/events/{event.id}/settings?done=saved", 303)

    async def _render(self, template: str, request: Request, visitor: Visitor) -> Response:
        ours = services(request)
        async with ours.pool.connection() as connection:
            event = await _find(connection, request, visitor)
            choices = await find_choices(connection, event.id)
            removals = await count_removals(connection, event.id)
            counts = await event_status(connection, event.id)
            failed = (
                await list_failed(connection, event.id, limit=FAILED_SHOWN) if counts.failed else []
            )
            photos = await contact_sheet(connection, event.id, limit=SHEET)
            left = counts.waiting + counts.processing
            pace = await pace_of(connection, event.id) if left else None
            idle = bool(left) and not await workers_alive(connection)
        thumbnails, trouble = _thumbnails(ours, event.id, photos)
        values: dict[str, Any] = {
            "event": event,
            "counts": counts,
            "failed": failed,
            "removals": removals,
            "left": left,
            "pace": pace,
            "idle": idle,
            "thumbnails": thumbnails,
            "trouble": trouble,
            "choices": choices,
            "closed": why_closed(event, choices),
            "gallery": gallery_address(ours.settings.public_url, event, choices),
            "call": originals_call(
                ours.settings.public_url, event.org_id, event.id, bib=_first_bib(photos)
            ),
        }
        frame = frame_of(request, visitor, visitor.organisation(event.org_id))
        pictures = [thumbnail.link for thumbnail in thumbnails[:1]]
        return self._shell.render(template, frame, pictures=pictures, **values)

    def _form(
        self,
        request: Request,
        frame: Frame,
        event: Event,
        given: EventForm,
        error: Conflict | InvalidValue | None = None,
    ) -> Response:
        settings = services(request).settings
        return self._shell.render(
            "event-settings.html",
            frame,
            status=error.status if error else 200,
            event=event,
            given=given,
            drawn=drawn(of_event(event), SETTINGS),
            fault=error.message if error else None,
            zones=time_zones(),
            gallery=f"{settings.public_url.rstrip('/')}/e/",
            recommended=round(DEFAULT_MATCH_THRESHOLD * 100),
            thresholds=[round(limit * 100) for limit in THRESHOLDS],
            kept=settings.selfie_retention_days,
        )


async def _find(connection: AsyncConnection, request: Request, visitor: Visitor) -> Event:
    return await find_own_event(connection, visitor.account.id, request.path_params["event_id"])


def _thumbnails(
    ours: Services, event_id: int, photos: Sequence[SheetPhoto]
) -> tuple[list[Thumbnail], str | None]:
    """The sheet with its links, or why there are none."""
    try:
        links = preview_links(ours.linker, event_id, "small", photos)
    except StorageError as error:
        return [], error.message
    return [Thumbnail(photo, link) for photo, link in zip(photos, links, strict=True)], None


def _first_bib(photos: Sequence[SheetPhoto]) -> str | None:
    return next((bib for photo in photos for bib in photo.bibs), None)


def _uuid(given: str) -> UUID | None:
    try:
        return UUID(given) if given else None
    except ValueError:
        raise InvalidRequest("There is no such photo.") from None
