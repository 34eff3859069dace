"""One photo with what the machine saw on it, and the corrections of people."""

from __future__ import annotations

from uuid import UUID

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fotofinish.bibs.corrections import confirm_bibs
from fotofinish.errors import NotFound, StorageError
from fotofinish.photos.browsing import Sheet, faces_of_photo, find_sheet, neighbours, tags_of_photo
from fotofinish.photos.preview_links import preview_links
from fotofinish.web.dashboard.photo_filters import asked, filter_of
from fotofinish.web.dashboard.photo_grid import change_photos, find_event_of
from fotofinish.web.dashboard.shell import Shell, frame_of, text
from fotofinish.web.dashboard.visitors import Visitor, require
from fotofinish.web.services import Services, services

NO_PHOTO = "There is no such photo."


class PhotoPage:
    """Everybody may look; editors and owners correct."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def show(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/photos/{photo_id}`; the filter says what comes next."""
        ours = services(request)
        given = asked(request.query_params)
        async with ours.pool.connection() as connection:
            event = await find_event_of(connection, request, visitor)
            photo = await find_sheet(connection, event.id, request.path_params["photo_id"])
            if photo is None:
                raise NotFound(NO_PHOTO)
            tags = await tags_of_photo(connection, photo.id)
            faces = await faces_of_photo(connection, photo.id)
            before, after = await neighbours(connection, event.id, filter_of(given, event), photo)
        link, trouble = _preview(ours, event.id, photo)
        return self._shell.render(
            "photo.html",
            frame_of(request, visitor, visitor.organisation(event.org_id)),
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
        )

    async def correct(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/events/{event_id}/photos/{photo_id}`: `do` one thing, or confirm and go on."""
        ours = services(request)
        given = asked(request.query_params)
        query = f"?{given.query}" if given.query else ""
        async with ours.pool.connection() as connection:
            event = await find_event_of(connection, request, visitor)
            require(visitor.organisation(event.org_id), "editor")
            photo = await find_sheet(connection, event.id, request.path_params["photo_id"])
            if photo is None:
                raise NotFound(NO_PHOTO)
            target: UUID | None = photo.id
            if text(form, "do") == "confirm":
                await confirm_bibs(connection, event.id, [photo.id])
                _, after = await neighbours(connection, event.id, filter_of(given, event), photo)
                target = after or photo.id
            else:
                what = text(form, "do")
                await change_photos(connection, ours, event.id, [photo.id], what, text(form, "bib"))
                target = None if what == "delete" else photo.id
        if target is None:
            return RedirectResponse(f"/events/{event.id}/photos{query}", 303)
        return RedirectResponse(f"/events/{event.id}/photos/{target}{query}", 303)


def _preview(ours: Services, event_id: int, photo: Sheet) -> tuple[str | None, str | None]:
    if photo.width is None:
        return None, None
    try:
        (link,) = preview_links(ours.linker, event_id, "medium", [photo])
    except StorageError as error:
        return None, error.message
    return link, None
