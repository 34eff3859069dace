"""The developer zone: an organisation's API keys and a call to try them with."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fotofinish.errors import Conflict
from fotofinish.events.events import list_events
from fotofinish.events.overview import find_example
from fotofinish.organisations.accounts import emails_of
from fotofinish.organisations.keys import (
    MAX_KEYS,
    create_key,
    delete_key,
    list_keys,
    set_key_active,
)
from fotofinish.web.dashboard.calls import originals_call
from fotofinish.web.dashboard.shell import Frame, Shell, frame_of
from fotofinish.web.dashboard.visitors import Visitor, require
from fotofinish.web.forms import text
from fotofinish.web.services import services


class DeveloperPage:
    """Everybody may look; only owners make, switch and delete keys."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def show(self, request: Request, visitor: Visitor) -> Response:
        """GET `/developer`."""
        current = visitor.organisation(request.query_params.get("org"))
        return await self._render(request, frame_of(request, visitor, current))

    async def create(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/developer/keys`: this one answer shows the key; it is kept nowhere in full."""
        current = require(visitor.organisation(text(form, "org")), "owner")
        frame = Frame(visitor, current)
        try:
            async with services(request).pool.connection() as connection:
                key, _ = await create_key(connection, current.org_id, created_by=visitor.account.id)
        except Conflict as error:
            return await self._render(request, frame, status=409, fault=error.message)
        return await self._render(request, frame, new_key=key)

    async def switch(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/developer/keys/{key_id}/switch`, `to` on or off."""
        current = require(visitor.organisation(text(form, "org")), "owner")
        on = text(form, "to") == "on"
        async with services(request).pool.connection() as connection:
            await set_key_active(
                connection, current.org_id, request.path_params["key_id"], active=on
            )
        return _back(current.org_id, "switched-on" if on else "switched-off")

    async def delete(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/developer/keys/{key_id}/delete`."""
        current = require(visitor.organisation(text(form, "org")), "owner")
        async with services(request).pool.connection() as connection:
            await delete_key(connection, current.org_id, request.path_params["key_id"])
        return _back(current.org_id, "deleted")

    async def _render(
        self,
        request: Request,
        frame: Frame,
        *,
        status: int = 200,
        new_key: str | None = None,
        fault: str | None = None,
    ) -> Response:
        ours, org = services(request), frame.current
        if org is None:
            return RedirectResponse("/", 303)
        async with ours.pool.connection() as connection:
            keys = await list_keys(connection, org.org_id)
            makers = await emails_of(
                connection, {key.created_by for key in keys if key.created_by is not None}
            )
            _, latest = await list_events(connection, org.org_id, offset=0, limit=1)
            example = await find_example(connection, org.org_id)
        event_id = example.event_id if example else latest[0].id if latest else None
        call = originals_call(
            ours.settings.public_url,
            org.org_id,
            event_id,
            key=new_key,
            bib=example.bib if example else None,
        )
        return self._shell.render(
            "developer.html",
            frame,
            status=status,
            keys=keys,
            makers=makers,
            most=MAX_KEYS,
            new_key=new_key,
            fault=fault,
            call=call,
            example=example,
            latest=latest[0] if latest else None,
        )


def _back(org_id: int, done: str) -> Response:
    return RedirectResponse(f"/developer?org={org_id}&done={done}", 303)
