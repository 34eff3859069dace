"""One photo with what the machine saw on it, and the corrections of people."""

from __future__ import annotations

from dataclasses import replace

from psycopg import AsyncConnection
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fotofinish.bibs.corrections import confirm_bibs
from fotofinish.bibs.numbers import normalise_bib
from fotofinish.errors import InvalidValue, NotFound, StorageError
from fotofinish.events.events import Event
from fotofinish.photos.browsing import Sheet, faces_of_photo, find_sheet, neighbours, tags_of_photo
from fotofinish.photos.keys import original_key
from fotofinish.photos.preview_links import preview_links
from fotofinish.web.dashboard.photo_filters import asked, filter_of
from fotofinish.web.dashboard.photo_grid import change_photos, find_event_of
from fotofinish.web.dashboard.photo_notices import done, notice_of
from fotofinish.web.dashboard.shell import Shell, frame_of
from fotofinish.web.dashboard.visitors import Visitor, require
from fotofinish.web.forms import text
from fotofinish.web.services import Services, services


class PhotoPage:
    """Everybody may look; editors and owners correct."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def show(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/photos/{photo_id}`; the filter says what comes next."""
        return await self._render(request, visitor)

    async def original(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/photos/{photo_id}/original`: on to the file as it came in."""
        async with services(request).pool.connection() as connection:
            event = await find_event_of(connection, request, visitor)
            require(visitor.organisation(event.org_id), "editor")
            photo = await _find(connection, request, event)
        key = original_key(event.id, photo.id, photo.extension)
        link = services(request).linker.link_saved_as(key, photo.name)
        return RedirectResponse(link, 303)

    async def correct(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/events/{event_id}/photos/{photo_id}`: `do` one thing, or confirm and go on.

        A number that stands in the field when all is said to be right is added first. After a
        deletion it goes on, too; after the last photo, back to where that was.
        """
        ours = services(request)
        given = asked(request.query_params)
        what, bib = text(form, "do"), text(form, "bib").strip()
        try:
            async with ours.pool.connection() as connection:
                event = await find_event_of(connection, request, visitor)
                require(visitor.organisation(event.org_id), "editor")
                photo = await _find(connection, request, event)
                before = after = None
                if what in ("confirm", "delete"):
                    before, after = await neighbours(
                        connection, event.id, filter_of(given, event), photo
                    )
                if what == "confirm":
                    if bib:
                        await change_photos(connection, ours, event.id, [photo.id], "add", bib)
                    await confirm_bibs(connection, event.id, [photo.id])
                    said = _confirmed(bib, last=after is None)
                else:
                    said = await change_photos(connection, ours, event.id, [photo.id], what, bib)
        except InvalidValue as error:
            return await self._render(request, visitor, error, typed=bib)
        target, place = f"/{photo.id}", ""
        if after:
            target = f"/{after}"
            said = done("deleted-before") if what == "delete" else said
        elif what == "delete":
            target, place = "", f"at={before}" if before else ""
        query = "&".join(part for part in (given.query, place, said) if part)
        return RedirectResponse(
            f"/events/{event.id}/photos{target}{'?' if query else ''}{query}", 303
        )

    async def _render(
        self,
        request: Request,
        visitor: Visitor,
        error: InvalidValue | None = None,
        *,
        typed: str = "",
    ) -> Response:
        ours = services(request)
        given = asked(request.query_params)
        async with ours.pool.connection() as connection:
            event = await find_event_of(connection, request, visitor)
            photo = await _find(connection, request, event)
            tags = await tags_of_photo(connection, photo.id)
            faces = await faces_of_photo(connection, photo.id)
            before, after = await neighbours(connection, event.id, filter_of(given, event), photo)
        link, trouble = _preview(ours, event.id, photo)
        frame = frame_of(request, visitor, visitor.organisation(event.org_id))
        said = notice_of(request.query_params.get("done", ""), one="this photo")
        return self._shell.render(
            "photo.html",
            replace(frame, notice=None if error else said),
            status=error.status if error else 200,
            pictures=[link] if link else [],
            event=event,
            photo=photo,
            tags=tags,
            faces=faces,
            before=before,
            after=after,
            given=given,
            link=link,
            trouble=trouble,
            fault=error.message if error else None,
            typed=typed,
        )


async def _find(connection: AsyncConnection, request: Request, event: Event) -> Sheet:
    photo = await find_sheet(connection, event.id, request.path_params["photo_id"])
    if photo is None:
        raise NotFound("There is no such photo.")
    return photo


def _confirmed(bib: str, *, last: bool) -> str:
    """What is worth saying: the next photo on the page says by itself that this one is right."""
    if last:
        return done("confirm")
    return done("added-before", bib=normalise_bib(bib)) if bib else ""


def _preview(ours: Services, event_id: int, photo: Sheet) -> tuple[str | None, str | None]:
    if photo.width is None:
        return None, None
    try:
        (link,) = preview_links(ours.linker, event_id, "medium", [photo])
    except StorageError as error:
        return None, error.message
    return link, None
