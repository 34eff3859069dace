"""The mark on an event's previews, with a look at it before it is saved."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from psycopg import AsyncConnection
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fotofinish.errors import Conflict, FotofinishError, InvalidValue
from fotofinish.events.events import Event, lock_choices
from fotofinish.photos.logos import MAX_BYTES
from fotofinish.photos.redrawing import count_stale
from fotofinish.photos.watermark import (
    POSITIONS,
    Watermark,
    checked,
    find_picture,
    find_watermark,
    save_watermark,
)
from fotofinish.web.dashboard.gallery_page import PICTURE_FAULTS, find_event_to_change, take_picture
from fotofinish.web.dashboard.meanwhile import CHANGED, as_they_are, drawn
from fotofinish.web.dashboard.photo_grid import find_event_of
from fotofinish.web.dashboard.shell import Shell, frame_of
from fotofinish.web.dashboard.visitors import Visitor
from fotofinish.web.errors import error_response
from fotofinish.web.services import services

FIELDS = ("kind", "text", "position", "size", "opacity", "tiled")


class WatermarkPage:
    """Everybody may look; editors and owners change it."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def show(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/watermark`."""
        async with services(request).pool.connection() as connection:
            event = await find_event_of(connection, request, visitor)
            mark = await find_watermark(connection, event.id)
            return await self._render(request, visitor, connection, event, mark)

    async def save(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/events/{event_id}/watermark`: previews are drawn again in the background."""
        ours = services(request)
        fields = {name: str(value) for name, value in form.multi_items()}
        async with ours.pool.connection() as connection, connection.transaction():
            event = await find_event_to_change(connection, request, visitor)
            await lock_choices(connection, event.id)
            mark = _mark(fields, await find_picture(connection, event.id, "watermark"))
            stored = await find_watermark(connection, event.id)
            now = as_they_are(form, mark, stored, FIELDS)
            if now is not None:
                changed = Conflict(CHANGED)
                return await self._render(request, visitor, connection, event, now, changed)
            try:
                await save_watermark(connection, ours.queue, event.id, mark)
            except InvalidValue as error:
                return await self._render(request, visitor, connection, event, mark, error)
        return RedirectResponse(f"/events/{event.id}/watermark?done=redrawing", 303)

    async def set_picture(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/events/{event_id}/watermark/picture`: a logo (`file`) to make the mark of."""
        try:
            event = await take_picture(request, visitor, form, "watermark")
        except PICTURE_FAULTS as error:
            return await self.refuse_picture(request, visitor, error)
        return RedirectResponse(f"/events/{event.id}/watermark?done=marked", 303)

    async def refuse_picture(
        self, request: Request, visitor: Visitor, error: FotofinishError
    ) -> Response:
        """The page with what is wrong with a logo."""
        async with services(request).pool.connection() as connection:
            event = await find_event_to_change(connection, request, visitor)
            mark = await find_watermark(connection, event.id)
            return await self._render(request, visitor, connection, event, mark, error)

    async def preview(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/watermark/preview`: a picture with the mark of the query, or in
        the body of errors what is wrong with it."""
        # imported here: OpenCV takes memory, and only who looks at this page needs it
        from fotofinish.photos.marking import sample_with

        async with services(request).pool.connection() as connection:
            event = await find_event_of(connection, request, visitor)
            logo = await find_picture(connection, event.id, "watermark")
        mark = _mark(request.query_params, logo)
        if mark.kind == "text" and not mark.text.strip():
            mark = replace(mark, kind="none")
        try:
            jpeg = await asyncio.to_thread(sample_with, checked(mark))
        except InvalidValue as error:
            return error_response(error.status, error.message)
        return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    async def _render(
        self,
        request: Request,
        visitor: Visitor,
        connection: AsyncConnection,
        event: Event,
        mark: Watermark,
        error: FotofinishError | None = None,
    ) -> Response:
        stored = await find_watermark(connection, event.id)
        return self._shell.render(
            "watermark.html",
            frame_of(request, visitor, visitor.organisation(event.org_id)),
            status=error.status if error else 200,
            event=event,
            mark=mark,
            stored=stored,
            drawn=drawn(stored, FIELDS),
            fault=error.message if error else None,
            positions=POSITIONS,
            most_logo=MAX_BYTES,
            has_logo=await find_picture(connection, event.id, "watermark") is not None,
            stale=await count_stale(connection, event.id, stored.version),
        )


def _mark(fields: Mapping[str, str], logo: bytes | None) -> Watermark:
    """The mark as it stands in the form; shares are given in percent."""
    return Watermark(
        kind=fields.get("kind", "none"),
        text=fields.get("text", ""),
        position=fields.get("position", "bottom-right"),
        size=_share(fields.get("size", "30")),
        opacity=_share(fields.get("opacity", "60")),
        tiled="tiled" in fields,
        logo=logo,
    )


def _share(percent: str) -> float:
    known = percent.isascii() and percent.isdigit() and len(percent) < 4
    return int(percent) / 100 if known else 0.0
