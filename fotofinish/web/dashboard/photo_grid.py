"""All photos of an event as a grid: filtered, and several of them changed at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

from psycopg import AsyncConnection
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from fotofinish.bibs.corrections import add_bib, checked_bib, remove_bib
from fotofinish.bibs.numbers import normalise_bib
from fotofinish.errors import InvalidRequest, InvalidValue, StorageError
from fotofinish.events.events import Event, find_own_event
from fotofinish.photos.browsing import (
    Cell,
    Filter,
    Mark,
    count_photos,
    list_cells,
    list_folders,
    list_marks,
    place_of,
)
from fotofinish.photos.changes import read_again, set_hidden, turn_photos
from fotofinish.photos.deleting import delete_photos
from fotofinish.photos.preview_links import preview_links
from fotofinish.photos.removals import count_removals
from fotofinish.web.dashboard.photo_filters import LABELS, asked, filter_of
from fotofinish.web.dashboard.photo_notices import done, notice_of
from fotofinish.web.dashboard.shell import Shell, frame_of
from fotofinish.web.dashboard.visitors import Visitor, require
from fotofinish.web.forms import text
from fotofinish.web.services import Services, services

MOST_MARKS = 1000
CHUNK = 120  # can be divided by 2, 3, 4, 5, 6, 8, 10 and 12 columns
MOST_AT_ONCE = 1000
LAST_OFFSET = 10**8


@dataclass(frozen=True, slots=True)
class Refused:
    """What could not be done, and what was chosen and typed for it: nothing of that is lost.

    `place` is where somebody looked.
    """

    fault: str | None = None
    chosen: Sequence[UUID] = ()
    bib: str = ""
    place: Mapping[str, str] = field(default_factory=dict)


class PhotoGrid:
    """Everybody may look; editors and owners change."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def show(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/photos`, with the filter, and where to look: from `offset` on,
        or, as long as there is that one, `at` a photo."""
        return await self._render("photos.html", request, visitor, whole=True)

    async def part(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/photos/part`: one chunk of the grid, from `offset` on.

        With a `mark` it begins `skip` photos after that one instead, wherever it is.
        """
        return await self._render("photo-cells.html", request, visitor, whole=False)

    async def marks(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/photos/marks`: where every so many `chunks` begin, as JSON."""
        chunks = max(1, _offset(request.query_params.get("chunks", "1")))
        async with services(request).pool.connection() as connection:
            event = await find_event_of(connection, request, visitor)
            wanted = filter_of(asked(request.query_params), event)
            marks = await list_marks(
                connection, event.id, wanted, step=chunks * CHUNK, limit=MOST_MARKS
            )
        return JSONResponse(
            [f"{mark.at}~{mark.id}" for mark in marks], headers={"Cache-Control": "no-store"}
        )

    async def change(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/events/{event_id}/photos/change`: `do` it with the photos that were chosen.

        `offset` and `at` say where somebody looked, which is where the answer leads.
        """
        ours = services(request)
        what, bib = text(form, "do"), text(form, "bib")
        chosen: list[UUID] = []
        try:
            async with ours.pool.connection() as connection:
                event = await find_event_of(connection, request, visitor)
                require(visitor.organisation(event.org_id), "editor")
                chosen = _chosen(form)
                _check_many(chosen)
                said = await change_photos(connection, ours, event.id, chosen, what, bib)
        except InvalidValue as error:
            refused = Refused(error.message, chosen, bib, _place(form))
            return await self._render("photos.html", request, visitor, refused, whole=True)
        query = [asked(request.query_params).query, urlencode(_place(form)), said]
        return RedirectResponse(f"/events/{event.id}/photos?{'&'.join(filter(None, query))}", 303)

    async def _render(
        self,
        template: str,
        request: Request,
        visitor: Visitor,
        refused: Refused | None = None,
        *,
        whole: bool,
    ) -> Response:
        ours = services(request)
        given = asked(request.query_params)
        place = refused.place if refused else _place(request.query_params)
        mark = None if whole else _mark(request.query_params.get("mark", ""))
        async with ours.pool.connection() as connection:
            event = await find_event_of(connection, request, visitor)
            wanted = filter_of(given, event)
            total = await count_photos(connection, event.id, wanted) if whole else 0
            offset = _offset(place.get("offset", "0"))
            if whole:
                offset = await _first_shown(connection, event.id, wanted, place, total)
            skip = _offset(request.query_params.get("skip", "0")) if mark else offset
            cells = await list_cells(
                connection, event.id, wanted, offset=skip, limit=CHUNK, mark=mark
            )
            folders = await list_folders(connection, event.id) if whole else {}
            removals = await count_removals(connection, event.id) if whole else 0
        links, trouble = thumbnails(ours, event.id, cells)
        frame = frame_of(request, visitor, visitor.organisation(event.org_id))
        said = notice_of(request.query_params.get("done", ""))
        return self._shell.render(
            template,
            replace(frame, notice=said or frame.notice),
            status=422 if refused else 200,
            pictures=list(links.values())[:1],
            event=event,
            cells=cells,
            links=links,
            trouble=trouble,
            given=given,
            labels=LABELS,
            folders=folders,
            removals=removals,
            total=total,
            offset=offset,
            at=place.get("at", ""),
            chunk=CHUNK,
            most=MOST_AT_ONCE,
            refused=refused or Refused(),
        )


async def find_event_of(connection: AsyncConnection, request: Request, visitor: Visitor) -> Event:
    """The event in the address, when it is one of the visitor's; raises NotFound."""
    return await find_own_event(connection, visitor.account.id, request.path_params["event_id"])


async def change_photos(
    connection: AsyncConnection,
    ours: Services,
    event_id: int,
    photo_ids: Sequence[UUID],
    what: str,
    bib: str,
) -> str:
    """Do one thing with photos of an event, and give back the query that says so.

    Raises InvalidValue for a bib that is none.
    """
    if what in ("hide", "show"):
        changed = await set_hidden(connection, event_id, photo_ids, hidden=what == "hide")
    elif what in ("left", "right"):
        quarters = -1 if what == "left" else 1
        changed = await turn_photos(connection, ours.queue, event_id, photo_ids, quarters=quarters)
    elif what == "again":
        changed = await read_again(connection, ours.queue, event_id, photo_ids)
    elif what == "delete":
        changed = await delete_photos(connection, ours.queue, event_id, photo_ids)
    elif what == "add":
        bib = checked_bib(bib)
        changed = await add_bib(connection, event_id, photo_ids, bib)
    elif what == "remove":
        bib = normalise_bib(bib.replace("\0", ""))
        if not bib:
            raise InvalidValue("Write the bib number that is to be removed.")
        changed = await remove_bib(connection, event_id, photo_ids, bib)
    else:
        raise InvalidRequest("There is no such thing to do with photos.")
    return done(what, changed, bib)


def thumbnails(
    ours: Services, event_id: int, cells: Sequence[Cell]
) -> tuple[dict[UUID, str], str | None]:
    """Links to the small pictures of those that have one, or why there are none."""
    there = [cell for cell in cells if cell.width is not None]
    try:
        links = preview_links(ours.linker, event_id, "small", there)
    except StorageError as error:
        return {}, error.message
    return {cell.id: link for cell, link in zip(there, links, strict=True)}, None


def _chosen(form: FormData) -> list[UUID]:
    """The chosen photos: `photos`, separated by commas, and every `photo`."""
    given = [*text(form, "photos").split(","), *map(str, form.getlist("photo"))]
    try:
        return list(dict.fromkeys(UUID(one) for one in given if one))
    except ValueError:
        raise InvalidRequest("There is no such photo.") from None


def _check_many(chosen: Sequence[UUID]) -> None:
    if not chosen:
        raise InvalidValue("No photo was chosen. Tick some first.")
    if len(chosen) > MOST_AT_ONCE:
        raise InvalidValue(f"Change at most {MOST_AT_ONCE:,} photos at a time.")


def _mark(given: str) -> Mark | None:
    at, _, photo_id = given.partition("~")
    if not photo_id:
        return None
    try:
        if at != "infinity":
            at = datetime.fromisoformat(at).astimezone(UTC).isoformat()
        return Mark(at, UUID(photo_id))
    except (ValueError, OverflowError):
        raise InvalidRequest("There is no such place in the list.") from None


def _place(given: Mapping[str, object]) -> dict[str, str]:
    """Where somebody looks, as far as the fields of an address or form make sense of it."""
    place: dict[str, str] = {}
    if offset := _offset(str(given.get("offset", ""))):
        place["offset"] = str(offset)
    with suppress(ValueError):
        place["at"] = str(UUID(str(given.get("at", ""))))
    return place


async def _first_shown(
    connection: AsyncConnection, event_id: int, wanted: Filter, place: Mapping[str, str], total: int
) -> int:
    """The place of the photo that the page begins with; where none is left there, of the last."""
    offset = _offset(place.get("offset", "0"))
    if "at" in place:
        before = await place_of(connection, event_id, wanted, UUID(place["at"]))
        offset = offset if before is None else before // CHUNK * CHUNK
    return offset if offset < total else max(0, total - 1) // CHUNK * CHUNK


def _offset(given: str) -> int:
    if not (given.isascii() and given.isdigit()):
        return 0
    return min(int(given), LAST_OFFSET) if len(given) < 20 else LAST_OFFSET
