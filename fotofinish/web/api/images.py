"""Lists of images: all of an event, of a bib, of a span of time; and how they lie in time."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fotofinish.bibs.numbers import MAX_BIB_LENGTH
from fotofinish.errors import InvalidValue
from fotofinish.photos.gallery import (
    days_of_event,
    images_between,
    images_of_bib,
    images_of_event,
    moment,
)
from fotofinish.web.api.admission import admit_to_event, check_rate, require_search
from fotofinish.web.api.answers import image_list, success
from fotofinish.web.api.paging import check_window, read_integer, read_query, read_window
from fotofinish.web.services import services

DEFAULT_SIZE = 32
MOST = 100
LAST_SECOND = 253_402_300_799  # the end of the year 9999, where the calendar of Python ends


async def all_images(request: Request) -> Response:
    """GET `images`: every photo that is ready and not hidden."""
    access = await admit_to_event(request)
    window = read_window(request, default=DEFAULT_SIZE, most=MOST)
    await check_rate(request, access)
    ours = services(request)
    event_id = access.reached_event
    async with ours.pool.connection() as connection:
        page = await images_of_event(
            connection, event_id, offset=window.offset, limit=window.page_size
        )
    return image_list(ours, event_id, page, window, "Records for all images")


async def images_with_bib(request: Request) -> Response:
    """GET `bibs/{bib}`: the photos on which this number is seen."""
    access = await admit_to_event(request)
    require_search(access, "bib")
    bib: str = request.path_params["bib"]
    if not bib:
        raise InvalidValue("path.bib: String should have at least 1 character")
    if len(bib) > MAX_BIB_LENGTH:
        raise InvalidValue(f"path.bib: String should have at most {MAX_BIB_LENGTH} characters")
    window = read_window(request, default=DEFAULT_SIZE, most=MOST)
    await check_rate(request, access)
    ours = services(request)
    event_id = access.reached_event
    async with ours.pool.connection() as connection:
        page = await images_of_bib(
            connection, event_id, bib, offset=window.offset, limit=window.page_size
        )
    if not window.offset:
        ours.uses.searched(event_id, "bib", found=page.total > 0)
    return image_list(ours, event_id, page, window, f"Records for bib number {bib}")


async def timeline_days(request: Request) -> Response:
    """GET `timeline/days`: how many photos were captured on which day, in which hour."""
    access = await admit_to_event(request)
    require_search(access, "timeline")
    await check_rate(request, access)
    async with services(request).pool.connection() as connection:
        days = await days_of_event(connection, access.reached_event)
    return success("Timeline buckets" if days else "No timeline data", {"days": days})


async def timeline_images(request: Request) -> Response:
    """GET `timeline/images`: the photos captured in a span of time."""
    access = await admit_to_event(request)
    require_search(access, "timeline")
    values = read_query(request)
    faults: list[str] = []
    start = read_integer(values, "from", 0, LAST_SECOND, faults)
    end = read_integer(values, "to", 0, LAST_SECOND, faults)
    window = check_window(values, faults, default=DEFAULT_SIZE, most=MOST)
    await check_rate(request, access)
    ours = services(request)
    event_id = access.reached_event
    async with ours.pool.connection() as connection:
        page = await images_between(
            connection,
            event_id,
            moment(start),
            moment(end),
            offset=window.offset,
            limit=window.page_size,
        )
    return image_list(ours, event_id, page, window, "Records for timeline images")
