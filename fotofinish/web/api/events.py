"""Events: a sign of life, the organisation's list, one event's switches."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fotofinish.events.events import list_events
from fotofinish.photos.gallery import first_images
from fotofinish.photos.preview_links import preview_links
from fotofinish.web.api.admission import admit, admit_to_event, check_rate
from fotofinish.web.api.answers import flat, success
from fotofinish.web.api.paging import read_window
from fotofinish.web.services import services


async def ping(request: Request) -> Response:
    """GET `ping`: the key reaches this event."""
    access = await admit_to_event(request)
    await check_rate(request, access)
    return flat({"status": "ok", "org_id": access.org_id, "event_id": access.event_id})


async def details(request: Request) -> Response:
    """GET `details`: the event and what may be searched in it."""
    access = await admit_to_event(request)
    await check_rate(request, access)
    assert access.starts_at is not None
    return flat(
        {
            "event_id": access.event_id,
            "event_name": access.name,
            "event_slug": access.slug,
            "event_date": access.starts_at.isoformat(),
            "status": access.status,
            "event_enabled": access.event_enabled,
            "bib_search": access.bib_search,
            "selfie_search": access.selfie_search,
            "name_search": access.name_search,
        }
    )


async def events(request: Request) -> Response:
    """GET `events`: the organisation's events, the latest first."""
    access = await admit(request)
    window = read_window(request, default=10, most=100)
    await check_rate(request, access)
    ours = services(request)
    async with ours.pool.connection() as connection:
        total, page = await list_events(
            connection, access.org_id, offset=window.offset, limit=window.page_size
        )
        covers = await first_images(connection, [event.id for event in page])
    data = {
        "events": [
            {
                "event_id": event.id,
                "event_name": event.name,
                "event_slug": event.slug,
                "event_date": event.starts_at.isoformat(),
                "status": event.status,
                "cover_image": preview_links(ours.linker, event.id, "medium", [covers[event.id]])[0]
                if event.id in covers
                else None,
            }
            for event in page
        ],
        "pagination": window.pagination(total),
    }
    return success("Records for events", data)
