"""The deletion of an event: what it destroys is said first, and its name must be typed."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fotofinish.errors import InvalidValue
from fotofinish.events.events import find_own_event
from fotofinish.events.gone import delete_event, toll_of
from fotofinish.web.dashboard.shell import Shell, frame_of
from fotofinish.web.dashboard.visitors import Visitor, require
from fotofinish.web.forms import text
from fotofinish.web.services import services


class EventDeletion:
    """Owners alone."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def ask(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/delete`."""
        return await self._render(request, visitor)

    async def delete(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/events/{event_id}/delete`."""
        event_id = request.path_params["event_id"]
        try:
            async with services(request).pool.connection() as connection:
                event = await find_own_event(connection, visitor.account.id, event_id)
                current = require(visitor.organisation(event.org_id), "owner")
                await delete_event(
                    connection, current.org_id, event_id, typed_name=text(form, "typed")
                )
        except InvalidValue as error:
            return await self._render(request, visitor, error)
        return RedirectResponse(f"/?org={current.org_id}&done=event-deleted", 303)

    async def _render(
        self, request: Request, visitor: Visitor, error: InvalidValue | None = None
    ) -> Response:
        async with services(request).pool.connection() as connection:
            event = await find_own_event(
                connection, visitor.account.id, request.path_params["event_id"]
            )
            current = require(visitor.organisation(event.org_id), "owner")
            toll = await toll_of(connection, event.id)
        return self._shell.render(
            "event-delete.html",
            frame_of(request, visitor, current),
            status=error.status if error else 200,
            event=event,
            toll=toll,
            fault=error.message if error else None,
        )
