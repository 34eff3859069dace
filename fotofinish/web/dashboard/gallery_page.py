"""The organiser's choices for the gallery: who may open it, how it looks, the QR code to it."""

from __future__ import annotations

import io
from dataclasses import replace

import segno
from psycopg import AsyncConnection
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fotofinish.errors import (
    Conflict,
    FotofinishError,
    InvalidRequest,
    InvalidValue,
    NotFound,
    TooLarge,
)
from fotofinish.events.events import Event, lock_choices
from fotofinish.events.gallery import (
    GalleryChoices,
    find_choices,
    renew_link,
    save_choices,
)
from fotofinish.events.openness import why_closed
from fotofinish.photos.logos import MAX_BYTES, as_png
from fotofinish.photos.watermark import find_picture, find_watermark, save_picture
from fotofinish.web.dashboard.meanwhile import CHANGED, as_they_are, drawn
from fotofinish.web.dashboard.photo_grid import find_event_of
from fotofinish.web.dashboard.shell import Shell, frame_of
from fotofinish.web.dashboard.visitors import Visitor, require
from fotofinish.web.forms import read_file_form, read_form, text
from fotofinish.web.gallery.sheet import Sheet
from fotofinish.web.services import services

PICTURES = ("brand", "watermark")
PICTURE_FAULTS = (InvalidRequest, InvalidValue, TooLarge)
FIELDS = ("access", "downloads", "indexed", "brand_name", "brand_colour")
QR_KINDS = {"svg": "image/svg+xml", "png": "image/png"}


class GalleryPage:
    """Everybody may look; editors and owners choose."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._sheet = Sheet()

    async def show(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/gallery`."""
        async with services(request).pool.connection() as connection:
            event = await find_event_of(connection, request, visitor)
            return await self._render(request, visitor, connection, event)

    async def save(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/events/{event_id}/gallery`: access, downloads, look."""
        async with services(request).pool.connection() as connection, connection.transaction():
            event = await find_event_to_change(connection, request, visitor)
            await lock_choices(connection, event.id)
            stored = await find_choices(connection, event.id)
            wanted, code = _chosen(form, stored), text(form, "code")
            now = as_they_are(form, wanted, stored, FIELDS)
            if now is not None:
                changed = Conflict(CHANGED)
                return await self._render(
                    request, visitor, connection, event, choices=now, code=code, error=changed
                )
            try:
                await save_choices(connection, event.id, wanted, code=code)
            except InvalidValue as error:
                return await self._render(
                    request, visitor, connection, event, choices=wanted, code=code, error=error
                )
        return RedirectResponse(f"/events/{event.id}/gallery?done=saved", 303)

    async def renew_link(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/events/{event_id}/gallery/link`: the old link opens nothing any more."""
        async with services(request).pool.connection() as connection:
            event = await find_event_to_change(connection, request, visitor)
            await renew_link(connection, event.id)
        return RedirectResponse(f"/events/{event.id}/gallery?done=saved", 303)

    async def set_picture(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/events/{event_id}/gallery/picture`: a logo (`file`), or none (`do` = remove)."""
        try:
            event = await take_picture(request, visitor, form, "brand")
        except PICTURE_FAULTS as error:
            return await self.refuse_picture(request, visitor, error)
        return RedirectResponse(f"/events/{event.id}/gallery?done=saved", 303)

    async def refuse_picture(
        self, request: Request, visitor: Visitor, error: FotofinishError
    ) -> Response:
        """The page with what is wrong with a logo."""
        async with services(request).pool.connection() as connection:
            event = await find_event_to_change(connection, request, visitor)
            return await self._render(request, visitor, connection, event, error=error)

    async def picture(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/gallery/{kind}.png`: a picture as it is kept."""
        kind = request.path_params["kind"]
        async with services(request).pool.connection() as connection:
            event = await find_event_of(connection, request, visitor)
            png = await find_picture(connection, event.id, kind) if kind in PICTURES else None
        if png is None:
            raise NotFound("There is no such picture.")
        headers = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
        return Response(png, media_type="image/png", headers=headers)

    async def qr_code(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/gallery/qr.{kind}`: the gallery's address, to print."""
        kind = request.path_params["kind"]
        if kind not in QR_KINDS:
            raise NotFound("There is nothing at this address.")
        async with services(request).pool.connection() as connection:
            event = await find_event_of(connection, request, visitor)
            choices = await find_choices(connection, event.id)
        file = io.BytesIO()
        address = gallery_address(services(request).settings.public_url, event, choices)
        segno.make(address, error="m", micro=False).save(file, kind=kind, scale=16, border=4)
        name = f"{event.slug}.{kind}"
        return Response(
            file.getvalue(),
            media_type=QR_KINDS[kind],
            headers={"Content-Disposition": f'inline; filename="{name}"'},
        )

    async def sheet(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/gallery/sheet`: a page to print and pin up at the finish."""
        async with services(request).pool.connection() as connection:
            event = await find_event_of(connection, request, visitor)
            choices = await find_choices(connection, event.id)
        address = gallery_address(services(request).settings.public_url, event, choices)
        return self._sheet.render(request, event, choices, address)

    async def _render(
        self,
        request: Request,
        visitor: Visitor,
        connection: AsyncConnection,
        event: Event,
        *,
        choices: GalleryChoices | None = None,
        code: str = "",
        error: FotofinishError | None = None,
    ) -> Response:
        stored = await find_choices(connection, event.id)
        mark = await find_watermark(connection, event.id)
        return self._shell.render(
            "gallery-choices.html",
            frame_of(request, visitor, visitor.organisation(event.org_id)),
            status=error.status if error else 200,
            event=event,
            choices=choices or stored,
            stored=stored,
            drawn=drawn(stored, FIELDS),
            code=code,
            closed=why_closed(event, stored),
            mark=mark,
            most_logo=MAX_BYTES,
            fault=error.message if error else None,
            address=gallery_address(services(request).settings.public_url, event, stored),
        )


async def read_picture_form(request: Request) -> FormData:
    """The form with a logo in it, in memory alone; or without one, to remove it."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return await read_form(request)
    return await read_file_form(request, MAX_BYTES)


async def take_picture(request: Request, visitor: Visitor, form: FormData, kind: str) -> Event:
    """Keep the form's logo as an event's picture of this kind, or remove that one.

    Raises InvalidValue without a file, and InvalidRequest or TooLarge for what can be no logo.
    """
    async with services(request).pool.connection() as connection:
        event = await find_event_to_change(connection, request, visitor)
    png = None
    if text(form, "do") != "remove":
        given = form.get("file")
        if not isinstance(given, UploadFile) or not given.size:
            raise InvalidValue("Choose a picture first.")
        png = await as_png(await given.read())
    async with services(request).pool.connection() as connection:
        await save_picture(connection, event.id, kind, png)
    return event


def gallery_address(public_url: str, event: Event, choices: GalleryChoices) -> str:
    """Where participants find the gallery, with the token where access is by link."""
    token = f"?key={choices.link_token}" if choices.access == "link" else ""
    return f"{public_url.rstrip('/')}/e/{event.slug}{token}"


async def find_event_to_change(
    connection: AsyncConnection, request: Request, visitor: Visitor
) -> Event:
    """The event in the address, for who may change it; raises NotFound, NotAllowed."""
    event = await find_event_of(connection, request, visitor)
    require(visitor.organisation(event.org_id), "editor")
    return event


def _chosen(form: FormData, now: GalleryChoices) -> GalleryChoices:
    own_colour = "own_colour" in form
    return replace(
        now,
        access=text(form, "access"),
        downloads=text(form, "downloads"),
        indexed="indexed" in form,
        brand_name=text(form, "brand_name"),
        brand_colour=text(form, "brand_colour") if own_colour else "",
    )
