"""Participants' requests to remove photos, for the organiser to answer."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fotofinish.errors import InvalidRequest
from fotofinish.photos.browsing import Cell
from fotofinish.photos.removals import list_removals, settle_removal
from fotofinish.web.dashboard.photo_grid import find_event_of, thumbnails
from fotofinish.web.dashboard.shell import Shell, frame_of
from fotofinish.web.dashboard.visitors import Visitor, require
from fotofinish.web.forms import text
from fotofinish.web.services import services


class RemovalPage:
    """Everybody may look; editors and owners answer."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def show(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/removals`."""
        ours = services(request)
        async with ours.pool.connection() as connection:
            event = await find_event_of(connection, request, visitor)
            removals = await list_removals(connection, event.id)
        cells = [
            Cell(one.photo_id, one.name, "ready", one.hidden, 1, 1, one.drawn, [])
            for one in removals
        ]
        links, trouble = thumbnails(ours, event.id, cells)
        return self._shell.render(
            "removals.html",
            frame_of(request, visitor, visitor.organisation(event.org_id)),
            pictures=list(links.values())[:1],
            event=event,
            removals=removals,
            links=links,
            trouble=trouble,
        )

    async def settle(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/events/{event_id}/removals`: hide or keep the photo of a request."""
        async with services(request).pool.connection() as connection:
            event = await find_event_of(connection, request, visitor)
            require(visitor.organisation(event.org_id), "editor")
            number, what = text(form, "removal"), text(form, "do")
            if not number.isdecimal() or len(number) > 18 or what not in ("hide", "keep"):
                raise InvalidRequest("There is no such answer.")
            await settle_removal(connection, event.id, int(number), hide=what == "hide")
        return RedirectResponse(f"/events/{event.id}/removals?done=request-{what}", 303)
