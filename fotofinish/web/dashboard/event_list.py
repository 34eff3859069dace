"""The first page: an organisation's events. And the form that makes another one."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fotofinish.errors import Conflict, InvalidValue
from fotofinish.events.events import create_event, list_events
from fotofinish.events.overview import list_summaries
from fotofinish.web.dashboard.event_forms import EventForm, filled_in, time_zones
from fotofinish.web.dashboard.shell import Frame, Shell, frame_of
from fotofinish.web.dashboard.visitors import Visitor, require
from fotofinish.web.forms import text
from fotofinish.web.services import services


class EventList:
    """Pages about all events of an organisation."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def show(self, request: Request, visitor: Visitor) -> Response:
        """GET `/`."""
        current = visitor.organisation(request.query_params.get("org"))
        async with services(request).pool.connection() as connection:
            events = await list_summaries(connection, current.org_id) if current else []
        return self._shell.render("events.html", frame_of(request, visitor, current), events=events)

    async def ask(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/new`; the time zone is that of the latest event."""
        current = require(visitor.organisation(request.query_params.get("org")), "editor")
        async with services(request).pool.connection() as connection:
            _, latest = await list_events(connection, current.org_id, offset=0, limit=1)
        zone = latest[0].time_zone if latest else ""
        return self._form(Frame(visitor, current), EventForm("", "", zone))

    async def create(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """POST `/events`."""
        current = require(visitor.organisation(text(form, "org")), "editor")
        given = filled_in(form)
        try:
            async with services(request).pool.connection() as connection:
                made = await create_event(
                    connection,
                    current.org_id,
                    given.name,
                    starts_at=given.start(),
                    time_zone=given.time_zone,
                    bib_search=given.bib_search,
                    selfie_search=given.selfie_search,
                )
        except (Conflict, InvalidValue) as error:
            return self._form(Frame(visitor, current), given, error)
        return RedirectResponse(f"/events/{made.id}?done=created", 303)

    def _form(
        self, frame: Frame, given: EventForm, error: Conflict | InvalidValue | None = None
    ) -> Response:
        return self._shell.render(
            "event-new.html",
            frame,
            status=error.status if error else 200,
            given=given,
            fault=error.message if error else None,
            zones=time_zones(),
        )
